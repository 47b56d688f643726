"""Exports a trained run as SavedModel and TFLite, after comparing each file on real digits.

    python -m digits_tf.export
    python -m digits_tf.export runs/run-001 --out=FOLDER

Writes saved_models/digits/1 (for TensorFlow Serving) and tflite/digits_float32.tflite, _float16,
_int8 and _mixed, each with a JSON file beside it. Nothing is written unless every file reads the
test digits like the Keras model.
"""

import datetime
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from digits_tf import __version__, backend, classifier, command, storage
from digits_tf.classifier.loading import OWN
from digits_tf.data import flags as data_flags
from digits_tf.data.mnist import Mnist
from digits_tf.errors import DigitsError
from digits_tf.evaluate.score import Score
from digits_tf.export import pictures

_OUT = flags.DEFINE_string("out", ".", "Folder that gets saved_models/ and tflite/.")
_NAME = flags.DEFINE_string("name", OWN, "Name of the exported model.")
flags.adopt_module_key_flags(data_flags)

_VERSION = "1"
_SERVING_LAYOUT = {
    "signature": "serving_default",
    "input": {"name": "image", "dtype": "float32", "shape": [-1, 28, 28, 1], "range": [0, 255]},
    "output": {"name": "probabilities", "dtype": "float32", "shape": [-1, 10], "range": [0, 1]},
}


def main(words: Sequence[str]) -> None:
    """Exports, compares, and puts the files in their places."""
    from digits_tf.train.run import Run, newest_folder

    folder = Path(words[0]) if words else newest_folder(Path("runs"))
    if folder is None:
        raise DigitsError("no run in runs/: train one first with python -m digits_tf.train")
    if not folder.is_dir():
        raise DigitsError(f"{folder}: expected a run folder")
    if not _NAME.value or any(sign in _NAME.value for sign in "/\\"):
        raise DigitsError(f"expected a --name without slashes, found {_NAME.value!r}")
    run = Run(folder)
    settings = run.config()["settings"]
    run.result()  # a run that is not finished has no model that was chosen
    mnist = pictures.of_run(settings)
    out = Path(_OUT.value)
    storage.make_folder(out)
    # Beside its destination, so that the last step is a rename.
    with tempfile.TemporaryDirectory(prefix=".export-", dir=out) as name:
        stage = Path(name)
        _build(run.best_file, settings, mnist, stage)
        for path in sorted(stage.glob("*/*")):
            if path.is_file():
                storage.sync(path)
            else:
                storage.sync_tree(path)
            storage.replace_tree(path, out / path.relative_to(stage))
    storage.sync(out)


def _build(best: Path, settings: dict[str, Any], mnist: Mnist, stage: Path) -> None:
    """Writes and checks everything below `stage`.

    Raises:
        DigitsError: if a conversion fails or a file reads otherwise than the Keras model.
    """
    backend.import_tensorflow()
    from digits_tf.classifier.keras_file import KerasClassifier, open_model
    from digits_tf.classifier.litert import LiteRTClassifier
    from digits_tf.export import calibration, serving, tflite
    from digits_tf.export.parity import Parity

    model = serving.float32_copy(open_model(best))
    images, labels = pictures.held_out(mnist)
    temperature = calibration.calibrate(model, images, labels)
    print(f"temperature: {temperature:.3f}, from {len(labels):,} held-out digits", file=sys.stderr)
    parity = Parity(KerasClassifier(model), mnist.test)
    card = {**_card(settings, mnist, model), "temperature": round(temperature, 6)}
    served = serving.with_softmax(model)
    saved_model = stage / "saved_models" / _NAME.value / _VERSION
    serving.save(served, saved_model)
    score = parity.check("saved_model", classifier.load(saved_model))
    _say("SavedModel", score, sum(p.stat().st_size for p in saved_model.rglob("*") if p.is_file()))
    storage.write_json(
        stage / "saved_models" / f"{_NAME.value}.json",
        {**card, **_figures(score), **_SERVING_LAYOUT},
    )
    ranges = pictures.for_ranges(mnist.train)
    for kind in tflite.KINDS:
        path = stage / "tflite" / f"{_NAME.value}_{kind}.tflite"
        path.parent.mkdir(exist_ok=True)
        try:
            path.write_bytes(tflite.convert(saved_model, kind, ranges))
        except RuntimeError as error:
            raise DigitsError(f"{error}; nothing was written") from None
        exported = LiteRTClassifier(path)
        score = parity.check(kind, exported)
        _say(f"TFLite {kind}", score, path.stat().st_size)
        storage.write_json(
            path.with_suffix(".json"),
            {**card, **_figures(score), **exported.layout(), "sha256": storage.sha256(path)},
        )


def _card(settings: dict[str, Any], mnist: Mnist, model: Any) -> dict[str, Any]:
    """What holds for all files of one export."""
    import keras
    import tensorflow as tf

    return {
        "name": _NAME.value,
        "labels": [str(digit) for digit in range(10)],
        "architecture": settings["model"],
        "parameters": int(sum(np.prod(v.shape) for v in model.trainable_variables)),
        "recipe": settings["recipe"],
        "seed": settings["seed"],
        "data": {"sha256": settings["data"]["sha256"], "is_sample": mnist.is_sample},
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


def _say(kind: str, score: Score, size: int) -> None:
    print(
        f"{kind:<16} {size / 1e6:6.2f} MB  {score.accuracy:.2%} of {score.count:,} test digits",
        file=sys.stderr,
    )


if __name__ == "__main__":
    command.run(main, __doc__, positional=(0, 1))
