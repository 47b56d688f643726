"""How steady readings of a stream are, on clips that the program makes.

python scripts/measure_stream.py
python scripts/measure_stream.py --clips=8 --seconds=20 --seed=100 --readings=/tmp/readings --json

demo     the demo source
pauses   numbers written stroke by stroke; the hand pauses between strokes and within them
hand     the same, with a hand and its arm in view
replace  a digit is wiped, and another is written in its place
held     numbers that are there at once, and gone at once
rows     rows of digits, close and not quite straight, that stand still

All are seen by a shaking, noisy camera, at 30 frames of simulated time a second. With --readings
what is read in each frame is kept in that folder, and a changed smoother is measured in seconds;
delete it after a change of the networks. Per clip, mean and deviation over clips:

wrong    frames with a label that is not the finished digit's, %
flashes  how often a digit showed such a label and then lost it, for 100 digits; not counted are
         labels of what was wiped before, which `wrong` counts
late     seconds from the last stroke to the right label, median; late95: 95th percentile
never    digits whose right label never came, %
ordered  frames with all digits in reading order, %
flips    how often digits changed their order, in 1,000 frames
texts    how often the text changed, in 1,000 frames
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from absl import flags
from numpy.typing import NDArray

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf.boxes import Box
from digits_tf.cli import command
from digits_tf.images import import_cv2
from digits_tf.recognition import Digit, text

_CLIPS = flags.DEFINE_integer("clips", 4, "Clips of each kind.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 20, "Length of a clip.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Of the first clip of each kind.", lower_bound=0)
_READINGS = flags.DEFINE_string("readings", "", "Folder for what was read; none: not kept.")
_SKIP = flags.DEFINE_integer("skip", 1, "Only each n-th frame is smoothed.", lower_bound=1)
_JSON = flags.DEFINE_boolean("json", False, "Print one JSON object instead of a table.")

KINDS = ("demo", "pauses", "hand", "replace", "held", "rows")
_SKIN, _CHALK = (110, 150, 205), (235, 240, 240)


class Target(NamedTuple):
    """A digit that is there, or is being written.

    Attributes:
        key: tells it from all others of the clip.
        label: 0 to 9.
        box: where it will stand, pixels; empty for the demo, where places in the line count.
        finished: whether its last stroke is drawn.
    """

    key: int
    label: int
    box: Box
    finished: bool


Scene = tuple[NDArray[np.uint8], list[Target]]


def main(words: Sequence[str]) -> None:
    """Measures all clips and prints the figures."""
    import_cv2().setNumThreads(1)
    result: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        clips = [_measure(kind, _SEED.value + number) for number in range(_CLIPS.value)]
        result[kind] = {
            name: [float(np.mean(values)), float(np.std(values))]
            for name in clips[0]
            if (values := [clip[name] for clip in clips if np.isfinite(clip[name])])
        }
    if _JSON.value:
        print(json.dumps(result))
        return
    from report_parts.figures import table

    names = list(result[KINDS[0]])
    rows = [
        [kind, *(f"{mean:.2f} ±{deviation:.2f}" for mean, deviation in row.values())]
        for kind, row in result.items()
    ]
    print(table(["clips", *names], rows))
    print(f"\nmean ± deviation over {_CLIPS.value} clips of {_SECONDS.value:g} s of each kind")


def _measure(kind: str, seed: int) -> dict[str, float]:
    from digits_tf.camera.demo import FPS
    from digits_tf.camera.smoother import Smoother

    smoother = Smoother(0.5)
    score = Score()
    for number, (digits, targets) in enumerate(_readings(kind, seed)):
        if number % _SKIP.value == 0:
            score.add(smoother.update(digits, number / FPS), targets, number / FPS)
    return score.figures()


class Score:
    """Compares what is shown with what is there, frame by frame."""

    def __init__(self) -> None:
        self._frames = self._wrong = self._flashes = self._flips = self._texts = 0
        self._ordered = 0
        self._labels: dict[int, int] = {}
        self._left: set[int | None] = set()
        self._finished: dict[int, float] = {}
        self._right: dict[int, float] = {}
        self._order: dict[int, int] = {}
        self._text: str | None = None

    def add(self, digits: Sequence[Digit], targets: Sequence[Target], seconds: float) -> None:
        """Takes what is shown in a frame; where nothing is to be read, nothing is judged."""
        if not targets:
            self._left = {digit.label for digit in digits}
            self._order, self._text, self._labels = {}, None, {}
            return
        self._frames += 1
        keys = [_key(digit, place, targets) for place, digit in enumerate(digits)]
        labels = {
            key: digit.label
            for key, digit in zip(keys, digits, strict=True)
            if digit.label is not None
        }
        truth = {target.key: target.label for target in targets}
        for target in targets:
            if target.finished:
                self._finished.setdefault(target.key, seconds)
                if labels.get(target.key) == target.label:
                    self._right.setdefault(target.key, seconds)
        wrong = {key for key in labels if labels[key] != truth.get(key)}
        self._wrong += bool(wrong)
        for key, label in self._labels.items():
            # A wrong label that stands to the end is a misread digit, and no flash.
            if truth.get(key, label) != label and labels.get(key) != label:
                self._flashes += label not in self._left
        self._labels = labels
        order = {key: place for place, key in enumerate(keys) if key >= 0 and key in labels}
        self._ordered += list(order) == sorted(order)
        both = [key for key in self._order if key in order]
        before = sorted(both, key=lambda key: self._order[key])
        self._flips += before != sorted(both, key=lambda key: order[key])
        self._order = order
        now = text(digits)
        self._texts += self._text not in (None, now)
        self._text = now

    def figures(self) -> dict[str, float]:
        """The figures; see the script's description."""
        late = [self._right[key] - self._finished[key] for key in self._right]
        count, frames = len(self._finished), self._frames
        return {
            "wrong": 100 * self._wrong / frames,
            "flashes": 100 * self._flashes / count,
            "late": float(np.median(late)),
            "late95": float(np.percentile(late, 95)),
            "never": 100 * (count - len(late)) / count,
            "ordered": 100 * self._ordered / frames,
            "flips": 1000 * self._flips / frames,
            "texts": 1000 * self._texts / frames,
            "digits": count,
            "frames": frames,
        }


