"""Which training digits are kept apart, to choose an epoch and a temperature on."""

import numpy as np

_MOST = 5000


def hold_out(count: int) -> np.ndarray:
    """Chooses 5,000 of `count` digits, or a tenth where there are fewer than 50,000.

    The same ones every time, so that runs can be compared; drawn at random because files may be
    sorted.

    Returns:
        Sorted indices, int64.
    """
    chosen = np.random.default_rng(0).choice(count, max(1, min(_MOST, count // 10)), replace=False)
    return np.sort(chosen)
