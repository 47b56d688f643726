"""Trains the network that finds digits, on frames that the program makes.

    digits-tf scenes-fetch     # first: handwriting fonts and photographs to draw with
    digits-tf train-detector
    digits-tf train-detector --run=runs/detector --resume

The run folder keeps config.json, log.csv, curves.png, the checkpoints and best.keras, and at the
end detector/ with SavedModel and TFLite. "accuracy" is the share of digits that are found, with a
box that overlaps theirs by half or more.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from digits_tf import runtime
from digits_tf.cli import data_flags, run_flags
from digits_tf.detection.train import DetectorSettings, train
from digits_tf.synthetic import assets as drawn_with

_DEFAULT = DetectorSettings()

_FRAMES = flags.DEFINE_integer(
    "frames", _DEFAULT.frames, "Number of frames to make and to train on.", lower_bound=200
)
_EPOCHS = flags.DEFINE_integer(
    "epochs", _DEFAULT.epochs, "Number of epochs of --steps_per_epoch steps.", lower_bound=1
)
_BATCH = flags.DEFINE_integer(
    "batch_size", _DEFAULT.batch_size, "Windows in a step.", lower_bound=1
)
_RATE = flags.DEFINE_float(
    "learning_rate", _DEFAULT.learning_rate, "The highest learning rate.", lower_bound=0
)
_START = flags.DEFINE_string(
    "start", None, "Begin with the weights of this .keras file, a detector, instead of new ones."
)
_FRAMES_DIR = flags.DEFINE_string(
    "frames_dir", None, "Folder for the frames. Default: in the cache."
)
flags.adopt_module_key_flags(data_flags)
flags.adopt_module_key_flags(run_flags)


def main(words: Sequence[str]) -> None:
    """Makes frames, trains, exports."""
    folder = run_flags.folder()
    settings = DetectorSettings(
        frames=_FRAMES.value,
        epochs=_EPOCHS.value,
        steps_per_epoch=run_flags.STEPS.value or _DEFAULT.steps_per_epoch,
        batch_size=_BATCH.value,
        learning_rate=_RATE.value,
        seed=run_flags.SEED.value,
        start=_START.value,
        frames_folder=Path(_FRAMES_DIR.value) if _FRAMES_DIR.value else None,
    )
    digits = data_flags.find(data_flags.selection())
    assets = drawn_with.load()
    if assets is None:
        print(drawn_with.MISSING, file=sys.stderr)
    runtime.import_tensorflow()
    # What needs TensorFlow is imported from here on: --help and wrong flags answer at once.
    from digits_tf.training import device
    from digits_tf.training.run import Run

    run = Run(folder)
    chosen = device.choose(run_flags.PRECISION.value)
    print(f"device: {chosen}", file=sys.stderr)
    with run_flags.opened(run, settings.as_json(digits, assets, chosen.policy), chosen) as start:
        print(
            f"run: {run.folder} ({settings.epochs} epochs of {settings.steps_per_epoch:,} steps, "
            f"{settings.frames:,} frames)"
            + (f", going on after epoch {start.epoch}" if start else ""),
            file=sys.stderr,
        )
        # Weights that are the same to the bit are not worth half of the speed.
        limits, callbacks = run_flags.limits(exact=False), run_flags.callbacks(run)
        exported = train(run, settings, digits, assets, chosen, limits, start, callbacks)
    print(f"detector: {exported}; try it with --detector={exported}")
