"""Holds what Arm systems read against what this PC read, as scripts/arm64_check.sh laid it down.

python scripts/arm64_compare.py FOLDER pip apt [--json FILE]

FOLDER has a folder for each system and one for this PC: pc. Labels must be the same, and those of
the demo's end right; probabilities may differ by 0.001 from a float model and by one step of 8 bits
from one with 8-bit layers, where the network got the same crops. Exit code: 0 all alike, 1 not.

OpenCV rounds differently on different processors: the demo is not drawn, nor a crop cut, the same
to the last grey level. So the demo's labels are held against each other only while whole digits
stand on the board; at which frame a digit that is being written is one may depend on a grey level.
"""

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from report_parts.table import table

from digits_tf import files
from digits_tf.cli import command
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2, read_picture
from digits_tf.recognition.classifier import THRESHOLD

_JSON = flags.DEFINE_string("json", None, "Write the result into this file too.")

PC = "pc"
_FLOAT_TOLERANCE, _STEP = 1e-3, 1 / 255
_EIGHT_BITS = ("int8", "mixed")
# Commands print four decimals.
_ROUNDING = 1e-4
_EXIT_DIFFERENT = 1
_STEPS = {"demo": "demo, recorded", "pictures": "pictures", "reading": "models, and the demo again"}

Digits = list[dict[str, Any]]


@dataclasses.dataclass(frozen=True, eq=False)
class Reading:
    """What one system read.

    Attributes:
        demo: the digits of each of the demo's frames.
        pictures: the digits of each picture, by its path.
        crops: what the network saw, uint8 (28, 28), by the picture and the place in it.
        seconds: what the steps took.
        noted: what scripts/arm64_reading.py wrote: versions, digests.
        arrays: likewise: probabilities, the demo's crops.
    """

    demo: list[Digits]
    pictures: dict[str, Digits]
    crops: dict[str, np.ndarray]
    seconds: dict[str, int]
    noted: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @classmethod
    def load(cls, folder: Path) -> "Reading":
        """Takes it from its folder."""
        crops = {
            # The label at the end of the name is compared elsewhere.
            str(path.relative_to(folder)).rpartition("_")[0]: read_picture(path, grey=True)
            for path in (folder / "crops").rglob("*.png")
        }
        seconds = (line.split() for line in (folder / "seconds").read_text().splitlines())
        with np.load(folder / "reading.npz") as arrays:
            return cls(
                [row["digits"] for row in _rows(folder / "demo.jsonl")],
                {row["path"]: row["digits"] for row in _rows(folder / "pictures.jsonl")},
                crops,
                {step: int(value) for step, value in seconds},
                json.loads((folder / "reading.json").read_text()),
                dict(arrays),
            )


@dataclasses.dataclass
class Comparison:
    """How one system's reading differs from the PC's.

    Attributes:
        cells: of its column in the table, by row.
        figures: the same as numbers.
        problems: a line for each difference that must not be.
    """

    cells: dict[str, str] = dataclasses.field(default_factory=dict)
    figures: dict[str, Any] = dataclasses.field(default_factory=dict)
    problems: list[str] = dataclasses.field(default_factory=list)

    def count(self, row: str, same: int, whole: int, *, must: bool) -> bool:
        """Notes how many of so many are alike; returns whether all are."""
        self.cells[row], self.figures[row] = f"{same} of {whole}", [same, whole]
        if must and same != whole:
            self.problems.append(f"{row}: {same} of {whole}")
        return same == whole

    def differ(self, row: str, difference: float, tolerance: float | None) -> None:
        """Notes a greatest difference, which must be within a tolerance unless that is None."""
        self.cells[row], self.figures[row] = f"{difference:.1g}", difference
        if tolerance is not None and not difference <= tolerance:
            self.problems.append(f"{row}: {difference:.6f}, expected at most {tolerance:.6f}")


def main(words: Sequence[str]) -> int:
    """Prints the table; returns the exit code."""
    import_cv2()
    folder, names = Path(words[0]), words[1:]
    readings = {name: Reading.load(folder / name) for name in (*names, PC)}
    found = {name: compare(readings[name], readings[PC]) for name in names}
    rows = [[row, *(each.cells[row] for each in found.values()), ""] for row in _rows_of(found)]
    print(table(["", *names, PC], [*_heading(readings), *rows, *_footing(readings)]))
    problems = [f"{name}: {each}" for name in names for each in found[name].problems]
    if _JSON.value:
        files.write_json(Path(_JSON.value), _summary(readings, found, problems))
    for problem in problems:
        print(f"differs: {problem}", file=sys.stderr)
    return _EXIT_DIFFERENT if problems else 0


def compare(arm: Reading, pc: Reading) -> Comparison:
    """Compares one system's reading with the PC's."""
    result = Comparison()
    frames, recorded = len(pc.demo), arm.noted["recorded_frames"]
    result.count("frames of the recording that play", recorded, frames, must=True)
    _compare_demo(result, arm, pc)
    _compare_pictures(result, arm, pc)
    for name, expected in pc.arrays.items():
        if not name.startswith("demo"):
            _compare_probabilities(result, name, arm.arrays[name], expected)
    return result


