"""Finds the digits in a frame."""

from collections.abc import Iterator

import cv2
import numpy as np

from digits_tf.preprocess import company
from digits_tf.preprocess.cells import Cell, CellMaker
from digits_tf.preprocess.groups import Group, group, in_reading_order
from digits_tf.preprocess.ink import Ink, find_ink
from digits_tf.preprocess.marks import Mark, find_marks
from digits_tf.preprocess.plane import Plane, Shrinker

# The smallest digit's height as a share of the frame's; a little below 1/30.
_LEAST_HEIGHT = 1 / 36
# What runs along the border for more than this share of its length is an edge, not a stroke's end.
_MOST_CONTACT = 0.4
# How often marks that are no digits are taken away to look for fainter ones.
_PEELS = 3
# The plane is not halved below this height or width.
_LEAST_SIDE = 64


class Finder:
    """Finds digits; keeps its buffers from frame to frame. Not for several threads at once."""

    def __init__(self) -> None:
        self._shrinker = Shrinker()
        self._stages: dict[str, np.ndarray] = {}

    def attempts(self, frame: np.ndarray) -> Iterator[list[list[Cell]]]:
        """Finds the digits of a frame in several ways, the most likely first.

        Each way is computed when it is asked for: who is content with the first pays for no other.

        Args:
            frame: uint8 (h, w) grey, (h, w, 3) BGR or (h, w, 4) BGRA, of any size.

        Yields:
            For one size of the plane: the digits in reading order, at least one, as dark ink, as
            light ink, or both where either may be meant.

        Raises:
            ValueError: if the frame is of another type or shape, or empty.
        """
        _check(frame)
        plane = self._shrinker.shrink(frame)
        for each in _scales(plane):
            ways = [cells for ink in find_ink(each.small) if (cells := self._find(each, ink))]
            if ways:
                yield ways

    def stages(self) -> dict[str, np.ndarray]:
        """Pictures of the last attempt's steps, by name, uint8 (h, w)."""
        return self._stages

    def _find(self, plane: Plane, ink: Ink) -> list[Cell]:
        self._stages = {"grey": plane.small, "ground": ink.ground, "contrast": ink.contrast}
        contrast, peak = ink.contrast, ink.peak
        maker = CellMaker(ink, plane)
        for _ in range(_PEELS):
            marks = find_marks(contrast, peak, ink.floor)
            cropped = [(each, maker.crop(each)) for each in _digits(marks, contrast.shape)]
            kept = company.of_one_hand([(each, crop) for each, crop in cropped if crop])
            if kept:
                crops = {id(each): crop for each, crop in kept}
                ordered = in_reading_order([each for each, _ in kept])
                return maker.cells([(each, crops[id(each)]) for each in ordered])
            if not marks:
                break
            contrast = contrast.copy()
            outlines = [mark.outline for mark in marks]
            cv2.drawContours(contrast, outlines, -1, 0, cv2.FILLED)
            cv2.drawContours(contrast, outlines, -1, 0, 3)
            peak = cv2.minMaxLoc(contrast)[1]
            if peak < 1.5 * ink.floor:
                break
        return []


def _scales(plane: Plane) -> Iterator[Plane]:
    """The plane at half its size, then as it is, then at a quarter.

    Large digits are found soonest on the half, where noise and the grain of chalk are averaged
    away; small ones need the whole; the quarter is for ink that falls to pieces on the others.
    """
    halves = [plane]
    while len(halves) < 3 and min(halves[-1].small.shape) >= 2 * _LEAST_SIDE:
        last = halves[-1]
        size = last.small.shape[1] // 2, last.small.shape[0] // 2
        small = cv2.resize(
            last.small[: 2 * size[1], : 2 * size[0]], size, interpolation=cv2.INTER_AREA
        )
        halves.append(Plane(plane.full, small, 2 * last.factor))
    yield from halves[1:2]
    yield halves[0]
    yield from halves[2:]


def _digits(marks: list[Mark], shape: tuple[int, ...]) -> list[Group]:
    least = max(5.0, _LEAST_HEIGHT * shape[0])
    kept = [
        mark
        for mark in marks
        if mark.contact <= _MOST_CONTACT * mark.longer and not _is_frame(mark, marks, least)
    ]
    return group(kept, least)


def _check(frame: np.ndarray) -> None:
    channels = frame.shape[2] if frame.ndim == 3 else 1
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ValueError(
            f"expected uint8 (h, w), (h, w, 3) or (h, w, 4). Received: {frame.dtype} {frame.shape}"
        )
    if not frame.size:
        raise ValueError(f"expected a frame with pixels. Received: {frame.shape}")


def _is_frame(mark: Mark, marks: list[Mark], least: float) -> bool:
    """Whether it is a rectangle drawn around something, rather than a 0."""
    if not any(mark.encloses(other) and other.h >= max(least, 0.25 * mark.h) for other in marks):
        return False
    (_, _), (a, b), _ = cv2.minAreaRect(mark.outline)
    return cv2.contourArea(mark.outline) > 0.85 * a * b
