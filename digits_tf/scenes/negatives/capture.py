"""A drawn thing as a picture of 28 by 28: photographed and found, or straight from the drawing."""

import itertools
from collections.abc import Iterator

import cv2
import numpy as np

from digits_tf.preprocess import Finder
from digits_tf.preprocess.crop import mnist_crop
from digits_tf.scenes.crops import photograph, shared
from digits_tf.scenes.negatives.looks import is_like_digit

# Ways of finding that are tried: a frame without anything has dozens.
_WAYS = 3
# A box is of the glyph's ink if it lies within the glyph's to this share; it is of most of the
# ink, or of all, if both have this much in common.
_WITHIN, _MOST, _ALL = 0.6, 0.5, 0.75
_TALLEST = 170  # pixels of a photograph; larger ones take long
_PIECE = 0.2  # share of glyphs of which a piece is taken although all was found


def found(
    finder: Finder, glyph: np.ndarray, rng: np.random.Generator, *, whole: bool
) -> np.ndarray | None:
    """Photographs a glyph and cuts out what the preprocessing finds of it.

    Args:
        finder: finds it.
        glyph: uint8 (h, w), bright on 0.
        rng: decides the photograph.
        whole: whether a piece of it may look like a digit, so that only all of it is wanted.

    Returns:
        uint8 (28, 28), or None if nothing was found of it.
    """
    scene = photograph(rng, glyph, _TALLEST)
    takes_piece = not whole and rng.random() < _PIECE
    for ways in itertools.islice(finder.attempts(scene.frame), _WAYS):
        near = [
            (shared(box, scene.boxes[0]), crop)
            for box, crop in _everything(ways)
            if _within(box, scene.boxes[0]) > _WITHIN
        ]
        best = max(near, key=lambda each: each[0], default=None)
        if best and best[0] >= (_ALL if whole else _MOST) and not takes_piece:
            return best[1]
        pieces = [crop for _, crop in near if not is_like_digit(crop)]
        if pieces and not whole:
            return pieces[rng.integers(len(pieces))]
    return None


def any_found(finder: Finder, frame: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Cuts out one of the things that are found in a frame without digits.

    Args:
        finder: finds them.
        frame: uint8 (h, w, 3), BGR.
        rng: chooses.

    Returns:
        uint8 (28, 28), or None if nothing was found.
    """
    for ways in itertools.islice(finder.attempts(frame), _WAYS):
        crops = [crop for _, crop in _everything(ways) if not is_like_digit(crop)]
        if crops:
            return crops[rng.integers(len(crops))]
    return None


def bare(glyph: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Puts a glyph into MNIST's geometry as it is.

    Args:
        glyph: uint8 (h, w), bright on 0.
        rng: decides how soft it is.

    Returns:
        uint8 (28, 28), the longer side 20, or None if there is no ink.
    """
    crop = mnist_crop(glyph, np.full_like(glyph, 255), 10.0)
    if crop is None:
        return None
    return _softened(crop.image, rng) if rng.random() < 0.3 else crop.image


def filling(glyph: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Enlarges a glyph to most of the picture or all of it.

    Args:
        glyph: uint8 (h, w), bright on 0, with ink.
        rng: decides how much of the picture, and whether the aspect is kept.

    Returns:
        uint8 (28, 28).
    """
    x, y, w, h = cv2.boundingRect(glyph)
    side = int(rng.integers(22, 29))
    scale = side / max(w, h)
    size = (side, side) if rng.random() < 0.2 else (max(2, int(w * scale)), max(2, int(h * scale)))
    ink = cv2.resize(glyph[y : y + h, x : x + w], size, interpolation=cv2.INTER_AREA)
    picture = np.zeros((28, 28), np.uint8)
    left, top = (28 - size[0]) // 2, (28 - size[1]) // 2
    picture[top : top + size[1], left : left + size[0]] = ink
    return _softened(picture, rng) if rng.random() < 0.4 else picture


def _everything(ways: list) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Box and crop of all that may be a digit, however its ink is taken."""
    for cells in ways:
        for cell in cells:
            for option in cell:
                for each in option.found:
                    yield each.box, each.crop


def _within(box: tuple[int, ...], outer: tuple[int, ...]) -> float:
    """The share of a box that lies in another."""
    width = min(box[0] + box[2], outer[0] + outer[2]) - max(box[0], outer[0])
    height = min(box[1] + box[3], outer[1] + outer[3]) - max(box[1], outer[1])
    return max(width, 0) * max(height, 0) / (box[2] * box[3])


def _softened(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.0))
    return cv2.convertScaleAbs(soft, alpha=255 / max(1, int(soft.max())))