def _key(digit: Digit, place: int, targets: Sequence[Target]) -> int:
    """The key of the target that a shown digit stands for; -1: none."""
    if not any(targets[0].box):
        return targets[place].key if place < len(targets) else -1
    x, y = digit.box.centre
    near = [target for target in targets if target.box.contains(x, y)]
    if not near:
        return -1
    return min(near, key=lambda each: abs(each.box.centre[0] - x)).key


def _readings(kind: str, seed: int) -> Iterator[tuple[list[Digit], list[Target]]]:
    """What is read in each frame of a clip, and what is there."""
    folder = Path(_READINGS.value) if _READINGS.value else None
    file = folder / f"{kind}-{seed}-{_SECONDS.value:g}.npz" if folder else None
    if file and file.is_file():
        saved = np.load(file)
        read, there = saved["read"], saved["there"]
    else:
        read, there = _read(kind, seed)
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(file, read=read, there=there)
    crop = np.zeros((28, 28), np.uint8)  # no smoother looks at it
    for number in range(_frames()):
        digits = [
            Digit(
                None if label < 0 else int(label),
                confidence,
                row[8:],
                Box(*map(int, box)),
                crop,
                int(line),
            )
            for row in read[read[:, 0] == number]
            for _, label, confidence, line, *box in [row[:8].tolist()]
        ]
        targets = [
            Target(int(key), int(label), Box(*box), bool(finished))
            for _, key, label, *box, finished in there[there[:, 0] == number].tolist()
        ]
        yield digits, targets


