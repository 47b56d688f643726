"""Strokes as ink on nothing."""

from collections.abc import Sequence

import cv2
import numpy as np

SIDE = 56  # of a glyph in pixels: twice a crop's, so that a photograph of it is sharp
_INK_SIDE = 40
_ENLARGED = 4  # drawn so much larger, for soft edges
_PEN = (2.6, 8.6)  # width of strokes, in a glyph's pixels
_UNEVEN = 0.12  # deviation of a stroke's width from the glyph's


def ink(
    strokes: Sequence[np.ndarray],
    rng: np.random.Generator,
    pen: tuple[float, float] = _PEN,
    *,
    filled: bool = False,
) -> np.ndarray:
    """Draws strokes with a pen, the longer side 40 pixels.

    Args:
        strokes: float (n, 2) each, x and y of any scale.
        rng: decides the pen.
        pen: its least and greatest width in pixels.
        filled: whether each stroke is an outline that is filled.

    Returns:
        uint8 (56, 56), bright on 0.
    """
    every = np.concatenate(list(strokes))
    low, high = every.min(axis=0), every.max(axis=0)
    width = rng.uniform(*pen)
    scale = _ENLARGED * (_INK_SIDE - width) / max((high - low).max(), 1e-6)
    large = np.zeros((SIDE * _ENLARGED, SIDE * _ENLARGED), np.uint8)
    for stroke in strokes:
        points = (stroke - (low + high) / 2) * scale + SIDE * _ENLARGED / 2
        points = np.round(points).astype(np.int32)
        thickness = width * _ENLARGED * max(0.6, rng.normal(1.0, _UNEVEN))
        if filled:
            cv2.fillPoly(large, [points], 255)
        cv2.polylines(large, [points], filled, 255, max(1, round(thickness)))
    return cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
