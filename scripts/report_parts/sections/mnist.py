"""MNIST's test digits: accuracy, calibration, size and speed."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from report_parts import table
from report_parts.figures import calibration, standard_error
from report_parts.net import Net, by_net

TITLE = "MNIST's test digits"
_WARM_UP, _CALLS = 20, 300


def measure(
    nets: Sequence[Net], images: np.ndarray, labels: np.ndarray, read: Mapping[Net, np.ndarray]
) -> dict[str, Any]:
    """Counts mistakes and times single digits.

    Args:
        nets: what is measured.
        images: uint8 (n, 28, 28).
        labels: integers (n,).
        read: each net's probabilities of the images, float32 (n, 10).
    """

    def figures(net: Net) -> dict[str, Any]:
        right = read[net].argmax(axis=1) == labels
        accuracy = float(right.mean())
        return {
            "accuracy": accuracy,
            "standard_error": standard_error(accuracy, len(labels)),
            "mistakes": int((~right).sum()),
            "ece": calibration(read[net].max(axis=1), right)["ece"],
            # The Keras model is made of the SavedModel and has no file of its own.
            "bytes": None if net.kind == "keras" else _bytes(net.path),
            "ms": _milliseconds(net, images) if net.path.suffix == ".tflite" else None,
        }

    return {"n": len(labels), "figures": by_net(nets, figures)}


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    rows: list[table.Row] = [
        (
            "accuracy ± standard error",
            lambda each: f"{100 * each['accuracy']:.2f} ± {100 * each['standard_error']:.2f} %",
        ),
        ("mistakes", lambda each: f"{each['mistakes']:,}"),
        ("ECE", lambda each: table.decimal(each["ece"])),
        ("size", lambda each: f"{each['bytes'] / 1e6:.2f} MB" if each["bytes"] else "-"),
        ("ms a digit", lambda each: table.decimal(each["ms"], 3)),
    ]
    return (
        f"{section['n']:,} digits. ECE is the expected calibration error, see Calibration. "
        f"Milliseconds are the median of {_CALLS} calls with one digit each, in one thread. The "
        "Keras model is rebuilt from the SavedModel's weights.\n\n"
        + table.side_by_side(section["figures"], names, rows)
    )


def _bytes(path: Path) -> int:
    files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    return sum(each.stat().st_size for each in files)


def _milliseconds(net: Net, images: np.ndarray) -> float:
    times = []
    for call in range(_WARM_UP + _CALLS):
        image = images[call % len(images)][None]
        start = time.perf_counter()
        net.classifier.probabilities(image)
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times[_WARM_UP:]))
