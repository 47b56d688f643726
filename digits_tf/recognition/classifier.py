"""What a trained model can be asked."""

import abc
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from digits_tf.errors import DigitsError

INPUT_SHAPE = (28, 28, 1)
CLASSES = 10
# A digit whose probability is not above it is not believed.
THRESHOLD = 0.5


class Classifier(abc.ABC):
    """A model that reads 28x28 digits."""

    @abc.abstractmethod
    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Reads a batch of digits.

        Args:
            images: uint8 (n, 28, 28), 0..255, ink bright on 0; n may be 0.

        Returns:
            float32 (n, 10), 0 to 1. What a row lacks of 1 is the probability that it is no digit;
            nothing of a model that was trained on digits alone.
        """


def softmax(logits: np.ndarray) -> np.ndarray:
    """The ten digits' probabilities from logits, (n, 10) or, with "not a digit" last, (n, 11)."""
    # float64: the largest logits of a float16 model would overflow before they are shifted.
    shifted = np.asarray(logits, np.float64)
    exponents = np.exp(shifted - shifted.max(axis=1, keepdims=True))
    shares = exponents / exponents.sum(axis=1, keepdims=True)
    return shares[:, :CLASSES].astype(np.float32)


def as_probabilities(outputs: np.ndarray, logits: bool) -> np.ndarray:
    """The ten digits' probabilities, float32 (n, 10), from outputs, (n, 10) or (n, 11)."""
    return softmax(outputs) if logits else outputs[:, :CLASSES].astype(np.float32)


def check_shapes(
    path: Path, image: Sequence[int | None] | None, outputs: Sequence[int | None] | None
) -> None:
    """Whether a model is one of digits: ten, and at most one class for all else.

    Args:
        path: the model, for the message.
        image: the input's shape without the batch; None: unknown.
        outputs: the output's.

    Raises:
        DigitsError: if it is another.
    """
    if image != INPUT_SHAPE or outputs not in ((CLASSES,), (CLASSES + 1,)):
        raise DigitsError(
            f"{path}: expected a model from {INPUT_SHAPE} to ({CLASSES},), found {image} to "
            f"{outputs}"
        )


def in_batches(
    read: Callable[[np.ndarray], np.ndarray], images: np.ndarray, size: int
) -> np.ndarray:
    """Reads with a model that takes so many digits at a time and no other number.

    Args:
        read: from (size, 28, 28) to (size, classes).
        images: (n, 28, 28), n at least 1.
        size: at least 1.

    Returns:
        (n, classes)
    """
    rest = np.zeros((-len(images) % size, *images.shape[1:]), images.dtype)
    images, count = np.concatenate([images, rest]), len(images)
    parts = [read(images[start : start + size]) for start in range(0, len(images), size)]
    return np.concatenate(parts)[:count]
