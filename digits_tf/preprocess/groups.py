"""Which marks make one digit, and which digits make a line of text."""

import dataclasses

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
# Digits on one line overlap in height by this share of the smaller.
_SAME_LINE = 0.4


@dataclasses.dataclass(eq=False)
class Group:
    """The marks of one digit.

    Attributes:
        marks: at least one.
        line: number of its line of text, from above.
    """

    marks: list[Mark]
    line: int = 0

    @property
    def x(self) -> int:
        """Left edge in pixels of the small plane."""
        return min(mark.x for mark in self.marks)

    @property
    def y(self) -> int:
        """Upper edge."""
        return min(mark.y for mark in self.marks)

    @property
    def w(self) -> int:
        """Width."""
        return max(mark.x + mark.w for mark in self.marks) - self.x

    @property
    def h(self) -> int:
        """Height."""
        return max(mark.y + mark.h for mark in self.marks) - self.y

    @property
    def longer_mark(self) -> int:
        """The longer side of its largest mark."""
        return max(mark.longer for mark in self.marks)

    @property
    def contact(self) -> int:
        """Pixels along the plane's border that it covers."""
        return sum(mark.contact for mark in self.marks)


def group(marks: list[Mark], least: float) -> list[Group]:
    """Joins the strokes of each digit.

    Args:
        marks: in any order.
        least: pixels; a group that is less high is dropped.

    Returns:
        One group a digit, in no order.
    """
    groups: list[Group] = []
    for mark in sorted(marks, key=lambda mark: -mark.longer):
        home = min(
            (each for each in groups if _belongs(mark, each)),
            key=lambda each: _gap(mark, each),
            default=None,
        )
        if home:
            home.marks.append(mark)
        else:
            groups.append(Group([mark]))
    return [each for each in groups if each.h >= least]


def _belongs(mark: Mark, to: Group) -> bool:
    height = max(to.h, mark.h)
    across, down = _distances(mark, to)
    union_w = max(mark.x + mark.w, to.x + to.w) - min(mark.x, to.x)
    union_h = max(mark.y + mark.h, to.y + to.h) - min(mark.y, to.y)
    if union_w > _WIDEST * union_h:
        return False
    if union_w == to.w and union_h == to.h and mark.longer >= _FRAGMENT * to.longer_mark:
        return False  # drawn around it, or an edge that turns
    shared = -across / min(mark.w, to.w)
    if mark.longer < _FRAGMENT * to.h:
        if mark.longer < _SPECK * to.h:
            return False
        reach = _REACH * height
        return max(across, 0) <= reach and max(down, 0) <= reach
    if down > 0:
        return shared > _SHARED_WIDTH and down <= _BREAK * height
    return shared > _SHARED_WIDTH


def _distances(one: Mark, other: Group) -> tuple[int, int]:
    """Gaps between two boxes across and down; negative: how much they share."""
    across = max(one.x, other.x) - min(one.x + one.w, other.x + other.w)
    down = max(one.y, other.y) - min(one.y + one.h, other.y + other.h)
    return across, down


def _gap(mark: Mark, to: Group) -> int:
    across, down = _distances(mark, to)
    return max(across, 0) + max(down, 0)


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
