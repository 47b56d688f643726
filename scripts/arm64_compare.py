"""The Python part of scripts/arm64_check.sh: what is read, and how alike processors read it.

python scripts/arm64_compare.py inputs FOLDER
python scripts/arm64_compare.py read FOLDER OUT
python scripts/arm64_compare.py compare OUTS pip apt [--json FILE]

inputs makes the same files for all processors: made-up photographs, and crops of digits and of what
is none. read notes in OUT, with the installed package, the probabilities of every shipped .tflite
file for these crops, and what is cut out of the demo's frames. compare holds each system's
folder in OUTS against this PC's, which is called pc. Labels must be the same, and those of the
demo's end right; probabilities may differ by 0.001 from a float model and by one step of 8 bits
from one with 8-bit layers, where the network got the same crops. Exit code: 0 all alike, 1 not.

OpenCV rounds differently on different processors: the demo is not drawn, nor a crop cut, the same
to the last grey level. So the demo's labels are held against each other only while whole digits
stand on the board; at which frame a digit that is being written is one may depend on a grey level.
"""

import dataclasses
import itertools
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from digits_tf import files as storage
from digits_tf import recognition
from digits_tf.cli import command
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2, read_picture, write_picture
from digits_tf.recognition.classifier import THRESHOLD

_FRAMES = flags.DEFINE_integer("frames", 100, "Frames of the demo to read.", lower_bound=1)
_JSON = flags.DEFINE_string("json", None, "Write the comparison into this file too.")

PC = "pc"
_FLOAT_TOLERANCE, _STEP = 1e-3, 1 / 255
_EIGHT_BITS = ("int8", "mixed")
# Commands print four decimals.
_ROUNDING = 1e-4
_EXIT_DIFFERENT = 1
_EVERY = 5  # frames of the demo between those whose crops are kept
# Digits in each made-up picture, and its height and width.
_PICTURES = [
    *[(1, (480, 640))] * 5,
    *[(each, (480, 960)) for each in (2, 3, 4, 5, 5, 6)],
    (4, (1080, 1920)),
]
_EACH_DIGIT, _OTHERS = 8, 16

Digits = list[dict[str, Any]]


def main(words: Sequence[str]) -> int:
    """Does what the first word says; returns the exit code."""
    import_cv2()
    action, folder, others = words[0], Path(words[1]), words[2:]
    if action == "inputs":
        make_inputs(folder)
    elif action == "read" and others:
        read_inputs(folder, Path(others[0]))
    elif action == "compare" and others:
        return print_comparison(folder, others)
    else:
        raise DigitsError(f"expected inputs, read or compare with folders, found {' '.join(words)}")
    return 0


def make_inputs(folder: Path) -> None:
    """Writes pictures/, PNG and JPEG, and crops.npy, uint8 (n, 28, 28)."""
    from digits_tf.synthetic import scene
    from digits_tf.synthetic.background import background_crops
    from digits_tf.synthetic.pen import pen_digit

    rng = np.random.default_rng(0)
    for number, (count, shape) in enumerate(_PICTURES):
        text = rng.integers(0, 10, count).tolist()
        glyphs = [pen_digit(digit, rng) for digit in text]
        suffix = ".jpg" if number % 2 else ".png"
        name = f"{number:02}_{''.join(map(str, text))}{suffix}"
        write_picture(folder / "pictures" / name, scene.draw(rng, glyphs, shape).frame)
    labels = np.tile(np.arange(10), _EACH_DIGIT)
    digits = np.stack([pen_digit(int(digit), rng) for digit in labels])
    background = background_crops(digits, labels, _OTHERS, 0)
    np.save(folder / "crops.npy", np.concatenate([digits, background]))


