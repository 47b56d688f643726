"""The window's colours: B, G, R."""

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from digits_tf.annotators import Colour, fitting_height, put, width_of
from digits_tf.camera.display import View
from digits_tf.recognition import Digit

GROUND: Colour = (32, 30, 28)
FAINT: Colour = (70, 66, 62)
GREY: Colour = (165, 160, 155)
WHITE: Colour = (245, 245, 245)
GREEN: Colour = (80, 220, 80)
RED: Colour = (70, 70, 240)


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


_KEYS = (
    ("q, ESC", "end"),
    ("space", "hold, go on; next picture"),
    ("s", "save the frame and its reading"),
    ("r", "start and stop a recording"),
    ("c", "the next camera"),
    ("d", "what the detector sees"),
    ("f", "full screen, and back"),
    ("?", "these keys"),
)
_ROW, _LETTERS, _PAD = 34, 14, 24


def draw_keys(canvas: np.ndarray) -> None:
    """Lists the keys in the middle."""
    names = max(width_of(name, _LETTERS) for name, _ in _KEYS)
    meanings = max(width_of(meaning, _LETTERS) for _, meaning in _KEYS)
    width, height = min(canvas.shape[1], names + meanings + 4 * _PAD), _ROW * len(_KEYS) + 2 * _PAD
    x, y = (canvas.shape[1] - width) // 2, (canvas.shape[0] - height) // 2
    _shade(canvas[y : y + height, x : x + width])
    for index, (name, meaning) in enumerate(_KEYS):
        top = y + _PAD + index * _ROW + (_ROW - _LETTERS) / 2
        put(canvas, name, x + _PAD, top, _LETTERS, GREEN)
        room = width - names - 3 * _PAD
        size = fitting_height(meaning, _LETTERS, room)
        put(canvas, meaning, x + 2 * _PAD + names, top, size, WHITE)


def draw_line(canvas: np.ndarray, line: str) -> None:
    """Writes a line along the lower edge."""
    plain = line.encode("ascii", "replace").decode()
    size = max(7.0, fitting_height(plain, 12, canvas.shape[1] - 2 * _PAD))
    strip = canvas[-36:]
    _shade(strip)
    put(strip, plain, _PAD, (36 - size) / 2, size, WHITE)


def draw_stages(canvas: np.ndarray, stages: Mapping[str, np.ndarray]) -> None:
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
        put(cell, name, 8, 8, 11, GREY)
        room = cell[28:-4, 8:-8]
        scale = min(room.shape[0] / picture.shape[0], room.shape[1] / picture.shape[1])
        w, h = (max(1, int(scale * side)) for side in picture.shape[1::-1])
        how = cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA
        small = cv2.resize(picture, (w, h), interpolation=how)
        room[:h, :w] = small if small.ndim == 3 else small[..., None]


def _shade(canvas: np.ndarray) -> None:
    cv2.addWeighted(canvas, 0.2, np.full_like(canvas, 20), 0.8, 0, dst=canvas)


WIDTH = 360  # pixels
_PAD = 16
_READING = 112  # pixels, the height of the large text
_HEAD = 40  # above it
_FOOT = 104
_MOST_LINES = 3


def draw(canvas: np.ndarray, view: View, badge: str) -> None:
    """Draws the panel.

    Args:
        canvas: uint8 (h, 360, 3), BGR, h at least 480; drawn onto.
        view: what there is to show.
        badge: a word in the upper corner, such as that it is recording.
    """
    canvas[:] = GROUND
    put(canvas, "reading", _PAD, _PAD, 11, GREY)
    corner, colour = (badge, RED) if badge else ("? keys", GREY)
    put(canvas, corner, WIDTH - _PAD - width_of(corner, 11), _PAD, 11, colour)
    _draw_reading(canvas[_HEAD : _HEAD + _READING], view.text)
    height = canvas.shape[0]
    top = _HEAD + _READING + _PAD
    _line(canvas, top - _PAD // 2)
    draw_all(canvas[top : height - _FOOT - _PAD, _PAD:-_PAD], view.digits)
    _line(canvas, height - _FOOT)
    _draw_times(canvas[height - _FOOT :], view.fps, view.milliseconds)


def _draw_reading(canvas: np.ndarray, text: str) -> None:
    height, width = canvas.shape[0], canvas.shape[1] - 2 * _PAD
    lines = text.split("\n") if text else ["no digit"]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], "..."]
    row = height / len(lines)
    for index, line in enumerate(lines):
        size = fitting_height(line, 0.7 * row if text else 20, width)
        y = index * row + (row - size) / 2
        put(canvas, line, _PAD, y, size, GREEN if text else GREY)


def _draw_times(canvas: np.ndarray, fps: float, milliseconds: Mapping[str, float]) -> None:
    if fps:
        rate = f"{fps:.0f}"
        put(canvas, rate, _PAD, 22, 30, WHITE)
        put(canvas, "FPS", _PAD, 66, 11, GREY)
    row = canvas.shape[0] / (len(milliseconds) + 1)
    for index, (name, value) in enumerate(milliseconds.items(), start=1):
        y = index * row - 7
        number = f"{value:.1f} ms"
        put(canvas, name, WIDTH // 2 - 20, y, 11, GREY)
        put(canvas, number, WIDTH - _PAD - width_of(number, 11), y, 11, WHITE)


def _line(canvas: np.ndarray, y: int) -> None:
    cv2.line(canvas, (_PAD, y), (WIDTH - _PAD, y), FAINT, 1)
