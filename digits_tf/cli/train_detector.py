"""Trains the network that finds digits, from pictures that the program makes.

    digits-tf train-detector
    digits-tf train-detector --run=runs/detector --resume
    digits-tf scenes-fetch     # before it: handwriting fonts and photographs to draw with

The run folder keeps config.json, log.csv, curves.png, the checkpoints and best.keras, and at the
end detector/: SavedModel and TFLite. "accuracy" is the share of digits that are found, with a box
that overlaps by half or more.
"""

import dataclasses
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from absl import flags

from digits_tf import __version__, runtime
from digits_tf.cli import command
from digits_tf.cli import data_flags as data_flags
from digits_tf.cli import run_flags as run_flags
from digits_tf.data.download import cache_folder
from digits_tf.data.mnist import hold_out
from digits_tf.errors import DigitsError
from digits_tf.training.recipes import Recipe

_FRAMES = flags.DEFINE_integer("frames", 32_000, "Frames to make and to train on.", lower_bound=200)
_EPOCHS = flags.DEFINE_integer("epochs", 26, "Passes of --steps_per_epoch steps.", lower_bound=1)
_BATCH = flags.DEFINE_integer("batch_size", 64, "Windows a step.", lower_bound=1)
_RATE = flags.DEFINE_float("learning_rate", 2e-2, "Peak of the learning rate.", lower_bound=0)
_START = flags.DEFINE_string(
    "start", None, "Begin with the weights of this .keras file: a detector that learns more."
)
_SET = flags.DEFINE_string("frames_dir", None, "Folder of the frames. Default: in the cache.")
flags.adopt_module_key_flags(data_flags)
flags.adopt_module_key_flags(run_flags)

_STEPS = 1000  # an epoch
_HELD_OUT = 400  # frames that the epoch is chosen on
_HELD_OUT_STEPS = 20


def main(words: Sequence[str]) -> None:
    """Makes frames, trains, exports."""
    folder = run_flags.folder()
    digits = data_flags.find(data_flags.selection())
    images, labels = digits.train.read()
    world = _world()
    runtime.import_tensorflow()
    # TensorFlow is imported from here on, so that --help and wrong flags answer at once.
    from digits_tf.training import device
    from digits_tf.training.run import Run

    run = Run(folder)
    chosen = device.choose(run_flags.PRECISION.value)
    print(f"device: {chosen}", file=sys.stderr)
    recipe = Recipe(
        architecture="detector",
        epochs=_EPOCHS.value,
        batch_size=_BATCH.value,
        optimizer="muon",
        learning_rate=_RATE.value,
        warmup=0.1,
        weight_decay=0.01,
        average=0.998,
    )
    steps = run_flags.STEPS.value or _STEPS
    settings = {
        "recipe": dataclasses.asdict(recipe),
        "model": {"name": "detector", "start": _START.value},
        "seed": run_flags.SEED.value,
        "policy": chosen.policy,
        "steps_per_epoch": steps,
        "data": {
            "train": digits.train.origin,
            "sha256": digits.hashes(),
            "is_sample": digits.is_sample,
            "frames": _FRAMES.value,
            "world": {kind: len(getattr(world, kind)) for kind in _KINDS} if world else None,
        },
    }
    start = run_flags.open_run(run, json.loads(json.dumps(settings)), chosen)
    print(
        f"run: {run.folder} ({_EPOCHS.value} epochs of {steps:,} steps, {_FRAMES.value:,} frames)"
        + (f", going on after epoch {start.epoch}" if start else ""),
        file=sys.stderr,
    )
    frames_folder = Path(_SET.value) if _SET.value else cache_folder() / "frames" / _key(settings)
    with run_flags.resumable(run):
        frames, held_out = _frames(frames_folder, images, labels, world)
        _fit(run, recipe, chosen, frames, held_out, steps, start)
        from digits_tf.detection import export

        export.write(run.best_file, run.folder / "detector", held_out)
    print(f"detector: {run.folder / 'detector'}; try it with --detector={run.folder / 'detector'}")


def _key(settings: dict[str, Any]) -> str:
    """A name for all frames that are made of the same digits, fonts and pictures by one seed."""
    data = settings["data"]
    made_of = json.dumps([data["sha256"], data["world"], settings["seed"], __version__])
    return hashlib.sha256(made_of.encode()).hexdigest()[:12]


_KINDS = ("handwriting", "printed", "photographs", "stamps")


def _world() -> Any:
    from digits_tf.synthetic import fetch

    world = fetch.world()
    if world is None:
        print(fetch.MISSING, file=sys.stderr)
    return world


def _frames(folder: Path, images: np.ndarray, labels: np.ndarray, world: Any) -> tuple:
    """The frames to train on and those to choose the epoch on: of other digits, fonts, grounds."""
    from digits_tf.detection import windows as data
    from digits_tf.synthetic import fetch

    is_held_out = np.zeros(len(images), bool)
    is_held_out[hold_out(len(images))] = True
    seed = run_flags.SEED.value
    others = fetch.world(held_out=True)
    held_out = data.Source(images[is_held_out], labels[is_held_out], others, (seed, 1))
    source = data.Source(images[~is_held_out], labels[~is_held_out], world, (seed, 0))
    try:
        return (
            data.load(data.make(folder / "train", _FRAMES.value, source)),
            data.load(data.make(folder / "held_out", _HELD_OUT, held_out)),
        )
    except ValueError as error:
        raise DigitsError(str(error)) from None


def _build():
    from digits_tf.detection.network import detector
    from digits_tf.recognition.tensorflow_models import open_any

    model = detector()
    if _START.value:
        model.set_weights(open_any(Path(_START.value)).get_weights())
    return model


def _fit(run, recipe, device, frames, held_out, steps, start) -> None:
    import tensorflow as tf

    from digits_tf.detection import targets
    from digits_tf.detection import windows as data
    from digits_tf.training import trainer

    seed = run_flags.SEED.value
    windows = tf.TensorSpec((recipe.batch_size, data.WINDOW, data.WINDOW // 4, 4), tf.uint8)
    wanted = tf.TensorSpec((recipe.batch_size, *targets.shape(data.WINDOW)), tf.float32)

    def batches(first_epoch: int) -> tf.data.Dataset:
        def every():
            for epoch in range(first_epoch, recipe.epochs):
                yield from data.batches(frames, recipe.batch_size, steps, (seed, epoch))

        made = tf.data.Dataset.from_generator(every, output_signature=(windows, wanted))
        return made.prefetch(8)

    some = list(data.batches(held_out, recipe.batch_size, _HELD_OUT_STEPS, (seed, -1 % 2**31)))
    arrays = tuple(np.concatenate(each) for each in zip(*some, strict=True))
    task = trainer.Task(
        build=_build,
        loss=targets.DetectionLoss(),
        metric=targets.Found,
        batches=batches,
        held_out=tf.data.Dataset.from_tensor_slices(arrays).batch(recipe.batch_size),
        steps=steps,
    )
    extra = run_flags.tensorboard(run)
    # Twice as many windows a second are worth more than the last bits of the weights.
    limits = run_flags.limits(exact=False)
    trainer.fit(run, task, recipe, seed, device, limits, start, extra)


def start() -> NoReturn:
    """Runs the command."""
    command.run(main, __doc__)
