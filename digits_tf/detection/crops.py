"""Cuts a digit out of a frame and puts it into MNIST's geometry.

`digit_crop` takes four steps, a function each: the box and its surroundings in grey (`_patch`), how
much each pixel differs from the ground towards the ink (`_contrast`), which of that ink is the
digit's own (`_digit_mask`), and the ink at MNIST's size, stroke width and place (`mnist_crop`).
"""

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf.boxes import Box
from digits_tf.detection.pyramid import grey, shrink

# MNIST's pictures, and the longer side of the ink in them.
SIDE, INK_SIDE = 28, 20

# Of a patch. The box's longer side has so many pixels, enough for a digit's strokes: so a digit
# that fills a large frame takes no longer than a small one.
_PATCH_SIDE = 56
# A small digit is enlarged at most so many times: this makes its thin strokes smooth.
_MAX_ENLARGEMENT = 4.0
# The patch extends beyond the box by this share of the longer side, to show the ground.
_MARGIN = 0.3

# Of the contrast. The darkest and the lightest pixels in a box are taken at this quantile and its
# opposite: single pixels are noise, and the strokes of a digit cover more.
_INK_QUANTILE = 0.04
# Light may change over the digit. The window that follows it, a share of the box's longer side,
# is wider than any stroke.
_LIGHT_WINDOW = 0.5

# Of the digit's own ink. Otsu's threshold lies between ink and ground; this share of it keeps the
# faint parts of strokes.
_OTSU_SHARE = 0.6
# The detector's boxes are wrong by some hundredths: a stroke that ends outside the box, by at most
# this share of its longer side, is the digit's. One that goes on is a neighbour, or a line.
_MAX_OUTSIDE = 0.2
# A component with a smaller share of its pixels in the box is a neighbour, or a line.
_MIN_INSIDE = 0.5
# A component below this share of the box's longer side is a speck.
_MIN_COMPONENT = 0.08

# Of the crop. Contrast below the first share of the ink's own level becomes 0, above the second
# 255: ink that shines through from the back of the sheet is ground, a lighter stroke is ink.
_GROUND, _FULL = 0.25, 0.8
# Contrast up to this is noise, and so is this share of it that is left after the stretch.
_NOISE, _NOISE_SHARE = 4.0, 0.7
# Of stretched ink: strokes are measured where it is above the first, and end at the second.
_SOLID, _EDGE = 100, 64
# Pixels of the 28. MNIST's strokes are about 3 wide; thinner ones than this are widened to it.
_MIN_STROKE = 2.2

_IntBox = tuple[int, int, int, int]


def digit_crop(frame: NDArray[np.uint8], box: Box) -> NDArray[np.uint8] | None:
    """Cuts a digit out of a frame.

    Args:
        frame: uint8 (h, w) grey, (h, w, 3) BGR or (h, w, 4) BGRA.
        box: x, y, width, height in pixels; it may lie partly outside.

    Returns:
        uint8 (28, 28), ink bright on 0 in MNIST's geometry; None if there is no ink.
    """
    found = _patch(frame, box)
    if found is None:
        return None
    patch, inner = found
    contrast = _contrast(patch, inner)
    return mnist_crop(contrast, _digit_mask(contrast, inner))


