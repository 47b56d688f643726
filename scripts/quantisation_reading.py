"""What the forms of a network read, beside its floats."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from report_parts import corruptions
from report_parts.figures import auroc, calibration

from digits_tf.recognition.classifier import THRESHOLD
from digits_tf.recognition.litert import LiteRTClassifier
from digits_tf.synthetic.background import background_crops

# So many of the held-out digits are corrupted, each in 24 ways: with activations of 16 bits, a
# digit takes 7 ms.
_CORRUPTED = 500
_OTHERS = 1000
# Training's others have another one.
_SEED = 9
_BATCH = 250


class Pictures(NamedTuple):
    """What is read.

    Attributes:
        digits: held-out digits, uint8 (n, 28, 28).
        labels: theirs, integers (n,).
        corrupted: the same m of these in each of 24 ways, uint8 (24 * m, 28, 28).
        corrupted_labels: integers (24 * m,).
        others: what is no digit, uint8 (k, 28, 28).
    """

    digits: np.ndarray
    labels: np.ndarray
    corrupted: np.ndarray
    corrupted_labels: np.ndarray
    others: np.ndarray


def pictures(digits: np.ndarray, labels: np.ndarray) -> Pictures:
    """Makes of held-out digits all that is read.

    Args:
        digits: uint8 (n, 28, 28).
        labels: integers (n,).
    """
    few = np.sort(np.random.default_rng(0).permutation(len(digits))[:_CORRUPTED])
    ways = [
        corruptions.corrupt(kind, digits[few], strength)
        for kind in corruptions.KINDS
        for strength in corruptions.STRENGTHS
    ]
    others = background_crops(digits, labels, min(_OTHERS, len(digits)), _SEED)
    corrupted_labels = np.tile(labels[few], len(ways))
    return Pictures(digits, labels, np.concatenate(ways), corrupted_labels, others)


def compared(files: Mapping[str, Path], read: Pictures) -> dict[str, dict[str, Any]]:
    """Figures of each file.

    Args:
        files: "float32" and others, by their kinds.
        read: what they are asked.

    Returns:
        By the kind: "accuracy" and "ece" on the digits; "agreement" with float32 in what they are
        and "difference", the greatest of a probability; "corrupted", the accuracy on these, and
        "corrupted_labelled", the share that gets its label, which takes a probability above 0.5;
        "rejected", the share of the others that gets none, and "auroc", digits against others.
    """
    original = _read(files["float32"], read.digits)
    return {kind: _figures(path, read, original) for kind, path in files.items()}


def _figures(path: Path, read: Pictures, original: np.ndarray) -> dict[str, Any]:
    found = _read(path, read.digits)
    corrupted = _read(path, read.corrupted)
    others = _read(path, read.others).max(axis=1)
    right = found.argmax(axis=1) == read.labels
    corrupted_right = corrupted.argmax(axis=1) == read.corrupted_labels
    labelled = corrupted.max(axis=1) > THRESHOLD
    return {
        "accuracy": float(right.mean()),
        "ece": calibration(found.max(axis=1), right)["ece"],
        "agreement": float((found.argmax(axis=1) == original.argmax(axis=1)).mean()),
        "difference": float(np.abs(found - original).max()),
        "corrupted": float(corrupted_right.mean()),
        "corrupted_labelled": float((corrupted_right & labelled).mean()),
        "rejected": float((others <= THRESHOLD).mean()),
        "auroc": auroc(found.max(axis=1), others),
    }


def _read(path: Path, images: np.ndarray) -> np.ndarray:
    """Probabilities, float32 (n, 10), of uint8 (n, 28, 28)."""
    model = LiteRTClassifier(path)
    starts = range(0, len(images), _BATCH)
    return np.concatenate([model.probabilities(images[at : at + _BATCH]) for at in starts])
