"""The order in which people read."""

from collections.abc import Sequence

Box = tuple[float, float, float, float]
# Heights that overlap by more than this share of the smaller one stand in one line.
_SAME_LINE = 0.35
# A gap wider than so many heights ends a line only if the next digit is of another size.
_OTHER_SIZE = 2.2
# Neighbours in a row overlap in height by this share, differ in it by this factor at most, and are
# no more heights apart.
_NEXT_LINE, _NEXT_SIZE, _NEXT_GAP = 0.5, 1.6, 2.5


def are_neighbours(one: Box, other: Box) -> bool:
    """Whether two boxes (x, y, width, height) may be digits of one row, one next to the other."""
    (x, y, w, h), (other_x, other_y, other_w, other_h) = one, other
    low, high = min(h, other_h), max(h, other_h)
    shared = min(y + h, other_y + other_h) - max(y, other_y)
    gap = max(x, other_x) - min(x + w, other_x + other_w)
    return shared > _NEXT_LINE * low and high < _NEXT_SIZE * low and gap < _NEXT_GAP * high


def in_lines(boxes: Sequence[Box]) -> list[list[int]]:
    """Sorts boxes into lines of text.

    A box joins the line whose last box on its left is the nearest and of overlapping height: so a
    line may rise, fall, or climb from digit to digit.

    Args:
        boxes: x, y, width, height.

    Returns:
        Indices of the boxes: the uppermost line first, each from left to right.
    """
    lines: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=lambda each: boxes[each][0] + boxes[each][2] / 2):
        x, y, _, h = boxes[index]
        best, nearest = None, float("inf")
        for line in lines:
            last_x, last_y, last_w, last_h = boxes[line[-1]]
            shared = min(y + h, last_y + last_h) - max(y, last_y)
            if shared <= _SAME_LINE * min(h, last_h):
                continue
            if max(h, last_h) > _OTHER_SIZE * min(h, last_h):
                continue
            gap = x - (last_x + last_w)
            if gap < nearest:
                best, nearest = line, gap
        if best is None:
            lines.append([index])
        else:
            best.append(index)
    middle = {
        id(line): sum(boxes[i][1] + boxes[i][3] / 2 for i in line) / len(line) for line in lines
    }
    return sorted(lines, key=lambda line: middle[id(line)])
