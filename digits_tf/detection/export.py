"""From a trained detector to SavedModel and TFLite, both compared with it."""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits_tf import files
from digits_tf.detection import windows as data
from digits_tf.export import serving, tflite
from digits_tf.recognition.tensorflow_models import open_any
from digits_tf.synthetic.canvas import Frame

_RANGES = 200  # windows that the ranges of 8-bit activations are taken from


def write(model_file: Path, folder: Path, frames: list[Frame]) -> None:
    """Writes detector/1 (SavedModel), detector.tflite and detector.json.

    Args:
        model_file: best.keras of a run.
        folder: gets the files.
        frames: made-up ones, for the ranges of 8-bit activations and for the comparison.
    """
    model = serving.float32_copy(open_any(model_file))
    windows = next(iter(data.batches(frames, _RANGES, 1, (0,))))[0]
    saved_model = folder / "detector" / "1"
    serving.save(model, saved_model, output="answer")
    content = tflite.convert(saved_model, "detector", windows)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "detector.tflite"
    files.write_bytes(path, content)
    files.write_json(
        path.with_suffix(".json"),
        {
            "name": "detector",
            "parameters": int(sum(np.prod(v.shape) for v in model.trainable_variables)),
            "sha256": files.sha256(path),
            "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
        },
    )
    print(f"{path}: {len(content) / 1e3:.0f} kB", file=sys.stderr)
