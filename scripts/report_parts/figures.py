"""The figures that the report is made of: calibration, separation, errors."""

from typing import Any

import numpy as np

BINS = 15


def calibration(confidences: np.ndarray, right: np.ndarray, bins: int = BINS) -> dict[str, Any]:
    """The expected calibration error in bins of equal width.

    Guo et al., "On Calibration of Modern Neural Networks" (https://arxiv.org/abs/1706.04599): the
    mean gap between confidence and accuracy, each bin weighted by the readings in it.

    Args:
        confidences: floats (n,), the probability of what was read, 0 to 1.
        right: booleans (n,), whether it was that.
        bins: how many.

    Returns:
        "n", "ece" (0 to 1; None without readings) and "bins": of each one that is not empty its
        "n", mean "confidence" and "accuracy".
    """
    confidences, right = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    # A confidence of 1 belongs to the last bin.
    place = np.minimum((confidences * bins).astype(int), bins - 1)
    filled = [
        {
            "n": int((place == each).sum()),
            "confidence": float(confidences[place == each].mean()),
            "accuracy": float(right[place == each].mean()),
        }
        for each in np.unique(place)
    ]
    gaps = [each["n"] * abs(each["confidence"] - each["accuracy"]) for each in filled]
    total = len(confidences)
    return {"n": total, "ece": float(sum(gaps) / total) if total else None, "bins": filled}


def auroc(positives: np.ndarray, negatives: np.ndarray) -> float | None:
    """The area under the ROC curve: how often a positive scores above a negative.

    Ties count half (the Mann-Whitney statistic; Fawcett, "An introduction to ROC analysis",
    https://doi.org/10.1016/j.patrec.2005.10.010).

    Args:
        positives: scores (m,) of what should score high.
        negatives: scores (n,) of what should score low.

    Returns:
        0 to 1; None if either is empty.
    """
    if not len(positives) or not len(negatives):
        return None
    ranked = np.sort(negatives)
    below = np.searchsorted(ranked, positives, "left")
    not_above = np.searchsorted(ranked, positives, "right")
    return float((below + not_above).mean() / (2 * len(ranked)))


def standard_error(share: float, count: int) -> float:
    """Of a share, 0 to 1, that was counted among so many independent ones (binomial)."""
    return float(np.sqrt(share * (1 - share) / count))
