"""Finds the digits in a frame."""

import functools
from collections.abc import Iterator

import cv2
import numpy as np

from digits_tf.preprocess import company
from digits_tf.preprocess.cells import Cell, CellMaker
from digits_tf.preprocess.groups import Group, group, in_reading_order
from digits_tf.preprocess.ink import Ink, find_ink
from digits_tf.preprocess.marks import Mark, find_marks
from digits_tf.preprocess.plane import OTHERS, Plane, Shrinker
from digits_tf.preprocess.tight import tight_digit

# The smallest digit's height as a share of the frame's; a little below 1/30.
_LEAST_HEIGHT = 1 / 36
# Marks below this share of the tallest are specks; groups below the other are no digits beside it.
_LEAST_MARK, _LEAST_SHARE = 0.08, 0.2
# What runs along the border for more than this share of its length is an edge, not a stroke's end.
_MOST_CONTACT = 0.4
# Digits of fewer pixels in height on a plane are looked for on the finer one.
_SEEN = 14
# Of so many they are believed at the first glance, on the coarsest plane, which has a quarter of
# the next one's pixels; unless one is a bar: there, squared paper looks like a row of 1s.
_WELL_SEEN = 28
# How often marks that are no digits are taken away to look for fainter ones.
_PEELS = 2
# Grey levels by which colours differ where there is coloured ink.
_COLOURED = 30
# An edge and some glints can be taken away; what are so many is the ground itself.
_MOST_PEELED = 40


class Finder:
    """Finds digits; keeps its buffers from frame to frame. Not for several threads at once."""

    def __init__(self) -> None:
        self._shrinker = Shrinker()
        self._plane: Plane | None = None
        self._ink: Ink | None = None

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
        factors = self._shrinker.factors(frame)
        finest, glances = min(factors), len(factors) > 2
        # Each has a buffer of its own, and is looked at up to three times.
        shrunk = functools.cache(functools.partial(self._shrinker.shrink, frame))
        plane = shrunk(factors[-1] if glances else factors[0])
        thumbnail = plane.factor < 1
        if cells := tight_digit(plane, filled=not thumbnail):
            yield [cells]
        if glances:
            yield from self._on(plane, at_a_glance=True)
        for factor in factors:
            for ways in self._on(shrunk(factor)):
                if factor == finest or not _are_small(ways, factor):
                    yield ways
        coarse = shrunk(factors[0])
        if not thumbnail and (cells := tight_digit(coarse, filled=False)):
            yield [cells]
        if frame.ndim == 3 and frame.shape[2] > 1:
            green = coarse.small.copy()  # the same size is shrunk into the same buffer
            for channel in OTHERS:
                other = self._shrinker.shrink(frame, factors[0], channel)
                if _differ(green, other.small):
                    yield from self._on(other)

    def stages(self) -> dict[str, np.ndarray]:
        """Pictures of the last attempt's steps, by name, uint8 (h, w)."""
        pictures = {}
        if self._plane:
            pictures["grey"] = self._plane.small
        if self._ink:
            pictures["ground"] = self._ink.ground
            alpha = 255 / self._ink.peak
            pictures["contrast"] = cv2.convertScaleAbs(self._ink.contrast, alpha=alpha)
        return pictures

    def _on(self, plane: Plane, at_a_glance: bool = False) -> Iterator[list[list[Cell]]]:
        self._plane, self._ink = plane, None
        inks = find_ink(plane.small)
        ways = [cells for ink in inks if (cells := self._find(plane, ink, at_a_glance))]
        if ways:
            yield ways

    def _find(self, plane: Plane, ink: Ink, at_a_glance: bool) -> list[Cell]:
        """The digits of one polarity; none if a glance is not enough for them."""
        self._ink = ink
        contrast, peak = ink.contrast, ink.peak
        maker = CellMaker(ink, plane)
        least = max(5.0, _LEAST_HEIGHT * contrast.shape[0])
        for _ in range(_PEELS):
            marks = find_marks(contrast, peak, ink.floor, least)
            groups = _digits(marks, least)
            if at_a_glance and not _are_plain(groups):
                break
            cropped = [(each, maker.crop(each)) for each in groups]
            kept = company.of_one_hand([(each, crop) for each, crop in cropped if crop])
            if kept:
                crops = {id(each): crop for each, crop in kept}
                ordered = in_reading_order([each for each, _ in kept])
                return maker.cells([(each, crops[id(each)]) for each in ordered])
            if not 0 < len(marks) <= _MOST_PEELED:
                break
            contrast = contrast.copy()
            outlines = [mark.outline for mark in marks]
            cv2.drawContours(contrast, outlines, -1, 0, cv2.FILLED)
            cv2.drawContours(contrast, outlines, -1, 0, 3)
            peak = cv2.minMaxLoc(contrast)[1]
            if peak < 1.5 * ink.floor:
                break
        return []


def _are_plain(groups: list[Group]) -> bool:
    """Whether what there is on the coarsest plane can be believed."""
    heights = sorted(each.h for each in groups)
    return (
        bool(heights)
        and heights[len(heights) // 2] >= _WELL_SEEN
        and not any(each.is_bar for each in groups)
    )


def _are_small(ways: list[list[Cell]], factor: float) -> bool:
    """Whether a finer plane is to be asked: what is hard to see here hides what cannot be seen."""
    heights = [each.box[3] for cells in ways for cell in cells for each in cell[0].found]
    return sorted(heights)[len(heights) // 2] < _SEEN * factor


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether a plane shows something that the other does not."""
    difference = cv2.absdiff(one, other)
    return cv2.minMaxLoc(difference)[1] > cv2.mean(difference)[0] + _COLOURED


def _digits(marks: list[Mark], least: float) -> list[Group]:
    kept = [mark for mark in marks if mark.contact <= _MOST_CONTACT * mark.longer]
    tallest = max((mark.h for mark in kept if not mark.contact), default=0)
    # Noise has thousands of specks: each with each would take seconds.
    framed = [mark for mark in kept if mark.h >= least]
    kept = [
        mark
        for mark in kept
        if mark.longer >= _LEAST_MARK * tallest
        and (mark.h < least or not _is_frame(mark, framed, least))
    ]
    highest = max((mark.h for mark in kept), default=0)
    return group(kept, max(least, _LEAST_SHARE * highest))


def _check(frame: np.ndarray) -> None:
    channels = frame.shape[2] if frame.ndim == 3 else 1
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ValueError(
            f"expected uint8 (h, w), (h, w, 3) or (h, w, 4). Received: {frame.dtype} {frame.shape}"
        )
    if not frame.size:
        raise ValueError(f"expected a frame with pixels. Received: {frame.shape}")


def _is_frame(mark: Mark, marks: list[Mark], least: float) -> bool:
    """Whether it is a rectangle drawn around something, whole or cut off by the picture's edge."""
    if not any(mark.encloses(other) and other.h >= max(least, 0.25 * mark.h) for other in marks):
        return False
    if mark.contact:
        return True
    # Rather than a 0 around a speck.
    (_, _), (a, b), _ = cv2.minAreaRect(mark.outline)
    return cv2.contourArea(mark.outline) > 0.85 * a * b
