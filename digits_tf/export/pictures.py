"""The digits that an export needs: a run's own, held-out ones, some to take ranges from."""

from typing import Any

import numpy as np

from digits_tf.data.digits import Digits
from digits_tf.data.mnist import Mnist, hold_out
from digits_tf.errors import DigitsError

_FOR_RANGES = 1000
_BATCH = 10_000


def check(mnist: Mnist, settings: dict[str, Any]) -> None:
    """Finds out whether these are the digits that a run was trained on.

    Args:
        mnist: the digits.
        settings: the run's, from its config.json.

    Raises:
        DigitsError: if they are others.
    """
    if mnist.hashes() != settings["data"]["sha256"]:
        raise DigitsError(
            f"the digits in {mnist.train.origin} are not those that the run was trained on: name "
            "them with --data_dir"
        )


def held_out(mnist: Mnist) -> tuple[np.ndarray, np.ndarray]:
    """Digits that no network was trained on, uint8 (n, 28, 28), and their labels, uint8 (n,)."""
    if mnist.held_out:
        return mnist.held_out.read()
    images, labels = mnist.train.read()
    chosen = hold_out(len(images))
    return images[chosen], labels[chosen]


def for_ranges(digits: Digits, count: int = _FOR_RANGES) -> np.ndarray:
    """Pictures that the ranges of integer activations are taken from.

    More of them, or bent, damaged, and what is no digit beside them, changed nothing that could be
    told from chance.

    Args:
        digits: real training digits.
        count: how many are wanted; all, if there are fewer.

    Returns:
        uint8 (n, 28, 28, 1), spread evenly over the set, which may be sorted.
    """
    count = min(count, digits.count)
    wanted = np.arange(count) * digits.count // count
    chosen, first = [], 0
    for images, _ in digits.batches(_BATCH):
        here = (wanted >= first) & (wanted < first + len(images))
        chosen.append(images[wanted[here] - first])
        first += len(images)
    return np.concatenate(chosen)[..., None]
