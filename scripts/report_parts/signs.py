"""Letters and symbols: printed, from the serif fonts that come with matplotlib; of any font.

The printed ones' fonts are others than those of the negatives in training, which are sans-serif and
TeX's.
"""

import functools
from pathlib import Path

import cv2
import numpy as np
from matplotlib import font_manager, ft2font
from matplotlib.textpath import TextPath
from PIL import Image, ImageDraw, ImageFont

from report_parts.crop import cropped

# Those that a hand writes as it writes a digit, and those that it does not.
LIKE_DIGITS = "OoDQlIijJSsZzbqgBG"
LETTERS = "".join(
    letter
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    if letter not in LIKE_DIGITS
)
# Without bars and dots: scaled to a crop, those are strokes of a 1.
SYMBOLS = "?!&%#@$*+=<>~{}→←↑↓↔⇒⇔∞∑√∂∈≈≠±×÷∀∃∫§¶♥αβγδθλμπσφψωΓΔΛΞΠΣΦΨΩ"

# As fontconfig's patterns.
_FONTS = tuple(
    f"{family}:{kind}"
    for family in ("DejaVu Serif", "STIXGeneral")
    for kind in ("regular", "italic", "bold")
)
_SIDE = 200


def sign(rng: np.random.Generator, characters: str) -> np.ndarray:
    """One of the characters in one of the fonts, slanted, turned and stretched a little.

    Args:
        rng: decides.
        characters: at least one that the fonts have.

    Returns:
        uint8 (28, 28), bright on 0, in MNIST's geometry.
    """
    while True:
        font = _FONTS[rng.integers(len(_FONTS))]
        character = characters[rng.integers(len(characters))]
        if _has(font, character):
            break
    properties = font_manager.FontProperties(font)
    outlines = TextPath((0, 0), character, size=100, prop=properties).to_polygons()
    angle = np.radians(rng.uniform(-10, 10))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    slant = np.array([[rng.uniform(0.85, 1.15), rng.uniform(-0.25, 0.25)], [0, 1]])
    # A picture's rows count downwards.
    matrix = np.diag([1, -1]) @ turn @ slant
    moved = [outline @ matrix.T for outline in outlines]
    every = np.concatenate(moved)
    low, high = every.min(axis=0), every.max(axis=0)
    fitting = 0.9 * _SIDE / (high - low).max()
    picture = np.zeros((_SIDE, _SIDE), np.uint8)
    points = [(each - (low + high) / 2) * fitting + _SIDE / 2 for each in moved]
    cv2.fillPoly(picture, [np.round(each).astype(np.int32) for each in points], 255)
    return cropped(picture)


def typed(font: Path, character: str) -> np.ndarray:
    """A sign of a TrueType font, uint8 (h, w), 255 is ink; about 150 pixels high."""
    loaded = ImageFont.truetype(str(font), 200)
    left, top, right, bottom = map(int, loaded.getbbox(character))
    picture = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(picture).text((2 - left, 2 - top), character, 255, font=loaded)
    return np.asarray(picture)


@functools.cache
def _has(font: str, character: str) -> bool:
    face = ft2font.FT2Font(font_manager.findfont(font_manager.FontProperties(font)))
    return bool(face.get_char_index(ord(character)))
