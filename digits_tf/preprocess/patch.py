"""The part of a frame with one group of marks on it."""

import dataclasses

import cv2
import numpy as np

from digits_tf.preprocess.crop import Crop, mnist_crop
from digits_tf.preprocess.groups import Group
from digits_tf.preprocess.ink import Ink
from digits_tf.preprocess.plane import Plane, sampled

# Smaller digits than this on the plane they were found on are cropped from the frame itself, of
# which so many pixels of height are taken at the least, if it has them.
_FINE_ENOUGH, _FINE = 44, 60
_AROUND = np.ones((3, 3), np.uint8)


@dataclasses.dataclass(frozen=True, eq=False)
class Patch:
    """A group's surroundings.

    Attributes:
        contrast: uint8 (h, w).
        mask: uint8 (h, w), not 0 where a pixel may belong to the group.
        floor: contrast that is noise.
        corner: x and y of its upper left in frame pixels.
        scale: frame pixels a pixel.
    """

    contrast: np.ndarray
    mask: np.ndarray
    floor: float
    corner: tuple[float, float]
    scale: float

    def crop(self, columns: slice | None = None) -> Crop | None:
        """Its ink in MNIST's geometry; of some columns alone, if given."""
        mask = self.mask
        if columns is not None:
            mask = np.zeros_like(mask)
            mask[:, columns] = self.mask[:, columns]
        return mnist_crop(self.contrast, mask, self.floor)

    def frame_box(self, crop: Crop) -> tuple[int, int, int, int]:
        """Where in the frame a crop's ink is: x, y, w, h in pixels."""
        x, y, w, h = crop.box
        left, right = self._ends(self.corner[0], x, w)
        top, bottom = self._ends(self.corner[1], y, h)
        return left, top, right - left, bottom - top

    def _ends(self, corner: float, start: int, length: int) -> tuple[int, int]:
        """Both ends in whole frame pixels, at least one apart; never beyond the frame."""
        first = int(corner + self.scale * start)
        return first, max(first + 1, round(corner + self.scale * (start + length)))


def cut_out(marks: Group, ink: Ink, plane: Plane) -> Patch:
    """Cuts a group out of the plane, or out of the frame if it is small."""
    x, y, w, h = marks.x, marks.y, marks.w, marks.h
    height, width = plane.small.shape
    reach = max(2, h // 16)
    left, top = max(0, x - reach), max(0, y - reach)
    right, bottom = min(width, x + w + reach), min(height, y + h + reach)
    mask = np.zeros((bottom - top, right - left), np.uint8)
    outlines = [mark.outline for mark in marks.marks]
    cv2.drawContours(mask, outlines, -1, 255, cv2.FILLED, offset=(-left, -top))
    # The soft edge of the strokes belongs to them.
    mask = cv2.dilate(mask, _AROUND)
    factor = plane.factor
    corner = left * factor, top * factor
    if factor <= 1 or max(w, h) >= _FINE_ENOUGH:
        contrast = ink.contrast[top:bottom, left:right]
        return Patch(contrast, mask, ink.floor, corner, factor)
    factor = int(factor)
    part = plane.full[top * factor : bottom * factor, left * factor : right * factor]
    finer = max(1, factor * h // _FINE)
    shape = part.shape[0] // finer, part.shape[1] // finer
    fine = sampled(part, finer, np.empty(shape, np.uint8), np.empty(shape, np.uint8))
    contrast = ink.of(fine, left, top, right - left, bottom - top)
    mask = cv2.resize(mask, (fine.shape[1], fine.shape[0]), interpolation=cv2.INTER_NEAREST)
    return Patch(contrast, mask, ink.floor, corner, finer)