def mnist_crop(
    contrast: NDArray[np.uint8], mask: NDArray[np.uint8], noise: float = _NOISE
) -> NDArray[np.uint8] | None:
    """Puts ink into MNIST's geometry.

    The longer side of the ink is 20 pixels, its centre of mass at 14, 14, the aspect is kept, grey
    levels come from area resampling (LeCun et al., http://yann.lecun.com/exdb/mnist/). Strokes that
    are much thinner than MNIST's are widened.

    Args:
        contrast: uint8 (h, w), how much each pixel differs from the ground.
        mask: uint8 (h, w), not 0 where a pixel may belong to the digit.
        noise: contrast up to this is noise.

    Returns:
        uint8 (28, 28), ink bright on 0; None if there is no ink.
    """
    ink = _stretched(cv2.bitwise_and(contrast, mask), noise)
    if ink is None:
        return None
    solid = _above(ink, _SOLID)
    longer = max(cv2.boundingRect(solid)[2:])
    if not longer:
        return None
    ink = _widened(ink, round(_MIN_STROKE * longer / INK_SIDE - _stroke_width(solid)))
    x, y, w, h = cv2.boundingRect(_above(ink, _EDGE))
    scale = INK_SIDE / max(w, h)
    size = max(1, round(w * scale)), max(1, round(h * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return _centred(cv2.resize(ink[y : y + h, x : x + w], size, interpolation=interpolation))


def _patch(frame: NDArray[np.uint8], box: Box) -> tuple[NDArray[np.uint8], _IntBox] | None:
    """Cuts out the box and its surroundings at the size to work on.

    Returns:
        uint8 (h, w), grey, and the box in it, at least one pixel wide and high; None if the box
        lies outside the frame.
    """
    height, width = frame.shape[:2]
    x, y, w, h = box
    margin = _MARGIN * max(w, h) + 1
    left, right = max(0, int(x - margin)), min(width, int(np.ceil(x + w + margin)))
    top, bottom = max(0, int(y - margin)), min(height, int(np.ceil(y + h + margin)))
    is_inside = min(x + w, width) > max(x, 0) and min(y + h, height) > max(y, 0)
    if not is_inside or right - left < 2 or bottom - top < 2:
        return None
    part = frame[top:bottom, left:right]
    scale = min(_PATCH_SIDE / max(w, h, 1.0), _MAX_ENLARGEMENT)
    size = max(2, round((right - left) * scale)), max(2, round((bottom - top) * scale))
    if scale < 1:
        patch = shrink(part, size)
    else:
        patch = cv2.resize(grey(part), size, interpolation=cv2.INTER_CUBIC)
    across, down = size[0] / (right - left), size[1] / (bottom - top)
    first, last = _clipped((x - left) * across, w * across, size[0])
    upper, lower = _clipped((y - top) * down, h * down, size[1])
    return patch, (first, upper, last - first, lower - upper)


def _clipped(start: float, extent: float, length: int) -> tuple[int, int]:
    """Both ends of a box's side in whole pixels, within a length and at least one apart."""
    first = min(max(0, round(start)), length - 1)
    return first, max(first + 1, min(length, round(start + extent)))


def _contrast(patch: NDArray[np.uint8], box: _IntBox) -> NDArray[np.uint8]:
    """How much each pixel differs from the ground towards the ink, uint8 (h, w).

    The ink is dark or light, whichever differs more in the box from what is around it. The ground
    under each pixel comes from a morphological closing (of dark ink) or opening (of light ink), so
    the contrast is the black-hat or top-hat transform (Serra, "Image Analysis and Mathematical
    Morphology", 1982).
    """
    x, y, w, h = box
    inside = _histogram(patch[y : y + h, x : x + w])
    around = _histogram(patch) - inside
    if not around.any():  # the box is the whole frame
        around = inside
    ground = _quantile(around, 0.5)
    darkest, lightest = (_quantile(inside, each) for each in (_INK_QUANTILE, 1 - _INK_QUANTILE))
    is_dark = ground - darkest >= lightest - ground
    transform = cv2.MORPH_BLACKHAT if is_dark else cv2.MORPH_TOPHAT
    window = _kernel(cv2.MORPH_RECT, max(3, int(_LIGHT_WINDOW * max(w, h))) | 1)
    contrast: NDArray[np.uint8] = cv2.morphologyEx(
        patch, transform, window, borderType=cv2.BORDER_REPLICATE
    )
    return contrast


def _histogram(patch: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How many pixels have each grey level, (256,); several times as quick as `np.bincount`."""
    counts: NDArray[np.float32] = cv2.calcHist([patch], [0], None, [256], [0, 256]).ravel()
    return counts


def _quantile(histogram: NDArray[np.float32], share: float) -> int:
    """The grey level that this share of a histogram's pixels is below."""
    below = np.cumsum(histogram)
    return int(np.searchsorted(below, share * below[-1]))


def _digit_mask(contrast: NDArray[np.uint8], box: _IntBox) -> NDArray[np.uint8]:
    """Where the digit's own ink may be, uint8 (h, w), 255 or 0.

    That is in the box, and outside where a stroke ends that leaves it; but not on the components
    that belong to neighbours, to lines, or to specks.
    """
    x, y, w, h = box
    inside = np.s_[y : y + h, x : x + w]
    otsu, _ = cv2.threshold(contrast[inside], 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink = _above(contrast, _OTSU_SHARE * otsu)
    # Dilated, as strokes have soft edges.
    mask = cv2.dilate(_stroke_ends(ink, box), _kernel(cv2.MORPH_RECT, 3))
    mask[inside] = 255
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink)
    areas_inside = np.bincount(labels[inside].ravel(), minlength=count)
    areas_inside[0] = 0
    sides = stats[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1].max(axis=1)
    is_foreign = areas_inside < _MIN_INSIDE * stats[:, cv2.CC_STAT_AREA]
    is_foreign |= sides < _MIN_COMPONENT * max(w, h)
    # Neither the ground, which is number 0, nor the digit.
    is_foreign[[0, int(areas_inside.argmax())]] = False
    if is_foreign.any():
        foreign = cv2.dilate(_selected(is_foreign, labels), _kernel(cv2.MORPH_RECT, 3))
        own = (ink > 0) & ~is_foreign[labels]
        mask[(foreign > 0) & ~own] = 0
    result: NDArray[np.uint8] = mask
    return result


def _stroke_ends(ink: NDArray[np.uint8], box: _IntBox) -> NDArray[np.uint8]:
    """Ink outside the box that ends within reach, uint8 (h, w), 255 or 0."""
    x, y, w, h = box
    height, width = ink.shape
    reach = max(1, round(_MAX_OUTSIDE * max(w, h)))
    left, top = max(0, x - reach), max(0, y - reach)
    right, bottom = min(width, x + w + reach), min(height, y + h + reach)
    outside = ink[top:bottom, left:right].copy()
    outside[y - top : y - top + h, x - left : x - left + w] = 0
    _, labels, stats, _ = cv2.connectedComponentsWithStats(outside)
    first_column, first_row, columns, rows, _ = stats.T
    # What touches the border of the reach goes on beyond it.
    is_end = (first_column > 0) & (first_column + columns < right - left)
    is_end &= (first_row > 0) & (first_row + rows < bottom - top)
    is_end[0] = False  # the ground
    ends = np.zeros(ink.shape, np.uint8)
    ends[top:bottom, left:right] = _selected(is_end, labels)
    return ends


def _selected(is_selected: NDArray[np.bool_], labels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """The pixels of some of the connected components, uint8 (h, w), 255 or 0."""
    return np.where(is_selected, 255, 0).astype(np.uint8)[labels]


def _stretched(ink: NDArray[np.uint8], noise: float) -> NDArray[np.uint8] | None:
    """Stretches the contrast from 0 on the ground to 255 in the strokes; None if all is noise."""
    with_edges = _mean_above(ink, noise)
    if not with_edges:
        return None
    # Strokes have soft edges: the mean of what is above the mean is the ink's own level. One step
    # below, as all ink of a drawing may be of one level.
    level = _mean_above(ink, with_edges - 1)
    low, high = max(_GROUND * level, _NOISE_SHARE * noise), _FULL * level
    gain = 255 / max(high - low, 1)
    stretched: NDArray[np.uint8] = cv2.addWeighted(ink, gain, ink, 0, -gain * low)
    return stretched


def _mean_above(ink: NDArray[np.uint8], least: float) -> float:
    """The mean of what is above a level; 0 if nothing is."""
    _, above = cv2.threshold(ink, least, 0, cv2.THRESH_TOZERO)
    # Several times as quick as `cv2.mean` with a mask.
    return float(cv2.sumElems(above)[0] / max(cv2.countNonZero(above), 1))


def _above(ink: NDArray[np.uint8], threshold: float) -> NDArray[np.uint8]:
    """255 where ink is above a threshold, else 0."""
    _, result = cv2.threshold(ink, threshold, 255, cv2.THRESH_BINARY)
    binary: NDArray[np.uint8] = result
    return binary


def _stroke_width(solid: NDArray[np.uint8]) -> float:
    """The width of strokes in pixels, at least 1: four times the mean distance to their edge."""
    distances = cv2.sumElems(cv2.distanceTransform(solid, cv2.DIST_L2, 3))[0]
    return max(1.0, 4 * distances / cv2.countNonZero(solid) - 1)


def _widened(ink: NDArray[np.uint8], missing: int) -> NDArray[np.uint8]:
    """Makes strokes wider by so many pixels."""
    if missing < 1:
        return ink
    room = missing // 2 + 1
    ink = cv2.copyMakeBorder(ink, room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    wide: NDArray[np.uint8] = cv2.dilate(ink, _kernel(cv2.MORPH_ELLIPSE, missing + 1))
    return wide


@functools.lru_cache
def _kernel(shape: int, side: int) -> NDArray[np.uint8]:
    """A structuring element, made once."""
    kernel: NDArray[np.uint8] = cv2.getStructuringElement(shape, (side, side))
    return kernel


def _centred(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Puts ink, uint8 (h, w) of at most 20x20, with its centre of mass at 14, 14 of 28x28."""
    height, width = ink.shape
    moments = cv2.moments(ink)
    mass = max(moments["m00"], 1.0)
    left = round(SIDE / 2 - moments["m10"] / mass)
    top = round(SIDE / 2 - moments["m01"] / mass)
    left, top = min(max(left, 0), SIDE - width), min(max(top, 0), SIDE - height)
    crop = np.zeros((SIDE, SIDE), np.uint8)
    crop[top : top + height, left : left + width] = ink
    # A stroke thinner than a pixel is grey after the resampling: MNIST's are white.
    bright: NDArray[np.uint8] = cv2.convertScaleAbs(crop, alpha=255 / max(int(ink.max()), 1))
    return bright
