"""A shipped model in one of its formats, and how it reads MNIST's test digits."""

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digits_tf import recognition
from digits_tf.detection.detector import Detector
from digits_tf.errors import DigitsError
from digits_tf.recognition import Recognizer
from digits_tf.recognition.classifier import CLASSES, Classifier
from report_parts import figures

# In the order of the tables' columns, with the words above them.
FORMATS = {
    "saved_model": "SavedModel",
    "float32": "TFLite float32",
    "float16": "TFLite float16",
    "int8": "TFLite int8",
    "mixed": "TFLite mixed",
}
RELIABILITY = "reliability.png"
_BATCH = 500
_WARM_UP, _CALLS = 20, 300


@dataclasses.dataclass(frozen=True, eq=False)
class Model:
    """A model in one format.

    Attributes:
        name: tiny or resnet.
        format: a key of `FORMATS`.
        path: the file or folder that it was read from.
        classifier: reads crops.
        recognizer: reads frames with it.
    """

    name: str
    format: str
    path: Path
    classifier: Classifier
    recognizer: Recognizer

    def read(self, images: np.ndarray) -> np.ndarray:
        """The digits' probabilities, float32 (n, 10), of crops, uint8 (n, 28, 28)."""
        parts = [
            self.classifier.probabilities(images[start : start + _BATCH])
            for start in range(0, len(images), _BATCH)
        ]
        return np.concatenate([np.zeros((0, CLASSES), np.float32), *parts])


def load(name: str, format: str, folder: Path, detector: Detector) -> Model:
    """Opens a model in one of its formats.

    Args:
        name: as in saved_models/NAME.json.
        format: a key of `FORMATS`.
        folder: holds tflite/ and saved_models/, as `python -m digits_tf.export` writes them.
        detector: finds digits for it.

    Raises:
        DigitsError: if a file is missing or damaged.
    """
    path = folder / "tflite" / f"{name}_{format}.tflite"
    if format == "saved_model":
        path = folder / "saved_models" / name / "1"
    reader = recognition.load(path)
    return Model(name, format, path, reader, Recognizer(reader, detector=detector))


def summary(name: str, folder: Path) -> dict[str, Any]:
    """What the JSON beside a SavedModel says: "architecture", "parameters", "seed", "date".

    Raises:
        DigitsError: if there is none, or it names no architecture.
    """
    path = folder / "saved_models" / f"{name}.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        architecture = card["architecture"].get("name", "resnet")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DigitsError(
            f'{path}: expected a JSON file with "architecture": name a model with --models'
        ) from None
    return {
        "architecture": architecture,
        **{key: card.get(key) for key in ("parameters", "seed", "date")},
    }


def by_model(models: Sequence[Model], measured: Callable[[Model], Any]) -> figures.Figures:
    """Figures of every model, by its name and the format."""
    found: figures.Figures = {}
    for model in models:
        found.setdefault(model.name, {})[model.format] = measured(model)
    return found


def measure(
    models: Sequence[Model],
    images: np.ndarray,
    labels: np.ndarray,
    read: Mapping[Model, np.ndarray],
) -> dict[str, Any]:
    """Counts mistakes on MNIST's test digits and times single digits.

    Args:
        models: what is measured.
        images: uint8 (n, 28, 28).
        labels: integers (n,).
        read: each model's probabilities of the images, float32 (n, 10).
    """

    def measured(model: Model) -> dict[str, Any]:
        right = read[model].argmax(axis=1) == labels
        accuracy = float(right.mean())
        return {
            "accuracy": accuracy,
            "standard_error": figures.standard_error(accuracy, len(labels)),
            "mistakes": int((~right).sum()),
            "bytes": _bytes(model.path),
            "ms": _milliseconds(model, images) if model.path.suffix == ".tflite" else None,
            "calibration": figures.calibration(read[model].max(axis=1), right),
        }

    return {"n": len(labels), "figures": by_model(models, measured)}


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    rows: list[figures.Row] = [
        (
            "accuracy ± standard error",
            lambda each: f"{100 * each['accuracy']:.2f} ± {100 * each['standard_error']:.2f} %",
        ),
        ("mistakes", lambda each: f"{each['mistakes']:,}"),
        ("ECE", lambda each: figures.decimal(each["calibration"]["ece"])),
        ("size", lambda each: f"{each['bytes'] / 1e6:.2f} MB"),
        ("ms a digit", lambda each: figures.decimal(each["ms"], 3)),
    ]
    return (
        f"{section['n']:,} digits. Milliseconds are the median of {_CALLS} calls with one digit "
        "each, in one thread.\n\n" + figures.side_by_side(section["figures"], names, rows) + "\n\n"
        f"ECE is the expected calibration error in {figures.BINS} bins of equal width "
        "([Guo et al. 2017](https://arxiv.org/abs/1706.04599)): the mean gap between a reading's "
        "confidence, which is the likeliest digit's probability, and the share read right. A dot's "
        "area says how many readings it stands for.\n\n"
        f"![Share read right by confidence]({RELIABILITY})"
    )


def _bytes(path: Path) -> int:
    files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    return sum(each.stat().st_size for each in files)


def _milliseconds(model: Model, images: np.ndarray) -> float:
    times = []
    for call in range(_WARM_UP + _CALLS):
        image = images[call % len(images)][None]
        start = time.perf_counter()
        model.classifier.probabilities(image)
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times[_WARM_UP:]))
