"""Draws the panel beside the frame, with a card for each digit, and what is laid over the frame."""

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf.annotators import Colour, fitting_height, put, width_of
from digits_tf.camera.display import FrameResult
from digits_tf.recognition import Digit

Canvas = NDArray[np.uint8]

# B, G, R.
GROUND: Colour = (32, 30, 28)
FAINT: Colour = (70, 66, 62)
GREY: Colour = (165, 160, 155)
WHITE: Colour = (245, 245, 245)
GREEN: Colour = (80, 220, 80)
RED: Colour = (70, 70, 240)

# All sizes are in pixels.
WIDTH = 360  # of the panel
_MARGIN = 16
_SMALL = 11  # height of small text
_HEAD, _READING, _FOOT = 40, 112, 104  # heights of the panel's parts
_MAXIMUM_LINES = 3
_GAP = 12  # between cards
_MORE = 20  # for the line with the number of digits that are not shown
_BARS = 3  # on each card
# For few to many digits: the number of columns, and the side of the crop.
_CARD_SIZES = ((1, 112), (1, 84), (1, 56), (2, 56), (2, 42))

_KEYS = {
    "q, ESC": "end",
    "space": "pause, go on; next picture",
    "s": "save the frame and its reading",
    "r": "start and stop a recording",
    "c": "the next camera",
    "0 to 9, x": "what the digit is (click on it first); x: none",
    "u": "take that back",
    "d": "what the detector sees",
    "f": "full screen, and back",
    "?": "these keys",
}
_ROW, _LETTERS, _PADDING = 34, 14, 24
_MESSAGE_HEIGHT = 36


def draw_panel(canvas: Canvas, result: FrameResult, badge: str) -> None:
    """Draws the panel.

    Args:
        canvas: uint8 (h, WIDTH, 3), BGR, h at least 480; drawn over.
        result: what to show.
        badge: a word for the upper corner, such as that it is being recorded.
    """
    canvas[:] = GROUND
    put(canvas, "reading", _MARGIN, _MARGIN, _SMALL, GREY)
    corner, colour = (badge, RED) if badge else ("? keys", GREY)
    _put_right(canvas, corner, WIDTH - _MARGIN, _MARGIN, _SMALL, colour)
    _draw_reading(canvas[_HEAD : _HEAD + _READING], result.text)
    foot = canvas.shape[0] - _FOOT
    top = _HEAD + _READING + _MARGIN
    draw_cards(canvas[top : foot - _MARGIN, _MARGIN:-_MARGIN], result.digits)
    for y in (top - _MARGIN // 2, foot):
        cv2.line(canvas, (_MARGIN, y), (WIDTH - _MARGIN, y), FAINT, 1)
    _draw_times(canvas[foot:], result.fps, result.milliseconds)


def _draw_reading(canvas: Canvas, text: str) -> None:
    height, width = canvas.shape[0], canvas.shape[1] - 2 * _MARGIN
    lines = text.split("\n") if text else ["no digit"]
    if len(lines) > _MAXIMUM_LINES:
        lines = [*lines[: _MAXIMUM_LINES - 1], "..."]
    row = height / len(lines)
    for index, line in enumerate(lines):
        size = fitting_height(line, 0.7 * row if text else 20, width)
        y = index * row + (row - size) / 2
        put(canvas, line, _MARGIN, y, size, GREEN if text else GREY)


def draw_cards(canvas: Canvas, digits: Sequence[Digit]) -> None:
    """Draws a card for each digit, as large and as many as there is room for.

    Args:
        canvas: uint8 (h, w, 3), BGR; drawn onto.
        digits: in reading order.
    """
    height, width = canvas.shape[:2]
    for columns, side in _CARD_SIZES:
        rows = (height + _GAP) // (side + _GAP)
        if rows * columns >= len(digits):
            break
    else:
        rows = (height - _MORE + _GAP) // (side + _GAP)
        more = f"and {len(digits) - rows * columns} more"
        put(canvas, more, 0, height - 12, _SMALL, GREY)
    column_width = (width - (columns - 1) * _GAP) // columns
    for index, digit in enumerate(digits[: rows * columns]):
        # Row by row, in reading order.
        y = index // columns * (side + _GAP)
        x = index % columns * (column_width + _GAP)
        _draw_card(canvas[y : y + side, x : x + column_width], digit, side)


def _draw_card(canvas: Canvas, digit: Digit, side: int) -> None:
    """Draws the crop at the left and beside it bars of the likeliest digits."""
    crop = cv2.resize(digit.crop, (side, side), interpolation=cv2.INTER_NEAREST)
    cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR, dst=canvas[:, :side])
    cv2.rectangle(canvas, (0, 0), (side - 1, side - 1), FAINT, 1)
    row = side / _BARS
    size = min(16.0, 0.62 * row)
    left = side + round(0.8 * size)
    start = left + round(1.4 * size)
    end = canvas.shape[1] - width_of("100", size) - round(0.5 * size)
    likeliest = np.argsort(-digit.probabilities, kind="stable")[:_BARS].tolist()
    for index, label in enumerate(likeliest):
        probability = float(digit.probabilities[label])
        text_colour, bar_colour = (WHITE, GREEN) if label == digit.label else (GREY, GREY)
        top = round(index * row + (row - size) / 2)
        bottom = round(top + size)
        put(canvas, str(label), left, top, size, text_colour)
        cv2.rectangle(canvas, (start, top), (end, bottom), FAINT, cv2.FILLED)
        tip = start + round(min(probability, 1.0) * (end - start))
        if tip > start:
            cv2.rectangle(canvas, (start, top), (tip, bottom), bar_colour, cv2.FILLED)
        _put_right(canvas, f"{100 * probability:.0f}", canvas.shape[1], top, size, text_colour)


