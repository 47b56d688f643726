"""All kinds of negatives, each with its share."""

from collections.abc import Callable

import numpy as np

from digits_tf.synthetic.background import clutter, fields, lines, parts, silhouettes
from digits_tf.synthetic.background.capture import bare, filling, photographed
from digits_tf.synthetic.background.letters import letter
from digits_tf.synthetic.background.looks import is_like_digit
from digits_tf.synthetic.background.scribbles import scribble
from digits_tf.synthetic.background.shapes import shape
from digits_tf.synthetic.background.symbols import symbol

# Shares. Those of the first are drawn, then photographed or not; the others are as they come.
_DRAWN = {
    "letter": 0.20,
    "symbol": 0.20,
    "shape": 0.14,
    "scribble": 0.10,
    "part": 0.12,
    "line": 0.05,
}
_READY = {"clutter": 0.085, "ground": 0.005, "silhouette": 0.07, "field": 0.03}
KINDS = {**_DRAWN, **_READY}
# Of what is drawn, so much is not photographed; of that, so much fills the picture.
_DIRECT, _FILLING = 0.22, 0.3
# Another number of a seed than those of other things that are made of it.
_STREAM = 7


def negatives(
    images: np.ndarray, labels: np.ndarray, count: int, seed: int, first: int = 0
) -> np.ndarray:
    """Makes pictures of what is no digit.

    Negative number n of a seed comes out the same whatever else is in the batch.

    Args:
        images: uint8 (n, 28, 28), digits bright on 0, of which halves and pairs are made.
        labels: (n,), 0 to 9.
        count: how many to make.
        seed: another seed is other negatives.
        first: the number of the first.

    Returns:
        uint8 (count, 28, 28), most of them cut out of made-up photographs, as digits are.
    """
    made = np.zeros((count, 28, 28), np.uint8)
    kinds, shares = list(KINDS), list(KINDS.values())
    for index in range(count):
        rng = np.random.default_rng((seed, first + index, _STREAM))
        crop = None
        while crop is None:
            crop = negative(kinds[rng.choice(len(kinds), p=shares)], images, labels, rng)
        made[index] = crop
    return made


def negative(
    kind: str, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> np.ndarray | None:
    """Tries to make one negative.

    Args:
        kind: one of `KINDS`.
        images: see `negatives`.
        labels: likewise.
        rng: decides everything else.

    Returns:
        uint8 (28, 28); None if nothing was found or it looks like a digit.
    """
    if kind == "silhouette":
        return silhouettes.silhouette(rng)
    if kind == "field":
        return fields.field(rng)
    if kind in _DRAWN:
        crop = _drawn(kind, images, labels, rng)
    else:
        crop = (clutter.thing if kind == "clutter" else lines.of_ground)(rng)
    return None if crop is None or is_like_digit(crop) else crop


def _drawn(
    kind: str, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> np.ndarray | None:
    draw: dict[str, Callable[[], np.ndarray]] = {
        "letter": lambda: letter(rng),
        "symbol": lambda: symbol(rng),
        "shape": lambda: shape(rng),
        "scribble": lambda: scribble(rng),
        "part": lambda: parts.part(images, labels, rng),
        "line": lambda: lines.piece(rng),
    }
    glyph = draw[kind]()
    if np.count_nonzero(glyph > 127) < 8:
        return None
    if rng.random() >= _DIRECT:
        # What is left of two digits may be one.
        return photographed(glyph, rng, whole=kind == "part")
    return (filling if rng.random() < _FILLING else bare)(glyph, rng)
