"""The report's pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from report_parts import corruptions, table

_DPI = 120
# As many as there are formats.
_COLOURS = ("#4c78a8", "#e45756", "#54a24b", "#b279a2", "#eeca3b", "#1a1a1a")


def corruption_sheet(images: np.ndarray, path: Path) -> None:
    """Draws digits under each kind of corruption: as they are, then at the three strengths.

    Args:
        images: uint8 (n, 28, 28), a few digits.
        path: a PNG file.
    """
    rows = {
        kind: np.stack(
            [images, *(corruptions.corrupt(kind, images, each) for each in corruptions.STRENGTHS)],
            axis=1,
        ).reshape(-1, *images.shape[1:])
        for kind in corruptions.KINDS
    }
    columns = ["as it is", *map(str, corruptions.STRENGTHS)] * len(images)
    sheet(rows, path, columns)


def sheet(
    rows: Mapping[str, Sequence[np.ndarray] | np.ndarray],
    path: Path,
    columns: Sequence[str] = (),
    side: int = 28,
) -> None:
    """Draws rows of pictures with their names.

    Args:
        rows: by name, uint8 (h, w) or (h, w, 3), BGR, each; as many in each row.
        path: a PNG file.
        columns: names above; as many as pictures in a row, or none.
        side: pixels of the square that each picture is fitted into.
    """
    cell = side + max(2, side // 14)
    count = max(map(len, rows.values()))
    canvas = np.full((cell * len(rows), cell * count, 3), 255, np.uint8)
    for row, pictures in enumerate(rows.values()):
        for column, picture in enumerate(pictures):
            small = _fitted(picture, side)
            top = row * cell + (side - small.shape[0]) // 2
            left = column * cell + (side - small.shape[1]) // 2
            canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    inch = 0.42 if side == 28 else 0.9
    left, top = 0.1 + 0.085 * max(map(len, rows)), 0.3 if columns else 0.05
    width, height = inch * count, inch * len(rows)
    whole = np.array([left + width + 0.05, top + height + 0.05])
    figure = Figure(figsize=tuple(whole))
    axes = figure.add_axes((left / whole[0], 0.05 / whole[1], width / whole[0], height / whole[1]))
    axes.imshow(canvas[..., ::-1], interpolation="nearest" if side == 28 else "antialiased")
    axes.set_yticks([cell * (row + 0.46) for row in range(len(rows))], list(rows))
    axes.set_xticks([cell * (each + 0.46) for each in range(len(columns))], columns, fontsize=7)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.savefig(path, dpi=_DPI)


def reliability(section: Mapping[str, table.Figures], names: Mapping[str, str], path: Path) -> None:
    """Draws the share read right over the confidence, a panel for each set and model.

    Args:
        section: by the set's name, `figures.calibration` of every net.
        names: the formats' names.
        path: a PNG file.
    """
    models = list(next(iter(section.values())))
    figure = Figure(figsize=(4.4 * len(section), 4.8 * len(models)), layout="constrained")
    grid = figure.subplots(len(models), len(section), squeeze=False)
    for row, model in zip(grid, models, strict=True):
        for axes, (words, figures) in zip(row, section.items(), strict=True):
            axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
            for index, (kind, each) in enumerate(figures[model].items()):
                _curve(axes, each, names[kind], index)
            axes.set(xlabel="confidence", ylabel="read right", title=f"{model}, {words}")
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
            axes.xaxis.set_major_formatter(PercentFormatter(1.0))
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
            axes.grid(alpha=0.3)
            axes.legend(fontsize=7, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    figure.savefig(path, dpi=_DPI)


def rejection(section: Mapping[str, Any], kind: str, name: str, path: Path) -> None:
    """Draws the share rejected of each set, a bar a model.

    Args:
        section: "crops" and "frames", see `sections.rejection`.
        kind: the format that is drawn.
        name: its name.
        path: a PNG file.
    """
    sizes = [len(section[part]["sets"]) for part in ("crops", "frames")]
    figure = Figure(figsize=(8, 0.32 * sum(sizes) + 1.4), layout="constrained")
    figure.suptitle(f"Rejected, {name}")
    panels = figure.subplots(2, 1, sharex=True, height_ratios=sizes)
    for axes, part in zip(panels, ("crops", "frames"), strict=True):
        sets = section[part]["sets"]
        models = list(next(iter(sets.values()))["figures"])
        thick = 0.8 / len(models)
        for index, model in enumerate(models):
            shares = [each["figures"][model][kind]["rejected"] for each in sets.values()]
            places = np.arange(len(sets)) + (index - (len(models) - 1) / 2) * thick
            axes.barh(
                places, shares, thick * 0.9, label=model, color=_COLOURS[index % len(_COLOURS)]
            )
        axes.set_yticks(range(len(sets)), list(sets))
        axes.invert_yaxis()
        axes.set(title=part, xlim=(0, 1))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.grid(axis="x", alpha=0.3)
    figure.legend(*panels[0].get_legend_handles_labels(), fontsize=8, loc="outside upper right")
    figure.savefig(path, dpi=_DPI)


def _curve(axes: Axes, calibration: Mapping[str, Any], name: str, index: int) -> None:
    bins = calibration["bins"]
    axes.plot(
        [each["confidence"] for each in bins],
        [each["accuracy"] for each in bins],
        color=_COLOURS[index % len(_COLOURS)],
        label=f"{name}: ECE {table.decimal(calibration['ece'])}",
        linewidth=1,
        alpha=0.6,
    )
    # A dot's area says how many readings it stands for.
    axes.scatter(
        [each["confidence"] for each in bins],
        [each["accuracy"] for each in bins],
        [6 + 60 * each["n"] / calibration["n"] for each in bins],
        color=_COLOURS[index % len(_COLOURS)],
        alpha=0.6,
    )


def _fitted(picture: np.ndarray, side: int) -> np.ndarray:
    """In colour, no larger than a square of that side; crops bright on dark are turned over."""
    colour = picture if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    if side == 28:
        return 255 - colour
    scale = side / max(colour.shape[:2])
    size = max(1, round(colour.shape[1] * scale)), max(1, round(colour.shape[0] * scale))
    return cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
