"""How well a classifier reads labelled digits, counted in a stream."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

# Misread digits that are kept for a picture.
_MOST_MISTAKES = 100


@dataclasses.dataclass
class Score:
    """Counts of what was read.

    Attributes:
        confusion: int64 (10, 10), rows are the true digits and columns what was read.
        mistake_images: uint8 (m, 28, 28), the surest mistakes, at most 100.
        mistake_labels: uint8 (m,), what they are.
        mistake_probabilities: float32 (m, 10), how they were read.
    """

    confusion: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros((10, 10), np.int64))
    mistake_images: np.ndarray = dataclasses.field(
        default_factory=lambda: np.zeros((0, 28, 28), np.uint8)
    )
    mistake_labels: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, np.uint8))
    mistake_probabilities: np.ndarray = dataclasses.field(
        default_factory=lambda: np.zeros((0, 10), np.float32)
    )

    @property
    def count(self) -> int:
        """How many digits were read."""
        return int(self.confusion.sum())

    @property
    def mistakes(self) -> int:
        """How many were misread."""
        return self.count - int(np.trace(self.confusion))

    @property
    def accuracy(self) -> float:
        """Share read right, 0 to 1."""
        return 1.0 - self.mistakes / self.count if self.count else 0.0

    def add(self, images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray) -> None:
        """Counts a batch: uint8 (n, 28, 28), integers (n,), float32 (n, 10)."""
        read = probabilities.argmax(axis=1)
        np.add.at(self.confusion, (labels, read), 1)
        wrong = read != labels
        if not wrong.any():
            return
        pool = np.concatenate([self.mistake_probabilities, probabilities[wrong]])
        surest = np.argsort(-pool.max(axis=1), kind="stable")[:_MOST_MISTAKES]
        self.mistake_probabilities = pool[surest]
        self.mistake_images = np.concatenate([self.mistake_images, images[wrong]])[surest]
        self.mistake_labels = np.concatenate([self.mistake_labels, labels[wrong]])[surest]

    def as_dict(self) -> dict[str, Any]:
        """The figures for JSON: accuracy, n, mistakes, per digit, confusion."""
        right, true, read = (
            np.diagonal(self.confusion),
            self.confusion.sum(axis=1),
            self.confusion.sum(axis=0),
        )
        per_digit = [
            {
                "digit": digit,
                "n": int(true[digit]),
                "recall": _share(right[digit], true[digit]),
                "precision": _share(right[digit], read[digit]),
            }
            for digit in range(10)
        ]
        return {
            "accuracy": self.accuracy,
            "n": self.count,
            "mistakes": self.mistakes,
            "digits": per_digit,
            "confusion": self.confusion.tolist(),
        }


def score(
    probabilities: Callable[[np.ndarray], np.ndarray],
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
) -> Score:
    """Reads all batches.

    Args:
        probabilities: from uint8 (n, 28, 28), 0..255, to float32 (n, 10).
        batches: of (images uint8 (n, 28, 28), labels integers (n,)).
    """
    result = Score()
    for images, labels in batches:
        result.add(images, labels, probabilities(images))
    return result


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
