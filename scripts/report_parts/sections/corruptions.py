"""How much is read of digits under noise, blur, fog and so on."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from report_parts import corruptions, table
from report_parts.figures import standard_error
from report_parts.net import Net, by_net

TITLE = "Corruptions"
PICTURE = "corruptions.png"


def measure(nets: Sequence[Net], images: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Accuracy for each kind and strength.

    Args:
        nets: what is measured.
        images: uint8 (n, 28, 28), test digits.
        labels: integers (n,).
    """
    right: dict[Net, dict[str, list[float]]] = {net: {} for net in nets}
    for kind in corruptions.KINDS:
        for strength in corruptions.STRENGTHS:
            spoilt = corruptions.corrupt(kind, images, strength)
            for net in nets:
                share = float((net.read(spoilt).argmax(axis=1) == labels).mean())
                right[net].setdefault(kind, []).append(share)

    def figures(net: Net) -> dict[str, Any]:
        clean = float((net.read(images).argmax(axis=1) == labels).mean())
        mean = float(np.mean(list(right[net].values())))
        return {"none": clean, "mean": mean, "kinds": right[net]}

    return {"n": len(labels), "figures": by_net(nets, figures)}


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    rows: list[table.Row] = [
        ("none", lambda each: table.percent(each["none"])),
        *(_row(kind) for kind in corruptions.KINDS),
        ("mean of the 24", lambda each: f"**{table.percent(each['mean'])}**"),
    ]
    most = 100 * standard_error(0.5, section["n"])
    return (
        f"Accuracy in % at the strengths 1 / 2 / 3, on {section['n']:,} MNIST test digits "
        f"(standard error at most {most:.1f}). After the example of "
        "[MNIST-C](https://arxiv.org/abs/1906.02337); code and strengths are the project's own. "
        "Training turns, bends, blurs and specks digits too, with other code.\n\n"
        f"![Each kind at its three strengths]({PICTURE})\n\n"
        + table.side_by_side(section["figures"], names, rows)
    )


def _row(kind: str) -> table.Row:
    return kind, lambda each: " / ".join(f"{100 * share:.1f}" for share in each["kinds"][kind])
