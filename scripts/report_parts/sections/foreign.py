"""Digits of other collections: USPS and Semeion."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from digits_tf.recognition import text as text_of
from report_parts import foreign_files, readings, table
from report_parts.figures import standard_error
from report_parts.net import Net, by_net

TITLE = "USPS and Semeion"
_SIDE = 64  # pixels

_OPEN: dict[str, Callable[[Path], tuple[np.ndarray, np.ndarray]]] = {
    "USPS": foreign_files.usps,
    "Semeion": foreign_files.semeion,
}


def measure(nets: Sequence[Net], files: Mapping[str, Path], limit: int | None) -> dict[str, Any]:
    """Reads each collection's digits through `Recognizer`, as pictures of 64x64 pixels.

    Args:
        nets: what is measured.
        files: by the collection's name.
        limit: the most digits of each; None: all.

    Raises:
        DigitsError: if a file is no such collection.
    """
    section: dict[str, Any] = {}
    for name, path in files.items():
        images, labels = (each[:limit] for each in _OPEN[name](path))
        large = (cv2.resize(each, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC) for each in images)
        found = readings.read(nets, large)

        def right(net: Net, found=found, labels=labels) -> float:
            pairs = zip(found[net], labels, strict=True)
            return float(np.mean([text_of(each) == str(label) for each, label in pairs]))

        section[name] = {"n": len(labels), "right": by_net(nets, right)}
    return section


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    parts = ["Pictures of 16x16 pixels, enlarged to 64x64 and read by `Recognizer`."]
    for name, each in section.items():
        row = _row(name, each["n"])
        parts.append(table.side_by_side(each["right"], names, [row]))
    return "\n\n".join(parts)


def _row(name: str, count: int) -> table.Row:
    return (
        f"{name} ({count:,})",
        lambda share: f"{100 * share:.1f} ± {100 * standard_error(share, count):.1f} %",
    )
