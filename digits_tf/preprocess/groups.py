"""Which marks make one digit, and which digits make a line of text."""

import functools
from collections.abc import Sequence

import cv2

from digits_tf.preprocess.marks import Mark

# A mark that is smaller than this share of a digit's height is not a digit of its own.
_FRAGMENT = 0.5
# How far a fragment may lie from its digit, as a share of the digit's height: a bar set down
# apart, a stroke that breaks.
_REACH = 0.15
# Fragments below this share of the digit's height are specks and belong to nothing.
_SPECK = 0.1
# Two tall marks whose boxes share more of the narrower's width stand on top of each other: one
# digit in two strokes. Slanted neighbours share less.
_SHARED_WIDTH = 0.55
# Two tall marks one above the other are one broken digit only if the gap is a break.
_BREAK = 0.08
# No digit is wider than this times its height (a wide 2 or 0, a 4 with a long bar).
_WIDEST = 1.4
# A bar is less wide than this share of its length.
_BAR = 0.3
# Digits on one line overlap in height by this share of the smaller.
_SAME_LINE = 0.4
# More marks than this in a frame are not writing; the largest are looked at.
_MOST_MARKS = 200


class Group:
    """The marks of one digit.

    Args:
        marks: at least one.

    Attributes:
        marks: them.
        x: left edge in pixels of the plane.
        y: upper edge.
        w: width.
        h: height.
        contact: pixels along the plane's border that they cover.
        line: number of its line of text, from above.
    """

    def __init__(self, marks: Sequence[Mark]):
        self.marks = list(marks)
        self.x, self.y = min(mark.x for mark in marks), min(mark.y for mark in marks)
        self.w = max(mark.x + mark.w for mark in marks) - self.x
        self.h = max(mark.y + mark.h for mark in marks) - self.y
        self.contact = sum(mark.contact for mark in marks)
        self.longest = max(mark.longer for mark in marks)
        self.line = 0

    @functools.cached_property
    def is_bar(self) -> bool:
        """Whether it is a straight bar, upright or slanted."""
        if len(self.marks) > 1:
            return self.w < _BAR * self.h
        (_, _), (a, b), _ = cv2.minAreaRect(self.marks[0].outline)
        return min(a, b) < _BAR * max(a, b)

    def with_mark(self, mark: Mark) -> "Group":
        """A group of one mark more."""
        return Group([*self.marks, mark])


def group(marks: list[Mark], least: float) -> list[Group]:
    """Joins the strokes of each digit.

    Args:
        marks: in any order.
        least: pixels; a group that is less high is dropped.

    Returns:
        One group a digit, in no order.
    """
    marks = sorted(marks, key=lambda mark: -mark.longer)[:_MOST_MARKS]
    groups: list[Group] = []
    boxes: list[tuple[int, int, int, int]] = []
    highest = 0
    for mark in marks:
        nearest, home = float("inf"), -1
        highest = max(highest, mark.h)
        reach = _REACH * highest
        left, right = mark.x - reach, mark.x + mark.w + reach
        top, bottom = mark.y - reach, mark.y + mark.h + reach
        # Squared paper has tens of thousands of pairs: most are told apart here, without a call.
        for index, (start, end, upper, lower) in enumerate(boxes):
            if end < left or start > right or lower < top or upper > bottom:
                continue
            gap = _gap(mark, groups[index])
            if gap < nearest:
                nearest, home = gap, index
        if home >= 0:
            groups[home] = groups[home].with_mark(mark)
            boxes[home] = _ends(groups[home])
            highest = max(highest, groups[home].h)
        else:
            groups.append(Group([mark]))
            boxes.append(_ends(groups[-1]))
    return [each for each in groups if each.h >= least]


def _ends(of: Group) -> tuple[int, int, int, int]:
    """Left, right, upper and lower end of its box."""
    return of.x, of.x + of.w, of.y, of.y + of.h


def _gap(mark: Mark, to: Group) -> float:
    """How far a mark is from the digit that it is a part of; infinite if it is none."""
    # Negative: how much the boxes share.
    across = max(mark.x, to.x) - min(mark.x + mark.w, to.x + to.w)
    down = max(mark.y, to.y) - min(mark.y + mark.h, to.y + to.h)
    belongs = max(across, down) <= _REACH * max(to.h, mark.h) and _belongs(mark, to, across, down)
    return max(across, 0) + max(down, 0) if belongs else float("inf")


def _belongs(mark: Mark, to: Group, across: int, down: int) -> bool:
    """Whether a mark within reach is a part of a digit, by the gaps between their boxes."""
    union_w = max(mark.x + mark.w, to.x + to.w) - min(mark.x, to.x)
    union_h = max(mark.y + mark.h, to.y + to.h) - min(mark.y, to.y)
    if union_w > _WIDEST * union_h:
        return False
    if union_w == to.w and union_h == to.h and mark.longer >= _FRAGMENT * to.longest:
        return False  # drawn around it, or an edge that turns
    if mark.longer < _FRAGMENT * to.h:
        return mark.longer >= _SPECK * to.h
    shared = -across / min(mark.w, to.w)
    return shared > _SHARED_WIDTH and down <= _BREAK * max(to.h, mark.h)


def in_reading_order(groups: list[Group]) -> list[Group]:
    """Numbers the lines and sorts: line by line, left to right."""
    lines: list[list[Group]] = []
    for each in sorted(groups, key=lambda each: each.x):
        best, most = None, _SAME_LINE
        for line in lines:
            # The line's last digit decides, so that a line may rise or fall.
            last = line[-1]
            shared = min(each.y + each.h, last.y + last.h) - max(each.y, last.y)
            share = shared / min(each.h, last.h)
            if share > most:
                best, most = line, share
        if best is None:
            lines.append([each])
        else:
            best.append(each)
    lines.sort(key=lambda line: sum(each.y + each.h / 2 for each in line) / len(line))
    for number, line in enumerate(lines):
        for each in line:
            each.line = number
    return [each for line in lines for each in line]
