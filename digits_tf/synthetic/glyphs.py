"""Digits, letters and signs as ink: of MNIST, of a pen, of fonts."""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from digits_tf.synthetic import handwriting
from digits_tf.synthetic.background.letters import FORMS, LIKE_DIGITS, strokes
from digits_tf.synthetic.background.scribbles import scribble
from digits_tf.synthetic.background.shapes import shape

# Glyphs are drawn this tall, then shrunk with soft edges. A 1 of a thin pen is a pixel wide here.
TALL = 128
LETTERS = "".join(sorted(set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") - LIKE_DIGITS))
WORD_LETTERS = "aaabcdeeeeefghiiijklmnnnooopqrrrsssttttuuvwxyzABCDEFGHIKLMNOPRSTUVW"


@dataclasses.dataclass(frozen=True, eq=False)
class Glyph:
    """One sign.

    Attributes:
        ink: uint8 (h, w), 255 is ink, cut to the ink's bounding box.
        tall: its height as a share of a digit's in the same row.
        drop: how far its foot lies below the line, as a share of a digit's height.
    """

    ink: np.ndarray
    tall: float = 1.0
    drop: float = 0.0


class Hand:
    """One writer: all digits of a row come from the same hand.

    Args:
        rng: chooses the hand.
        images: uint8 (n, 28, 28), MNIST's training digits, bright on 0.
        labels: (n,), 0 to 9.
        handwriting_fonts: TrueType files; may be empty.
        printed_fonts: likewise.
        printed: the share of printed hands, if there are printed fonts.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        images: np.ndarray,
        labels: np.ndarray,
        handwriting_fonts: Sequence[Path] = (),
        printed_fonts: Sequence[Path] = (),
        printed: float = 0.12,
    ):
        self._rng, self._images, self._labels = rng, images, labels
        self.printed = bool(printed_fonts) and rng.random() < printed
        fonts = printed_fonts if self.printed else handwriting_fonts
        kind = rng.random()
        self._font = (
            fonts[int(rng.integers(len(fonts)))] if fonts and kind < 0.38 + self.printed else None
        )
        self._mnist = self._font is None and kind < 0.66
        # Thin pens in large frames: 1.5 hundredths of the height are 3 pixels of 200.
        self._pen = 0.015 * (0.2 / 0.015) ** rng.random()
        self._threshold = rng.uniform(60, 200)  # where the edge of an enlarged MNIST stroke lies
        self._bold = 0 if self._font is None else int(rng.integers(-1, 5))

    def digit(self, label: int) -> Glyph:
        """Writes a digit."""
        if self._font:
            return self._typed(str(label))
        which = np.flatnonzero(self._labels == label) if self._mnist else ()
        # Digits of one's own may lack a class.
        if len(which):
            image = self._images[which[self._rng.integers(len(which))]]
            return Glyph(_sharpened(image, self._threshold))
        return Glyph(stroked(handwriting.write_freely(label, self._rng), self._pen))

    def letter(self, letters: str = LETTERS) -> Glyph:
        """Writes a letter: one of some, or of the pen's own if the hand has no font."""
        if self._font:
            return self._typed(letters[self._rng.integers(len(letters))])
        names = list(FORMS)
        written = strokes(names[self._rng.integers(len(names))], self._rng)
        return Glyph(stroked(written, self._pen), self._rng.uniform(0.6, 1.1))

    def mark(self) -> Glyph:
        """Draws a shape or a scribble."""
        drawn = (shape if self._rng.random() < 0.6 else scribble)(self._rng)
        # With edges as sharp as a digit's, or its edges would give it away.
        return Glyph(_sharpened(drawn, self._threshold))

    def _typed(self, character: str) -> Glyph:
        ink, tall, drop = _font_glyph(str(self._font), character)
        if self._bold > 0:
            ink = cv2.dilate(ink, _brush(self._bold + 1))
        elif self._bold < 0:
            ink = cv2.erode(ink, _brush(2))
        return Glyph(ink, tall, drop)


def stroked(written: Sequence[np.ndarray], pen: float) -> np.ndarray:
    """Draws strokes with a round pen.

    Args:
        written: strokes, float (n, 2) each, x and y of any scale.
        pen: its width as a share of the height of what is drawn.

    Returns:
        uint8 (h, w), 255 is ink; h is `TALL`, if it is not much wider than tall.
    """
    every = np.concatenate(list(written))
    low, high = every.min(axis=0), every.max(axis=0)
    extent = np.maximum(high - low, 1e-3)
    width = max(1, round(pen * TALL))
    scale = (TALL - width) / max(extent[1], extent[0] / 3)
    size = np.ceil(extent * scale).astype(int) + width + 2
    ink = np.zeros((size[1], size[0]), np.uint8)
    for stroke in written:
        points = np.round(((stroke - low) * scale + width / 2 + 1) * 16).astype(np.int32)
        cv2.polylines(ink, [points], False, 255, width, cv2.LINE_AA, 4)
    return tight(ink)


def tight(ink: np.ndarray) -> np.ndarray:
    """Cuts ink to its bounding box; ink without any is given back as it is."""
    x, y, w, h = cv2.boundingRect((ink > 100).astype(np.uint8))
    return ink[y : y + h, x : x + w] if w and h else ink


def _sharpened(image: np.ndarray, threshold: float) -> np.ndarray:
    """A small drawing at 128 pixels' height with edges as sharp as a pen's."""
    image = tight(image)
    image = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    scale = TALL / image.shape[0]
    size = max(2, round(image.shape[1] * scale)), TALL
    large = cv2.GaussianBlur(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), (0, 0), 2)
    return tight(cv2.convertScaleAbs(cv2.subtract(large, threshold - 16), alpha=8))


@functools.lru_cache(maxsize=4096)
def _font_glyph(font: str, character: str) -> tuple[np.ndarray, float, float]:
    from PIL import Image, ImageDraw

    loaded, height, base = _font(font)
    left, top, right, bottom = loaded.getbbox(character, anchor="ls")
    picture = Image.new("L", (max(1, right - left + 4), max(1, bottom - top + 4)), 0)
    ImageDraw.Draw(picture).text((2 - left, 2 - top), character, 255, font=loaded, anchor="ls")
    ink = tight(np.asarray(picture))
    return ink, ink.shape[0] / height, (bottom - base) / height


@functools.lru_cache(maxsize=256)
def _font(font: str) -> tuple:
    """The font, the height of its digits in pixels and where their foot lies."""
    from PIL import ImageFont

    loaded = ImageFont.truetype(font, 150)
    _, top, _, bottom = loaded.getbbox("1", anchor="ls")
    return loaded, max(1, bottom - top), bottom


@functools.lru_cache
def _brush(side: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
