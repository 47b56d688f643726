"""Milliseconds from a 1080p frame to its reading, beside a plain rewriting of the seed's steps.

python scripts/bench_camera.py
python scripts/bench_camera.py --frames 1000 --json

The frames are drawn by the program: a chalked board under moving light, seen by a shaking, noisy
camera, with one digit and with twelve. Beside them, ours alone reads an empty board, squared paper,
a page of text and a rough wall: what is in view must not decide the time. A still picture of 12
megapixels is read as a picture. Both programs read the same frames in one run and take
turns, so that a busy machine hurts both; each has one thread. The seed's steps are those of
plain_steps.py and its network of 2.78 million parameters with random weights, which cost the same
time, all crops of a frame in one batch. Where TensorFlow is installed the network is exported once
into the temporary folder; elsewhere name a copy of that file with --seed_model.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf import recognition
from digits_tf.cli import command
from digits_tf.cli.reading_flags import MODEL
from digits_tf.images import import_cv2

if TYPE_CHECKING:
    from digits_tf.benchmark import BoardFrame
    from digits_tf.recognition import Classifier

_FRAMES = flags.DEFINE_integer("frames", 300, "Frames of each kind.", lower_bound=2)
flags.declare_key_flag("model")
_SEED_MODEL = flags.DEFINE_string(
    "seed_model", None, "The seed's network as a .tflite file, instead of exporting it."
)
_JSON = flags.DEFINE_boolean("json", False, "Print one JSON object instead of tables.")

_SIZE, _DIGITS = "1080p", (1, 12)
_STARTS = 5
# What is aimed at, with twelve digits in view and from the shell to the first reading.
GOAL_MS, GOAL_START_S = 16.0, 1.0

Times = dict[str, list[float]]


def main(words: Sequence[str]) -> None:
    """Times both and prints the table."""
    cv2 = import_cv2()
    from plain_steps import load_net

    from digits_tf.benchmark import SIZES, conditions, measure_start
    from digits_tf.recognition import Recognizer

    cv2.setNumThreads(1)
    seed_net = load_net(_SEED_MODEL.value)
    recognizer = Recognizer.load(MODEL.value, threads=1)
    result: dict[str, Any] = {
        "size": SIZES[_SIZE],
        "frames": _FRAMES.value,
        "threads": 1,
        "digits": {str(digits): _time(digits, recognizer, seed_net) for digits in _DIGITS},
        "without": _without(recognizer),
        "still_12_megapixels_ms": _still(recognizer),
        "start": measure_start(recognition.find(MODEL.value), _STARTS),
        "goals": {"ms_12_digits": GOAL_MS, "start_s": GOAL_START_S},
        "conditions": conditions(),
    }
    print(json.dumps(result)) if _JSON.value else _print(result)


def _time(digits: int, recognizer: Any, seed_net: "Classifier | None") -> dict[str, Any]:
    """Reads the frames with both and sums up."""
    import plain_steps

    from digits_tf.benchmark import SIZES, WARM_UP, board_frames
    from digits_tf.recognition import text

    right, seed_crops = [], []

    def ours(frame: "BoardFrame") -> dict[str, float]:
        start = time.perf_counter()
        found = recognizer.read(frame.pixels, live=True)
        total = 1000 * (time.perf_counter() - start)
        right.append(text(found) == frame.text)
        return {**recognizer.milliseconds, "total": total}

    def seed(frame: "BoardFrame") -> dict[str, float]:
        start = time.perf_counter()
        crops = plain_steps.find(frame.pixels)
        middle = time.perf_counter()
        seed_crops.append(len(crops))
        times = {"find": 1000 * (middle - start)}
        if seed_net:
            seed_net.probabilities(crops)
            end = time.perf_counter()
            times |= {"net": 1000 * (end - middle), "total": 1000 * (end - start)}
        return times

    times = _take_turns({"ours": ours, "seed": seed}, board_frames(SIZES[_SIZE], digits))
    summary: dict[str, Any] = {name: _summary(each) for name, each in times.items()}
    summary["times_faster"] = {
        stage: summary["seed"][stage]["median_ms"] / summary["ours"][stage]["median_ms"]
        for stage in ("find", "total")
        if stage in summary["seed"]
    }
    summary["read_right"] = float(np.mean(right[WARM_UP:]))
    summary["seed_crops"] = float(np.median(seed_crops))
    return summary


def _without(recognizer: Any) -> dict[str, dict[str, float]]:
    """Times frames without a digit, by kind."""
    from digits_tf.benchmark import WARM_UP, summary

    found = {}
    for kind, pictures in _digitless().items():
        times = []
        for number in range(WARM_UP + _FRAMES.value):
            start = time.perf_counter()
            recognizer.read(pictures[number % len(pictures)], live=True)
            times.append(1000 * (time.perf_counter() - start))
        found[kind] = summary(times[WARM_UP:])
    return found


def _digitless() -> dict[str, list[np.ndarray]]:
    """Frames of each kind, uint8 (1080, 1920, 3), a few of each with noise of their own."""
    import cv2

    from digits_tf.benchmark import SIZES, board_frames
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
    rough = 128 + 45 * noise(rng, shape, 3.0)
    drawn: dict[str, np.ndarray] = {"squared paper": squared, "a page of text": page, "a rough wall": rough}
    board = board_frames(size, 0)
    made = {"an empty board": [next(board).pixels for _ in range(4)]}
    for kind, picture in drawn.items():
        grains = [picture + 3 * noise(rng, shape, 0.5) for _ in range(4)]
        made[kind] = [
            cv2.cvtColor(np.clip(each, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
            for each in grains
        ]
    return made


def _still(recognizer: Any) -> float:
    """Milliseconds of a picture of 4000x3000 with twelve digits, the median of 20."""
    import cv2

    from digits_tf.benchmark import SIZES, board_frames

    picture = cv2.resize(next(board_frames(SIZES[_SIZE], 12)).pixels, (4000, 3000))
    times = []
    for _ in range(20):
        start = time.perf_counter()
        recognizer.read(picture)
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times))


def _take_turns(
    programs: dict[str, Callable[["BoardFrame"], dict[str, float]]], source: Iterator["BoardFrame"]
) -> dict[str, Times]:
    """Milliseconds by program and stage; who begins changes with each frame."""
    from digits_tf.benchmark import WARM_UP

    times: dict[str, Times] = {name: {} for name in programs}
    names = list(programs)
    for number in range(WARM_UP + _FRAMES.value):
        frame = next(source)
        names.reverse()
        for name in names:
            taken = programs[name](frame)
            if number >= WARM_UP:
                for stage, value in taken.items():
                    times[name].setdefault(stage, []).append(value)
    return times


def _summary(times: Times) -> dict[str, Any]:
    from digits_tf.benchmark import summary

    found = {stage: summary(values) for stage, values in times.items()}
    return {stage: {**each, "per_s": 1000 / each["median_ms"]} for stage, each in found.items()}


def _print(result: dict[str, Any]) -> None:
    print(
        "| digits | stage | ours, ms: median (p95) | the seed's steps | times faster | frames/s |"
    )
    print("|---|---|---|---|---|---|")
    for digits, row in result["digits"].items():
        for stage, ours in row["ours"].items():
            seed, faster = row["seed"].get(stage), row["times_faster"].get(stage)
            rates = " / ".join(f"{each['per_s']:.0f}" for each in (ours, seed) if each)
            print(
                f"| {digits} | {stage} | {_cell(ours)} | {_cell(seed) if seed else 'left out'} "
                f"| {f'{faster:.1f}' if faster else ''} | {rates} |"
            )
    for digits, row in result["digits"].items():
        print(
            f"\n{digits} in view: {row['read_right']:.0%} of the frames read without a mistake; "
            f"the seed's steps cut out {row['seed_crops']:.0f}",
            end="",
        )
    one = result["digits"]["1"]["ours"]["total"]["median_ms"]
    print("\n\n| without a digit | ms: median (p95) | times one digit |\n|---|---|---|")
    for kind, each in result["without"].items():
        print(f"| {kind} | {_cell(each)} | {each['median_ms'] / one:.2f} |")
    print(f"\na picture of 12 megapixels: {result['still_12_megapixels_ms']:.1f} ms", end="")
    total, start = result["digits"]["12"]["ours"]["total"], result["start"]
    print(
        f"\n\nframe to reading with 12 digits: {_cell(total)} ms, goal {GOAL_MS:.0f} ms: "
        f"{_verdict(total['median_ms'] < GOAL_MS)}\n"
        f"start of digits_tf.camera to its first reading: {start['median_s']:.2f} s "
        f"(at most {start['most_s']:.2f}), goal {GOAL_START_S:.0f} s: "
        f"{_verdict(start['median_s'] < GOAL_START_S)}\n"
        f"{result['frames']} frames of {'x'.join(map(str, result['size']))} each, one thread"
    )
    conditions = result["conditions"]
    versions = ", ".join(f"{name} {version}" for name, version in conditions["versions"].items())
    print(f"{conditions['machine']}; {versions}; {conditions['date']}")


def _cell(summary: dict[str, float]) -> str:
    return f"{summary['median_ms']:.2f} ({summary['p95_ms']:.2f})"


def _verdict(met: bool) -> str:
    return "met" if met else "missed"


if __name__ == "__main__":
    command.run(main, __doc__)