def read_inputs(folder: Path, out: Path) -> None:
    """Writes reading.npz and reading.json into `out`, beside the demo's recording there."""
    import ai_edge_litert

    from digits_tf.camera import demo
    from digits_tf.detection.detector import FILE
    from digits_tf.recognition import Recognizer

    crops, recognizer = np.load(folder / "crops.npy"), Recognizer.load()
    files = sorted(recognition.shipped_model().parent.glob("*.tflite"))
    arrays: dict[str, np.ndarray] = {
        path.stem: recognition.load(path).probabilities(crops)
        for path in files
        if path.name != FILE
    }
    frames = list(itertools.islice(demo.frames(), _FRAMES.value))
    for number, frame in enumerate(frames[::_EVERY]):
        found = [digit.crop for digit in recognizer.read(frame.picture)]
        arrays[f"demo_{number}"] = np.array(found, np.uint8).reshape(-1, 28, 28)
    np.savez(out / "reading.npz", allow_pickle=False, **arrays)
    noted = {
        "versions": {
            "machine": platform.machine(),
            "Python": platform.python_version(),
            "NumPy": np.__version__,
            "OpenCV": import_cv2().__version__,
            "LiteRT": ai_edge_litert.__version__,
        },
        "recorded_frames": _count_frames(out / "demo.mp4"),
        "demo_texts": [each.text for each in frames],
    }
    storage.write_json(out / "reading.json", noted)


def print_comparison(folder: Path, names: Sequence[str]) -> int:
    """Prints the table of all systems; returns the exit code."""
    from report_parts.figures import table

    readings = {name: Reading.load(folder / name) for name in (*names, PC)}
    found = {name: compare(readings[name], readings[PC]) for name in names}
    versions = [reading.noted["versions"] for reading in readings.values()]
    rows = [[key, *(each[key] for each in versions)] for key in versions[0]]
    rows += [
        [row, *(each.cells[row] for each in found.values()), ""] for row in found[names[0]].cells
    ]
    print(table(["", *names, PC], rows))
    problems = [f"{name}: {each}" for name in names for each in found[name].problems]
    if _JSON.value:
        summary = {
            "alike": not problems,
            "problems": problems,
            "versions": dict(zip(readings, versions, strict=True)),
            "compared_with_pc": {name: each.cells for name, each in found.items()},
        }
        storage.write_json(Path(_JSON.value), summary)
    for problem in problems:
        print(f"differs: {problem}", file=sys.stderr)
    return _EXIT_DIFFERENT if problems else 0


@dataclasses.dataclass(frozen=True, eq=False)
class Reading:
    """What one system read.

    Attributes:
        demo: the digits of each of the demo's frames.
        pictures: the digits of each picture, by its path.
        crops: what the network saw, uint8 (28, 28), by the picture and the place in it.
        demo_crops: of some of the demo's frames, uint8 (n, 28, 28), by the frame.
        models: probabilities of the same crops, float32 (n, 10), by the file's name.
        noted: versions, frames that were recorded, what stands on the demo's board.
    """

    demo: list[Digits]
    pictures: dict[str, Digits]
    crops: dict[str, np.ndarray]
    demo_crops: dict[str, np.ndarray]
    models: dict[str, np.ndarray]
    noted: dict[str, Any]

    @classmethod
    def load(cls, folder: Path) -> "Reading":
        """Takes it from its folder."""
        crops = {
            # The label at the end of the name is compared elsewhere.
            str(path.relative_to(folder)).rpartition("_")[0]: read_picture(path, grey=True)
            for path in (folder / "crops").rglob("*.png")
        }
        with np.load(folder / "reading.npz") as file:
            arrays = dict(file)
        return cls(
            [row["digits"] for row in _rows(folder / "demo.jsonl")],
            {row["path"]: row["digits"] for row in _rows(folder / "pictures.jsonl")},
            crops,
            {name: each for name, each in arrays.items() if name.startswith("demo_")},
            {name: each for name, each in arrays.items() if not name.startswith("demo_")},
            json.loads((folder / "reading.json").read_text()),
        )


@dataclasses.dataclass
class Comparison:
    """How one system's reading differs from the PC's.

    Attributes:
        cells: of its column in the table, by row.
        problems: a line for each difference that must not be.
    """

    cells: dict[str, str] = dataclasses.field(default_factory=dict)
    problems: list[str] = dataclasses.field(default_factory=list)

    def count(self, row: str, alike: Sequence[bool], whole: int, *, must: bool = False) -> bool:
        """Notes how many of so many are alike; returns whether all are."""
        self.cells[row] = f"{sum(alike)} of {whole}"
        if must and sum(alike) != whole:
            self.problems.append(f"{row}: {self.cells[row]}")
        return sum(alike) == whole

    def differ(self, row: str, difference: float, tolerance: float | None) -> None:
        """Notes a greatest difference, which must be within a tolerance unless that is None."""
        self.cells[row] = f"{difference:.1g}"
        if tolerance is not None and not difference <= tolerance:
            self.problems.append(f"{row}: {difference:.6f}, expected at most {tolerance:.6f}")


