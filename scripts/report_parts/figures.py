"""Shares, their errors, calibration, and tables of them in Markdown."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

BINS = 15

# By the model's name and the format.
Figures = dict[str, dict[str, Any]]
# A row's name, and what stands in the column of a format.
Row = tuple[str, Callable[[Any], str]]


def calibration(confidences: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """The expected calibration error in bins of equal width.

    Guo et al., "On Calibration of Modern Neural Networks" (https://arxiv.org/abs/1706.04599): the
    mean gap between confidence and accuracy, each bin weighted by the readings in it.

    Args:
        confidences: floats (n,), the probability of what was read, 0 to 1.
        right: booleans (n,), whether it was that.

    Returns:
        "n", "ece" (0 to 1; None without readings) and "bins": of each one that is not empty its
        "n", mean "confidence" and "accuracy".
    """
    total = len(confidences)
    counts, confidence, accuracy = (
        np.histogram(confidences, BINS, (0, 1), weights=weights)[0]
        for weights in (None, np.asarray(confidences, float), np.asarray(right, float))
    )
    return {
        "n": total,
        "ece": float(np.abs(confidence - accuracy).sum() / total) if total else None,
        "bins": [
            {
                "n": int(counts[each]),
                "confidence": float(confidence[each] / counts[each]),
                "accuracy": float(accuracy[each] / counts[each]),
            }
            for each in np.flatnonzero(counts)
        ],
    }


def standard_error(share: float, count: int) -> float:
    """Of a share, 0 to 1, that was counted among so many independent ones (binomial)."""
    return float(np.sqrt(share * (1 - share) / count))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; as many cells in each row as in the head."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def side_by_side(figures: Figures, names: dict[str, str], rows: Sequence[Row]) -> str:
    """A table a model, its formats in columns.

    Args:
        figures: of every model.
        names: the formats' names.
        rows: at least one.
    """
    return "\n\n".join(
        table(
            [f"**{model}**", *(names[each] for each in formats)],
            [[name, *(cell(each) for each in formats.values())] for name, cell in rows],
        )
        for model, formats in figures.items()
    )


def percent(share: float | None, decimals: int = 1) -> str:
    """A share as "98.8 %"; "-" for None."""
    return "-" if share is None else f"{100 * share:.{decimals}f} %"


def part(count: int, whole: int) -> str:
    """A count of so many as a share; "-" of none."""
    return percent(count / whole if whole else None)


def decimal(value: float | None, decimals: int = 4) -> str:
    """A number of so many decimals; "-" for None."""
    return "-" if value is None else f"{value:.{decimals}f}"
