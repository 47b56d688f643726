"""Connected marks of ink, each at the contrast at which it stands alone."""

import dataclasses
from collections.abc import Iterator

import cv2
import numpy as np

# A shape with a shorter outline is a speck; it is dropped before anything is measured.
_LEAST_OUTLINE = 6
# Shares of the strongest contrast at which marks are looked for. The lowest keeps a stroke whole
# that fades or has gaps; what hangs together there with lines, shadows and other digits is looked
# at again above.
_LEVELS = (0.2, 0.33, 0.5, 0.7)
# Wider than this times its height, a mark is not one digit.
_WIDEST = 1.5
# Wider than this it cannot be one; and digits of a row are all about as high as the row.
_WIDEST_DIGIT, _LEAST_PART = 2.2, 0.6
# An 8 has two holes, and a loop may add one. Smaller holes than this share of the box are grain.
_MOST_HOLES, _HOLE = 3, 0.008


@dataclasses.dataclass(frozen=True, eq=False)
class Mark:
    """One connected shape.

    Attributes:
        x: left edge in pixels of the plane.
        y: upper edge.
        w: width.
        h: height.
        outline: int32 (n, 1, 2), its outer contour.
        contact: pixels along the plane's border that it covers.
    """

    x: int
    y: int
    w: int
    h: int
    outline: np.ndarray
    contact: int

    @property
    def longer(self) -> int:
        """The longer side."""
        return max(self.w, self.h)

    def encloses(self, other: "Mark") -> bool:
        """Whether the other's box lies within this one's."""
        return (
            self.x < other.x
            and self.y < other.y
            and self.x + self.w > other.x + other.w
            and self.y + self.h > other.y + other.h
        )


def find_marks(contrast: np.ndarray, peak: float, floor: float, least: float) -> list[Mark]:
    """Lists the marks of ink, also those within holes of others.

    Args:
        contrast: uint8 (h, w).
        peak: the ink's strongest contrast.
        floor: contrast that is noise.
        least: the smallest digit's height in pixels; what is smaller is not taken apart.
    """
    levels = [max(floor, level * peak) for level in _LEVELS]
    return _at(contrast, (0, 0), contrast.shape, levels, least)


def _at(
    part: np.ndarray,
    corner: tuple[int, int],
    plane: tuple[int, ...],
    levels: list[float],
    least: float,
) -> list[Mark]:
    _, mask = cv2.threshold(part, levels[0], 255, cv2.THRESH_BINARY)
    outlines, hierarchy = cv2.findContours(
        mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=corner
    )
    if hierarchy is None:
        return []
    links = hierarchy.reshape(-1, 4).tolist()
    marks = []
    for outline, (_, _, child, parent) in zip(outlines, links, strict=True):
        if parent >= 0 or len(outline) < _LEAST_OUTLINE:
            continue
        mark = _measured(outline, plane)
        hole = _HOLE * mark.w * mark.h
        # A hole's area is at most that of a circle with its outline; most are grain.
        holes = [
            outlines[number]
            for number in _chain(links, child)
            if len(outlines[number]) ** 2 >= 4 * np.pi * hole
        ]
        lattice = sum(cv2.contourArea(each) >= hole for each in holes) > _MOST_HOLES
        deeper = len(levels) > 1 and levels[1] > levels[0] and mark.longer >= least
        if deeper and (lattice or _is_tangle(mark)):
            alone = _alone(part, corner, mark, holes)
            apart = _at(alone, (mark.x, mark.y), plane, levels[1:], least)
            marks += apart if lattice or mark.contact or _falls_apart(mark, apart) else [mark]
        elif not lattice:
            marks.append(mark)
    return marks


def _measured(outline: np.ndarray, plane: tuple[int, ...]) -> Mark:
    x, y, w, h = cv2.boundingRect(outline)
    contact = 0
    if x == 0 or y == 0 or x + w == plane[1] or y + h == plane[0]:
        points = outline.reshape(-1, 2)
        at_edge = (points == 0) | (points == (plane[1] - 1, plane[0] - 1))
        contact = int(np.count_nonzero(at_edge.any(axis=1)))
    return Mark(x, y, w, h, outline, contact)


def _is_tangle(mark: Mark) -> bool:
    return mark.contact > 0 or mark.w > _WIDEST * mark.h


def _falls_apart(mark: Mark, parts: list[Mark]) -> bool:
    """Whether a wide mark is made of others as tall, rather than one faint digit."""
    return mark.w > _WIDEST_DIGIT * mark.h or any(part.h >= _LEAST_PART * mark.h for part in parts)


def _chain(links: list[list[int]], first: int) -> Iterator[int]:
    """The numbers of the shapes that follow one on the same level."""
    while first >= 0:
        yield first
        first = links[first][0]


def _alone(
    part: np.ndarray, corner: tuple[int, int], mark: Mark, holes: list[np.ndarray]
) -> np.ndarray:
    """The mark's own contrast, without what lies in its larger holes: that is listed by itself."""
    own = np.zeros((mark.h, mark.w), np.uint8)
    offset = (-mark.x, -mark.y)
    cv2.drawContours(own, [mark.outline], -1, 255, cv2.FILLED, offset=offset)
    if holes:
        cv2.drawContours(own, holes, -1, 0, cv2.FILLED, offset=offset)
        # OpenCV's outline of a hole runs on the shape around it.
        cv2.drawContours(own, holes, -1, 255, 1, offset=offset)
    left, top = mark.x - corner[0], mark.y - corner[1]
    return cv2.bitwise_and(part[top : top + mark.h, left : left + mark.w], own)
