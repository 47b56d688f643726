"""The pictures a run leaves behind. Each function draws one figure into one file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digits_tf import files
from digits_tf.errors import DigitsError
from digits_tf.evaluation.score import Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TRAIN, _HELD_OUT = "#4c78a8", "#e45756"


def contact_sheet(
    images: NDArray[Any], labels: NDArray[Any], path: Path, columns: int = 20
) -> None:
    """Draws ten rows, one a digit, each with its first `columns` pictures.

    Args:
        images: (n, 28, 28), 0..255.
        labels: integers (n,), 0..9.
        path: a PNG file.
        columns: pictures in a row.
    """
    sheet = np.zeros((10 * 30 + 2, columns * 30 + 2))
    for digit in range(10):
        for column, index in enumerate(np.flatnonzero(labels == digit)[:columns]):
            top, left = 30 * digit + 2, 30 * column + 2
            sheet[top : top + 28, left : left + 28] = images[index]
    figure = _figure(columns * 0.42, 10 * 0.42 + 0.1)
    axes = figure.subplots()
    axes.imshow(sheet, cmap="gray_r", vmin=0, vmax=255)
    axes.set_xticks([])
    axes.set_yticks([30 * digit + 16 for digit in range(10)], [str(digit) for digit in range(10)])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    _save(figure, path)


def curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draws accuracy and loss over the epochs.

    Args:
        history: one mapping an epoch, with "epoch", "loss", "accuracy", "held_out_loss" and
            "held_out_accuracy" (0 to 1).
        path: a PNG file.
    """
    epochs = [row["epoch"] for row in history]
    figure = _figure(9, 3.6)
    from matplotlib.ticker import PercentFormatter

    accuracy, loss = figure.subplots(1, 2)
    for axes, key, title in ((accuracy, "accuracy", "Accuracy"), (loss, "loss", "Loss")):
        # Single epochs must be seen too.
        style = {"marker": "o", "markersize": 3}
        axes.plot(epochs, [row[key] for row in history], label="train", color=_TRAIN, **style)
        held_out = [row[f"held_out_{key}"] for row in history]
        axes.plot(epochs, held_out, label="held out", color=_HELD_OUT, **style)
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    best = min(history, key=lambda row: row["held_out_loss"])
    accuracy.set_title(
        f"Accuracy (held out at epoch {best['epoch']}: {best['held_out_accuracy']:.2%})"
    )
    # The first epochs are far below the rest; what matters happens above this.
    low = min(
        min(row["accuracy"], row["held_out_accuracy"]) for row in history[len(history) // 4 :]
    )
    accuracy.set_ylim(bottom=max(0.0, low - 0.1 * (1.0 - low) - 0.001), top=1.0)
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0))
    loss.set_yscale("log")
    _save(figure, path)


def confusion(matrix: NDArray[np.int64], path: Path) -> None:
    """Draws a confusion matrix, mistakes in colour.

    Args:
        matrix: integers (10, 10), rows are the true digits and columns what was read.
        path: a PNG file.
    """
    figure = _figure(5.6, 5.6)
    axes = figure.subplots()
    mistakes = matrix * (1 - np.eye(10, dtype=int))
    axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(1, mistakes.max() * 1.5))
    for true in range(10):
        for read in range(10):
            if matrix[true, read]:
                _cell(axes, read, true, int(matrix[true, read]), bold=true != read)
    correct, total = int(np.trace(matrix)), int(matrix.sum())
    title = f"{correct:,} of {total:,} right ({correct / max(1, total):.2%})"
    axes.set(xlabel="read", ylabel="true", title=title)
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    _save(figure, path)


def _cell(axes: "Axes", x: int, y: int, count: int, *, bold: bool) -> None:
    weight, colour = ("bold", "black") if bold else ("normal", "0.45")
    axes.text(x, y, str(count), ha="center", va="center", fontsize=8, weight=weight, color=colour)


def mistakes(
    images: NDArray[Any],
    labels: NDArray[Any],
    probabilities: NDArray[np.float32],
    path: Path,
    total: int | None = None,
) -> None:
    """Draws misread digits, each over "true → read, how sure".

    Args:
        images: (n, 28, 28), 0..255, the misread ones alone.
        labels: integers (n,), the true digits.
        probabilities: (n, 10).
        path: a PNG file.
        total: how many were misread in all, if more than these; for the title.
    """
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    columns = 10
    rows = max(1, -(-len(order) // columns))
    figure = _figure(columns * 0.95, rows * 1.1 + 0.5)
    figure.suptitle(_mistakes_title(total or len(images), len(order)))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, index in zip(grid.flat, order, strict=False):
        read = int(probabilities[index].argmax())
        axes.imshow(images[index], cmap="gray_r", vmin=0, vmax=255)
        words = f"{labels[index]} → {read}  {probabilities[index, read]:.0%}"
        axes.set_title(words, fontsize=8, pad=2)
    _save(figure, path)


def import_figure() -> "type[Figure]":
    """Imports matplotlib's class of figures.

    Raises:
        DigitsError: if matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise DigitsError("pictures need matplotlib: pip install 'digits_tf[train]'") from None
    return Figure


def _figure(width: float, height: float) -> "Figure":
    """A blank figure of a size in inches."""
    return import_figure()(figsize=(width, height), layout="constrained")


def _save(figure: "Figure", path: Path) -> None:
    figure.savefig(path, dpi=120, format="png")


def _mistakes_title(total: int, shown: int) -> str:
    if not total:
        return "Nothing was misread"
    rest = "" if shown == total else f", the {shown} surest shown"
    return f"Misread: {total:,}{rest} (true → read, how sure)"


def draw(score: Score, matrix_file: Path | None, mistakes_file: Path | None) -> None:
    """Draws the confusion matrix and the misread digits.

    Args:
        score: what was read.
        matrix_file: a PNG file for the matrix; None: none.
        mistakes_file: a PNG file for the misread digits; None: none.

    Raises:
        DigitsError: if matplotlib is missing.
    """
    if not matrix_file and not mistakes_file:
        return
    if matrix_file:
        with files.replacing(matrix_file) as beside:
            confusion(score.confusion, beside)
    if mistakes_file:
        with files.replacing(mistakes_file) as beside:
            mistakes(
                score.mistake_images,
                score.mistake_labels,
                score.mistake_probabilities,
                beside,
                total=score.mistakes,
            )