def _frames() -> int:
    from digits_tf.camera.demo import FPS

    return round(_SECONDS.value * FPS)


def _read(kind: str, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Reads a clip: rows of what was read, and of what is there, each with its frame's number."""
    from digits_tf.recognition import Recognizer

    recognizer = Recognizer.load()
    read: list[list[float]] = []
    there: list[list[float]] = []
    scenes = _demo(seed) if kind == "demo" else _board(kind, seed)
    for number, (picture, targets) in zip(range(_frames()), scenes, strict=False):
        for digit in recognizer.read(picture, live=True):
            label = -1 if digit.label is None else digit.label
            row = [number, label, digit.confidence, digit.line, *digit.box]
            read.append([*row, *digit.probabilities.tolist()])
        there += [[number, each.key, each.label, *each.box, each.finished] for each in targets]
    return (
        np.array(read, np.float32).reshape(-1, 18),
        np.array(there, np.float32).reshape(-1, 8),
    )


def _demo(seed: int) -> Iterator[Scene]:
    """The demo's frames; each digit of a number takes as long to write as the others."""
    from digits_tf.camera import demo

    written: list[NDArray[np.uint8]] = []
    number = wiping = 0
    shown = ""
    for frame in demo.frames(seed):
        if frame.text is None and not wiping:
            written.append(frame.picture)
            continue
        if frame.text:
            for index, picture in enumerate(written):
                done = len(frame.text) * index // len(written)
                targets = _places(frame.text, number)[: done + 1]
                targets[-1] = targets[-1]._replace(finished=False)
                yield picture, targets
            written = []
            yield frame.picture, _places(frame.text, number)
        else:
            number += bool(shown)
            yield frame.picture, []
        shown = frame.text or ""
        wiping = bool(shown) or (wiping and frame.text is None)


def _places(numbers: str, number: int) -> list[Target]:
    return [
        Target(10 * number + place, int(label), Box(0, 0, 0, 0), True)
        for place, label in enumerate(numbers)
    ]


def _board(kind: str, seed: int) -> Iterator[Scene]:
    """A board on which something happens again and again, seen by a camera."""
    from digits_tf.camera import demo

    rng = np.random.default_rng((KINDS.index(kind), seed))
    margin = 2 * demo.SHAKE_MARGIN
    board = demo.Board(rng, demo.WIDTH + margin, demo.HEIGHT + margin)
    effects = demo.CameraEffects(rng, demo.WIDTH, demo.HEIGHT, demo.FPS)
    for number, (picture, targets) in enumerate(_acts(kind, board, rng)):
        yield effects.apply(picture, number), targets


def _acts(kind: str, board: Any, rng: np.random.Generator) -> Iterator[Scene]:
    key = 0
    while True:
        place = rng.uniform(0.35, 0.65, 2) * [1280, 720]
        numbers = 2 if kind == "replace" else 1
        for _ in range(numbers):
            written = _rows(rng, key) if kind == "rows" else _number(kind, place, rng, key)
            key += len(written)
            targets = [target for target, _, _ in written]
            if kind in ("held", "rows"):
                for _, strokes, height in written:
                    board.draw(np.concatenate(strokes), height)
            else:
                yield from _write(kind == "hand", board, written, rng)
            for _ in range(150 if kind == "rows" else int(rng.integers(36, 60))):
                yield board.picture, targets
            steps = 6 if kind == "replace" else 3
            for step in range(1, steps + 1):
                if kind != "held" or step == steps:
                    board.wipe(step / steps)
                yield board.picture, []
            for _ in range(int(rng.integers(0, 9)) if kind == "replace" else 15):
                yield board.picture, []


Written = list[tuple[Target, list[NDArray[np.float64]], float]]


def _number(kind: str, middle: NDArray[np.float64], rng: np.random.Generator, key: int) -> Written:
    length = 1 if kind == "replace" else int(rng.integers(1, 4))
    height = rng.uniform(150, 330) if length < 3 else rng.uniform(150, 260)
    offsets = 0.85 * height * (np.arange(length) - (length - 1) / 2)
    return [
        _written(rng, key + place, middle + np.array([offset, 0.0]), height)
        for place, offset in enumerate(offsets)
    ]


def _rows(rng: np.random.Generator, key: int) -> Written:
    """Two to four rows, close and not quite straight."""
    written: Written = []
    rows, height = int(rng.integers(2, 5)), rng.uniform(75, 115)
    slope, distance = rng.uniform(-0.12, 0.12), rng.uniform(1.05, 1.5) * height
    for row in range(rows):
        start = rng.uniform(-0.5, 0.5) * height
        for place in range(int(rng.integers(2, 6))):
            x = 400 + start + place * 1.05 * height
            y = 360 + (row - (rows - 1) / 2) * distance + slope * (x - 640)
            size = height * rng.uniform(0.75, 1.2)
            middle = np.array([x, y + rng.normal(0, 0.1) * height])
            written.append(_written(rng, key + len(written), middle, size))
    return written


def _written(
    rng: np.random.Generator, key: int, middle: NDArray[np.float64], height: float
) -> tuple[Target, list[NDArray[np.float64]], float]:
    """A digit of a free hand: what it is, its strokes as segments on the board, its height."""
    from digits_tf.camera.demo import SHAKE_MARGIN
    from digits_tf.synthetic import handwriting

    label = int(rng.integers(10))
    strokes = [stroke * height + middle for stroke in handwriting.write_freely(label, rng)]
    points = np.concatenate(strokes)
    low, high = points.min(0) - 0.12 * height, points.max(0) + 0.12 * height
    target = Target(key, label, Box(*low.tolist(), *(high - low).tolist()), True)
    segments = [np.stack([each[:-1], each[1:]], 1) + SHAKE_MARGIN for each in strokes]
    return target, segments, height


def _write(hand: bool, board: Any, written: Written, rng: np.random.Generator) -> Iterator[Scene]:
    """Writes digit by digit; the hand pauses between strokes, and now and then within one."""
    targets: list[Target] = []
    for target, strokes, height in written:
        targets.append(target._replace(finished=False))
        speed = rng.uniform(0.06, 0.20)  # heights a frame: one digit in half a second to two
        for stroke in strokes:
            length = np.linalg.norm(stroke[:, 1] - stroke[:, 0], axis=1).sum() / height
            parts = np.array_split(stroke, max(1, round(length / speed)))
            rest = int(rng.integers(len(parts))) if rng.random() < 0.3 else -1
            for index, part in enumerate(parts):
                if len(part):
                    board.draw(part, height)
                last = stroke is strokes[-1] and index == len(parts) - 1
                if last:
                    targets[-1] = target
                pause = int(rng.integers(3, 9)) if index == rest and not last else 0
                for _ in range(1 + pause):
                    yield _seen(board, hand, part, height), list(targets)
            if stroke is not strokes[-1]:
                for _ in range(int(rng.integers(3, 14))):
                    yield _seen(board, hand, stroke[-1:], height), list(targets)
        for _ in range(int(rng.integers(4, 15))):
            yield board.picture, list(targets)


def _seen(board: Any, hand: bool, part: NDArray[np.float64], height: float) -> NDArray[np.uint8]:
    """The board, with the hand that writes if it is in view."""
    picture: NDArray[np.uint8] = board.picture
    if hand and len(part):
        import cv2

        picture, tip = picture.copy(), part[-1, 1]
        ends = tip + height * np.array([[0.1, 0.15], [1.5, 2.5]])
        start, end = ends.astype(int).tolist()
        cv2.line(picture, start, end, _SKIN, int(0.4 * height), cv2.LINE_AA)
        cv2.line(picture, tip.astype(int).tolist(), start, _CHALK, int(0.07 * height))
    return picture


if __name__ == "__main__":
    command.run(main, __doc__)
