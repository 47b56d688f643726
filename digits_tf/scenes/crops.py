"""Digits as the preprocessing gives them back from made-up photographs."""

import numpy as np

from digits_tf.preprocess import Finder
from digits_tf.scenes.scene import Scene, draw

# Two boxes are the same digit if they share this much of what both cover (intersection over union).
_SAME = 0.5
# Pixels: small photographs are drawn soonest, and the crop has 28.
_HEIGHTS = (64, 260)


def crops(images: np.ndarray, seed: int, first: int = 0) -> np.ndarray:
    """Writes each digit on paper or a board, photographs it, finds it and cuts it out again.

    Digit number n of a seed comes out the same whatever else is in the batch.

    Args:
        images: uint8 (n, 28, 28), bright on 0.
        seed: another seed is another photograph of each.
        first: the number of the first image.

    Returns:
        uint8 (n, 28, 28). A digit that is not found again is given back as it is.
    """
    finder = Finder()
    taken = images.copy()
    for index, image in enumerate(images):
        rng = np.random.default_rng((seed, first + index))
        scene = photograph(rng, image)
        crop = _found(finder, scene.frame, scene.boxes[0])
        if crop is not None:
            taken[index] = crop
    return taken


def photograph(rng: np.random.Generator, glyph: np.ndarray, tallest: int = _HEIGHTS[1]) -> Scene:
    """Writes one glyph and photographs it to be cut out.

    Args:
        rng: decides everything else.
        glyph: uint8 (h, w), bright on 0.
        tallest: the greatest height of the photograph in pixels.
    """
    height = int(np.exp(rng.uniform(*np.log((_HEIGHTS[0], tallest)))))
    return draw(rng, [glyph], (height, int(height * rng.uniform(0.8, 1.5))))


def shared(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """What two boxes (x, y, w, h) have in common: intersection over union, 0..1."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    both = max(width, 0) * max(height, 0)
    return both / (one[2] * one[3] + other[2] * other[3] - both)


def _found(finder: Finder, frame: np.ndarray, box: tuple[int, ...]) -> np.ndarray | None:
    for ways in finder.attempts(frame):
        for cells in ways:
            for each in cells[0][0].found if len(cells) == 1 else ():
                if shared(each.box, box) >= _SAME:
                    return each.crop
    return None
