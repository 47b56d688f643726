"""How long the forms of a network take for a digit."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from digits_tf.benchmark import summary
from digits_tf.recognition.litert import LiteRTClassifier

BATCHES = (1, 12)
KERNELS = {"xnnpack": True, "builtin": False}
_WARM_UP = 10


def milliseconds(
    files: Mapping[str, Path], images: np.ndarray, rounds: int
) -> dict[str, dict[str, Any]]:
    """Times `Classifier.probabilities` of all files in turn: a busy machine hurts all alike.

    Args:
        files: .tflite files by their kinds.
        images: uint8 (n, 28, 28).
        rounds: in each, every file is asked once a batch size, with XNNPACK and without, in one
            thread; the order is another one in each.

    Returns:
        Of each kind by "xnnpack" and "builtin", then by the digits a call ("1", "12"): milliseconds
        a digit as `timing.summary` has them.
    """
    ways = [(kind, kernels, batch) for kind in files for kernels in KERNELS for batch in BATCHES]
    # One for each: a change of the count costs time.
    models = {way: LiteRTClassifier(files[way[0]], xnnpack=KERNELS[way[1]]) for way in ways}
    times: dict[tuple[str, str, int], list[float]] = {way: [] for way in ways}
    rng = np.random.default_rng(0)
    for number in range(_WARM_UP + rounds):
        for place in rng.permutation(len(ways)):
            way = ways[place]
            digits = np.take(images, number * max(BATCHES) + np.arange(way[2]), 0, mode="wrap")
            start = time.perf_counter()
            models[way].probabilities(digits)
            taken = 1000 * (time.perf_counter() - start) / way[2]
            if number >= _WARM_UP:
                times[way].append(taken)
    return {
        kind: {
            kernels: {str(batch): summary(times[kind, kernels, batch]) for batch in BATCHES}
            for kernels in KERNELS
        }
        for kind in files
    }
