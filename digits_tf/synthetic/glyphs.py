"""Digits, letters and signs as ink: of MNIST, of a pen, of fonts."""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from digits_tf.synthetic import Labels, Pixels, Points, pen
from digits_tf.synthetic.forms import LIKE_DIGITS
from digits_tf.synthetic.handwriting import rotation, slanted, write_freely, write_letter
from digits_tf.synthetic.pen import GLYPH_HEIGHT, cut_to_ink
from digits_tf.synthetic.shapes import scribble, shape

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LATIN = "".join(sorted(set(_ALPHABET) - LIKE_DIGITS))
# In words, the letters that look like digits are no harm; frequent ones stand several times.
WORD_LETTERS = "aaabcdeeeeefghiiijklmnnnooopqrrrsssttttuuvwxyzABCDEFGHIKLMNOPRSTUVW"

# A ? whose dot is lost is a 2; of other scripts, what is like a digit of ours is left out.
_SIGNS = '&@#%!+=*()[]{}<>~^"$€£×÷±≠≈≤≥∞√∑∏∇∈∀⊕⊗∪∩⊂⊃'
_ARROWS = "←↑→↓↔↕↖↗↘↙⇐⇒⇑⇓⇔↺↻"
_PICTURES = "✓✔✕✗✘★☆✦✶✿❄♥♡♠♤♣♧♦♢☺☹☻♪♫♀♂☀☁☂☎☠☢☯♔♕♞♟⌂⌘⚓⚙⚡✂✈✉✌©®™"
_GREEK = "αγεηκλμνξπρφχψωΓΔΛΞΠΣΦΨΩ"
_CYRILLIC = "ЖИКЛМНПФХЦШЩЮЯДЄжикмнпфхцшщюядл"
_OTHER_SCRIPTS = "אבחטמעשתԽՓՔՖամնشⵣⵥⴵ"
_MONOSPACED = "@#&%{}[]<>~^*+=!$→←↑↓" + LATIN
# What is printed in matplotlib's own fonts, and the share of each font. Those of TeX have other
# signs in the places of the signs.
SYMBOLS = {
    "DejaVu Sans": (*(2 * LATIN, _SIGNS, _ARROWS, _PICTURES, _GREEK, _CYRILLIC, _OTHER_SCRIPTS),),
    "DejaVu Sans Mono": (_MONOSPACED,),
    "cmr10": (LATIN,),
    "cmmi10": (LATIN,),
}
_SYMBOL_SHARES = (0.6, 0.14, 0.13, 0.13)
_TURN, _SLANT, _ASPECT = 15.0, 0.15, 0.15  # degrees at most; deviations
_BOLDER = (-1.2, 3.0)  # pixels of the drawing by which strokes are widened


@dataclasses.dataclass(frozen=True, eq=False)
class Glyph:
    """One sign.

    Attributes:
        ink: uint8 (h, w), 255 is ink, cut to the ink's bounding box.
        tall: its height as a share of a digit's in the same row.
        drop: how far its foot lies below the line, as a share of a digit's height.
    """

    ink: Pixels
    tall: float = 1.0
    drop: float = 0.0


class Hand:
    """One writer: all digits of a row come from the same pen, font or MNIST's digits.

    Args:
        rng: chooses.
        images: uint8 (n, 28, 28), MNIST's training digits, bright on 0.
        labels: (n,), 0 to 9.
        handwriting_fonts: TrueType files; may be empty.
        printed_fonts: likewise.
        printed: the share of print, if there are printed fonts.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        images: Pixels,
        labels: Labels,
        handwriting_fonts: Sequence[Path] = (),
        printed_fonts: Sequence[Path] = (),
        printed: float = 0.12,
    ):
        self._rng, self._images, self._labels = rng, images, labels
        is_printed = bool(printed_fonts) and rng.random() < printed
        fonts = printed_fonts if is_printed else handwriting_fonts
        kind = rng.random()
        self._font = (
            fonts[int(rng.integers(len(fonts)))] if fonts and kind < 0.38 + is_printed else None
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
        return Glyph(pen.glyph(write_freely(label, self._rng), self._pen))

    def letter(self, letters: str = LATIN) -> Glyph:
        """Writes a letter: one of some, or of the pen's own where there is no font."""
        if self._font:
            return self._typed(letters[self._rng.integers(len(letters))])
        ink = pen.glyph(write_letter(self._rng), self._pen)
        return Glyph(ink, self._rng.uniform(0.6, 1.1))

    def word(self) -> list[Glyph]:
        """Writes 3 to 10 letters of any kind: a glyph each, or all in one as a font joins them."""
        rng = self._rng
        letters = "".join(rng.choice(list(WORD_LETTERS), rng.integers(3, 11)))
        style = rng.random()
        if style < 0.45:
            letters = letters.lower()
        elif style < 0.7:
            letters = letters.capitalize()
        elif style < 0.85:
            letters = letters.upper()
        if self._font and rng.random() < 0.5:
            return [self._typed(letters)]
        return [self.letter(each) for each in letters]

    def mark(self) -> Glyph:
        """Draws a shape or a scribble."""
        drawn = (shape if self._rng.random() < 0.6 else scribble)(self._rng)
        # With edges as sharp as a digit's, or its edges would give it away.
        return Glyph(_sharpened(drawn, self._threshold))

    def _typed(self, text: str) -> Glyph:
        # Words are too many and too large to be kept.
        drawn = _font_glyph if len(text) == 1 else _font_glyph.__wrapped__
        ink, tall, drop = drawn(str(self._font), text)
        if self._bold > 0:
            ink = cv2.dilate(ink, _brush(self._bold + 1))
        elif self._bold < 0:
            ink = cv2.erode(ink, _brush(2))
        return Glyph(ink, tall, drop)


