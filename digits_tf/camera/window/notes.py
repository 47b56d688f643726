"""What is laid over the frame when asked for: the keys, the stages, a line for the user."""

import math
from collections.abc import Mapping

import cv2
import numpy as np

from digits_tf.camera.lettering import fitting_height, put, width_of
from digits_tf.camera.window.colours import GREEN, GREY, GROUND, WHITE

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
