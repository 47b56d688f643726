"""The two pictures of a score."""

from pathlib import Path

from digits_tf import storage
from digits_tf.evaluate.score import Score


def draw(score: Score, confusion: Path | None, mistakes: Path | None) -> None:
    """Draws the confusion matrix and the misread digits.

    Args:
        score: what was read.
        confusion: a PNG file for the matrix; None: none.
        mistakes: a PNG file for the misread digits; None: none.

    Raises:
        DigitsError: if matplotlib is missing.
    """
    if not confusion and not mistakes:
        return
    # Reading digits needs no matplotlib.
    from digits_tf import plots

    if confusion:
        with storage.replacing(confusion) as beside:
            plots.confusion(score.confusion, beside)
    if mistakes:
        with storage.replacing(mistakes) as beside:
            plots.mistakes(
                score.mistake_images,
                score.mistake_labels,
                score.mistake_probabilities,
                beside,
                total=score.mistakes,
            )
