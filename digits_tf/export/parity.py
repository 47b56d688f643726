"""Whether an exported file reads like the model it was made from, on real digits."""

import numpy as np
from numpy.typing import NDArray

from digits_tf.data.digits import Digits
from digits_tf.evaluation.score import Score
from digits_tf.recognition import Classifier

_BATCH = 250
# The formats, and by how much a probability may differ in each. float16 weights keep 11 bits.
# With 8 bits it may differ by anything: there it counts which digits are read right.
TOLERANCES = {"saved_model": 1e-4, "float32": 1e-4, "float16": 1e-2, "int8": 1.0, "mixed": 1.0}
# A loss of accuracy that matters, and the p-value below which it is hardly chance.
_MAX_LOSS, _SIGNIFICANCE = 0.001, 0.01


class Parity:
    """Real digits and how the original reads them.

    Args:
        original: the model that the files were made from.
        digits: labelled digits, the test set.
    """

    def __init__(self, original: Classifier, digits: Digits):
        self._digits = digits
        self._expected: list[NDArray[np.float32]] = []
        self._score = Score()
        for images, labels in digits.batches(_BATCH):
            probabilities = original.probabilities(images)
            self._expected.append(probabilities)
            self._score.add(images, labels, probabilities)

    def check(self, kind: str, exported: Classifier) -> tuple[Score, str]:
        """Reads the digits with an exported file.

        Args:
            kind: a key of `TOLERANCES`.
            exported: the file, opened.

        Returns:
            How it reads them, and in words what is wrong with that: "" if it reads like the
            original, within the kind's tolerance.
        """
        score = Score()
        greatest, lost, gained = 0.0, 0, 0
        for (images, labels), expected in zip(
            self._digits.batches(_BATCH), self._expected, strict=True
        ):
            probabilities = exported.probabilities(images)
            # Every comparison with NaN is false, so NaN counts as infinite.
            difference = float(np.abs(probabilities - expected).max())
            greatest = max(greatest, difference if np.isfinite(difference) else np.inf)
            score.add(images, labels, probabilities)
            before, now = (each.argmax(axis=1) == labels for each in (expected, probabilities))
            lost += int(np.sum(before & ~now))
            gained += int(np.sum(now & ~before))
        if greatest > TOLERANCES[kind]:
            return score, (
                f"a probability differs by {greatest:.2g} from the run's model, at most "
                f"{TOLERANCES[kind]:g} is right"
            )
        if lost - gained > _MAX_LOSS * score.count and (p := mcnemar(lost, gained)) < _SIGNIFICANCE:
            return score, (
                f"it reads {score.accuracy:.2%} of {score.count:,} test digits, the run's model "
                f"{self._score.accuracy:.2%}; {lost} are misread by it alone, {gained} by the "
                f"run's model alone, which is hardly chance (p = {p:.1g})"
            )
        return score, ""


def mcnemar(lost: int, gained: int) -> float:
    """How likely chance alone makes two models differ so much: McNemar's exact test, two-sided.

    McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12, 1947. Each digit that one of them alone reads right is a toss of
    a coin.

    Args:
        lost: digits that only the one reads right.
        gained: digits that only the other reads right.

    Returns:
        The p-value, 0 to 1.
    """
    count = lost + gained
    # In whole numbers, as 2 ** -2000 is no float.
    ways, tail = 1, 1
    for number in range(min(lost, gained)):
        ways = ways * (count - number) // (number + 1)
        tail += ways
    return min(1.0, float(2 * tail / 2**count))
