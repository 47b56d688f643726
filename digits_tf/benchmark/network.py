"""What a model file takes for a digit."""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from digits_tf import classifier
from digits_tf.benchmark.timing import Budget, repeat, summary
from digits_tf.classifier.classifier import CLASSES
from digits_tf.scenes.pen import pen_digit

BATCHES = (1, 12)
# Enough that no two calls in a row get the same; of each digit as many.
_CROPS = 120


@functools.cache
def crops() -> tuple[np.ndarray, np.ndarray]:
    """Digits that the program writes, uint8 (n, 28, 28), and which they are, int (n,)."""
    rng = np.random.default_rng(0)
    labels = np.arange(_CROPS) % CLASSES
    return np.stack([pen_digit(int(label), rng) for label in labels]), labels


def measure(path: Path, threads: int, batch: int, budget: Budget) -> dict[str, Any]:
    """Times `Classifier.probabilities`, as the program calls it.

    Args:
        path: a .tflite file.
        threads: for LiteRT.
        batch: digits a call.
        budget: of calls.

    Returns:
        Milliseconds a digit as `timing.summary` has them, and "read_right", a share of the digits.

    Raises:
        DigitsError: if it is no such model.
    """
    model = classifier.load(path, threads)
    images, labels = crops()
    batches = [images[start : start + batch] for start in range(0, len(images), batch)]
    times = repeat(lambda number: model.probabilities(batches[number % len(batches)]), budget)
    read = np.concatenate([model.probabilities(each).argmax(axis=1) for each in batches])
    return {
        "file": path.name,
        "threads": threads,
        "batch": batch,
        **summary([each / batch for each in times]),
        "read_right": float((read == labels).mean()),
    }
