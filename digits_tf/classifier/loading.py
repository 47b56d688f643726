"""Finds out what a model file is, checks it, and opens it."""

import json
from pathlib import Path

from digits_tf import storage
from digits_tf.classifier.classifier import Classifier
from digits_tf.errors import DigitsError

# As exact as the float file, and twice as fast.
SHIPPED_NAME = "digits_int8.tflite"
_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_model(name: str = SHIPPED_NAME) -> Path:
    """The .tflite file used by default.

    Looked for in tflite/ of the current folder, where `python -m digits_tf.export` writes one's
    own; then beside the package in a clone; then inside the installed package.

    Raises:
        DigitsError: if there is none.
    """
    candidates = [Path("tflite"), _PACKAGE.parent / "tflite", _PACKAGE / "shipped"]
    for folder in candidates:
        if (folder / name).is_file():
            return folder / name
    raise DigitsError(
        f"no {name} in tflite/: make one with python -m digits_tf.train and "
        "python -m digits_tf.export, or name a file with --model"
    )


def load(path: Path | str | None = None, threads: int = 1) -> Classifier:
    """Opens a trained model.

    Args:
        path: a .tflite file, float or int8; a .keras file; a SavedModel folder, with or without
            TensorFlow Serving's version folders; a run folder (its best model). None: the shipped
            .tflite file.
        threads: for LiteRT; one is the quickest for a net this small.

    Raises:
        DigitsError: if it is none of these, is damaged, or needs TensorFlow where that is missing.
    """
    path = Path(path) if path is not None else shipped_model()
    if not path.exists():
        raise DigitsError(f"{path}: no such model")
    if path.is_dir():
        if (path / "best.keras").is_file():
            path = path / "best.keras"
        elif version := _saved_model_version(path):
            from digits_tf.classifier.saved_model import SavedModelClassifier

            return SavedModelClassifier(version)
        else:
            raise DigitsError(
                f"{path}: expected a SavedModel or a run folder, found neither saved_model.pb nor "
                "best.keras"
            )
    check_digest(path)
    if path.suffix == ".tflite":
        from digits_tf.classifier.litert import LiteRTClassifier

        return LiteRTClassifier(path, threads)
    if path.suffix == ".keras":
        from digits_tf.classifier.keras_file import KerasClassifier

        return KerasClassifier(path)
    raise DigitsError(f"{path}: expected a .tflite or .keras file or a SavedModel folder")


def check_digest(path: Path) -> None:
    """Holds a file against the SHA-256 in the JSON file beside it, if there is one.

    Raises:
        DigitsError: if they differ or the JSON is damaged.
    """
    card = path.with_suffix(".json")
    if not card.is_file():
        return
    try:
        expected = json.loads(card.read_text())["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise DigitsError(f"{card}: expected JSON with a sha256 ({error})") from None
    found = storage.sha256(path)
    if found != expected:
        raise DigitsError(
            f"{path}: damaged, or not the file that {card.name} describes (expected SHA-256 "
            f"{str(expected)[:12]}…, found {found[:12]}…)"
        )


def _saved_model_version(folder: Path) -> Path | None:
    """The folder itself if it is a SavedModel, or its highest version."""
    if (folder / "saved_model.pb").is_file():
        return folder
    versions = [
        path
        for path in folder.iterdir()
        if path.name.isdecimal() and (path / "saved_model.pb").is_file()
    ]
    return max(versions, key=lambda path: int(path.name), default=None)
