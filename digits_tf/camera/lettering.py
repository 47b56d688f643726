"""Text on pictures, by its height in pixels."""

import functools

import cv2
import numpy as np

_FONT = cv2.FONT_HERSHEY_SIMPLEX

Colour = tuple[int, int, int]


def width_of(text: str, height: float) -> int:
    """Pixels that a text takes whose digits are `height` pixels high."""
    scale, thickness = _style(height)
    return cv2.getTextSize(text, _FONT, scale, thickness)[0][0]


def fitting_height(text: str, height: float, width: float) -> float:
    """`height`, or less if the text would be wider than `width` pixels."""
    needed = width_of(text, height)
    return height if needed <= width else height * width / needed


def put(canvas: np.ndarray, text: str, x: float, y: float, height: float, colour: Colour) -> None:
    """Writes a text.

    Args:
        canvas: uint8 (h, w, 3), BGR; drawn onto.
        text: in ASCII, as OpenCV's fonts have nothing else.
        x: its left edge, pixels.
        y: its upper edge, pixels.
        height: of its digits, pixels.
        colour: B, G, R.
    """
    scale, thickness = _style(height)
    foot = round(x), round(y + height)
    cv2.putText(canvas, text, foot, _FONT, scale, colour, thickness, cv2.LINE_AA)


@functools.lru_cache(maxsize=64)
def _style(height: float) -> tuple[float, int]:
    """Scale and thickness."""
    return height / _unit(), max(1, round(height / 11))


@functools.cache
def _unit() -> float:
    """How high a digit is at scale 1: measured, as fonts differ between OpenCV 4 and 5."""
    canvas = np.zeros((200, 200), np.uint8)
    cv2.putText(canvas, "0", (20, 180), _FONT, 4.0, 255, 4)
    return cv2.boundingRect(canvas)[3] / 4.0
