"""Tables and cells in Markdown."""

from collections.abc import Callable, Sequence
from typing import Any

# By the model's name and the format.
Figures = dict[str, dict[str, Any]]
# A row's name, and what stands in the column of a net.
Row = tuple[str, Callable[[Any], str]]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; as many cells in each row as in the head."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def side_by_side(figures: Figures, names: dict[str, str], rows: Sequence[Row]) -> str:
    """A table a model, its formats in columns.

    Args:
        figures: of every net.
        names: the formats' names.
        rows: at least one.
    """
    parts = []
    for model, formats in figures.items():
        head = [f"**{model}**", *(names[kind] for kind in formats)]
        lines = [[name, *(cell(each) for each in formats.values())] for name, cell in rows]
        parts.append(table(head, lines))
    return "\n\n".join(parts)


def percent(share: float | None, decimals: int = 1) -> str:
    """A share as "98.8 %"; "-" for None."""
    return "-" if share is None else f"{100 * share:.{decimals}f} %"


def decimal(value: float | None, decimals: int = 4) -> str:
    """A number of so many decimals; "-" for None."""
    return "-" if value is None else f"{value:.{decimals}f}"
