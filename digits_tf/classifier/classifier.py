"""What a trained model can be asked."""

import abc

import numpy as np

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


def as_probabilities(outputs: np.ndarray) -> np.ndarray:
    """Outputs as they are if they are probabilities already, else their softmax.

    Logits of a batch are never all above 0 with rows that add up to 1 or less.
    """
    if outputs.min() >= -1e-6 and outputs.sum(axis=1).max() < 1.0 + 1e-3:
        return outputs.astype(np.float32)
    return softmax(outputs)
