"""Draws onto a picture what was read in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from digits_tf.detection.planes import check
from digits_tf.opencv import as_frame
from digits_tf.recognizer import Digit

if TYPE_CHECKING:
    from PIL.Image import Image

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
