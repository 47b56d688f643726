"""Draws what was read onto a frame, at a size for the eye."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from digits_tf.camera import lettering
from digits_tf.camera.view import View
from digits_tf.recognizer import Digit

_GREEN, _GREY, _DARK = (80, 220, 80), (150, 150, 150), (24, 24, 24)
# More would cover the whole of most screens, and take long to draw.
_LARGEST = (1280, 720)
# Small frames are enlarged to this height; a panel fits beside it.
_LEAST_WIDTH, _LEAST_HEIGHT = 320, 480
# Heights of the letters of a label: as a share of its digit's box, and in pixels.
_LABEL, _LABEL_RANGE = 0.25, (10.0, 24.0)
_GAP = 4  # pixels between a box and its label


class Rect(NamedTuple):
    """A rectangle in pixels."""

    x: int
    y: int
    w: int
    h: int

    def meets(self, other: "Rect") -> bool:
        """Whether the two have pixels in common."""
        return (
            self.x < other.x + other.w
            and other.x < self.x + self.w
            and self.y < other.y + other.h
            and other.y < self.y + self.h
        )


class Overlay:
    """Draws frames with boxes, digits and probabilities.

    All pictures have one size, that of the first frame within 1280x720: frames of another shape get
    black bars.

    Args:
        mirror: whether to show frames as in a mirror. They are read as they are, and text stays
            text.
    """

    def __init__(self, mirror: bool = False):
        self._mirror = mirror
        self._picture: np.ndarray | None = None

    def draw(self, view: View) -> np.ndarray:
        """Draws a view.

        Returns:
            uint8 (h, w, 3), BGR; good until the next call. Height and width are even, as video
            files want it.
        """
        frame = view.frame.picture
        if self._picture is None:
            self._picture = np.zeros((*_size(*frame.shape[:2]), 3), np.uint8)
        canvas = self._picture
        place, scale = _place(frame.shape[:2], canvas.shape[:2])
        if (place.h, place.w) != canvas.shape[:2]:
            canvas[:] = 0
        part = canvas[place.y : place.y + place.h, place.x : place.x + place.w]
        part[:] = self._shown(view.frame.shown, place, scale)
        boxes = [self._box(digit, place, scale) for digit in view.digits]
        for digit, box in zip(view.digits, boxes, strict=True):
            colour = _GREY if digit.label is None else _GREEN
            cv2.rectangle(canvas, (box.x, box.y), (box.x + box.w, box.y + box.h), colour, 2)
        _draw_labels(canvas, view.digits, boxes)
        return canvas

    def _shown(self, frame: np.ndarray, place: Rect, scale: float) -> np.ndarray:
        # Area resampling is slow and only needed where linear would leave pixels out.
        how = cv2.INTER_NEAREST if scale > 3 else cv2.INTER_LINEAR
        small = frame
        if frame.shape[:2] != (place.h, place.w):
            how = cv2.INTER_AREA if scale < 0.5 else how
            small = cv2.resize(frame, (place.w, place.h), interpolation=how)
        if small.ndim == 2:
            small = cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
        return cv2.flip(small, 1) if self._mirror else small

    def _box(self, digit: Digit, place: Rect, scale: float) -> Rect:
        x, y, w, h = (round(scale * value) for value in digit.box)
        if self._mirror:
            x = place.w - x - w
        return Rect(place.x + x, place.y + y, w, h)


def _size(height: int, width: int) -> tuple[int, int]:
    """Height and width of the pictures for frames of this height and width."""
    scale = min(_LARGEST[0] / width, _LARGEST[1] / height, max(1.0, _LEAST_HEIGHT / height))
    height, width = (
        max(_LEAST_HEIGHT, round(scale * height)),
        max(_LEAST_WIDTH, round(scale * width)),
    )
    return height + height % 2, width + width % 2


def _place(frame: tuple[int, ...], canvas: tuple[int, ...]) -> tuple[Rect, float]:
    """Where the frame is on the canvas, and how much larger."""
    scale = min(canvas[0] / frame[0], canvas[1] / frame[1])
    height, width = (max(1, min(c, round(scale * f))) for f, c in zip(frame, canvas, strict=True))
    return Rect((canvas[1] - width) // 2, (canvas[0] - height) // 2, width, height), scale


def _draw_labels(canvas: np.ndarray, digits: Sequence[Digit], boxes: list[Rect]) -> None:
    """Writes each label where it covers neither a digit nor another label."""
    taken = list(boxes)
    frame = Rect(0, 0, canvas.shape[1], canvas.shape[0])
    for digit, box in zip(digits, boxes, strict=True):
        if digit.label is None:
            continue
        least, most = _LABEL_RANGE
        wanted = min(max(_LABEL * box.h, least), most)
        text = f"{digit.label} {100 * digit.confidence:.0f}%"
        # All labels of a row are to be alike, whatever their numbers.
        room = _pitch(box, boxes) - wanted
        height = lettering.fitting_height("0 100%", wanted, room)
        # In a tight row there is only room for the digit alone.
        choices = [(text, height)] if height >= least else []
        for words, size in (*choices, (str(digit.label), wanted)):
            chip = _room(frame, box, words, size, taken)
            if chip:
                taken.append(chip)
                corner = chip.x + chip.w, chip.y + chip.h
                cv2.rectangle(canvas, chip[:2], corner, _DARK, cv2.FILLED)
                pad = _pad(size)
                lettering.put(canvas, words, chip.x + pad, chip.y + pad, size, _GREEN)
                break


def _pitch(box: Rect, boxes: list[Rect]) -> float:
    """How far it is to the next digit of the line, from middle to middle."""
    return min(
        (
            abs(other.x + other.w / 2 - box.x - box.w / 2)
            for other in boxes
            if other is not box and other.y < box.y + box.h and box.y < other.y + other.h
        ),
        default=math.inf,
    )


def _pad(height: float) -> int:
    return round(0.4 * height)


def _room(frame: Rect, box: Rect, text: str, height: float, taken: list[Rect]) -> Rect | None:
    """Room for a text above, below, right or left of a box; None: there is none."""
    pad = _pad(height)
    w, h = lettering.width_of(text, height) + 2 * pad, round(height) + 2 * pad
    middle = min(max(box.x + (box.w - w) // 2, 0), frame.w - w)
    for x, y in (
        (middle, box.y - h - _GAP),
        (middle, box.y + box.h + _GAP),
        (box.x + box.w + _GAP, box.y),
        (box.x - w - _GAP, box.y),
    ):
        chip = Rect(x, y, w, h)
        inside = 0 <= x <= frame.w - w and 0 <= y <= frame.h - h
        if inside and not any(chip.meets(other) for other in taken):
            return chip
    return None
