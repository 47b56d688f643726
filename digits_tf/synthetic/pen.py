"""Digits of a pen, as MNIST would have them."""

import cv2
import numpy as np

from digits_tf.synthetic import handwriting

_ENLARGED = 10  # drawn so much larger, for soft edges
_INK_SIDE = 20
_PEN = (1.2, 5.0)  # width of strokes, in pixels of the 28
# Where strokes cross or turn sharply, ink is so many times as thick as one of them.
_THICKEST = 1.65


def pen_digit(digit: int, rng: np.random.Generator) -> np.ndarray:
    """Writes a digit in any form with a pen.

    Args:
        digit: 0 to 9.
        rng: decides the form, the pen and in what this instance differs.

    Returns:
        uint8 (28, 28), bright on 0, the digit's longer side 20 pixels.
    """
    strokes = handwriting.write_freely(digit, rng)
    width = rng.uniform(*_PEN)
    large = _drawn(strokes, width)
    # A pen too wide for its hand fills loops and gaps, and the digit is another.
    while width > _PEN[0] and _thickest(large) > _THICKEST * width:
        width *= 0.85
        large = _drawn(strokes, width)
    return cv2.resize(large, (28, 28), interpolation=cv2.INTER_AREA)


def _drawn(strokes: list[np.ndarray], width: float) -> np.ndarray:
    """Strokes of a width in pixels of the 28 with round ends, uint8 (280, 280)."""
    every = np.concatenate(strokes)
    low, high = every.min(axis=0), every.max(axis=0)
    scale = _ENLARGED * (_INK_SIDE - width) / (high - low).max()
    large = np.zeros((28 * _ENLARGED, 28 * _ENLARGED), np.uint8)
    for stroke in strokes:
        points = (stroke - (low + high) / 2) * scale + 14 * _ENLARGED
        thickness = max(1, round(width * _ENLARGED))
        cv2.polylines(large, [np.round(points).astype(np.int32)], False, 255, thickness)
    return large


def _thickest(large: np.ndarray) -> float:
    """The width of ink where it is thickest, in pixels of the 28."""
    return 2 / _ENLARGED * float(cv2.distanceTransform(large, cv2.DIST_L2, 3).max())
