"""The digits that are read, and the lines of text that they stand in."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits_tf.boxes import Box

_DECIMALS = 4

# Two digits of one line share more than this of the smaller one's height.
_SAME_LINE = 0.35
# A digit that is taller or smaller by this factor begins a line of its own.
_OTHER_SIZE = 2.2
# Neighbours in a row share this of the smaller one's height, differ in height by this factor at
# most, and are no more heights apart.
_NEXT_LINE, _NEXT_SIZE, _NEXT_GAP = 0.5, 1.6, 2.5

# A gap parts two numbers if it is wider than so many heights of the line's digits, as two digits
# are with what is between them, and than so many of the line's narrower gaps. Of two digits alone
# nobody knows how wide their writer writes.
_HEIGHTS, _GAPS, _PAIR = 1.8, 3.5, 3.0


@dataclasses.dataclass(frozen=True, eq=False)
class Digit:
    """One digit, or a mark that might have been one.

    Attributes:
        label: 0 to 9; None: the net is not sure enough, or it is no digit; in a stream also: it
            may not be finished yet.
        confidence: probability of the likeliest digit, 0 to 1.
        probabilities: float32 (10,).
        box: whole pixels of the frame.
        crop: uint8 (28, 28), what the net saw: ink bright on 0, as MNIST's.
        line: the line of text that it stands in, 0 is the uppermost.
    """

    label: int | None
    confidence: float
    probabilities: NDArray[np.float32] = dataclasses.field(repr=False)
    box: Box
    crop: NDArray[np.uint8] = dataclasses.field(repr=False)
    line: int = 0


def reading_as_json(digits: Sequence[Digit], milliseconds: float) -> dict[str, Any]:
    """What was read in a picture as JSON can say it.

    Args:
        digits: in reading order.
        milliseconds: the time to decode the picture and to read it.

    Returns:
        text, see `text`; digits, each as `as_json` gives it; ms, rounded to two decimals.
    """
    return {
        "text": text(digits),
        "digits": [as_json(digit) for digit in digits],
        "ms": round(milliseconds, 2),
    }


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


def are_neighbours(one: Box, other: Box) -> bool:
    """Whether two boxes may be digits of one row, one next to the other."""
    low, high = sorted((one.height, other.height))
    gap = max(one.x, other.x) - min(one.x + one.width, other.x + other.width)
    close = high < _NEXT_SIZE * low and gap < _NEXT_GAP * high
    return close and _shared_height(one, other) > _NEXT_LINE * low


def in_lines(boxes: Sequence[Box], before: Sequence[int] = ()) -> list[list[int]]:
    """Sorts boxes into lines of text.

    A box joins the line whose last box is the nearest on its left, at the same height and of about
    the same size: so a line may rise, fall, or climb from digit to digit.

    Args:
        boxes: in any order.
        before: in a stream, the line that each stood in, below 0: in none. Where several lines
            would do, a box stays in its own.

    Returns:
        Indices of the boxes: the uppermost line first, each from left to right.
    """
    lines: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=lambda each: boxes[each].centre[0]):
        # The nearest is the one that reaches farthest to the right.
        fitting = [
            (bool(before) and before[line[-1]] == before[index] >= 0, _right(boxes[line[-1]]), line)
            for line in lines
            if _continues(boxes[line[-1]], boxes[index])
        ]
        if fitting:
            max(fitting)[-1].append(index)
        else:
            lines.append([index])
    return sorted(lines, key=lambda line: sum(boxes[i].centre[1] for i in line) / len(line))


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


def _right(box: Box) -> float:
    return box.x + box.width


def _shared_height(one: Box, other: Box) -> float:
    """How many pixels of their height two boxes have in common; below 0: how far they are apart."""
    return min(one.y + one.height, other.y + other.height) - max(one.y, other.y)


def _continues(last: Box, box: Box) -> bool:
    """Whether a box may stand in the line that ends with another."""
    low, high = sorted((last.height, box.height))
    return _shared_height(last, box) > _SAME_LINE * low and high <= _OTHER_SIZE * low


def _numbers(line: Sequence[Digit]) -> str:
    """The numbers of a line, parted by a blank."""
    height = float(np.median([digit.box.height for digit in line]))
    pairs = itertools.pairwise(digit.box for digit in line)
    gaps = [after.x - _right(before) for before, after in pairs]
    words = ""
    for place, digit in enumerate(line):
        if place and gaps[place - 1] > (_HEIGHTS if len(gaps) > 1 else _PAIR) * height:
            others = sorted(gaps[: place - 1] + gaps[place:])
            narrow = others[(len(others) - 1) // 4] if others else 0
            words += " " if gaps[place - 1] > _GAPS * narrow else ""
        words += "" if digit.label is None else str(digit.label)
    # A mark without a label may stand between two gaps, or at an end.
    return " ".join(words.split())
