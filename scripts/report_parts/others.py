"""Sets of what is no digit, none of which takes part in training."""

from collections.abc import Callable

import cv2
import numpy as np

from digits_tf.synthetic import scene
from report_parts import drawings, patches, signs

_SEED = 70
_FRAME_SIDE = 240

# A picture of a set from a random generator.
Maker = Callable[[np.random.Generator], np.ndarray]


def crops(digits: np.ndarray, labels: np.ndarray) -> dict[str, Maker]:
    """Sets of crops, uint8 (28, 28) each.

    Args:
        digits: uint8 (n, 28, 28), test digits, for parts and pairs.
        labels: integers (n,).
    """
    makers: dict[str, Maker] = {
        "letters": lambda rng: signs.sign(rng, signs.LETTERS),
        "letters like digits": lambda rng: signs.sign(rng, signs.LIKE_DIGITS),
        "symbols": lambda rng: signs.sign(rng, signs.SYMBOLS),
        "scribbles": drawings.scribble,
        "halves of digits": lambda rng: drawings.half(rng, digits, labels),
        "pairs of digits": lambda rng: drawings.pair(rng, digits),
        "ruled and squared lines": drawings.lines,
        "textures": lambda rng: drawings.texture(rng, 28),
    }
    if source := patches.pictures():
        makers["pieces of pictures"] = lambda rng: patches.crop(rng, source)
    return makers


def frames() -> dict[str, Maker]:
    """Sets of frames, uint8 (h, w, 3), BGR, or (h, w), of several sizes."""
    makers: dict[str, Maker] = {
        "letters": lambda rng: _photograph(rng, signs.sign(rng, signs.LETTERS)),
        "letters like digits": lambda rng: _photograph(rng, signs.sign(rng, signs.LIKE_DIGITS)),
        "symbols": lambda rng: _photograph(rng, signs.sign(rng, signs.SYMBOLS)),
        "scribbles": lambda rng: _photograph(rng, drawings.scribble(rng)),
        "empty paper and boards": scene.empty,
        "textures": lambda rng: drawings.texture(rng, _FRAME_SIDE),
    }
    if source := patches.pictures():
        makers["pieces of pictures"] = lambda rng: _enlarged(patches.patch(rng, source))
    return makers


def make(maker: Maker, number: int) -> np.ndarray:
    """Picture number `number` of a set, the same on every machine."""
    return maker(np.random.default_rng((_SEED, number)))


def _photograph(rng: np.random.Generator, glyph: np.ndarray) -> np.ndarray:
    return scene.draw(rng, [glyph]).frame


def _enlarged(patch: np.ndarray) -> np.ndarray:
    """At least as large as a frame."""
    factor = max(1.0, _FRAME_SIDE / len(patch))
    return cv2.resize(patch, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
