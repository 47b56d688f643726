"""A digit's ink as MNIST would have it."""

import dataclasses
import functools

import cv2
import numpy as np

SIDE, INK_SIDE = 28, 20
# Contrast below this share of the ink's own is ground; above the other it is all ink.
_GROUND, _FULL = 0.25, 0.8
# MNIST's strokes are about 3 pixels wide; thinner ones than this are widened to it.
_LEAST_STROKE = 2.2
# Pixels; what is longer is no digit of any usual frame but a strip, and is shrunk to this first:
# widening strokes by a share of such a length would take minutes and gigabytes.
_LONGEST = 1024


@dataclasses.dataclass(frozen=True, eq=False)
class Crop:
    """A digit's ink.

    Attributes:
        image: uint8 (28, 28), ink bright on 0.
        level: the ink's contrast.
        stroke: the strokes' mean width as a share of the longer side.
        box: x, y, w, h of the ink in pixels of the contrast that it came from.
        surround: the mean contrast of what is around the ink, as a share of its own.
        faint: whether it is too little distinct to be ink, but for the company that it keeps.
    """

    image: np.ndarray
    level: float
    stroke: float
    box: tuple[int, int, int, int]
    surround: float
    faint: bool = False


def mnist_crop(contrast: np.ndarray, mask: np.ndarray, floor: float) -> Crop | None:
    """Puts ink into MNIST's geometry.

    The longer side of the ink is 20 pixels, its centre of mass at 14, 14, the aspect is kept, grey
    levels come from area resampling (LeCun et al., http://yann.lecun.com/exdb/mnist/).

    Args:
        contrast: uint8 (h, w), how much each pixel differs from the ground.
        mask: uint8 (h, w), not 0 where a pixel may belong to the digit.
        floor: contrast that is noise.

    Returns:
        None if there is no ink.
    """
    if max(contrast.shape) > _LONGEST:
        return _strip_crop(contrast, mask, floor)
    ink = cv2.bitwise_and(contrast, mask)
    outside = mask.size - cv2.countNonZero(mask)
    around = (cv2.sumElems(contrast)[0] - cv2.sumElems(ink)[0]) / max(outside, 1)
    edges_too = _mean_above(ink, floor)
    # Strokes have soft edges: the mean of what is above the mean is the ink's own level. A step
    # below it, as the ink of a drawn picture may be of one level throughout.
    level = _mean_above(ink, edges_too - 1)
    if not level:
        return None
    low, high = max(_GROUND * level, 0.7 * floor), _FULL * level
    gain = 255 / max(high - low, 1)
    ink = cv2.addWeighted(ink, gain, ink, 0, -gain * low)
    _, solid = cv2.threshold(ink, 100, 255, cv2.THRESH_BINARY)
    box = cv2.boundingRect(solid)
    longer = max(box[2:])
    if not longer:
        return None
    # The mean distance to the edge is a quarter of the stroke's width.
    distance = cv2.sumElems(cv2.distanceTransform(solid, cv2.DIST_L2, 3))[0]
    stroke = max(1.0, 4 * distance / cv2.countNonZero(solid) - 1)
    ink = _widened(ink, round(_LEAST_STROKE * longer / INK_SIDE - stroke))
    _, solid = cv2.threshold(ink, 64, 255, cv2.THRESH_BINARY)
    x, y, w, h = cv2.boundingRect(solid)
    ink = ink[y : y + h, x : x + w]
    scale = INK_SIDE / max(w, h)
    size = max(1, round(w * scale)), max(1, round(h * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = _centred(cv2.resize(ink, size, interpolation=interpolation))
    return Crop(image, level, stroke / longer, box, around / level)


def _mean_above(ink: np.ndarray, least: float) -> float:
    """The mean of what is above a level; 0 if nothing is."""
    _, above = cv2.threshold(ink, least, 0, cv2.THRESH_TOZERO)
    # Some times as quick as `cv2.mean` with a mask.
    return cv2.sumElems(above)[0] / max(cv2.countNonZero(above), 1)


def _strip_crop(contrast: np.ndarray, mask: np.ndarray, floor: float) -> Crop | None:
    height, width = contrast.shape
    shrink = max(height, width) / _LONGEST
    size = max(1, int(width / shrink)), max(1, int(height / shrink))
    small = cv2.resize(contrast, size, interpolation=cv2.INTER_AREA)
    crop = mnist_crop(small, cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), floor)
    if crop is None:
        return None
    across, down = width / size[0], height / size[1]
    x, y, w, h = crop.box
    box = int(x * across), int(y * down), max(1, int(w * across)), max(1, int(h * down))
    return dataclasses.replace(crop, box=box)


def _widened(ink: np.ndarray, missing: int) -> np.ndarray:
    """Strokes that are wider by so many pixels."""
    if missing < 1:
        return ink
    pad = missing // 2 + 1
    ink = cv2.copyMakeBorder(ink, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    return cv2.dilate(ink, _brush(missing + 1))


@functools.lru_cache
def _brush(side: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def _centred(ink: np.ndarray) -> np.ndarray:
    """Ink, uint8 (h, w) of at most 20x20, with its centre of mass at 14, 14 of uint8 (28, 28)."""
    height, width = ink.shape
    moments = cv2.moments(ink)
    total = max(moments["m00"], 1.0)
    left = round(SIDE / 2 - moments["m10"] / total)
    top = round(SIDE / 2 - moments["m01"] / total)
    left, top = min(max(left, 0), SIDE - width), min(max(top, 0), SIDE - height)
    crop = np.zeros((SIDE, SIDE), np.uint8)
    crop[top : top + height, left : left + width] = ink
    greatest = int(ink.max())
    return crop if greatest >= 250 else cv2.convertScaleAbs(crop, alpha=255 / max(greatest, 1))
