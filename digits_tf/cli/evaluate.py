"""Measures a model on labelled digits.

    python -m digits_tf.evaluate
    python -m digits_tf.evaluate --images FILE --labels FILE --model runs/run-001
    python -m digits_tf.evaluate FOLDER --json

FOLDER holds 28x28 pictures whose names begin with their digit, light on dark or dark on light.
Without files or a folder, the model reads MNIST's test set (from --data_dir, or fetched). A .tflite
model needs no TensorFlow.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from numpy.typing import NDArray

from digits_tf import plots, recognition, runtime
from digits_tf.cli import data_flags, reading_flags
from digits_tf.data.digits import Digits, IdxDigits, open_pair, open_pictures
from digits_tf.errors import DigitsError
from digits_tf.evaluation.score import Score, score
from digits_tf.recognition import Classifier

_IMAGES = flags.DEFINE_string("images", None, "An idx file of 28x28 pictures, raw or .gz.")
_LABELS = flags.DEFINE_string("labels", None, "An idx file with a label for each picture.")
_TRANSPOSED = flags.DEFINE_boolean(
    "transposed",
    None,
    "Whether rows and columns are swapped in the image file. Default: if its name says EMNIST.",
)
_JSON = flags.DEFINE_boolean("json", False, "Print one JSON object instead of tables.")
_CONFUSION = flags.DEFINE_string("confusion", None, "Draw the confusion matrix into this PNG file.")
_MISTAKES = flags.DEFINE_string("mistakes", None, "Draw the misread digits into this PNG file.")
_BATCH = flags.DEFINE_integer("batch_size", 250, "Digits to read at a time.", lower_bound=1)

for _name in ("data_dir", "sample", "model", "threads"):
    flags.declare_key_flag(_name)

# Below this accuracy, the file may be EMNIST's under another name.
_DOUBTFUL = 0.6

POSITIONAL = (0, 1)


def main(words: Sequence[str]) -> None:
    """Reads the digits and prints how well."""
    drawings = _path(_CONFUSION.value), _path(_MISTAKES.value)
    if any(drawings):
        # Before the digits are read: matplotlib may be missing.
        plots.import_figure()
    digits = _digits(words)
    path = recognition.find(reading_flags.MODEL.value)
    model = recognition.load(path, reading_flags.THREADS.value)
    start = time.perf_counter()
    result = score(model.probabilities, _with_bar(digits))
    seconds = time.perf_counter() - start
    if any(drawings):
        plots.draw(result, *drawings)
    if _JSON.value:
        figures = {
            "model": str(path),
            "digits_from": digits.origin,
            **result.as_dict(),
            "ms_per_digit": 1000 * seconds / result.count,
        }
        print(json.dumps(figures))
    else:
        _print(result, path, digits, seconds)
    if result.accuracy < _DOUBTFUL and isinstance(digits, IdxDigits) and not digits.transposed:
        _hint_transposed(model, digits)


def _digits(words: Sequence[str]) -> Digits:
    images, labels = _IMAGES.value, _LABELS.value
    if words and (images or labels):
        raise DigitsError("expected either a folder or --images and --labels, found both")
    if images and labels:
        return open_pair(images, labels, _TRANSPOSED.value)
    if images or labels:
        raise DigitsError("--images and --labels go together: give both")
    if not words:
        return data_flags.find(data_flags.selection()).test
    folder = Path(words[0])
    if not folder.exists():
        raise DigitsError(f"{folder}: no such folder")
    if not folder.is_dir():
        raise DigitsError(
            f"{folder}: expected a folder of pictures, found a file (idx: --images, --labels)"
        )
    return open_pictures(folder)


def _with_bar(digits: Digits) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    with runtime.bar(digits.count, "reading", "digit") as bar:
        for images, labels in digits.batches(_BATCH.value):
            yield images, labels
            bar.update(len(images))


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None


def _print(result: Score, path: Path, digits: Digits, seconds: float) -> None:
    print(f"model: {path}\ndigits: {result.count:,} from {digits.origin}")
    print(
        f"accuracy: {result.accuracy:.2%} ({result.mistakes:,} misread), "
        f"{1000 * seconds / result.count:.2f} ms a digit\n"
    )
    print("digit      n  recall precision")
    rows: list[dict[str, Any]] = result.as_dict()["digits"]
    for row in rows:
        recall, precision = (_percent(row[key]) for key in ("recall", "precision"))
        print(f"{row['digit']:>5} {row['n']:>6,} {recall:>7} {precision:>9}")
    width = max(5, len(f"{result.confusion.max():,}") + 1)
    print("\ntrue \\ read" + "".join(f"{digit:>{width}}" for digit in range(10)))
    for digit, counts in enumerate(result.confusion):
        print(f"{digit:>11}" + "".join(f"{count or '.':>{width}}" for count in counts))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def _hint_transposed(model: Classifier, digits: IdxDigits) -> None:
    images, labels = next(digits.batches(500))
    as_stored = model.probabilities(images).argmax(axis=1)
    swapped = model.probabilities(images.transpose(0, 2, 1)).argmax(axis=1)
    if np.mean(swapped == labels) > np.mean(as_stored == labels) + 0.2:
        print(
            "hint: these digits read better with rows and columns swapped, as EMNIST stores them: "
            "add --transposed",
            file=sys.stderr,
        )
