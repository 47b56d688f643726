"""What is read in one frame."""

import dataclasses

import numpy as np

from digits_tf.camera.preprocess import Found


@dataclasses.dataclass(frozen=True)
class Reading:
    """The answer to one frame.

    Attributes:
        digit: 0 to 9; None: nothing was found, or the net is not sure enough.
        probability: of the likeliest digit, 0 to 1; 0 where nothing was found.
        box: x, y, width, height of what was found, in pixels of the frame; None: nothing.
    """

    digit: int | None = None
    probability: float = 0.0
    box: tuple[int, int, int, int] | None = None

    def __str__(self) -> str:
        """In words, of one width: "digit 7   99.1 %" or "no digit"."""
        if self.digit is None:
            return f"{'no digit':16}"
        return f"digit {self.digit}  {self.probability:6.1%}".replace("%", " %")


def judge(found: Found, probabilities: np.ndarray, threshold: float) -> Reading:
    """Decides what a shape is.

    Args:
        found: the shape.
        probabilities: float32 (10,).
        threshold: 0 to 1; a probability must be above it to count.
    """
    digit = int(probabilities.argmax())
    probability = float(probabilities[digit])
    return Reading(digit if probability > threshold else None, probability, found.box)
