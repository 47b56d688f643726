"""Pictures that the ranges of 8-bit activations could be taken from."""

from collections.abc import Mapping

import numpy as np

from digits_tf.data.mnist import Mnist
from digits_tf.export.pictures import for_ranges
from digits_tf.training.augmentation import augment
from digits_tf.training.recipes import Augmentation

_MANY = 4000


def sets(mnist: Mnist, augmentation: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Several sets, uint8 (n, 28, 28, 1), by what they are; the first one is the export's.

    Args:
        mnist: the digits that the network was trained on.
        augmentation: how they were changed in training, arguments of `Augmentation`.
    """
    digits = for_ranges(mnist.train)
    bent = _bent(digits, Augmentation(**augmentation))
    found = {
        f"{len(digits):,} training digits": digits,
        "more of them": for_ranges(mnist.train, _MANY),
        "the same, bent and damaged": bent,
        "both": np.concatenate([digits, bent]),
    }
    if mnist.background:
        others = for_ranges(mnist.background)
        found["with what is no digit"] = np.concatenate([digits, others])
        found["all of these"] = np.concatenate([digits, bent, others])
    return found


def _bent(images: np.ndarray, strength: Augmentation) -> np.ndarray:
    changed = augment(images, np.arange(len(images)), seed=0, epoch=0, strength=strength)
    return np.round(np.asarray(changed)).astype(np.uint8)
