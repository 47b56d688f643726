"""Text on pictures, by its height in pixels."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from digits_tf.detection.pyramid import check
from digits_tf.images import as_frame
from digits_tf.recognition import Digit

if TYPE_CHECKING:
    from PIL.Image import Image
import math

_LETTERS = cv2.FONT_HERSHEY_SIMPLEX

Colour = tuple[int, int, int]


def width_of(text: str, height: float) -> int:
    """Pixels that a text takes whose digits are `height` pixels high."""
    scale, thickness = _style(height)
    return cv2.getTextSize(text, _LETTERS, scale, thickness)[0][0]


def fitting_height(text: str, height: float, width: float) -> float:
    """`height`, or less if the text would be wider than `width` pixels."""
    needed = width_of(text, height)
    return height if needed <= width else height * width / needed


def put(canvas: np.ndarray, text: str, x: float, y: float, height: float, colour: Colour) -> None:
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
    cv2.putText(canvas, text, foot, _LETTERS, scale, colour, thickness, cv2.LINE_AA)


@functools.lru_cache(maxsize=64)
def _style(height: float) -> tuple[float, int]:
    """Scale and thickness."""
    return height / _unit(), max(1, round(height / 11))


@functools.cache
def _unit() -> float:
    """How high a digit is at scale 1: measured, as fonts differ between OpenCV 4 and 5."""
    canvas = np.zeros((200, 200), np.uint8)
    cv2.putText(canvas, "0", (20, 180), _LETTERS, 4.0, 255, 4)
    return cv2.boundingRect(canvas)[3] / 4.0


_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GREEN, _GREY, _BLACK = (80, 220, 80), (160, 160, 160), (0, 0, 0)
# Shares of the picture's shorter side.
_LINE, _LEAST_TEXT, _MOST_TEXT = 1 / 240, 1 / 36, 1 / 8
# A label's digit is this share of the box's height, within the limits above; its percentage half.
_TEXT = 0.3
# A percentage is shown below this: most digits are surer, and rows of them stand close.
_SURE = 0.995
# Pixels: a label could not be read on less; nothing is enlarged beyond the other.
_LEAST_SIDE, _MOST_SIDE = 112, 2000


class _Text(NamedTuple):
    """Words and their size in pixels."""

    words: str
    scale: float
    thickness: int
    width: int
    above: int  # the baseline
    below: int


def annotate(picture: "np.ndarray | Path | str | Image", digits: Sequence[Digit]) -> np.ndarray:
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
    picture = as_frame(picture)
    check(picture)
    channels = picture.shape[2] if picture.ndim == 3 else 1
    if channels != 3:
        code = cv2.COLOR_BGRA2BGR if channels == 4 else cv2.COLOR_GRAY2BGR
        picture = cv2.cvtColor(picture, code)
    shorter, longer = sorted(picture.shape[:2])
    factor = max(1, min(-(-_LEAST_SIDE // shorter), _MOST_SIDE // longer))
    canvas = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    shorter *= factor
    line = max(1, round(_LINE * shorter))
    for digit in digits:
        x, y, w, h = box = tuple(factor * value for value in digit.box)
        colour = _GREY if digit.label is None else _GREEN
        cv2.rectangle(canvas, (x, y), (x + w - 1, y + h - 1), colour, line)
        height = min(max(_TEXT * h, _LEAST_TEXT * shorter), _MOST_TEXT * shorter)
        _label(canvas, _texts(digit, height), box, colour, line)
    return canvas


def _texts(digit: Digit, height: float) -> list[_Text]:
    mark = f"{digit.probabilities.argmax()}?" if digit.label is None else str(digit.label)
    texts = [_measure(mark, height)]
    if digit.confidence < _SURE:
        texts.append(_measure(f"{100 * digit.confidence:.0f}%", height / 2))
    return texts


def _measure(words: str, height: float) -> _Text:
    # Fonts differ between OpenCV 4 and 5: everything is measured, nothing assumed.
    (_, unit), _ = cv2.getTextSize(words, _FONT, 1.0, 1)
    scale = height / unit
    thickness = max(1, round(2 * scale))
    (width, above), below = cv2.getTextSize(words, _FONT, scale, thickness)
    return _Text(words, scale, thickness, width, above, below)


def _label(
    canvas: np.ndarray,
    texts: Sequence[_Text],
    box: tuple[int, ...],
    colour: tuple[int, int, int],
    line: int,
) -> None:
    """Writes black on a field of the box's colour: above the box, else below it, else inside."""
    above, below = (max(getattr(text, side) for text in texts) for side in ("above", "below"))
    width = sum(text.width + line for text in texts) + line
    height = above + below + line
    frame_h, frame_w = canvas.shape[:2]
    x, y, _, h = box
    left = max(0, min(x - line // 2, frame_w - width))
    tops = (y - line // 2 - height, y + h + line // 2, y)
    top = next((each for each in tops if 0 <= each <= frame_h - height), y)
    cv2.rectangle(canvas, (left, top), (left + width, top + height), colour, cv2.FILLED)
    for text in texts:
        left += line
        corner = left, top + above + line // 2
        cv2.putText(
            canvas, text.words, corner, _FONT, text.scale, _BLACK, text.thickness, cv2.LINE_AA
        )
        left += text.width


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

    def draw(
        self, frame: np.ndarray, digits: Sequence[Digit], colour: np.ndarray | None = None
    ) -> np.ndarray:
        """Draws a frame and its digits.

        Args:
            frame: uint8 (h, w) grey or (h, w, 3) BGR; left as it is.
            digits: read in it.
            colour: uint8 (h, w, 3), BGR, the same scene to show instead; None: the frame.

        Returns:
            uint8 (h, w, 3), BGR; good until the next call. Height and width are even, as video
            files want it.
        """
        if self._picture is None:
            self._picture = np.zeros((*_size(*frame.shape[:2]), 3), np.uint8)
        canvas = self._picture
        place, scale = _place(frame.shape[:2], canvas.shape[:2])
        if (place.h, place.w) != canvas.shape[:2]:
            canvas[:] = 0
        part = canvas[place.y : place.y + place.h, place.x : place.x + place.w]
        part[:] = self._shown(frame if colour is None else colour, place, scale)
        boxes = [self._box(digit, place, scale) for digit in digits]
        for digit, box in zip(digits, boxes, strict=True):
            line_colour = _GREY if digit.label is None else _GREEN
            cv2.rectangle(canvas, (box.x, box.y), (box.x + box.w, box.y + box.h), line_colour, 2)
        _draw_labels(canvas, digits, boxes)
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
        height = fitting_height("0 100%", wanted, room)
        # In a tight row there is only room for the digit alone.
        choices = [(text, height)] if height >= least else []
        for words, size in (*choices, (str(digit.label), wanted)):
            chip = _room(frame, box, words, size, taken)
            if chip:
                taken.append(chip)
                corner = chip.x + chip.w, chip.y + chip.h
                cv2.rectangle(canvas, chip[:2], corner, _DARK, cv2.FILLED)
                pad = _pad(size)
                put(canvas, words, chip.x + pad, chip.y + pad, size, _GREEN)
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
    w, h = width_of(text, height) + 2 * pad, round(height) + 2 * pad
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
