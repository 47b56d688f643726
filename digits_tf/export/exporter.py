"""Exports a trained run: writes its files and compares how each reads real digits."""

import dataclasses
import datetime
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digits_tf import __version__, files, recognition, runtime
from digits_tf.data.digits import Digits
from digits_tf.data.mnist import Mnist, hold_out
from digits_tf.errors import DigitsError
from digits_tf.evaluation.score import Score
from digits_tf.export.parity import TOLERANCES, Parity

if TYPE_CHECKING:
    import keras

    from digits_tf.synthetic.canvas import Frame
    from digits_tf.training.run import Run

# The formats, in the order in which they are reported.
FORMATS = tuple(TOLERANCES)
_VERSION = "1"  # TensorFlow Serving wants a SavedModel in a folder that is named by a number
_BATCH = 10_000
# Digits, and windows of frames, that the ranges of integer activations are taken from. More digits,
# or distorted ones and background beside them, made no difference that chance does not make.
_RANGE_DIGITS, _RANGE_WINDOWS = 1000, 200
_SERVING_LAYOUT = {
    "signature": "serving_default",
    "input": {"name": "image", "dtype": "float32", "shape": [-1, 28, 28, 1], "range": [0, 255]},
    "output": {"name": "probabilities", "dtype": "float32", "shape": [-1, 10], "range": [0, 1]},
}


@dataclasses.dataclass(frozen=True)
class ExportedFile:
    """One format of an export.

    Attributes:
        kind: out of `FORMATS`.
        path: the .tflite file, or the folder that holds the SavedModel's version.
        is_written: whether it was written.
        fault: in words what is wrong with it, empty if it reads like the run's model.
        score: how it reads the test digits; None if it could not be made.
        size: bytes.
    """

    kind: str
    path: Path
    is_written: bool
    fault: str = ""
    score: Score | None = None
    size: int = 0


@dataclasses.dataclass(frozen=True)
class Exported:
    """What an export has come to.

    Attributes:
        temperature: the logits were divided by it.
        held_out: how many digits it was found on.
        files: one for each format that was asked for, in the order of `FORMATS`.
    """

    temperature: float
    held_out: int
    files: tuple[ExportedFile, ...]


def path_of(folder: Path, name: str, kind: str) -> Path:
    """Where a format lies below the folder that gets the export.

    Args:
        folder: gets the export.
        name: of the exported model.
        kind: out of `FORMATS`.
    """
    if kind == "saved_model":
        return folder / "saved_models" / name
    return folder / "tflite" / f"{name}_{kind}.tflite"


def export(
    run: "Run",
    mnist: Mnist,
    out: Path | None = None,
    name: str = "digits",
    formats: Sequence[str] = FORMATS,
    force: bool = False,
) -> Exported:
    """Exports a run.

    Each file gets a JSON file beside it. All are put in their places at the end, or none if an
    error comes before. Needs TensorFlow.

    Args:
        run: a finished run.
        mnist: the digits that it was trained on.
        out: gets saved_models/ and tflite/; None: the run's folder.
        name: of the exported model.
        formats: out of `FORMATS`.
        force: whether to write also what does not read like the run's model.

    Raises:
        DigitsError: if the run is not finished or damaged, or was trained on other digits.
        OSError: if nothing can be written.
    """
    settings = run.settings()
    run.result()  # a run that is not finished has no model that was chosen
    if not isinstance(settings["data"].get("sha256"), dict):
        raise DigitsError(f"{run.config_file}: damaged: expected the digits' sha256")
    if mnist.hashes() != settings["data"]["sha256"]:
        raise DigitsError(
            f"the digits in {mnist.train.origin} are not those that the run was trained on: name "
            "them with --data_dir"
        )
    out = run.folder if out is None else out
    files.make_folder(out)
    # Beside its destination, so that the last step is a rename.
    with tempfile.TemporaryDirectory(prefix=".export-", dir=out) as staging:
        stage = Path(staging)
        exported = _write(run.best_file, settings, mnist, stage, name, formats, force)
        _place(sorted(stage.glob("*/*")), stage, out)
    placed = (
        dataclasses.replace(each, path=path_of(out, name, each.kind)) for each in exported.files
    )
    return dataclasses.replace(exported, files=tuple(placed))


def export_detector(model_file: Path, folder: Path, frames: "Sequence[Frame]") -> Path:
    """Exports a trained detector: detector/1 (a SavedModel), detector.tflite and detector.json.

    Needs TensorFlow.

    Args:
        model_file: best.keras of a run.
        folder: gets the files.
        frames: synthetic ones, for the ranges of 8-bit activations.

    Returns:
        The .tflite file.
    """
    runtime.import_tensorflow()
    from digits_tf.detection import windows
    from digits_tf.export import serving, tflite
    from digits_tf.recognition.tensorflow_models import open_any

    files.make_folder(folder)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as staging:
        stage = Path(staging)
        model = serving.float32_copy(open_any(model_file))
        saved_model = stage / "detector" / _VERSION
        serving.save(model, saved_model, output="answer")
        pictures, _ = next(windows.batches(frames, _RANGE_WINDOWS, 1, (0,)))
        path = stage / "detector.tflite"
        path.write_bytes(tflite.convert(saved_model, tflite.DETECTOR, pictures))
        card = {"name": "detector", **_about(model), "sha256": files.sha256(path)}
        files.write_json(path.with_suffix(".json"), card)
        _place(sorted(stage.iterdir()), stage, folder)
    return folder / path.name


