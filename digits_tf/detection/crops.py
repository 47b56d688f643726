"""A digit's ink as MNIST would have it."""

import functools

import cv2
import numpy as np

from digits_tf.detection.pyramid import grey, reduced

SIDE, INK_SIDE = 28, 20
# Contrast below this share of the ink's own is ground; above the other it is all ink.
_GROUND, _FULL = 0.25, 0.8
# MNIST's strokes are about 3 pixels wide; thinner ones than this are widened to it.
_LEAST_STROKE = 2.2
# A digit is cut out at about so many pixels: enough for its strokes, and as quick for a digit that
# fills a large frame as for a small one.
_CUT = 56
# A small digit is enlarged so many times at most: its thin strokes are smooth then.
_ENLARGED = 4.0
# What is cut out reaches beyond the box by this share of its longer side: the ground is seen there.
_MARGIN = 0.3
# A box may be wrong by this share: a stroke that ends so far out is the digit's. What goes on is a
# neighbour, or a line.
_BEYOND = 0.2
# A mark of which less lies in the box is a neighbour, or a line on its way.
_OWN = 0.5
# Marks below this share of the box's longer side are specks.
_SPECK = 0.08


def digit_crop(frame: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray | None:
    """Cuts a digit out of a frame.

    Args:
        frame: uint8 (h, w), (h, w, 3) BGR or (h, w, 4) BGRA.
        box: x, y, width, height in pixels; it may lie partly outside.

    Returns:
        uint8 (28, 28), ink bright on 0 in MNIST's geometry; None if there is no ink.
    """
    patch, inner = _patch(frame, box)
    if patch is None:
        return None
    contrast = _contrast(patch, inner)
    return mnist_crop(contrast, _own(contrast, inner))


def _patch(
    frame: np.ndarray, box: tuple[float, float, float, float]
) -> tuple[np.ndarray | None, tuple[int, int, int, int]]:
    """The box and what is around it, grey, at the size to work on; and the box in it."""
    height, width = frame.shape[:2]
    x, y, w, h = box
    margin = _MARGIN * max(w, h) + 1
    left, top = max(0, int(x - margin)), max(0, int(y - margin))
    right, bottom = (
        min(width, int(np.ceil(x + w + margin))),
        min(height, int(np.ceil(y + h + margin))),
    )
    inside = min(x + w, width) > max(x, 0) and min(y + h, height) > max(y, 0)
    if not inside or right - left < 2 or bottom - top < 2:
        return None, (0, 0, 0, 0)
    part = frame[top:bottom, left:right]
    scale = min(_CUT / max(w, h, 1.0), _ENLARGED)
    size = max(2, round((right - left) * scale)), max(2, round((bottom - top) * scale))
    if scale < 1:
        part = reduced(part, size)
    else:
        part = cv2.resize(grey(part), size, interpolation=cv2.INTER_CUBIC)
    across, down = size[0] / (right - left), size[1] / (bottom - top)
    first, last = _clipped((x - left) * across, w * across, size[0])
    upper, lower = _clipped((y - top) * down, h * down, size[1])
    return part, (first, upper, last - first, lower - upper)


def _clipped(start: float, extent: float, length: int) -> tuple[int, int]:
    """Both ends of a side in whole pixels within a length, at least one apart."""
    first = min(max(0, round(start)), length - 1)
    return first, max(first + 1, min(length, round(start + extent)))


def _contrast(patch: np.ndarray, inner: tuple[int, int, int, int]) -> np.ndarray:
    """How much each pixel differs from its ground towards the ink, uint8 (h, w)."""
    x, y, w, h = inner
    inside = _histogram(patch[y : y + h, x : x + w])
    around = _histogram(patch) - inside
    if not around.any():
        around = inside
    ground = _quantile(around, 0.5)
    dark = ground - _quantile(inside, 0.04) >= _quantile(inside, 0.96) - ground
    # Light that changes over the digit goes with the ground: what is left of it where strokes are
    # taken away. Wider than any stroke.
    side = max(3, int(0.5 * max(w, h))) | 1
    way = cv2.MORPH_BLACKHAT if dark else cv2.MORPH_TOPHAT
    return cv2.morphologyEx(patch, way, _square(side), borderType=cv2.BORDER_REPLICATE)


def _histogram(patch: np.ndarray) -> np.ndarray:
    """How many pixels have each grey level, (256,); some times as quick as `np.bincount`."""
    return cv2.calcHist([patch], [0], None, [256], [0, 256]).ravel()


def _quantile(histogram: np.ndarray, share: float) -> int:
    """The grey level that so many of a histogram's pixels are below."""
    below = np.cumsum(histogram)
    return int(np.searchsorted(below, share * below[-1]))


@functools.lru_cache
def _square(side: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))


