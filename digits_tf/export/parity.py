"""Whether an exported file reads like the model it was made from, on real digits."""

import numpy as np

from digits_tf.classifier import Classifier
from digits_tf.data.digits import Digits
from digits_tf.errors import DigitsError
from digits_tf.evaluate.score import Score

_BATCH = 250
# Greatest difference of a probability. float16 weights keep 11 bits.
# What 8 bits may differ by is counted in digits.
TOLERANCES = {"saved_model": 1e-4, "float32": 1e-4, "float16": 1e-2, "int8": 1.0, "mixed": 1.0}
# How much less may be read right. Two digits where so few are tested that each counts for more.
_LEAST_ACCURACY_LOSS = 0.0005
_LEAST_DIGITS_LOST = 2


class Parity:
    """Real digits and how the original reads them.

    Args:
        original: the model the files were made from.
        digits: labelled digits, the test set.
    """

    def __init__(self, original: Classifier, digits: Digits):
        self._digits = digits
        self._expected = []
        self.score = Score()
        for images, labels in digits.batches(_BATCH):
            probabilities = original.probabilities(images)
            self._expected.append(probabilities)
            self.score.add(images, labels, probabilities)

    def check(self, kind: str, exported: Classifier) -> Score:
        """Reads the digits with an exported file.

        Args:
            kind: a key of `TOLERANCES`.
            exported: the file, opened.

        Raises:
            DigitsError: if it reads them otherwise, beyond the kind's tolerance.
        """
        score = Score()
        greatest = 0.0
        for (images, labels), expected in zip(
            self._digits.batches(_BATCH), self._expected, strict=True
        ):
            probabilities = exported.probabilities(images)
            # Of NaN no comparison is true, so it is asked for what is right, not for what is wrong.
            difference = float(np.abs(probabilities - expected).max())
            greatest = max(greatest, difference if np.isfinite(difference) else np.inf)
            score.add(images, labels, probabilities)
        if not greatest <= TOLERANCES[kind]:
            raise DigitsError(
                f"the {kind} model disagrees with the one it was made from: a probability differs "
                f"by {greatest:.2g} (at most {TOLERANCES[kind]:g}); nothing was written"
            )
        lost = score.mistakes - self.score.mistakes
        if lost > max(_LEAST_ACCURACY_LOSS * score.count, _LEAST_DIGITS_LOST):
            raise DigitsError(
                f"the {kind} model reads {score.accuracy:.2%} of {score.count:,} test digits, the "
                f"one it was made from {self.score.accuracy:.2%}; nothing was written"
            )
        return score
