"""What is read in a frame."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

_DECIMALS = 4
# A gap parts two numbers if it is wider than so many heights of the line's digits, as two digits
# are with what is between them, and than so many of the line's narrower gaps. Of two digits alone
# nobody knows how wide their writer writes.
_HEIGHTS, _GAPS, _PAIR = 1.8, 3.5, 3.0


@dataclasses.dataclass(frozen=True, eq=False)
class Digit:
    """One digit, or a mark that might have been one.

    Attributes:
        label: 0 to 9; None: the net is not sure enough, or it is no digit.
        confidence: probability of the likeliest digit, 0 to 1.
        probabilities: float32 (10,).
        box: x, y, width, height in pixels of the frame.
        crop: uint8 (28, 28), what the net saw: ink bright on 0, as MNIST's.
        line: the line of text that it stands in, 0 is the uppermost.
    """

    label: int | None
    confidence: float
    probabilities: np.ndarray = dataclasses.field(repr=False)
    box: tuple[int, int, int, int]
    crop: np.ndarray = dataclasses.field(repr=False)
    line: int = 0


def text(digits: Sequence[Digit]) -> str:
    r"""The numbers that were read, one line of text a line, joined by "\n".

    A blank parts two numbers of a line: where the gap is wider than 1.8 of the line's median
    height, about two digits, and than 3.5 of the line's other gaps (of those the one that a quarter
    are narrower than). In a line of but two digits it has to be wider than 3 heights. So digits in
    the cells of a form, however wide, are one number, also with one cell empty. Marks
    without a label are left out, and lines without any.

    Args:
        digits: in reading order, as `Recognizer.read` gives them.
    """
    lines: dict[int, list[Digit]] = {}
    for digit in digits:
        lines.setdefault(digit.line, []).append(digit)
    return "\n".join(filter(None, map(_numbers, lines.values())))


def _numbers(line: Sequence[Digit]) -> str:
    """The numbers of a line, parted by a blank."""
    height = float(np.median([digit.box[3] for digit in line]))
    pairs = itertools.pairwise(digit.box for digit in line)
    gaps = [x - (left + width) for (left, _, width, _), (x, _, _, _) in pairs]
    words = ""
    for place, digit in enumerate(line):
        if place and gaps[place - 1] > (_HEIGHTS if len(gaps) > 1 else _PAIR) * height:
            others = sorted(gaps[: place - 1] + gaps[place:])
            narrow = others[(len(others) - 1) // 4] if others else 0
            words += " " if gaps[place - 1] > _GAPS * narrow else ""
        words += "" if digit.label is None else str(digit.label)
    # A mark without a label may stand between two gaps, or at an end.
    return " ".join(words.split())


def as_json(digit: Digit) -> dict[str, Any]:
    """A digit as JSON can say it, without its crop.

    Returns:
        label (0 to 9 or None), confidence, box (x, y, width, height in pixels of the frame),
        probabilities (ten); rounded to four decimals.
    """
    return {
        "label": digit.label,
        "confidence": round(float(digit.confidence), _DECIMALS),
        "box": [int(value) for value in digit.box],
        # float32 prints as float64 with all its noise unless it is converted before rounding.
        "probabilities": [round(float(value), _DECIMALS) for value in digit.probabilities],
    }
