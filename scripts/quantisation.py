"""Tries the forms that a network can be shipped in: 32, 16 and 8 bits, with and without XNNPACK.

    python scripts/quantisation.py runs/tiny-0
    python scripts/quantisation.py runs/tiny-0 --limit=100 --rounds=20 --out=tried.json

Accuracy is that on held-out training digits, as they are and corrupted, never on test digits: by it
a form is chosen. Milliseconds are those of `Classifier.probabilities` in one thread, all forms in
turn. Then it tries what the ranges of 8-bit activations are taken from. About six minutes; the
model card takes the figures from the JSON file.
"""

import datetime
import importlib.metadata
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf import files as storage
from digits_tf import runtime
from digits_tf.cli import command
from digits_tf.cli import data_flags as data_flags
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2

if TYPE_CHECKING:
    from quantisation_reading import Pictures

    from digits_tf.data.mnist import Mnist

_OUT = flags.DEFINE_string("out", "saved_models/quantisation.json", "The file of the figures.")
_LIMIT = flags.DEFINE_integer("limit", None, "The most held-out digits.", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 300, "How often each form is timed.", lower_bound=1)
flags.adopt_module_key_flags(data_flags)

# Of these the ranges are tried: they have 8-bit activations.
_RANGED = ("int8", "mixed")


def main(words: Sequence[str]) -> None:
    """Converts, reads, times, and writes the figures."""
    folder = Path(words[0])
    if not folder.is_dir():
        raise DigitsError(f"{folder}: expected a run folder, such as runs/tiny-0")
    # Resizing and blurring such small pictures is slower in several threads.
    import_cv2().setNumThreads(1)
    runtime.import_tensorflow()
    import quantisation_ranges
    import quantisation_reading
    import quantisation_speed
    from report_parts import quantisation

    from digits_tf.export import pictures, tflite
    from digits_tf.training.run import Run

    run = Run(folder)
    settings = run.config()["settings"]
    run.result()  # a run that is not finished has no model that was chosen
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    mnist = data_flags.find(data_flags.selection() or settings["data"]["selection"])
    pictures.check(mnist, settings)
    images, labels = pictures.held_out(mnist)
    read = quantisation_reading.pictures(images[: _LIMIT.value], labels[: _LIMIT.value])
    ranges = pictures.for_ranges(mnist.train)
    with tempfile.TemporaryDirectory() as name:
        stage = Path(name)
        _save(run.best_file, mnist, stage / "served")
        _say("forms")
        files = {kind: stage / f"{kind}.tflite" for kind in (*tflite.KINDS, *tflite.TRIED)}
        for kind, path in files.items():
            path.write_bytes(tflite.convert(stage / "served", kind, ranges))
        forms = quantisation_reading.compared(files, read)
        _say("speed")
        times = quantisation_speed.milliseconds(files, images[: _LIMIT.value], _ROUNDS.value)
        for kind, path in files.items():
            forms[kind] |= {"bytes": path.stat().st_size, "ms": times[kind]}
        _say("ranges")
        sets = quantisation_ranges.sets(mnist, settings["recipe"]["augmentation"])
        tried = {
            words: _ranged(stage, files["float32"], each, read) for words, each in sets.items()
        }
    results = {
        "run": folder.name,
        "digits": len(read.digits),
        "corrupted_digits": len(read.corrupted_labels),
        "others": len(read.others),
        "rounds": _ROUNDS.value,
        "forms": forms,
        "ranges": tried,
        "machine": runtime.describe(),
        "versions": {
            name: importlib.metadata.version(name)
            for name in ("ai-edge-litert", "tensorflow", "keras", "numpy")
        },
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "load": load,
        "command": shlex.join(["python", *sys.argv]),
    }
    storage.write_json(Path(_OUT.value), results)
    print(quantisation.text(results))
    print(f"figures: {_OUT.value}", file=sys.stderr)


def _save(best: Path, mnist: "Mnist", folder: Path) -> None:
    """Writes the SavedModel that all forms are made of, as the export makes it."""
    from digits_tf.export import calibration, pictures, serving
    from digits_tf.recognition.tensorflow_models import open_model

    model = serving.float32_copy(open_model(best))
    calibration.calibrate(model, *pictures.held_out(mnist))
    serving.save(serving.with_softmax(model), folder)


def _ranged(stage: Path, original: Path, ranges: np.ndarray, read: "Pictures") -> dict[str, Any]:
    """Figures of the forms with 8-bit activations whose ranges are taken from these pictures."""
    import quantisation_reading

    from digits_tf.export import tflite

    files = {kind: stage / f"ranged_{kind}.tflite" for kind in _RANGED}
    for kind, path in files.items():
        path.write_bytes(tflite.convert(stage / "served", kind, ranges))
    found = quantisation_reading.compared({"float32": original, **files}, read)
    return {kind: found[kind] for kind in _RANGED}


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    command.run(main, __doc__, positional=(1, 1))