def _draw_times(canvas: Canvas, fps: float, milliseconds: Mapping[str, float]) -> None:
    if fps:
        put(canvas, f"{fps:.0f}", _MARGIN, 22, 30, WHITE)
        put(canvas, "FPS", _MARGIN, 66, _SMALL, GREY)
    row = canvas.shape[0] / (len(milliseconds) + 1)
    for index, (name, value) in enumerate(milliseconds.items(), start=1):
        y = index * row - 7
        put(canvas, name, WIDTH // 2 - 20, y, _SMALL, GREY)
        _put_right(canvas, f"{value:.1f} ms", WIDTH - _MARGIN, y, _SMALL, WHITE)


def draw_keys(canvas: Canvas) -> None:
    """Lists the keys in the middle."""
    names = max(width_of(name, _LETTERS) for name in _KEYS)
    meanings = max(width_of(meaning, _LETTERS) for meaning in _KEYS.values())
    width = min(canvas.shape[1], names + meanings + 4 * _PADDING)
    height = _ROW * len(_KEYS) + 2 * _PADDING
    x, y = (canvas.shape[1] - width) // 2, (canvas.shape[0] - height) // 2
    _darken(canvas[y : y + height, x : x + width])
    for index, (name, meaning) in enumerate(_KEYS.items()):
        top = y + _PADDING + index * _ROW + (_ROW - _LETTERS) / 2
        put(canvas, name, x + _PADDING, top, _LETTERS, GREEN)
        size = fitting_height(meaning, _LETTERS, width - names - 3 * _PADDING)
        put(canvas, meaning, x + 2 * _PADDING + names, top, size, WHITE)


def draw_message(canvas: Canvas, message: str) -> None:
    """Writes a line along the lower edge."""
    plain = message.encode("ascii", "replace").decode()
    size = max(7.0, fitting_height(plain, 12, canvas.shape[1] - 2 * _PADDING))
    strip = canvas[-_MESSAGE_HEIGHT:]
    _darken(strip)
    put(strip, plain, _PADDING, (_MESSAGE_HEIGHT - size) / 2, size, WHITE)


def draw_stages(canvas: Canvas, stages: Mapping[str, NDArray[np.uint8]]) -> None:
    """Draws pictures with their names in a grid, in place of the frame.

    Args:
        canvas: uint8 (h, w, 3), BGR; drawn over.
        stages: uint8 (h, w) or (h, w, 3), of any size, by name.
    """
    canvas[:] = GROUND
    columns = math.ceil(math.sqrt(len(stages)))
    if not columns:
        return
    rows = math.ceil(len(stages) / columns)
    height, width = canvas.shape[0] // rows, canvas.shape[1] // columns
    for index, (name, picture) in enumerate(stages.items()):
        row, column = divmod(index, columns)
        cell = canvas[row * height : (row + 1) * height, column * width : (column + 1) * width]
        put(cell, name, 8, 8, _SMALL, GREY)
        room = cell[28:-4, 8:-8]
        scale = min(room.shape[0] / picture.shape[0], room.shape[1] / picture.shape[1])
        w, h = (max(1, int(scale * side)) for side in picture.shape[1::-1])
        how = cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA
        small = cv2.resize(picture, (w, h), interpolation=how)
        room[:h, :w] = small if small.ndim == 3 else small[..., None]


def _put_right(
    canvas: Canvas, text: str, right: int, y: float, height: float, colour: Colour
) -> None:
    """Writes a text that ends at `right`."""
    put(canvas, text, right - width_of(text, height), y, height, colour)


def _darken(canvas: Canvas) -> None:
    cv2.addWeighted(canvas, 0.2, np.full_like(canvas, 20), 0.8, 0, dst=canvas)
