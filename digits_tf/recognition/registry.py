"""Finds out what a model file is, checks it, and opens it."""

from pathlib import Path
from typing import Any

from digits_tf.errors import DigitsError
from digits_tf.files import read_json
from digits_tf.litert import check_file, shipped_file
from digits_tf.recognition.classifier import Classifier

# The models that come with the repository, the default first; each in the four kinds of
# `digits_tf.export.tflite.KINDS`.
SHIPPED = ("tiny", "resnet")
# As exact as the float file, and twice as fast.
_KIND = "mixed"


def shipped_model(name: str = SHIPPED[0], kind: str = _KIND) -> Path:
    """The .tflite file of a shipped model.

    Args:
        name: "tiny" or "resnet".
        kind: float32, float16, int8 or mixed; an installed package has the last alone.

    Raises:
        DigitsError: if there is none.
    """
    file = f"{name}_{kind}.tflite"
    try:
        return shipped_file(file)
    except FileNotFoundError:
        raise DigitsError(
            f"{file} is missing beside the package: install digits_tf anew, or name a model with "
            "--model"
        ) from None


def shipped_saved_model(name: str) -> Path:
    """The SavedModel of a shipped model, in a folder with its versions and its JSON beside it.

    Raises:
        DigitsError: if it is not there: an installed package has that of tiny alone.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "shipped", package.parent / "saved_models"):
        if (folder / name / "1" / "saved_model.pb").is_file():
            return folder / name
    raise DigitsError(f"the SavedModel of {name} is in the clone alone: git clone it, or take tiny")


def load(path: Path | str | None = None, threads: int = 1) -> Classifier:
    """Opens a trained model.

    Args:
        path: a .tflite file, float or int8; a .keras file; a SavedModel folder, with or without
            TensorFlow Serving's version folders; a run folder (its best model); or the name of a
            shipped model, "tiny" or "resnet" (a folder of that name: "./tiny"). None: "tiny".
            Whether it gives logits or probabilities, the JSON beside it says ("output": {"name":
            "logits"}), else its last layers: probabilities come out of a softmax or a sigmoid.
        threads: for LiteRT; one is the quickest for a net this small.

    Raises:
        DigitsError: if it is none of these, is damaged, or needs TensorFlow where that is missing.
    """
    path = resolve(path)
    if path.is_dir():
        from digits_tf.recognition.tensorflow_models import SavedModelClassifier

        return SavedModelClassifier(path, _gives_logits(_serving_card(path)))
    logits = _gives_logits(check_file(path))
    if path.suffix == ".tflite":
        from digits_tf.recognition.litert import LiteRTClassifier

        return LiteRTClassifier(path, threads, logits=logits)
    if path.suffix == ".keras":
        from digits_tf.recognition.tensorflow_models import KerasClassifier, open_model

        return KerasClassifier(open_model(path), logits)
    raise DigitsError(f"{path}: expected a .tflite or .keras file or a SavedModel folder")


def find(path: Path | str | None) -> Path:
    """The file or folder that is meant, see `load`; it need not be there."""
    if path is None:
        return shipped_model()
    if isinstance(path, str) and path in SHIPPED:
        return shipped_model(path)
    return Path(path)


def resolve(path: Path | str | None) -> Path:
    """The file, or the folder of a SavedModel's version, that `load` opens.

    Raises:
        DigitsError: if there is none.
    """
    path = find(path)
    if not path.exists():
        raise DigitsError(f"{path}: no such model")
    if not path.is_dir():
        return path
    if (path / "best.keras").is_file():
        return path / "best.keras"
    if version := _saved_model_version(path):
        return version
    raise DigitsError(
        f"{path}: expected a SavedModel or a run folder, found neither saved_model.pb nor "
        "best.keras"
    )


def _serving_card(version: Path) -> dict[str, Any]:
    """The JSON beside a SavedModel, or beside the folder of its versions; nothing without one."""
    folder = version.resolve()
    if folder.name.isdecimal():
        folder = folder.parent
    beside = folder.with_name(f"{folder.name}.json")
    return read_json(beside) if beside.is_file() else {}


def _gives_logits(card: dict[str, Any]) -> bool | None:
    """What a model gives, by the JSON beside it; None if that does not say."""
    output = card.get("output")
    name = output.get("name") if isinstance(output, dict) else None
    return name == "logits" if name in ("logits", "probabilities") else None


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
