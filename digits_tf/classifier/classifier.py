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
            float32 (n, 10), each row adding up to 1.
        """


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities from logits, (n, classes)."""
    # float64: the largest logits of a float16 model would overflow before they are shifted.
    shifted = np.asarray(logits, np.float64)
    exponents = np.exp(shifted - shifted.max(axis=1, keepdims=True))
    return (exponents / exponents.sum(axis=1, keepdims=True)).astype(np.float32)


def as_probabilities(outputs: np.ndarray) -> np.ndarray:
    """Outputs as they are if they are probabilities already, else their softmax.

    Logits of a batch are never all within 0..1 with rows that add up to 1.
    """
    sums = outputs.sum(axis=1)
    if outputs.min() >= -1e-6 and np.all(np.abs(sums - 1.0) < 1e-3):
        return outputs.astype(np.float32)
    return softmax(outputs)