def _compare_demo(result: Comparison, arm: Reading, pc: Reading) -> None:
    result.count("demo: frames of the same pixels", *_same(arm, pc, "demo_frames"), must=False)
    crops = _same_arrays(_by_frame(arm), _by_frame(pc))
    same = result.count("demo: every fifth frame, the same crops", *crops, must=False)
    alike = [_labels(one) == _labels(other) for one, other in zip(arm.demo, pc.demo, strict=False)]
    result.count("demo: frames of the same labels", sum(alike), len(pc.demo), must=False)
    texts = pc.noted["demo_texts"]
    whole = [index for index, text in enumerate(texts) if text is not None]
    one, other = ([reading.demo[index] for index in whole] for reading in (arm, pc))
    _compare_readings(result, "demo, digits whole", one, other, same)
    last = "".join(map(str, _labels(arm.demo[-1])))
    row = "demo: read at the end"
    result.cells[row] = result.figures[row] = last
    if last != texts[-1]:
        result.problems.append(f"{row}: {last}, on the board is {texts[-1]}")


def _compare_pictures(result: Comparison, arm: Reading, pc: Reading) -> None:
    cv2 = import_cv2()
    result.count("pictures: the same pixels", *_same(arm, pc, "pictures"), must=False)
    same = result.count("pictures: the same crops", *_same_arrays(arm.crops, pc.crops), must=False)
    shared = set(arm.crops) & set(pc.crops)
    levels = [int(cv2.absdiff(arm.crops[name], pc.crops[name]).max()) for name in shared]
    row = "pictures: greatest difference of a crop's grey levels"
    result.cells[row], result.figures[row] = str(max(levels, default=0)), max(levels, default=0)
    if set(arm.pictures) != set(pc.pictures):
        result.problems.append("pictures: not the same files were read")
    paths = sorted(set(arm.pictures) & set(pc.pictures))
    one, other = ([reading.pictures[path] for path in paths] for reading in (arm, pc))
    _compare_readings(result, "pictures", one, other, same)


def _compare_readings(
    result: Comparison, what: str, arm: list[Digits], pc: list[Digits], same_crops: bool
) -> None:
    pairs = list(zip(arm, pc, strict=False))
    alike = [one == other for one, other in ((_labels(a), _labels(b)) for a, b in pairs)]
    result.count(f"{what}: the same labels", sum(alike), max(len(arm), len(pc)), must=True)
    differences = [0.0]
    for one, other in (pair for pair, good in zip(pairs, alike, strict=True) if good):
        for digit, expected in zip(one, other, strict=True):
            difference = np.subtract(digit["probabilities"], expected["probabilities"])
            differences.append(float(np.abs(difference).max()))
    tolerance = _STEP + _ROUNDING if same_crops else None
    result.differ(f"{what}: greatest difference of a probability", max(differences), tolerance)


def _compare_probabilities(result: Comparison, name: str, arm: np.ndarray, pc: np.ndarray) -> None:
    same = int((_read(arm) == _read(pc)).sum())
    result.count(f"{name}: the same labels", same, len(pc), must=True)
    tolerance = _STEP if name.endswith(_EIGHT_BITS) else _FLOAT_TOLERANCE
    difference = float(np.abs(arm - pc).max())
    # A step is rounded to float32.
    result.differ(f"{name}: greatest difference", difference, tolerance + 1e-6)


def _read(probabilities: np.ndarray) -> np.ndarray:
    """The label of each row, -1 for none."""
    return np.where(probabilities.max(axis=1) > THRESHOLD, probabilities.argmax(axis=1), -1)


def _labels(digits: Digits) -> list[int | None]:
    return [digit["label"] for digit in digits]


def _same(arm: Reading, pc: Reading, key: str) -> tuple[int, int]:
    """How many digests are the same, and of how many."""
    one, other = arm.noted[key], pc.noted[key]
    if isinstance(other, dict):
        return sum(one.get(name) == digest for name, digest in other.items()), len(other)
    return sum(a == b for a, b in zip(one, other, strict=False)), max(len(one), len(other))


def _by_frame(reading: Reading) -> dict[str, np.ndarray]:
    """The demo's crops, uint8 (n, 28, 28), by the frame's number."""
    counts = reading.arrays["demo_counts"]
    parts = np.split(reading.arrays["demo_crops"], np.cumsum(counts)[:-1])
    return {str(number): part for number, part in enumerate(parts)}


def _same_arrays(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> tuple[int, int]:
    names = set(one) | set(other)
    shared = set(one) & set(other)
    return sum(np.array_equal(one[name], other[name]) for name in shared), len(names)


def _heading(readings: dict[str, Reading]) -> list[list[str]]:
    versions = [reading.noted["versions"] for reading in readings.values()]
    return [[key, *(each[key] for each in versions)] for key in versions[0]]


def _footing(readings: dict[str, Reading]) -> list[list[str]]:
    return [
        [
            f"seconds: {words} (Arm: the emulation's, not a Pi's)",
            *(str(reading.seconds[step]) for reading in readings.values()),
        ]
        for step, words in _STEPS.items()
    ]


def _rows_of(found: dict[str, Comparison]) -> list[str]:
    return list(next(iter(found.values())).cells)


def _summary(
    readings: dict[str, Reading], found: dict[str, Comparison], problems: list[str]
) -> dict[str, Any]:
    return {
        "alike": not problems,
        "problems": problems,
        "versions": {name: reading.noted["versions"] for name, reading in readings.items()},
        "compared_with_pc": {name: each.figures for name, each in found.items()},
        "seconds": {name: reading.seconds for name, reading in readings.items()},
    }


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
