"""What every trained model is: a classifier of 28x28 digits."""

import abc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits_tf.errors import DigitsError

INPUT_SHAPE = (28, 28, 1)
CLASSES = 10
# What 8-bit probabilities, and the sum of eleven, may be off by.
_STEP, _SUM = 1 / 255, 11 / 255
# A digit is believed if its probability is above this.
THRESHOLD = 0.5


class Classifier(abc.ABC):
    """A model that reads 28x28 digits."""

    @abc.abstractmethod
    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Reads a batch of digits.

        Args:
            images: uint8 (n, 28, 28), 0..255, ink bright on 0; n may be 0.

        Returns:
            float32 (n, 10), 0 to 1. What a row lacks of 1 is the probability that it is no digit;
            nothing of a model that was trained on digits alone.
        """


class FileClassifier(Classifier):
    """A model from a file, whatever it gives and however many images it takes at a time.

    Args:
        name: the file, or what else tells which model it is, in messages.
        batch: images that it takes, no more and no fewer; None: any number.
        logits: whether it gives logits; otherwise probabilities.
    """

    def __init__(self, name: str, batch: int | None, logits: bool):
        self._name, self._batch, self._logits = name, batch, logits

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Reads a batch, see `Classifier.probabilities`.

        Raises:
            DigitsError: if the model cannot be run, or gives what no network of digits gives.
        """
        count = len(images)
        if not count:
            return np.zeros((0, CLASSES), np.float32)
        size = self._batch or count
        blank = np.zeros((-count % size, *images.shape[1:]), images.dtype)
        whole = np.concatenate([images, blank])
        try:
            parts = [self._outputs(whole[start : start + size]) for start in range(0, count, size)]
        # Each runtime has errors of its own for a model that was damaged or made to fail.
        except Exception as error:
            reason = " ".join(str(error).split())
            raise DigitsError(f"{self._name}: this model cannot be run ({reason})") from None
        outputs = np.concatenate(parts)[:count]
        self._check(outputs, count)
        return softmax(outputs) if self._logits else outputs[:, :CLASSES].astype(np.float32)

    def _check(self, outputs: NDArray[Any], count: int) -> None:
        """Refuses answers that would go on as wrong readings."""
        if outputs.shape not in ((count, CLASSES), (count, CLASSES + 1)):
            found = " x ".join(map(str, outputs.shape))
            raise DigitsError(f"{self._name}: expected {count} x {CLASSES} numbers, found {found}")
        if not np.isfinite(outputs).all():
            raise DigitsError(
                f"{self._name}: gives no finite numbers: damaged, or its training failed"
            )
        within = outputs.min() >= -_STEP and outputs.max() <= 1 + _STEP
        if self._logits and within and (np.abs(outputs.sum(axis=1) - 1) < _SUM).all():
            raise self._other_kind("logits", "probabilities")
        if not self._logits and not within:
            raise self._other_kind("probabilities", "logits")

    def _other_kind(self, expected: str, found: str) -> DigitsError:
        return DigitsError(
            f"{self._name}: expected {expected} by its last layer or the JSON beside it, found "
            f'{found}: in that JSON, "output": {{"name": "{found}"}} says so'
        )

    @abc.abstractmethod
    def _outputs(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        """What the model gives, float (n, 10), or (n, 11) with "not a digit" last.

        Args:
            images: uint8 (n, 28, 28); n is the model's batch if that is fixed.
        """


def softmax(logits: NDArray[Any]) -> NDArray[np.float32]:
    """The ten digits' probabilities from logits, (n, 10) or, with "not a digit" last, (n, 11)."""
    # float64: the largest logits of a float16 model would overflow before they are shifted.
    shifted = np.asarray(logits, np.float64)
    exponents = np.exp(shifted - shifted.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = exponents / exponents.sum(axis=1, keepdims=True)
    return shares[:, :CLASSES].astype(np.float32)


def check_shapes(
    path: Path, image: Sequence[int | None] | None, outputs: Sequence[int | None] | None
) -> None:
    """Refuses a model that is not one of digits: ten, and at most one class for all else.

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
