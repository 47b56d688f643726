"""The report's pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from report_parts import corruptions, figures

_DPI = 120
_GAP = 2  # pixels between crops


def corruption_sheet(images: np.ndarray, path: Path) -> None:
    """Draws digits under each kind of corruption: as they are, then at the three strengths.

    Args:
        images: uint8 (n, 28, 28), a few digits.
        path: a PNG file.
    """
    rows = {}
    for kind in corruptions.KINDS:
        spoilt = (corruptions.corrupt(kind, images, each) for each in corruptions.STRENGTHS)
        rows[kind] = np.stack([images, *spoilt], axis=1).reshape(-1, *images.shape[1:])
    sheet(rows, path, ["as it is", *map(str, corruptions.STRENGTHS)] * len(images))


def sheet(rows: Mapping[str, np.ndarray], path: Path, columns: Sequence[str] = ()) -> None:
    """Draws rows of crops with their names.

    Args:
        rows: by name, uint8 (n, 28, 28), as many in each.
        path: a PNG file.
        columns: n names above, or none.
    """
    padded = [np.pad(each, ((0, 0), (0, _GAP), (0, _GAP))) for each in rows.values()]
    canvas = 255 - np.vstack([np.hstack(list(each)) for each in padded])
    cell = rows[next(iter(rows))].shape[1] + _GAP
    figure = Figure(figsize=(canvas.shape[1] / 70 + 1.6, canvas.shape[0] / 70 + 0.4))
    axes = figure.add_subplot()
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_yticks(cell * (np.arange(len(rows)) + 0.46), list(rows))
    axes.set_xticks(cell * (np.arange(len(columns)) + 0.46), columns, fontsize=7)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.savefig(path, dpi=_DPI, bbox_inches="tight")


def reliability(
    section: Mapping[str, figures.Figures], names: Mapping[str, str], path: Path
) -> None:
    """Draws the share read right over the confidence, a panel for each set and model.

    Args:
        section: by the set's name, `figures.calibration` of every model and format.
        names: the formats' names.
        path: a PNG file.
    """
    models = list(next(iter(section.values())))
    figure = Figure(figsize=(4.4 * len(section), 4.8 * len(models)), layout="constrained")
    grid = figure.subplots(len(models), len(section), squeeze=False)
    for row, model in zip(grid, models, strict=True):
        for axes, (words, by_model) in zip(row, section.items(), strict=True):
            axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
            for kind, each in by_model[model].items():
                _draw_curve(axes, each, names[kind])
            axes.set(xlabel="confidence", ylabel="read right", title=f"{model}, {words}")
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
            axes.xaxis.set_major_formatter(PercentFormatter(1.0))
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
            axes.grid(alpha=0.3)
            axes.legend(fontsize=7, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    figure.savefig(path, dpi=_DPI)


def _draw_curve(axes: Any, calibration: Mapping[str, Any], name: str) -> None:
    bins = calibration["bins"]
    place = [each["confidence"] for each in bins], [each["accuracy"] for each in bins]
    label = f"{name}: ECE {figures.decimal(calibration['ece'])}"
    (line,) = axes.plot(*place, label=label, linewidth=1, alpha=0.6)
    # A dot's area says how many readings it stands for.
    areas = [6 + 60 * each["n"] / calibration["n"] for each in bins]
    axes.scatter(*place, areas, color=line.get_color(), alpha=0.6)
