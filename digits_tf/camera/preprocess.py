"""From a frame to the 28x28 pixels that the net reads: the classic steps with a fixed threshold.

Good for bright strokes on a dark, evenly lit ground, such as chalk on a board, and for nothing
else. A first way from the camera to the net: the next release replaces it.
"""

import dataclasses

import cv2
import numpy as np

# Pixels below are pixels of the frame at this size, so that they mean the same for any camera.
_LONGEST_SIDE = 600
# Grey levels above are chalk, the others are board.
_THRESHOLD = 200
# Closes the pores of chalk and widens thin strokes, which would fade on the way down to 28 pixels.
_BRUSH = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
# Less is dust and glints: a digit of 40 pixels, the smallest of use, covers over 300.
_LEAST_AREA = 200
# MNIST's own geometry: the longer side of the ink is 20 of 28 pixels.
_SIDE, _INK_SIDE = 28, 20


@dataclasses.dataclass(frozen=True)
class Found:
    """A digit in a frame.

    Attributes:
        crop: uint8 (28, 28), ink 255 on 0, its longer side 20 pixels, centred.
        box: x, y, width, height in pixels of the frame.
    """

    crop: np.ndarray
    box: tuple[int, int, int, int]


def find_digit(frame: np.ndarray) -> Found | None:
    """Finds the largest bright shape.

    Args:
        frame: uint8 (h, w) grey, (h, w, 3) BGR or (h, w, 4) BGRA.

    Returns:
        The shape, or None where there is none that is large enough.

    Raises:
        ValueError: if the frame is of another type or shape, or empty.
    """
    grey = _grey(frame)
    height, width = grey.shape
    # The aspect ratio is kept: a squashed digit is a wrong digit.
    scale = _LONGEST_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(grey, size, interpolation=interpolation)
    _, bright = cv2.threshold(small, _THRESHOLD, 255, cv2.THRESH_BINARY)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(bright, _BRUSH))
    areas = stats[1:, cv2.CC_STAT_AREA]  # row 0 is the ground
    if not len(areas) or areas.max() < _LEAST_AREA:
        return None
    largest = 1 + int(areas.argmax())
    x, y, w, h = (int(value) for value in stats[largest, : cv2.CC_STAT_HEIGHT + 1])
    # Only this shape's own pixels: neighbours may reach into its box.
    ink = np.where(labels[y : y + h, x : x + w] == largest, np.uint8(255), np.uint8(0))
    left, right = (round(side * width / size[0]) for side in (x, x + w))
    top, bottom = (round(side * height / size[1]) for side in (y, y + h))
    box = left, top, max(1, right - left), max(1, bottom - top)
    return Found(_centred(ink), box)


def _grey(frame: np.ndarray) -> np.ndarray:
    channels = frame.shape[2] if frame.ndim == 3 else 0
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or channels not in (0, 3, 4):
        raise ValueError(
            f"expected uint8 (h, w), (h, w, 3) or (h, w, 4). Received: {frame.dtype} {frame.shape}"
        )
    if not frame.size:
        raise ValueError(f"expected a frame with pixels. Received: {frame.shape}")
    if not channels:
        return frame
    return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY if channels == 3 else cv2.COLOR_BGRA2GRAY)


def _centred(ink: np.ndarray) -> np.ndarray:
    """Ink, uint8 (h, w), in the middle of a square with MNIST's margin, as uint8 (28, 28)."""
    height, width = ink.shape
    side = round(max(height, width) * _SIDE / _INK_SIDE)
    top, left = (side - height) // 2, (side - width) // 2
    square = np.zeros((side, side), np.uint8)
    square[top : top + height, left : left + width] = ink
    return cv2.resize(square, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
