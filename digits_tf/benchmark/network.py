"""What a model file takes for a digit."""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from digits_tf import recognition
from digits_tf.benchmark.timing import Budget, repeat, summary
from digits_tf.recognition.classifier import CLASSES
from digits_tf.synthetic.pen import pen_digit

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
        Milliseconds a digit as `timing.summary` has them, and "read_right", a share of the
        different digits that were read.

    Raises:
        DigitsError: if it is no such model.
    """
    model = recognition.load(path, threads)
    images, labels = crops()
    starts = range(0, len(images), batch)
    outputs: dict[int, np.ndarray] = {}

    def read(number: int) -> None:
        start = starts[number % len(starts)]
        outputs[start] = model.probabilities(images[start : start + batch])

    times = repeat(read, budget)
    hits = [
        found.argmax(axis=1) == labels[start : start + batch] for start, found in outputs.items()
    ]
    return {
        "file": path.name,
        "threads": threads,
        "batch": batch,
        **summary([each / batch for each in times]),
        "read_right": float(np.concatenate(hits).mean()),
    }
