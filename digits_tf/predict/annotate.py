"""Draws onto a picture what was read in it."""

from collections.abc import Sequence

import cv2
import numpy as np

from digits_tf.recognizer import Digit

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GREEN, _GREY, _BLACK = (80, 220, 80), (160, 160, 160), (0, 0, 0)
# Shares of the picture's shorter side.
_LINE, _LEAST_TEXT, _MOST_TEXT = 1 / 240, 1 / 36, 1 / 12
# Letters are this share of their digit's height, within the limits above.
_TEXT = 0.3
# Pixels; a label could not be read on less.
_LEAST_SIDE = 112


def annotate(picture: np.ndarray, digits: Sequence[Digit]) -> np.ndarray:
    """Draws the box of each digit and above it the digit with its probability.

    Args:
        picture: uint8 (h, w, 3), BGR; left as it is.
        digits: found in it.

    Returns:
        A new picture of the same shape; a very small one is enlarged by a whole factor.
    """
    shorter = min(picture.shape[:2])
    factor = max(1, -(-_LEAST_SIDE // shorter))
    if factor > 1:
        canvas = np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1)
    else:
        canvas = picture.copy()
    shorter *= factor
    line = max(1, round(_LINE * shorter))
    for digit in digits:
        x, y, w, h = (factor * value for value in digit.box)
        colour = _GREY if digit.label is None else _GREEN
        cv2.rectangle(canvas, (x, y), (x + w - 1, y + h - 1), colour, line)
        height = min(max(_TEXT * h, _LEAST_TEXT * shorter), _MOST_TEXT * shorter)
        _label(canvas, _words(digit), height, (x, y, w, h), colour, line)
    return canvas


def _words(digit: Digit) -> str:
    mark = f"{digit.probabilities.argmax()}?" if digit.label is None else str(digit.label)
    return f"{mark} {100 * digit.confidence:.0f}%"


def _label(
    canvas: np.ndarray,
    words: str,
    height: float,
    box: tuple[int, int, int, int],
    colour: tuple[int, int, int],
    line: int,
) -> None:
    """Writes black on a field of the box's colour: above the box, else below it, else inside."""
    # Fonts differ between OpenCV 4 and 5: everything is measured, nothing assumed.
    (_, unit), _ = cv2.getTextSize(words, _FONT, 1.0, 1)
    scale = height / unit
    thickness = max(1, round(2 * scale))
    (width, above), below = cv2.getTextSize(words, _FONT, scale, thickness)
    field_w, field_h = width + 2 * line, above + below + line
    frame_h, frame_w = canvas.shape[:2]
    x, y, _, h = box
    left = max(0, min(x - line // 2, frame_w - field_w))
    tops = (y - line // 2 - field_h, y + h + line // 2, y)
    top = next((each for each in tops if 0 <= each <= frame_h - field_h), y)
    cv2.rectangle(canvas, (left, top), (left + field_w, top + field_h), colour, cv2.FILLED)
    corner = left + line, top + above + line // 2
    cv2.putText(canvas, words, corner, _FONT, scale, _BLACK, thickness, cv2.LINE_AA)
