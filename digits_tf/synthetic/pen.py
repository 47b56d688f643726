"""Strokes drawn with a pen, at three sizes."""

from collections.abc import Sequence

import cv2
import numpy as np

from digits_tf.synthetic import Pixels, Points
from digits_tf.synthetic.handwriting import write_freely

# Of MNIST's geometry.
_SIDE, _INK_SIDE = 28, 20
_DIGIT_PEN = (1.2, 5.0)  # width of strokes, in pixels of the 28
_DIGIT_ENLARGED = 10  # drawn so much larger, for soft edges
# Where strokes cross or turn sharply, ink is so many times as thick as one of them.
_THICKEST = 1.65

# A drawing has twice a crop's pixels, so that a photograph of it is sharp.
DRAWING_SIDE, DRAWING_INK_SIDE = 56, 40
DRAWING_ENLARGED = 4
_DRAWING_PEN = (2.6, 8.6)  # width of strokes in pixels of the drawing
_UNEVEN = 0.12  # deviation of a stroke's width from the drawing's

# Glyphs are drawn this tall, then shrunk with soft edges. A 1 of a thin pen is a pixel wide here.
GLYPH_HEIGHT = 128


def pen_digit(digit: int, rng: np.random.Generator) -> Pixels:
    """Writes a digit in any form with a pen, in MNIST's geometry.

    Args:
        digit: 0 to 9.
        rng: decides the form, the pen and in what this instance differs.

    Returns:
        uint8 (28, 28), bright on 0, the digit's longer side 20 pixels.
    """
    strokes = write_freely(digit, rng)
    width = rng.uniform(*_DIGIT_PEN)
    large = _digit(strokes, width)
    # A pen too wide for its hand fills loops and gaps, and the digit is another.
    while width > _DIGIT_PEN[0] and _thickest(large) > _THICKEST * width:
        width *= 0.85
        large = _digit(strokes, width)
    small: Pixels = cv2.resize(large, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return small


def drawing(strokes: Sequence[Points], rng: np.random.Generator, *, filled: bool = False) -> Pixels:
    """Draws strokes with a pen, the longer side 40 pixels.

    Args:
        strokes: float (n, 2) each, x and y of any scale.
        rng: decides the pen.
        filled: whether each stroke is an outline that is filled.

    Returns:
        uint8 (56, 56), bright on 0.
    """
    low, high = limits(strokes)
    width = rng.uniform(*_DRAWING_PEN)
    scale = DRAWING_ENLARGED * (DRAWING_INK_SIDE - width) / max((high - low).max(), 1e-6)
    side = DRAWING_SIDE * DRAWING_ENLARGED
    large = np.zeros((side, side), np.uint8)
    for stroke in strokes:
        points = np.round((stroke - (low + high) / 2) * scale + side / 2).astype(np.int32)
        thickness = width * DRAWING_ENLARGED * max(0.6, rng.normal(1.0, _UNEVEN))
        if filled:
            cv2.fillPoly(large, [points], 255)
        cv2.polylines(large, [points], filled, 255, max(1, round(thickness)))
    small: Pixels = cv2.resize(large, (DRAWING_SIDE,) * 2, interpolation=cv2.INTER_AREA)
    return small


def glyph(strokes: Sequence[Points], width: float) -> Pixels:
    """Draws strokes with a round pen, large and sharp.

    Args:
        strokes: float (n, 2) each, x and y of any scale.
        width: of the pen, as a share of the height of what is drawn.

    Returns:
        uint8 (h, w), 255 is ink, cut to the ink; h is `GLYPH_HEIGHT`, if it is not much wider than
        tall.
    """
    low, high = limits(strokes)
    extent = np.maximum(high - low, 1e-3)
    pen = max(1, round(width * GLYPH_HEIGHT))
    scale = (GLYPH_HEIGHT - pen) / max(extent[1], extent[0] / 3)
    size = np.ceil(extent * scale).astype(int) + pen + 2
    ink = np.zeros((size[1], size[0]), np.uint8)
    for stroke in strokes:
        points = np.round(((stroke - low) * scale + pen / 2 + 1) * 16).astype(np.int32)
        cv2.polylines(ink, [points], False, 255, pen, cv2.LINE_AA, 4)
    return cut_to_ink(ink)


def limits(strokes: Sequence[Points]) -> tuple[Points, Points]:
    """The least and the greatest x and y of strokes, (2,) each."""
    every = np.concatenate(list(strokes))
    return every.min(axis=0), every.max(axis=0)


def cut_to_ink(image: Pixels, threshold: int = 100) -> Pixels:
    """Cuts an image, (h, w), to the bounding box of what is brighter; without any, it stays."""
    x, y, w, h = cv2.boundingRect((image > threshold).astype(np.uint8))
    return image[y : y + h, x : x + w] if w and h else image


def _digit(strokes: list[Points], width: float) -> Pixels:
    """Strokes of a width in pixels of the 28 with round ends, uint8 (280, 280)."""
    low, high = limits(strokes)
    scale = _DIGIT_ENLARGED * (_INK_SIDE - width) / (high - low).max()
    side = _SIDE * _DIGIT_ENLARGED
    large = np.zeros((side, side), np.uint8)
    for stroke in strokes:
        points = np.round((stroke - (low + high) / 2) * scale + side / 2).astype(np.int32)
        thickness = max(1, round(width * _DIGIT_ENLARGED))
        cv2.polylines(large, [points], False, 255, thickness)
    return large


def _thickest(large: Pixels) -> float:
    """The width of ink where it is thickest, in pixels of the 28."""
    return 2 / _DIGIT_ENLARGED * float(cv2.distanceTransform(large, cv2.DIST_L2, 3).max())
