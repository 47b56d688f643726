"""A drawn thing as a picture of 28 by 28: photographed and cut out, or as it is drawn."""

import cv2
import numpy as np

from digits_tf.detection.crops import digit_crop, mnist_crop
from digits_tf.synthetic.background.looks import is_like_digit
from digits_tf.synthetic.scene import draw

_HEIGHTS = (64, 170)  # pixels of a photograph
_PIECE = 0.2  # share of glyphs of which only a piece is cut out
# By how much a box of the detector differs from the ink's: deviation as a share of its sides.
_OFF = 0.04


def photographed(glyph: np.ndarray, rng: np.random.Generator, *, whole: bool) -> np.ndarray | None:
    """Photographs a glyph and cuts it out.

    Args:
        glyph: uint8 (h, w), bright on 0.
        rng: decides the photograph and how exact the box is.
        whole: whether a piece of it may look like a digit, so that only all of it is wanted.

    Returns:
        uint8 (28, 28), or None if there is no ink or a piece that looks like a digit.
    """
    height = int(np.exp(rng.uniform(*np.log(_HEIGHTS))))
    scene = draw(rng, [glyph], (height, int(height * rng.uniform(0.8, 1.5))))
    x, y, w, h = scene.boxes[0]
    if takes_piece := not whole and rng.random() < _PIECE:
        share = rng.uniform(0.4, 0.8, 2)
        x, y = x + rng.random() * (1 - share[0]) * w, y + rng.random() * (1 - share[1]) * h
        w, h = w * share[0], h * share[1]
    off = rng.normal(0, _OFF, 4) * (w, h, w, h)
    box = (x + off[0], y + off[1], max(2.0, w + off[2]), max(2.0, h + off[3]))
    crop = digit_crop(scene.frame, box)
    return None if crop is None or (takes_piece and is_like_digit(crop)) else crop


def somewhere(frame: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Cuts out any place of a frame without digits.

    Args:
        frame: uint8 (h, w) or (h, w, 3), BGR.
        rng: chooses.

    Returns:
        uint8 (28, 28), or None if nothing is there or it looks like a digit.
    """
    height, width = frame.shape[:2]
    tall = height * 10 ** rng.uniform(-1.0, -0.1)
    wide = tall * rng.uniform(0.3, 1.0)
    box = (rng.random() * (width - wide), rng.random() * (height - tall), wide, tall)
    crop = digit_crop(frame, box)
    return None if crop is None or is_like_digit(crop) else crop


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
    return _softened(crop, rng) if rng.random() < 0.3 else crop


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


def _softened(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.0))
    return cv2.convertScaleAbs(soft, alpha=255 / max(1, int(soft.max())))
