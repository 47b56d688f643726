"""What is read in a frame."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

_DECIMALS = 4


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

    Marks without a label are left out, and lines without any.

    Args:
        digits: in reading order, as `Recognizer.read` gives them.
    """
    lines: dict[int, str] = {}
    for digit in digits:
        if digit.label is not None:
            lines[digit.line] = lines.get(digit.line, "") + str(digit.label)
    return "\n".join(lines.values())


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
