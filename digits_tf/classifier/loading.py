"""Finds out what a model file is, checks it, and opens it."""

import json
from pathlib import Path

from digits_tf import storage
from digits_tf.classifier.classifier import Classifier
from digits_tf.errors import DigitsError

# The models that come with the repository, the default first; each in the four kinds of
# `digits_tf.export.tflite.KINDS`.
SHIPPED = ("tiny", "resnet")
# What `python -m digits_tf.export` calls one's own.
OWN = "digits"
# As exact as the float file, and twice as fast.
_KIND = "mixed"
_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_model(name: str | None = None, kind: str = _KIND) -> Path:
    """The .tflite file of a name.

    Looked for in tflite/ of the current folder, where `python -m digits_tf.export` writes one's
    own; then beside the package in a clone; then inside the installed package.

    Args:
        name: "tiny", "resnet" or that of an export of one's own. None: one's own in the current
            folder if there is one, else "tiny".
        kind: float32, float16, int8 or mixed.

    Raises:
        DigitsError: if there is none.
    """
    here = Path("tflite")
    # Who exported before there was this kind has the others, and wants one's own.
    kinds = (kind, "int8") if kind == _KIND else (kind,)
    for each in kinds:
        if name is None and (own := here / f"{OWN}_{each}.tflite").is_file():
            return own
    file = f"{name or SHIPPED[0]}_{kind}.tflite"
    try:
        return shipped_file(file)
    except FileNotFoundError:
        raise DigitsError(
            f"no {file} in tflite/: make one with python -m digits_tf.train and "
            "python -m digits_tf.export, or name a file with --model"
        ) from None


def shipped_file(file: str) -> Path:
    """A file in tflite/ of the current folder, of the clone, or of the installed package.

    Raises:
        FileNotFoundError: if there is none.
    """
    for folder in (Path("tflite"), _PACKAGE.parent / "tflite", _PACKAGE / "shipped"):
        if (folder / file).is_file():
            return folder / file
    raise FileNotFoundError(file)


def load(path: Path | str | None = None, threads: int = 1) -> Classifier:
    """Opens a trained model.

    Args:
        path: a .tflite file, float or int8; a .keras file; a SavedModel folder, with or without
            TensorFlow Serving's version folders; a run folder (its best model); or the name of a
            shipped model, "tiny" or "resnet". None: see `shipped_model`.
        threads: for LiteRT; one is the quickest for a net this small.

    Raises:
        DigitsError: if it is none of these, is damaged, or needs TensorFlow where that is missing.
    """
    path = find(path)
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
        from digits_tf.classifier.keras_file import KerasClassifier, open_model

        return KerasClassifier(open_model(path))
    raise DigitsError(f"{path}: expected a .tflite or .keras file or a SavedModel folder")


def find(path: Path | str | None) -> Path:
    """The file or folder that is meant, see `load`; it need not be there."""
    if path is None:
        return shipped_model()
    if str(path) in SHIPPED and not Path(path).exists():
        return shipped_model(str(path))
    return Path(path)


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
