"""Boxes, labels and text drawn onto pictures: `annotate` for stills, `Overlay` for live frames."""

import functools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf.boxes import Box
from digits_tf.detection.pyramid import check
from digits_tf.images import Pixels, as_frame
from digits_tf.recognition import Digit

if TYPE_CHECKING:
    from PIL.Image import Image

Colour = tuple[int, int, int]  # B, G, R

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GREEN, _BLACK, _DARK = (80, 220, 80), (0, 0, 0), (24, 24, 24)
# Of boxes without a label, in a still and in a live frame.
_STILL_GREY, _LIVE_GREY = (160, 160, 160), (150, 150, 150)

# A still's lines and letters, as shares of the picture's shorter side.
_LINE, _LEAST_TEXT, _MOST_TEXT = 1 / 240, 1 / 36, 1 / 8
# A still's label is this share of the box's height, within the limits above; its percentage half.
_STILL_TEXT = 0.3
# A still shows a percentage below this: most digits are surer, and rows of them stand close.
_CERTAIN = 0.995
# Pixels: a still's label cannot be read on less; nothing is enlarged beyond the other.
_LEAST_SIDE, _MOST_SIDE = 112, 2000

# Pixels: a picture of twice its 28 with its margin.
_SHEET_CELL = 2 * 28 + 4
_SHEET_COLUMNS = 20

# A live frame is drawn within this width and height. More would cover the whole of most screens,
# and take long to draw.
_LIVE_LARGEST = (1280, 720)
# Small live frames are enlarged to this height; a panel fits beside it.
_LIVE_LEAST = (320, 480)
# A live label's letters: as a share of the box's height, and the least and most in pixels.
_LIVE_TEXT, _LEAST_LIVE_TEXT, _MOST_LIVE_TEXT = 0.25, 10.0, 24.0
_GAP = 4  # pixels between a box and its label in a live frame


def width_of(text: str, height: float) -> int:
    """Pixels that a text takes whose digits are `height` pixels high."""
    (width, _), _ = cv2.getTextSize(text, _FONT, *_style(height))
    return int(width)


def fitting_height(text: str, height: float, width: float) -> float:
    """`height`, or less if the text would be wider than `width` pixels."""
    needed = width_of(text, height)
    return height if needed <= width else height * width / needed


def put(canvas: Pixels, text: str, x: float, y: float, height: float, colour: Colour) -> None:
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
    """OpenCV's scale and thickness for digits of a height in pixels."""
    return height / _unit(), max(1, round(height / 11))


@functools.cache
def _unit() -> float:
    """How high a digit is at scale 1: measured, as fonts differ between OpenCV 4 and 5."""
    canvas = np.zeros((200, 200), np.uint8)
    cv2.putText(canvas, "0", (20, 180), _FONT, 4.0, 255, 4)
    return float(cv2.boundingRect(canvas)[3] / 4)


