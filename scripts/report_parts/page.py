"""The page: all sections in Markdown."""

from typing import Any

from report_parts import table
from report_parts.sections import (
    calibration,
    corruptions,
    detection,
    foreign,
    mnist,
    photographs,
    rejection,
    seed,
)

# By their names in the results, in the page's order.
SECTIONS = {
    "mnist": mnist,
    "detection": detection,
    "seed": seed,
    "photographs": photographs,
    "corruptions": corruptions,
    "rejection": rejection,
    "calibration": calibration,
    "foreign": foreign,
}


def page(results: dict[str, Any]) -> str:
    """Writes the page.

    Args:
        results: "models" (of each its name, parameters, seed, date and the digits it was trained
            for), "formats" (their names by their keys), "machine", "versions", "date", "load",
            "seconds", "command", and by keys of `SECTIONS` what its module measured; what is
            missing has no section.

    Returns:
        Markdown; its pictures are beside it.
    """
    parts = [
        "# The shipped models, measured",
        _models(results["models"]),
        _circumstances(results),
    ]
    for key, section in SECTIONS.items():
        if figures := results.get(key):
            parts += [f"## {section.TITLE}", section.text(figures, results["formats"])]
    return "\n\n".join(parts) + "\n"


def _models(models: dict[str, Any]) -> str:
    rows = [
        [
            f"**{name}**",
            str(each["architecture"]),
            f"{each['parameters']:,}",
            "yes" if each["classes"] > 10 else "no",
            str(each["seed"]),
            str(each["date"]),
        ]
        for name, each in models.items()
    ]
    head = ["model", "architecture", "parameters", 'class "not a digit"', "seed", "trained"]
    return table.table(head, rows)


def _circumstances(results: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    limited = results.get("limit")
    few = f" **Only {limited} pictures of each kind were read: a trial.**" if limited else ""
    load = results["load"]
    load = "" if load is None else f" The machine's load was {load:.1f} when it began."
    return (
        f"Made by `{results['command']}` on {results['date']} in {results['seconds'] / 60:.1f} "
        f"minutes, on {results['machine']}; {versions}.{load}{few} "
        "All figures are in [report.json](report.json)."
    )
