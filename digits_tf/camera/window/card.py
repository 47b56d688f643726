"""Cards: what the net saw of a digit, and what it held most likely."""

from collections.abc import Sequence

import cv2
import numpy as np

from digits_tf.camera.lettering import put, width_of
from digits_tf.camera.window.colours import FAINT, GREEN, GREY, WHITE
from digits_tf.recognizer import Digit

_TOP = 3
_GAP = 12  # pixels between cards
_MORE = 20  # pixels for the line that says how many are not shown
# From few to many digits: columns, and the side of the crop in pixels.
_SIZES = ((1, 112), (1, 84), (1, 56), (2, 56), (2, 42))


def draw_all(canvas: np.ndarray, digits: Sequence[Digit]) -> None:
    """Draws a card for each digit, as large as there is room, as many as there is room.

    Args:
        canvas: uint8 (h, w, 3), BGR; drawn onto.
        digits: in reading order.
    """
    height, width = canvas.shape[:2]
    for columns, side in _SIZES:
        rows = (height + _GAP) // (side + _GAP)
        if rows * columns >= len(digits):
            break
    else:
        rows = (height - _MORE + _GAP) // (side + _GAP)
        more = f"and {len(digits) - rows * columns} more"
        put(canvas, more, 0, height - 12, 11, GREY)
    column_width = (width - (columns - 1) * _GAP) // columns
    for index, digit in enumerate(digits[: rows * columns]):
        # Row by row, as the digits are read.
        y = index // columns * (side + _GAP)
        x = index % columns * (column_width + _GAP)
        _draw(canvas[y : y + side, x : x + column_width], digit, side)


def _draw(canvas: np.ndarray, digit: Digit, side: int) -> None:
    """One card: the crop at the left, three bars beside it."""
    crop = cv2.resize(digit.crop, (side, side), interpolation=cv2.INTER_NEAREST)
    cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR, dst=canvas[:, :side])
    cv2.rectangle(canvas, (0, 0), (side - 1, side - 1), FAINT, 1)
    row = side / _TOP
    size = min(16.0, 0.62 * row)
    left = side + round(0.8 * size)
    start = left + round(1.4 * size)
    end = canvas.shape[1] - width_of("100", size) - round(0.5 * size)
    best = np.argsort(-digit.probabilities, kind="stable")[:_TOP].tolist()
    for index, label in enumerate(best):
        share = float(digit.probabilities[label])
        y = round(index * row + (row - size) / 2)
        chosen = label == digit.label
        put(canvas, str(label), left, y, size, WHITE if chosen else GREY)
        top, bottom = y, round(y + size)
        cv2.rectangle(canvas, (start, top), (end, bottom), FAINT, cv2.FILLED)
        reach = start + round(min(share, 1.0) * (end - start))
        if reach > start:
            colour = GREEN if chosen else GREY
            cv2.rectangle(canvas, (start, top), (reach, bottom), colour, cv2.FILLED)
        number = f"{100 * share:.0f}"
        put(
            canvas,
            number,
            canvas.shape[1] - width_of(number, size),
            y,
            size,
            WHITE if chosen else GREY,
        )
