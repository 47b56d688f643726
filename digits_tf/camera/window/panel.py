"""The panel beside the frame: the reading in large, what the net saw, rate and times."""

from collections.abc import Mapping

import cv2
import numpy as np

from digits_tf.camera.lettering import fitting_height, put, width_of
from digits_tf.camera.view import View
from digits_tf.camera.window import card
from digits_tf.camera.window.colours import FAINT, GREEN, GREY, GROUND, RED, WHITE

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
    card.draw_all(canvas[top : height - _FOOT - _PAD, _PAD:-_PAD], view.digits)
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