def annotate(
    picture: "NDArray[np.uint8] | Path | str | Image", digits: Sequence[Digit]
) -> NDArray[np.uint8]:
    """Draws the box of each digit and above it what it was read as.

    Digits below 99.5 % have their probability beside them; marks without a label are grey, with
    their likeliest digit and a question mark.

    Args:
        picture: what `Recognizer.read` takes; left as it is.
        digits: found in it.

    Returns:
        A new picture, uint8 (h, w, 3), BGR, of the same size; a very small one is enlarged by a
        whole factor.

    Raises:
        DigitsError, OSError, ValueError: as `Recognizer.read`.
    """
    frame = as_frame(picture)
    check(frame)
    channels = frame.shape[2] if frame.ndim == 3 else 1
    if channels != 3:
        code = cv2.COLOR_BGRA2BGR if channels == 4 else cv2.COLOR_GRAY2BGR
        frame = cv2.cvtColor(frame, code)
    shorter, longer = sorted(frame.shape[:2])
    factor = max(1, min(-(-_LEAST_SIDE // shorter), _MOST_SIDE // longer))
    canvas: Pixels = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    shorter *= factor
    line = max(1, round(_LINE * shorter))
    for digit in digits:
        box = Box(*(factor * value for value in digit.box))
        x, y, w, h = box
        colour = _STILL_GREY if digit.label is None else _GREEN
        cv2.rectangle(canvas, (x, y), (x + w - 1, y + h - 1), colour, line)
        height = min(max(_STILL_TEXT * h, _LEAST_TEXT * shorter), _MOST_TEXT * shorter)
        _draw_still_label(canvas, digit, box, height, colour, line)
    return canvas


def contact_sheet(images: NDArray[np.uint8], names: Sequence[str]) -> NDArray[np.uint8]:
    """Draws pictures in rows, those of one name together behind it.

    Args:
        images: uint8 (n, 28, 28), n at least 1.
        names: of each, one letter long.

    Returns:
        uint8 (h, w, 3).
    """
    rows = []
    for name in sorted(set(names)):
        chosen = images[[each == name for each in names]]
        for start in range(0, len(chosen), _SHEET_COLUMNS):
            row = np.full((_SHEET_CELL, (_SHEET_COLUMNS + 1) * _SHEET_CELL), _DARK[0], np.uint8)
            for column, image in enumerate(chosen[start : start + _SHEET_COLUMNS], start=1):
                large = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
                left = column * _SHEET_CELL + 2
                row[2:-2, left : left + len(large)] = large
            canvas = cv2.cvtColor(row, cv2.COLOR_GRAY2BGR)
            if not start:
                put(canvas, name, 18, 16, 28, _GREEN)
            rows.append(canvas)
    return np.concatenate(rows)


def _draw_still_label(
    canvas: Pixels, digit: Digit, box: Box, height: float, colour: Colour, line: int
) -> None:
    """Writes black on a field of the box's colour: above the box, else below it, else inside."""
    mark = f"{digit.probabilities.argmax()}?" if digit.label is None else str(digit.label)
    texts = [(mark, height)]
    if digit.confidence < _CERTAIN:
        texts.append((f"{100 * digit.confidence:.0f}%", height / 2))
    margin = round(0.2 * height)
    field_width = line + sum(width_of(text, size) + line for text, size in texts)
    field_height = round(height) + 2 * margin
    frame_height, frame_width = canvas.shape[:2]
    left = max(0, min(box.x - line // 2, frame_width - field_width))
    tops = (box.y - line // 2 - field_height, box.y + box.height + line // 2, box.y)
    top = next((each for each in tops if 0 <= each <= frame_height - field_height), box.y)
    corner = left + field_width, top + field_height
    cv2.rectangle(canvas, (left, top), corner, colour, cv2.FILLED)
    for text, size in texts:
        left += line
        put(canvas, text, left, top + margin + height - size, size, _BLACK)
        left += width_of(text, size)


class Overlay:
    """Draws live frames with boxes, digits and probabilities.

    All pictures have one size, that of the first frame within 1280x720: frames of another shape get
    black bars.

    Args:
        mirror: whether to show frames as in a mirror. They are read as they are, and text stays
            text.
    """

    def __init__(self, mirror: bool = False):
        self._mirror = mirror
        self._shape: tuple[int, int] | None = None

    def draw(
        self, frame: Pixels, digits: Sequence[Digit], colour: Pixels | None = None
    ) -> NDArray[np.uint8]:
        """Draws what was read in a frame.

        Args:
            frame: uint8 (h, w) grey or (h, w, 3) BGR; left as it is.
            digits: found in it.
            colour: uint8 (h, w, 3), BGR, of any size, the same scene to be shown in its place;
                None: the frame is shown.

        Returns:
            A new picture, uint8 (h, w, 3), BGR. Height and width are even, as video files want it.
        """
        if self._shape is None:
            self._shape = _live_shape(*frame.shape[:2])
        place, scale = _placed(frame.shape, self._shape)
        canvas = self._canvas(frame if colour is None else colour, place, scale)
        boxes = [self._box(digit, place, scale) for digit in digits]
        for digit, (x, y, w, h) in zip(digits, boxes, strict=True):
            line = _LIVE_GREY if digit.label is None else _GREEN
            cv2.rectangle(canvas, (x, y), (x + w, y + h), line, 2)
        _draw_live_labels(canvas, digits, boxes)
        return canvas

    def digit_at(
        self, x: int, y: int, frame: tuple[int, ...], digits: Sequence[Digit]
    ) -> Digit | None:
        """The digit whose box is drawn around a pixel of the picture; of several the smallest.

        Args:
            x: pixels from the left.
            y: pixels from the top.
            frame: the shape of the frame that `draw` took.
            digits: found in it.
        """
        if self._shape is None:
            return None
        place, scale = _placed(frame, self._shape)
        boxes = [(self._box(digit, place, scale), digit) for digit in digits]
        around = [
            (box.width * box.height, digit)
            for box, digit in boxes
            if box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height
        ]
        return min(around, key=lambda each: each[0])[1] if around else None

    def _canvas(self, shown: Pixels, place: Box, scale: float) -> Pixels:
        """A new picture of the size of all, with the frame at its place."""
        x, y, width, height = map(int, place)
        picture = shown
        if shown.shape[:2] != (height, width):
            # Area resampling is slow and only needed where linear would leave pixels out.
            way = cv2.INTER_NEAREST if scale > 3 else cv2.INTER_LINEAR
            way = cv2.INTER_AREA if scale < 0.5 else way
            picture = cv2.resize(shown, (width, height), interpolation=way)
        if picture.ndim == 2:
            picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        if self._mirror:
            picture = cv2.flip(picture, 1)
        if picture.shape[:2] == self._shape:
            return picture.copy() if picture is shown else picture
        canvas = np.zeros((*(self._shape or ()), 3), np.uint8)
        canvas[y : y + height, x : x + width] = picture
        return canvas

    def _box(self, digit: Digit, place: Box, scale: float) -> Box:
        """A digit's box in whole pixels of the picture."""
        x, y, width, height = (round(scale * value) for value in digit.box)
        if self._mirror:
            x = int(place.width) - x - width
        return Box(place.x + x, place.y + y, width, height)


def _live_shape(height: int, width: int) -> tuple[int, int]:
    """Height and width of the pictures for frames of this height and width; both even."""
    most_width, most_height = _LIVE_LARGEST
    least_width, least_height = _LIVE_LEAST
    scale = min(most_width / width, most_height / height, max(1.0, least_height / height))
    height = max(least_height, round(scale * height))
    width = max(least_width, round(scale * width))
    return height + height % 2, width + width % 2


def _placed(frame: tuple[int, ...], canvas: tuple[int, int]) -> tuple[Box, float]:
    """Where a frame of a shape is on the canvas, in whole pixels, and how much larger."""
    scale = min(canvas[0] / frame[0], canvas[1] / frame[1])
    height, width = (
        max(1, min(most, round(scale * side))) for side, most in zip(frame[:2], canvas, strict=True)
    )
    return Box((canvas[1] - width) // 2, (canvas[0] - height) // 2, width, height), scale


def _draw_live_labels(canvas: Pixels, digits: Sequence[Digit], boxes: Sequence[Box]) -> None:
    """Writes each label where it covers neither a digit nor another label."""
    occupied = list(boxes)
    for index, digit in enumerate(digits):
        for text, height in _live_labels(digit, index, boxes):
            field = _free_field(canvas.shape, boxes[index], text, height, occupied)
            if field:
                occupied.append(field)
                x, y, w, h = field
                cv2.rectangle(canvas, (x, y), (x + w, y + h), _DARK, cv2.FILLED)
                margin = _margin(height)
                put(canvas, text, x + margin, y + margin, height, _GREEN)
                break


def _live_labels(digit: Digit, index: int, boxes: Sequence[Box]) -> Iterator[tuple[str, float]]:
    """The label of a digit with its height: with the probability if that fits, and without."""
    if digit.label is None:
        return
    wanted = min(max(_LIVE_TEXT * boxes[index].height, _LEAST_LIVE_TEXT), _MOST_LIVE_TEXT)
    # All labels of a row are to be alike, whatever their numbers.
    height = fitting_height("0 100%", wanted, _pitch(index, boxes) - wanted)
    if height >= _LEAST_LIVE_TEXT:
        yield f"{digit.label} {100 * digit.confidence:.0f}%", height
    yield str(digit.label), wanted


def _pitch(index: int, boxes: Sequence[Box]) -> float:
    """How far it is from a box to the next one of its line, from centre to centre."""
    box = boxes[index]
    return min(
        (
            abs(other.centre[0] - box.centre[0])
            for place, other in enumerate(boxes)
            if place != index and other.y < box.y + box.height and box.y < other.y + other.height
        ),
        default=math.inf,
    )


def _margin(height: float) -> int:
    """Pixels between letters of a height and the edge of their field."""
    return round(0.4 * height)


def _free_field(
    shape: tuple[int, ...], box: Box, text: str, height: float, occupied: Sequence[Box]
) -> Box | None:
    """Room for a label above, below, right or left of a box; None: there is none."""
    margin = _margin(height)
    width, height = width_of(text, height) + 2 * margin, round(height) + 2 * margin
    right, bottom = shape[1] - width, shape[0] - height
    middle = min(max(box.x + (box.width - width) // 2, 0), right)
    for x, y in (
        (middle, box.y - height - _GAP),
        (middle, box.y + box.height + _GAP),
        (box.x + box.width + _GAP, box.y),
        (box.x - width - _GAP, box.y),
    ):
        field = Box(x, y, width, height)
        inside = 0 <= x <= right and 0 <= y <= bottom
        if inside and not any(field.overlaps(other) for other in occupied):
            return field
    return None
