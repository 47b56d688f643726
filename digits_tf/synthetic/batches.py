"""What worker processes make; those of Windows and macOS start afresh and import it from here."""

import functools
from typing import Any

import numpy as np

from digits_tf.detection import detector
from digits_tf.synthetic import crops
from digits_tf.synthetic.background import negatives
from digits_tf.synthetic.crops import Crops


def framed(
    images: np.ndarray, labels: np.ndarray, world: Any, seed: int, count: int, first: int
) -> Crops:
    """What the shipped detector cuts out of some frames; see `crops.crops`.

    Args:
        images: uint8 (n, 28, 28), MNIST's training digits, bright on 0.
        labels: (n,), 0 to 9.
        world: fonts and photographs, or None.
        seed: another seed is other frames.
        count: how many frames.
        first: the number of the first.
    """
    made = [
        crops.crops(np.random.default_rng((seed, 2, number)), _detector(), images, labels, world)
        for number in range(first, first + count)
    ]
    return Crops(
        np.concatenate([each.digits for each in made]),
        np.concatenate([each.labels for each in made]),
        np.concatenate([each.others for each in made]),
    )


def others(
    digits: np.ndarray, labels: np.ndarray, places: np.ndarray, seed: int, first: int
) -> np.ndarray:
    """As many negatives as there are places; see `negatives`."""
    return negatives(digits, labels, len(places), seed, first)


@functools.cache
def _detector() -> detector.Detector:
    return detector.load()