def symbol(rng: np.random.Generator) -> Pixels:
    """Prints a letter or symbol that is not like a digit, warped, thinner or bolder.

    Args:
        rng: decides which, the font and the warp.

    Returns:
        uint8 (56, 56), bright on 0, its longer side about 40 pixels.
    """
    families = list(SYMBOLS)
    family = families[rng.choice(len(families), p=_SYMBOL_SHARES)]
    tables = SYMBOLS[family]
    characters = tables[rng.integers(len(tables))]
    outlines = _outlines(family, characters[rng.integers(len(characters))])
    warp = _warp(rng)
    outlines = [outline @ warp for outline in outlines]
    low, high = pen.limits(outlines)
    scale = pen.DRAWING_ENLARGED * pen.DRAWING_INK_SIDE / (high - low).max()
    side = pen.DRAWING_SIDE * pen.DRAWING_ENLARGED
    points = [
        np.round((outline - (low + high) / 2) * scale + side / 2).astype(np.int32)
        for outline in outlines
    ]
    large = np.zeros((side, side), np.uint8)
    cv2.fillPoly(large, points, 255)
    small = cv2.resize(large, (pen.DRAWING_SIDE,) * 2, interpolation=cv2.INTER_AREA)
    return _bolder(small, rng)


def _sharpened(image: Pixels, threshold: float) -> Pixels:
    """A small drawing at `GLYPH_HEIGHT` with edges as sharp as a pen's."""
    image = cut_to_ink(image)
    image = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    scale = GLYPH_HEIGHT / image.shape[0]
    size = max(2, round(image.shape[1] * scale)), GLYPH_HEIGHT
    large = cv2.GaussianBlur(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), (0, 0), 2)
    return cut_to_ink(cv2.convertScaleAbs(cv2.subtract(large, threshold - 16), alpha=8))


@functools.lru_cache(maxsize=4096)
def _font_glyph(font: str, text: str) -> tuple[Pixels, float, float]:
    """A character's or a word's ink; its height and how far it hangs down, in digits' heights."""
    from PIL import Image, ImageDraw

    loaded, height, base = _font(font)
    left, top, right, bottom = loaded.getbbox(text, anchor="ls")
    picture = Image.new("L", (max(1, right - left + 4), max(1, bottom - top + 4)), 0)
    ImageDraw.Draw(picture).text((2 - left, 2 - top), text, 255, font=loaded, anchor="ls")
    ink = cut_to_ink(np.asarray(picture))
    return ink, ink.shape[0] / height, (bottom - base) / height


@functools.lru_cache(maxsize=256)
def _font(font: str) -> tuple[Any, int, int]:
    """The font, the height of its digits in pixels and where their foot lies."""
    from PIL import ImageFont

    loaded = ImageFont.truetype(font, 150)
    _, top, _, bottom = loaded.getbbox("1", anchor="ls")
    return loaded, max(1, bottom - top), bottom


@functools.cache
def _outlines(family: str, character: str) -> list[Points]:
    """The outlines of a character in a font of matplotlib, float (n, 2) each, y down."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), character, size=100, prop=FontProperties(family=family))
    outlines = [np.array(outline) * [1.0, -1.0] for outline in path.to_polygons()]
    return [outline for outline in outlines if len(outline) > 2]


def _warp(rng: np.random.Generator) -> Points:
    turn = rotation(np.deg2rad(rng.uniform(-_TURN, _TURN)))
    slant = slanted(rng.normal(0, _SLANT))
    return np.diag([np.exp(rng.normal(0, _ASPECT)), 1.0]) @ slant @ turn


def _bolder(ink: Pixels, rng: np.random.Generator) -> Pixels:
    width = round(rng.uniform(*_BOLDER))
    if not width:
        return ink
    change = cv2.dilate if width > 0 else cv2.erode
    changed: Pixels = change(ink, _brush(abs(width) + 1))
    # Thin strokes do not survive being made thinner.
    return changed if np.count_nonzero(changed) > 0.4 * np.count_nonzero(ink) else ink


@functools.lru_cache
def _brush(side: int) -> Pixels:
    brush: Pixels = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return brush
