"""Digits of a pen, as MNIST would have them."""

import cv2
import numpy as np

from digits_tf.scenes import handwriting

_ENLARGED = 10  # drawn so much larger, for soft edges
_INK_SIDE = 20
_PEN = (1.4, 4.2)  # width of strokes, in pixels of the 28


def pen_digit(digit: int, rng: np.random.Generator) -> np.ndarray:
    """Writes a digit with a pen, uint8 (28, 28), bright on 0, its longer side 20 pixels.

    Args:
        digit: 0 to 9.
        rng: decides the pen and in what this instance differs.
    """
    strokes = handwriting.write(digit, rng)
    every = np.concatenate(strokes)
    low, high = every.min(axis=0), every.max(axis=0)
    width = rng.uniform(*_PEN)
    scale = _ENLARGED * (_INK_SIDE - width) / (high - low).max()
    large = np.zeros((28 * _ENLARGED, 28 * _ENLARGED), np.uint8)
    for stroke in strokes:
        points = (stroke - (low + high) / 2) * scale + 14 * _ENLARGED
        thickness = max(1, round(width * _ENLARGED))
        cv2.polylines(large, [np.round(points).astype(np.int32)], False, 255, thickness)
    return cv2.resize(large, (28, 28), interpolation=cv2.INTER_AREA)
