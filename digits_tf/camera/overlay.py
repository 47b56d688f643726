"""Draws what was read onto a frame."""

from typing import NamedTuple

import cv2
import numpy as np

from digits_tf.camera.reading import Reading

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GREEN, _GREY, _WHITE, _BLACK = (80, 220, 80), (160, 160, 160), (255, 255, 255), (0, 0, 0)
# Heights of text as shares of the frame's shorter side.
_DIGIT_HEIGHT, _TEXT_HEIGHT = 0.16, 0.045
# The widest line as a share of the frame's width: two fit side by side.
_WIDEST = 0.42


class _Line(NamedTuple):
    """A line of text and its size in pixels."""

    text: str
    scale: float
    thickness: int
    width: int
    above: int  # the baseline
    below: int
    colour: tuple[int, int, int]


def annotate(frame: np.ndarray, reading: Reading, fps: float = 0.0) -> np.ndarray:
    """Draws the box, the digit with its probability, and the rate.

    Args:
        frame: uint8 (h, w, 3), BGR; left as it is.
        reading: what was read in it.
        fps: frames per second; 0: unknown, not drawn.

    Returns:
        A new frame of the same shape.
    """
    canvas = frame.copy()
    height, width = canvas.shape[:2]
    shorter = min(height, width)
    line = max(1, round(shorter / 240))
    if reading.box:
        x, y, w, h = reading.box
        colour = _GREY if reading.digit is None else _GREEN
        cv2.rectangle(canvas, (x, y), (x + w, y + h), colour, line)
    small = _TEXT_HEIGHT * shorter
    if reading.digit is None:
        _panel(canvas, [_fit("no digit", small, width, _WHITE)])
    else:
        large = _fit(str(reading.digit), _DIGIT_HEIGHT * shorter, width, _GREEN)
        percent = f"{reading.probability:.1%}".replace("%", " %")
        _panel(canvas, [large, _fit(percent, small, width, _WHITE)])
    if fps:
        _panel(canvas, [_fit(f"{fps:.0f} FPS", small, width, _WHITE)], right=True)
    return canvas


def _fit(text: str, height: float, frame_width: int, colour: tuple[int, int, int]) -> _Line:
    """Measures a line whose letters are `height` pixels high, less if it would not fit."""
    # Fonts differ between OpenCV 4 and 5: everything is measured, nothing assumed.
    (unit_width, unit_height), _ = cv2.getTextSize(text, _FONT, 1.0, 1)
    scale = min(height / unit_height, _WIDEST * frame_width / unit_width)
    thickness = max(1, round(2 * scale))
    (width, above), below = cv2.getTextSize(text, _FONT, scale, thickness)
    return _Line(text, scale, thickness, width, above, below, colour)


def _panel(canvas: np.ndarray, lines: list[_Line], right: bool = False) -> None:
    """Writes lines, one below the other, on a black field in an upper corner."""
    pad = max(1, lines[-1].above // 3)
    width = max(line.width for line in lines) + 2 * pad
    height = sum(line.above + line.below + pad for line in lines) + pad
    x, y = (canvas.shape[1] - width if right else 0), 0
    cv2.rectangle(canvas, (x, y), (x + width - 1, y + height - 1), _BLACK, cv2.FILLED)
    for line in lines:
        y += pad + line.above
        corner = x + (width - line.width) // 2, y
        cv2.putText(
            canvas, line.text, corner, _FONT, line.scale, line.colour, line.thickness, cv2.LINE_AA
        )
        y += line.below
