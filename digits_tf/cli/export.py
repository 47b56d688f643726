"""Exports a trained run as SavedModel and TFLite, after comparing each file on real digits.

    python -m digits_tf.export
    python -m digits_tf.export runs/run-001 --out=FOLDER
    python -m digits_tf.export runs/run-001 --formats=saved_model,mixed

Writes saved_models/digits/1 (for TensorFlow Serving) and tflite/digits_float32.tflite, _float16,
_int8 and _mixed into the run folder, each with a JSON file beside it. A file that does not read the
test digits like the run's model is not written unless you add --force; the exit code is then 1.
"""

import datetime
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from absl import flags

from digits_tf import __version__, files, recognition, runtime
from digits_tf.cli import command
from digits_tf.cli import data_flags as data_flags
from digits_tf.data.mnist import Mnist
from digits_tf.errors import DigitsError
from digits_tf.evaluation.score import Score
from digits_tf.export import pictures
from digits_tf.export.parity import TOLERANCES, Parity

_OUT = flags.DEFINE_string(
    "out", None, "Folder that gets saved_models/ and tflite/; default: the run folder."
)
_NAME = flags.DEFINE_string("name", "digits", "Name of the exported model.")
_FORMATS = flags.DEFINE_list("formats", list(TOLERANCES), "Which files to write.")
_FORCE = flags.DEFINE_boolean("force", False, "Write also what reads worse than the run's model.")
flags.adopt_module_key_flags(data_flags)

_EXIT_SOME_FAILED = 1
_VERSION = "1"
_SERVING_LAYOUT = {
    "signature": "serving_default",
    "input": {"name": "image", "dtype": "float32", "shape": [-1, 28, 28, 1], "range": [0, 255]},
    "output": {"name": "probabilities", "dtype": "float32", "shape": [-1, 10], "range": [0, 1]},
}


def main(words: Sequence[str]) -> int:
    """Exports, compares, and puts the files in their places; returns the exit code."""
    from digits_tf.training.run import Run, newest_folder

    folder = Path(words[0]) if words else newest_folder(Path("runs"))
    if folder is None:
        raise DigitsError("no run in runs/: train one first with python -m digits_tf.train")
    if not folder.is_dir():
        raise DigitsError(f"{folder}: expected a run folder")
    if _NAME.value in ("", ".", "..") or any(sign in _NAME.value for sign in "/\\"):
        raise DigitsError(f"expected a --name without slashes, found {_NAME.value!r}")
    if not _FORMATS.value or not set(_FORMATS.value) <= set(TOLERANCES):
        raise DigitsError(
            f"expected --formats out of {','.join(TOLERANCES)}, found {','.join(_FORMATS.value)!r}"
        )
    run = Run(folder)
    settings = run.config()["settings"]
    run.result()  # a run that is not finished has no model that was chosen
    mnist = data_flags.find(data_flags.selection() or settings["data"]["selection"])
    pictures.check(mnist, settings)
    out = folder if _OUT.value is None else Path(_OUT.value)
    files.make_folder(out)
    # Beside its destination, so that the last step is a rename.
    with tempfile.TemporaryDirectory(prefix=".export-", dir=out) as name:
        stage = Path(name)
        _build(run.best_file, settings, mnist, stage)
        written = [kind for kind in TOLERANCES if _place(stage, kind).exists()]
        if not written:
            raise DigitsError("nothing was written: no file reads like the run's model (see above)")
        for path in sorted(stage.glob("*/*")):
            if path.is_file():
                files.sync(path)
            else:
                files.sync_tree(path)
            files.replace_tree(path, out / path.relative_to(stage))
    files.sync(out)
    _tell(out, written)
    return 0 if len(written) == len(set(_FORMATS.value)) else _EXIT_SOME_FAILED


def _place(folder: Path, kind: str) -> Path:
    """Where a format lies below the folder that gets the export."""
    if kind == "saved_model":
        return folder / "saved_models" / _NAME.value
    return folder / "tflite" / f"{_NAME.value}_{kind}.tflite"


def _build(best: Path, settings: dict[str, Any], mnist: Mnist, stage: Path) -> None:
    """Writes below `stage` the files that read like the Keras model; says of the others why not."""
    runtime.import_tensorflow()
    from digits_tf.export import calibration, serving, tflite
    from digits_tf.recognition.litert import LiteRTClassifier
    from digits_tf.recognition.tensorflow_models import KerasClassifier, open_model

    model = serving.float32_copy(open_model(best))
    images, labels = pictures.held_out(mnist)
    temperature = calibration.calibrate(model, images, labels)
    print(f"temperature: {temperature:.3f}, from {len(labels):,} held-out digits", file=sys.stderr)
    parity = Parity(KerasClassifier(model), mnist.test)
    card = {**_card(settings, mnist, model), "temperature": round(temperature, 6)}
    served = serving.with_softmax(model)
    saved_model = _place(stage, "saved_model") / _VERSION
    serving.save(served, saved_model)
    ranges = pictures.for_ranges(mnist.train)
    for kind in (kind for kind in tflite.KINDS if kind in _FORMATS.value):
        path = _place(stage, kind)
        path.parent.mkdir(exist_ok=True)
        try:
            path.write_bytes(tflite.convert(saved_model, kind, ranges))
        except RuntimeError as error:
            print(f"TFLite {kind}: not written: {' '.join(str(error).split())}", file=sys.stderr)
            continue
        exported = LiteRTClassifier(path)
        score, fault = parity.check(kind, exported)
        _say(f"TFLite {kind}", score, path.stat().st_size, fault)
        if fault and not _FORCE.value:
            path.unlink()
            continue
        files.write_json(
            path.with_suffix(".json"),
            {**card, **_figures(score), **exported.layout(), "sha256": files.sha256(path)},
        )
    # The others are made of it, whether it is wanted or not.
    if "saved_model" in _FORMATS.value:
        score, fault = parity.check("saved_model", recognition.load(saved_model))
        size = sum(path.stat().st_size for path in saved_model.rglob("*") if path.is_file())
        _say("SavedModel", score, size, fault)
        if not fault or _FORCE.value:
            files.write_json(
                stage / "saved_models" / f"{_NAME.value}.json",
                {**card, **_figures(score), **_SERVING_LAYOUT},
            )
            return
    shutil.rmtree(stage / "saved_models")


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


def _say(kind: str, score: Score, size: int, fault: str) -> None:
    print(
        f"{kind:<16} {size / 1e6:6.2f} MB  {score.accuracy:.2%} of {score.count:,} test digits",
        file=sys.stderr,
    )
    if fault:
        does = "written all the same" if _FORCE.value else "not written (--force writes it)"
        print(f"{kind}: {does}: {fault}", file=sys.stderr)


def _tell(out: Path, written: list[str]) -> None:
    """Says what lies where, and how to read with it."""
    for kind in TOLERANCES:
        path = _place(out, kind)
        if kind in written:
            print(f"written: {path}", file=sys.stderr)
        elif path.exists():
            print(f"left as it was, of an earlier export: {path}", file=sys.stderr)
    # The last is the quickest.
    model = shlex.quote(_place(out, written[-1]).as_posix())
    print(f"to read with it: python -m digits_tf.camera --model={model}", file=sys.stderr)


def start() -> NoReturn:
    """Runs the command."""
    command.run(main, __doc__, positional=(0, 1))
