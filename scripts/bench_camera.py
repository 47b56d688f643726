"""Milliseconds from a 1080p frame to its reading, beside the steps of the tutorial.

python scripts/bench_camera.py
python scripts/bench_camera.py --frames 1000 --json

The frames are drawn by the program: a chalked board under moving light, seen by a shaking, noisy
camera, with one digit and with twelve. Both programs read the same frames in one run and take
turns, so that a busy machine hurts both; each has one thread. The tutorial's steps are written
plainly anew; its network is the shipped resnet in floats, which has a class more. Beside them, ours
alone reads squared paper, a page of text and a rough wall: what is in view must not decide the
time. More about this machine: python -m digits_tf.benchmark.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf import recognition
from digits_tf.cli import command
from digits_tf.cli.reading_flags import MODEL
from digits_tf.images import import_cv2

_FRAMES = flags.DEFINE_integer("frames", 300, "Frames of each kind.", lower_bound=2)
flags.declare_key_flag("model")
_JSON = flags.DEFINE_boolean("json", False, "Print one JSON object instead of tables.")

_SIZE, _DIGITS = "1080p", (1, 12)
# Of the tutorial: the side that any frame is resized to, the grey level of chalk, the least area of
# a digit in pixels, a crop's side, and its margin as a share of the ink's longer side.
_SIDE, _THRESHOLD, _LEAST_AREA, _CROP, _MARGIN = 600, 200, 200, 28, 4 / 20


def main(words: Sequence[str]) -> None:
    """Times both and prints the tables."""
    import_cv2().setNumThreads(1)
    from digits_tf import benchmark
    from digits_tf.recognition import Recognizer

    network = recognition.load(recognition.shipped_model("resnet", "float32"), threads=1)
    recognizer = Recognizer.load(MODEL.value, threads=1)

    def ours(picture: np.ndarray) -> dict[str, float]:
        start = time.perf_counter()
        recognizer.read(picture, live=True)
        total = 1000 * (time.perf_counter() - start)
        return {**recognizer.milliseconds, "total": total}

    def tutorial(picture: np.ndarray) -> dict[str, float]:
        start = time.perf_counter()
        crops = find_chalk(picture)
        middle = time.perf_counter()
        network.probabilities(crops)
        end = time.perf_counter()
        times = {"find": middle - start, "net": end - middle, "total": end - start}
        return {stage: 1000 * seconds for stage, seconds in times.items()}

    result: dict[str, Any] = {"digits": {}, "without": {}}
    for digits in _DIGITS:
        source = (frame.pixels for frame in benchmark.board_frames(benchmark.SIZES[_SIZE], digits))
        row = _time({"ours": ours, "tutorial": tutorial}, source)
        medians = [row[name]["total"]["median_ms"] for name in ("tutorial", "ours")]
        result["digits"][str(digits)] = row | {"times_faster": medians[0] / medians[1]}
    for kind, pictures in _digitless().items():
        endless = (picture for _ in iter(int, 1) for picture in pictures)
        result["without"][kind] = _time({"ours": ours}, endless)["ours"]["total"]
    result |= {"frames": _FRAMES.value, "conditions": benchmark.conditions()}
    print(json.dumps(result)) if _JSON.value else _print(result)


def find_chalk(frame: np.ndarray) -> np.ndarray:
    """Finds digits as the tutorial does: bright chalk on an evenly lit board, and little else.

    Args:
        frame: uint8 (h, w, 3), BGR.

    Returns:
        uint8 (n, 28, 28), ink bright on 0; n may be 0.
    """
    import cv2

    small = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), (_SIDE, _SIDE))
    _, bright = cv2.threshold(small, _THRESHOLD, 255, cv2.THRESH_BINARY)
    ink = cv2.dilate(bright, np.ones((3, 3), np.uint8), iterations=2)
    crops = [np.zeros((0, _CROP, _CROP), np.uint8)]
    for x, y, w, h, area in cv2.connectedComponentsWithStats(ink)[2][1:].tolist():
        if area < _LEAST_AREA:
            continue
        side = max(w, h) + 2 * round(_MARGIN * max(w, h))
        square = np.zeros((side, side), np.uint8)
        top, left = (side - h) // 2, (side - w) // 2
        square[top : top + h, left : left + w] = ink[y : y + h, x : x + w]
        crops.append(cv2.resize(square, (_CROP, _CROP), interpolation=cv2.INTER_AREA)[None])
    return np.concatenate(crops)


def _time(
    programs: dict[str, Callable[[np.ndarray], dict[str, float]]], source: Iterable[np.ndarray]
) -> dict[str, Any]:
    """Milliseconds by program and stage; who begins changes with each frame."""
    from digits_tf.benchmark import WARM_UP, summary

    times: dict[str, dict[str, list[float]]] = {name: {} for name in programs}
    names = list(programs)
    for number, picture in zip(range(WARM_UP + _FRAMES.value), source, strict=False):
        names.reverse()
        for name in names:
            for stage, taken in programs[name](picture).items():
                if number >= WARM_UP:
                    times[name].setdefault(stage, []).append(taken)
    return {
        name: {stage: summary(each) for stage, each in stages.items()}
        for name, stages in times.items()
    }


def _digitless() -> dict[str, list[np.ndarray]]:
    """Frames of each kind, uint8 (1080, 1920, 3), a few of each with noise of their own."""
    import cv2

    from digits_tf.benchmark import SIZES
    from digits_tf.synthetic.textures import noise

    size, rng = SIZES[_SIZE], np.random.default_rng(0)
    shape = size.height, size.width
    squared = np.full(shape, 225, np.float32)
    squared[::45], squared[1::45], squared[:, ::45], squared[:, 1::45] = 4 * (120,)
    page = np.full(shape, 225, np.uint8)
    letters = np.array(list("abcdefghkmnpqrtuvwxy    "))
    for y in range(60, size.height, 48):
        words = "".join(rng.choice(letters, 90))
        cv2.putText(page, words, (40, y), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 40, 2, cv2.LINE_AA)
    drawn: dict[str, Any] = {
        "squared paper": squared,
        "a page of text": page,
        "a rough wall": 128 + 45 * noise(rng, shape, 3.0),
    }
    return {
        kind: [
            cv2.cvtColor(
                np.clip(picture + 3 * noise(rng, shape, 0.5), 0, 255).astype(np.uint8),
                cv2.COLOR_GRAY2BGR,
            )
            for _ in range(4)
        ]
        for kind, picture in drawn.items()
    }


def _print(result: dict[str, Any]) -> None:
    from report_parts.figures import table

    rows = [
        [digits, stage, _cell(ours), _cell(row["tutorial"][stage])]
        for digits, row in result["digits"].items()
        for stage, ours in row["ours"].items()
    ]
    print(table(["digits", "stage", "ours, ms: median (p95)", "the tutorial's steps"], rows))
    for digits, row in result["digits"].items():
        print(f"\n{digits} in view: {row['times_faster']:.1f} times faster", end="")
    rows = [[kind, _cell(each)] for kind, each in result["without"].items()]
    print("\n\n" + table(["without a digit", "ms: median (p95)"], rows))
    conditions = result["conditions"]
    versions = ", ".join(f"{name} {version}" for name, version in conditions["versions"].items())
    print(
        f"\n{result['frames']} frames of {_SIZE} each, one thread; {conditions['machine']}; "
        f"{versions}; {conditions['date']}"
    )


def _cell(summary: dict[str, float]) -> str:
    return f"{summary['median_ms']:.2f} ({summary['p95_ms']:.2f})"


if __name__ == "__main__":
    command.run(main, __doc__)
