"""Exports a trained run: writes the files that read the test digits like the run's model."""

import dataclasses
import datetime
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digits_tf import __version__, files, recognition, runtime
from digits_tf.data.mnist import Mnist
from digits_tf.errors import DigitsError
from digits_tf.evaluation.score import Score
from digits_tf.export import pictures
from digits_tf.export.parity import TOLERANCES, Parity

if TYPE_CHECKING:
    import keras

    from digits_tf.training.run import Run

_VERSION = "1"  # TensorFlow Serving reads the folder with the highest version
_SERVING_LAYOUT = {
    "signature": "serving_default",
    "input": {"name": "image", "dtype": "float32", "shape": [-1, 28, 28, 1], "range": [0, 255]},
    "output": {"name": "probabilities", "dtype": "float32", "shape": [-1, 10], "range": [0, 1]},
}


@dataclasses.dataclass(frozen=True)
class Export:
    """What to export, and where to.

    Attributes:
        folder: gets saved_models/ and tflite/.
        name: how the files' names begin.
        formats: keys of `TOLERANCES`.
        force: whether to write files that do not read like the run's model, too.

    Raises:
        DigitsError: if the name has slashes, or a format is unknown.
    """

    folder: Path
    name: str = "digits"
    formats: Sequence[str] = tuple(TOLERANCES)
    force: bool = False

    def __post_init__(self) -> None:
        """Checks name and formats before anything takes time."""
        if self.name in ("", ".", "..") or any(sign in self.name for sign in "/\\"):
            raise DigitsError(f"expected a --name without slashes, found {self.name!r}")
        if not self.formats or not set(self.formats) <= set(TOLERANCES):
            raise DigitsError(
                f"expected --formats out of {','.join(TOLERANCES)}, found "
                f"{','.join(self.formats)!r}"
            )

    def path(self, kind: str) -> Path:
        """Where the file of a format lies; for saved_model, the folder of its versions."""
        if kind == "saved_model":
            return self.folder / "saved_models" / self.name
        return self.folder / "tflite" / f"{self.name}_{kind}.tflite"


def export_run(run: "Run", digits: Mnist, export: Export) -> list[str]:
    """Writes a run's model as SavedModel and TFLite files, each with a JSON file beside it.

    Standard error tells the size and accuracy of each file, and why one is not written.

    Args:
        run: a finished run.
        digits: those that the run was trained on.
        export: what to write.

    Returns:
        The formats that were written, in the order of `TOLERANCES`.

    Raises:
        DigitsError: if the run is not finished, the digits are others, or no file reads like the
            run's model.
    """
    settings = run.config()["settings"]
    run.result()  # an unfinished run has not chosen its model
    pictures.check(digits, settings)
    files.make_folder(export.folder)
    # Beside its destination, so that the last step is a rename.
    with tempfile.TemporaryDirectory(prefix=".export-", dir=export.folder) as name:
        stage = dataclasses.replace(export, folder=Path(name))
        _build(run.best_file, settings, digits, stage)
        written = [kind for kind in TOLERANCES if stage.path(kind).exists()]
        if not written:
            raise DigitsError("nothing was written: no file reads like the run's model (see above)")
        for path in sorted(stage.folder.glob("*/*")):
            if path.is_file():
                files.sync(path)
            else:
                files.sync_tree(path)
            files.replace_tree(path, export.folder / path.relative_to(stage.folder))
    files.sync(export.folder)
    return written


def _build(best: Path, settings: dict[str, Any], digits: Mnist, stage: Export) -> None:
    """Writes into the stage's folder the files that read like the Keras model."""
    runtime.import_tensorflow()
    from digits_tf.export import calibration, serving
    from digits_tf.recognition.keras_model import KerasClassifier, open_model

    model = serving.float32_copy(open_model(best))
    images, labels = pictures.held_out(digits)
    temperature = calibration.calibrate(model, images, labels)
    print(f"temperature: {temperature:.3f}, from {len(labels):,} held-out digits", file=sys.stderr)
    parity = Parity(KerasClassifier(model), digits.test)
    card = {**_card(stage.name, settings, digits, model), "temperature": round(temperature, 6)}
    # The TFLite files are made from it, whether it is wanted or not.
    saved_model = stage.path("saved_model") / _VERSION
    serving.save(serving.with_softmax(model), saved_model)
    _write_tflite(saved_model, digits, parity, card, stage)
    if "saved_model" not in stage.formats or not _keep_saved_model(
        saved_model, parity, card, stage
    ):
        shutil.rmtree(stage.folder / "saved_models")


def _write_tflite(
    saved_model: Path, digits: Mnist, parity: Parity, card: dict[str, Any], stage: Export
) -> None:
    from digits_tf.export import tflite
    from digits_tf.recognition.litert import LiteRTClassifier

    ranges = pictures.for_ranges(digits.train)
    for kind in (kind for kind in tflite.KINDS if kind in stage.formats):
        path = stage.path(kind)
        path.parent.mkdir(exist_ok=True)
        try:
            path.write_bytes(tflite.convert(saved_model, kind, ranges))
        except RuntimeError as error:
            print(f"TFLite {kind}: not written: {' '.join(str(error).split())}", file=sys.stderr)
            continue
        exported = LiteRTClassifier(path)
        score, fault = parity.check(kind, exported)
        _say(f"TFLite {kind}", score, path.stat().st_size, fault, stage.force)
        if fault and not stage.force:
            path.unlink()
            continue
        files.write_json(
            path.with_suffix(".json"),
            {**card, **_figures(score), **exported.layout(), "sha256": files.sha256(path)},
        )


def _keep_saved_model(
    saved_model: Path, parity: Parity, card: dict[str, Any], stage: Export
) -> bool:
    """Compares the SavedModel and writes its JSON file; returns whether it may be kept."""
    score, fault = parity.check("saved_model", recognition.load(saved_model))
    size = sum(path.stat().st_size for path in saved_model.rglob("*") if path.is_file())
    _say("SavedModel", score, size, fault, stage.force)
    if fault and not stage.force:
        return False
    files.write_json(
        stage.folder / "saved_models" / f"{stage.name}.json",
        {**card, **_figures(score), **_SERVING_LAYOUT},
    )
    return True


def _card(
    name: str, settings: dict[str, Any], digits: Mnist, model: "keras.Model"
) -> dict[str, Any]:
    """What the JSON files of one export have in common."""
    import keras
    import tensorflow as tf

    return {
        "name": name,
        "labels": [str(digit) for digit in range(10)],
        "architecture": settings["model"],
        "parameters": int(sum(np.prod(v.shape) for v in model.trainable_variables)),
        "recipe": settings["recipe"],
        "seed": settings["seed"],
        "data": {"sha256": settings["data"]["sha256"], "is_sample": digits.is_sample},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
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


def _say(what: str, score: Score, size: int, fault: str, force: bool) -> None:
    print(
        f"{what:<16} {size / 1e6:6.2f} MB  {score.accuracy:.2%} of {score.count:,} test digits",
        file=sys.stderr,
    )
    if fault:
        done = "written all the same" if force else "not written (--force writes it)"
        print(f"{what}: {done}: {fault}", file=sys.stderr)