def _own(contrast: np.ndarray, inner: tuple[int, int, int, int]) -> np.ndarray:
    """Where the digit's own ink may be, uint8 (h, w): not its neighbours', nor a line's beyond."""
    x, y, w, h = inner
    height, width = contrast.shape
    box = np.s_[y : y + h, x : x + w]
    threshold, _ = cv2.threshold(contrast[box], 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    _, ink = cv2.threshold(contrast, 0.6 * threshold, 255, cv2.THRESH_BINARY)
    mask = np.zeros(contrast.shape, np.uint8)
    reach = max(1, round(_BEYOND * max(w, h)))
    left, top = max(0, x - reach), max(0, y - reach)
    right, bottom = min(width, x + w + reach), min(height, y + h + reach)
    beyond = ink[top:bottom, left:right].copy()
    beyond[y - top : y - top + h, x - left : x - left + w] = 0
    _, names, stats, _ = cv2.connectedComponentsWithStats(beyond)
    ends = stats[:, cv2.CC_STAT_LEFT] > 0
    ends &= stats[:, cv2.CC_STAT_TOP] > 0
    ends &= stats[:, cv2.CC_STAT_LEFT] + stats[:, cv2.CC_STAT_WIDTH] < right - left
    ends &= stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT] < bottom - top
    ends[0] = False
    mask[top:bottom, left:right] = np.where(ends, 255, 0).astype(np.uint8)[names]
    # With their soft edges.
    mask = cv2.dilate(mask, _square(3))
    mask[box] = 255
    count, names, stats, _ = cv2.connectedComponentsWithStats(ink)
    if count <= 2:
        return mask
    areas = np.bincount(names[box].ravel(), minlength=count)
    areas[0] = 0
    longer = stats[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1].max(axis=1)
    others = (areas < _OWN * stats[:, cv2.CC_STAT_AREA]) | (longer < _SPECK * max(w, h))
    others[[0, int(areas.argmax())]] = False
    if others.any():
        foreign = cv2.dilate(np.where(others, 255, 0).astype(np.uint8)[names], _square(3))
        mask[(foreign > 0) & ~((ink > 0) & ~others[names])] = 0
    return mask


def mnist_crop(contrast: np.ndarray, mask: np.ndarray, floor: float = 4.0) -> np.ndarray | None:
    """Puts ink into MNIST's geometry.

    The longer side of the ink is 20 pixels, its centre of mass at 14, 14, the aspect is kept, grey
    levels come from area resampling (LeCun et al., http://yann.lecun.com/exdb/mnist/).

    Args:
        contrast: uint8 (h, w), how much each pixel differs from the ground.
        mask: uint8 (h, w), not 0 where a pixel may belong to the digit.
        floor: contrast that is noise.

    Returns:
        uint8 (28, 28), ink bright on 0; None if there is no ink.
    """
    ink = cv2.bitwise_and(contrast, mask)
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
    longer = max(cv2.boundingRect(solid)[2:])
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
    return _centred(cv2.resize(ink, size, interpolation=interpolation))


def _mean_above(ink: np.ndarray, least: float) -> float:
    """The mean of what is above a level; 0 if nothing is."""
    _, above = cv2.threshold(ink, least, 0, cv2.THRESH_TOZERO)
    # Some times as quick as `cv2.mean` with a mask.
    return cv2.sumElems(above)[0] / max(cv2.countNonZero(above), 1)


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