def representative(digits: Digits, count: int = _RANGE_DIGITS) -> NDArray[np.uint8]:
    """Digits that the ranges of integer activations are taken from.

    Args:
        digits: real training digits.
        count: how many are wanted; all, if there are fewer.

    Returns:
        uint8 (n, 28, 28, 1), spread evenly over the set, which may be sorted.
    """
    count = min(count, digits.count)
    wanted = np.arange(count) * digits.count // count
    chosen, first = [], 0
    for images, _ in digits.batches(_BATCH):
        here = (wanted >= first) & (wanted < first + len(images))
        chosen.append(images[wanted[here] - first])
        first += len(images)
    return np.concatenate(chosen)[..., None]


def _write(
    best: Path,
    settings: dict[str, Any],
    mnist: Mnist,
    stage: Path,
    name: str,
    formats: Sequence[str],
    force: bool,
) -> Exported:
    """Writes the files below `stage`."""
    runtime.import_tensorflow()
    from digits_tf.export import serving, tflite
    from digits_tf.recognition.litert import LiteRTClassifier
    from digits_tf.recognition.tensorflow_models import KerasClassifier, open_model

    model = serving.float32_copy(open_model(best))
    images, labels = _held_out(mnist)
    temperature = serving.calibrate(model, images, labels)
    parity = Parity(KerasClassifier(model), mnist.test)
    card = {**_card(name, settings, mnist, model), "temperature": round(temperature, 6)}
    saved_model = path_of(stage, name, "saved_model")
    serving.save(serving.with_softmax(model), saved_model / _VERSION)
    made = []
    if "saved_model" in formats:
        score, fault = parity.check("saved_model", recognition.load(saved_model / _VERSION))
        size = sum(path.stat().st_size for path in saved_model.rglob("*") if path.is_file())
        is_kept = force or not fault
        made.append(ExportedFile("saved_model", saved_model, is_kept, fault, score, size))
        if is_kept:
            beside = saved_model.with_name(f"{name}.json")
            files.write_json(beside, {**card, **_figures(score), **_SERVING_LAYOUT})
    ranges = representative(mnist.train)
    for kind in (kind for kind in tflite.KINDS if kind in formats):
        path = path_of(stage, name, kind)
        path.parent.mkdir(exist_ok=True)
        try:
            path.write_bytes(tflite.convert(saved_model / _VERSION, kind, ranges))
        except RuntimeError as error:
            made.append(ExportedFile(kind, path, False, " ".join(str(error).split())))
            continue
        opened = LiteRTClassifier(path)
        score, fault = parity.check(kind, opened)
        is_kept, size = force or not fault, path.stat().st_size
        made.append(ExportedFile(kind, path, is_kept, fault, score, size))
        if is_kept:
            layout = {**opened.layout(), "sha256": files.sha256(path)}
            files.write_json(path.with_suffix(".json"), {**card, **_figures(score), **layout})
        else:
            path.unlink()
    # The other formats are made of it, whether it is wanted or not.
    if not any(each.kind == "saved_model" and each.is_written for each in made):
        shutil.rmtree(saved_model.parent)
    return Exported(temperature, len(labels), tuple(made))


def _place(made: Sequence[Path], stage: Path, out: Path) -> None:
    """Moves files and folders of `stage` into `out`, each over what is there."""
    files.sync_tree(stage)
    # A kill may leave a model without its JSON, but none with another's.
    for path in sorted(made, key=lambda path: path.suffix == ".json"):
        target = out / path.relative_to(stage)
        if path.suffix == ".tflite":
            target.with_suffix(".json").unlink(missing_ok=True)
        files.replace_tree(path, target)
    for folder in {out, *(out / path.relative_to(stage).parent for path in made)}:
        files.sync(folder)


def _held_out(mnist: Mnist) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Digits that the run was not trained on, uint8 (n, 28, 28), and their labels, uint8 (n,)."""
    if mnist.held_out:
        return mnist.held_out.read()
    images, labels = mnist.train.read()
    chosen = hold_out(len(images))
    return images[chosen], labels[chosen]


def _card(
    name: str, settings: dict[str, Any], mnist: Mnist, model: "keras.Model"
) -> dict[str, Any]:
    """What holds for all files of one export."""
    return {
        "name": name,
        "labels": [str(digit) for digit in range(10)],
        "architecture": settings["model"],
        "recipe": settings["recipe"],
        "seed": settings.get("seed"),
        "data": {"sha256": settings["data"]["sha256"], "is_sample": mnist.is_sample},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        **_about(model),
    }


def _about(model: "keras.Model") -> dict[str, Any]:
    """The size of a model, and what it was exported with."""
    import keras
    import tensorflow as tf

    return {
        "parameters": int(sum(np.prod(each.shape) for each in model.trainable_variables)),
        "versions": {
            "digits_tf": __version__,
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
        },
    }


def _figures(score: Score) -> dict[str, Any]:
    return {
        "test_accuracy": score.accuracy,
        "test_digits": score.count,
        "test_mistakes": score.mistakes,
    }
