"""Whether digits read with a confidence of 90 % are right nine times in ten."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from report_parts import table
from report_parts.figures import BINS, calibration
from report_parts.net import Net, by_net
from report_parts.readings import Readings
from report_parts.sections import photographs

TITLE = "Calibration"
PICTURE = "reliability.png"


def measure(nets: Sequence[Net], labels: np.ndarray, read: Mapping[Net, np.ndarray]) -> dict:
    """On MNIST's test digits.

    Args:
        nets: what is measured.
        labels: integers (n,).
        read: each net's probabilities, float32 (n, 10).
    """
    return by_net(
        nets,
        lambda net: calibration(read[net].max(axis=1), read[net].argmax(axis=1) == labels),
    )


def measure_photographs(
    nets: Sequence[Net], lists: dict[str, Any], found: Mapping[str, Readings]
) -> dict:
    """On photographs, see `photographs.find` and `photographs.read`."""

    def figures(net: Net) -> dict[str, Any]:
        of_net = {words: read[net] for words, read in found.items()}
        sure, right, left_out = photographs.confidences(lists, of_net)
        return {**calibration(np.array(sure), np.array(right)), "left_out": left_out}

    return by_net(nets, figures)


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    parts = [
        f"The expected calibration error in {BINS} bins of equal width "
        "([Guo et al. 2017](https://arxiv.org/abs/1706.04599)): the mean gap between a reading's "
        "confidence, which is the likeliest digit's probability, and the share read right."
    ]
    for words, figures in section.items():
        rows: list[table.Row] = [("ECE", lambda each: table.decimal(each["ece"]))]
        rows += [("digits", lambda each: f"{each['n']:,}")]
        if words == "photographs":
            rows += [("photographs left out", lambda each: str(each["left_out"]))]
            words += ", those on which as many digits are found as are written"
        parts += [f"On {words}:", table.side_by_side(figures, names, rows)]
    parts.append("A dot's area says how many readings it stands for; small dots scatter.")
    return "\n\n".join([*parts, f"![Share read right by confidence]({PICTURE})"])
