"""How well a classifier reads labelled digits, counted batch by batch."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Misread digits that are kept for a picture.
_MAX_MISTAKES = 100


@dataclasses.dataclass
class Score:
    """Counts of what was read.

    Attributes:
        confusion: int64 (10, 10), rows are the true digits and columns what was read.
        mistake_images: uint8 (m, 28, 28), the mistakes of the highest probability, at most 100.
        mistake_labels: uint8 (m,), what they are.
        mistake_probabilities: float32 (m, 10), how they were read.
    """

    confusion: NDArray[np.int64] = dataclasses.field(
        default_factory=lambda: np.zeros((10, 10), np.int64)
    )
    mistake_images: NDArray[np.uint8] = dataclasses.field(
        default_factory=lambda: np.zeros((0, 28, 28), np.uint8)
    )
    mistake_labels: NDArray[np.uint8] = dataclasses.field(
        default_factory=lambda: np.zeros(0, np.uint8)
    )
    mistake_probabilities: NDArray[np.float32] = dataclasses.field(
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

    def add(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.integer],
        probabilities: NDArray[np.float32],
    ) -> None:
        """Counts a batch.

        Args:
            images: uint8 (n, 28, 28).
            labels: (n,), 0 to 9.
            probabilities: float32 (n, 10).
        """
        read = probabilities.argmax(axis=1)
        np.add.at(self.confusion, (labels, read), 1)
        is_wrong = read != labels
        if not is_wrong.any():
            return
        pool = np.concatenate([self.mistake_probabilities, probabilities[is_wrong]])
        kept = np.argsort(-pool.max(axis=1), kind="stable")[:_MAX_MISTAKES]
        self.mistake_probabilities = pool[kept]
        self.mistake_images = np.concatenate([self.mistake_images, images[is_wrong]])[kept]
        self.mistake_labels = np.concatenate([self.mistake_labels, labels[is_wrong]])[kept]

    def as_dict(self) -> dict[str, Any]:
        """The figures for JSON: accuracy, n, mistakes, per digit, confusion."""
        right, true = np.diagonal(self.confusion), self.confusion.sum(axis=1)
        read = self.confusion.sum(axis=0)
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
    probabilities: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    batches: Iterable[tuple[NDArray[np.uint8], NDArray[np.integer]]],
) -> Score:
    """Reads all batches.

    Args:
        probabilities: from uint8 (n, 28, 28), 0..255, to float32 (n, 10).
        batches: of (images uint8 (n, 28, 28), labels (n,)).
    """
    result = Score()
    for images, labels in batches:
        result.add(images, labels, probabilities(images))
    return result


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