def compare(arm: Reading, pc: Reading) -> Comparison:
    """Compares one system's reading with the PC's."""
    result = Comparison()
    row, texts = "frames of the recording that play", pc.noted["demo_texts"]
    result.count(row, [True] * arm.noted["recorded_frames"], len(pc.demo), must=True)
    crops = _same_arrays(arm.demo_crops, pc.demo_crops)
    same = result.count("demo: every fifth frame, the same crops", *crops)
    alike = [_labels(one) == _labels(other) for one, other in zip(arm.demo, pc.demo, strict=False)]
    result.count("demo: frames of the same labels", alike, len(pc.demo))
    whole = [index for index, text in enumerate(texts) if text is not None]
    one, other = ([reading.demo[index] for index in whole] for reading in (arm, pc))
    _compare_readings(result, "demo, digits whole", one, other, same)
    row, last = "demo: read at the end", "".join(map(str, _labels(arm.demo[-1])))
    result.cells[row] = last
    if last != texts[-1]:
        result.problems.append(f"{row}: {last}, on the board is {texts[-1]}")
    same = result.count("pictures: the same crops", *_same_arrays(arm.crops, pc.crops))
    if set(arm.pictures) != set(pc.pictures):
        result.problems.append("pictures: not the same files were read")
    paths = sorted(set(arm.pictures) & set(pc.pictures))
    one, other = ([reading.pictures[path] for path in paths] for reading in (arm, pc))
    _compare_readings(result, "pictures", one, other, same)
    for name, expected in pc.models.items():
        found = arm.models[name]
        alike = (_label(found) == _label(expected)).tolist()
        result.count(f"{name}: the same labels", alike, len(expected), must=True)
        tolerance = _STEP if name.endswith(_EIGHT_BITS) else _FLOAT_TOLERANCE
        difference = float(np.abs(found - expected).max())
        # A step is rounded to float32.
        result.differ(f"{name}: greatest difference", difference, tolerance + 1e-6)
    return result


def _compare_readings(
    result: Comparison, what: str, arm: list[Digits], pc: list[Digits], same_crops: bool
) -> None:
    alike = [_labels(one) == _labels(other) for one, other in zip(arm, pc, strict=True)]
    result.count(f"{what}: the same labels", alike, len(pc), must=True)
    differences = [
        float(np.abs(np.subtract(one["probabilities"], other["probabilities"])).max())
        for a, b, good in zip(arm, pc, alike, strict=True)
        if good
        for one, other in zip(a, b, strict=True)
    ]
    tolerance = _STEP + _ROUNDING if same_crops else None
    row = f"{what}: greatest difference of a probability"
    result.differ(row, max(differences, default=0.0), tolerance)


def _label(probabilities: np.ndarray) -> np.ndarray:
    """The label of each row, -1 for none."""
    return np.where(probabilities.max(axis=1) > THRESHOLD, probabilities.argmax(axis=1), -1)


def _labels(digits: Digits) -> list[int | None]:
    return [digit["label"] for digit in digits]


def _same_arrays(
    one: dict[str, np.ndarray], other: dict[str, np.ndarray]
) -> tuple[list[bool], int]:
    shared = set(one) & set(other)
    return [np.array_equal(one[name], other[name]) for name in shared], len(set(one) | set(other))


def _count_frames(path: Path) -> int:
    """How many frames of a film can be played."""
    capture = import_cv2().VideoCapture(str(path))
    count = 0
    while capture.read()[0]:
        count += 1
    capture.release()
    return count


def _rows(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file with one a line."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    if not rows:
        raise DigitsError(f"{path}: expected a reading a line, found an empty file")
    for row in rows:
        if "error" in row:
            raise DigitsError(f"{path}: {row['error']}")
    return rows


if __name__ == "__main__":
    command.run(main, __doc__, positional=(2, None))
