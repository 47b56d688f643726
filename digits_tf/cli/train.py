"""Trains a residual network on MNIST, or on digits of your own in the idx format.

    python -m digits_tf.train
    python -m digits_tf.train --data_dir FOLDER --epochs=20 --run=runs/mine
    python -m digits_tf.train --run=runs/mine --resume
    python -m digits_tf.train --recipe=reference --minutes=15

A run folder keeps everything: config.json, log.csv, curves.png, the checkpoints, best.keras, and at
the end result.json, confusion.png and mistakes.png.
"""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from absl import flags

from digits_tf import files, runtime
from digits_tf.cli import command
from digits_tf.cli import data_flags as data_flags
from digits_tf.cli import network_flags as model_flags
from digits_tf.cli import run_flags as run_flags
from digits_tf.data.digits import BACKGROUND
from digits_tf.data.mnist import Mnist
from digits_tf.training import recipes
from digits_tf.training.recipes import ALIASES, RECIPES, Augmentation, Recipe

if TYPE_CHECKING:
    from digits_tf.training.checkpoint import Checkpoint
    from digits_tf.training.dataset import TrainingData
    from digits_tf.training.device import Device
    from digits_tf.training.run import Run

_DEFAULT, _REFERENCE = RECIPES["default"], RECIPES["reference"]


def _both(field: str) -> str:
    """The defaults of the two recipes, in words."""
    return f"Default: {getattr(_DEFAULT, field)}, reference recipe: {getattr(_REFERENCE, field)}."


_RECIPE = flags.DEFINE_enum(
    "recipe",
    "default",
    sorted([*RECIPES, *ALIASES]),
    "How to train. reference (or seed): the tutorial's, which is Adam 1e-3, batches of 1000, "
    "100 epochs, raw pixels, no augmentation.",
)
_EPOCHS = flags.DEFINE_integer(
    "epochs", None, f"Passes over the data. {_both('epochs')}", lower_bound=1
)
_BATCH = flags.DEFINE_integer(
    "batch_size", None, f"Digits a step. {_both('batch_size')}", lower_bound=1
)
_RATE = flags.DEFINE_float(
    "learning_rate", None, f"Peak of the learning rate. {_both('learning_rate')}", lower_bound=0
)
_AUGMENT = flags.DEFINE_boolean(
    "augment", None, "Whether to bend and shift digits anew in each epoch. Default: the recipe's."
)
_PREVIEW = flags.DEFINE_string(
    "preview", None, "Only draw digits as the network sees them in training into this PNG file."
)
_LIMIT = flags.DEFINE_integer(
    "limit", None, "Train on only that many digits, for a short run.", lower_bound=1
)
_STREAM = flags.DEFINE_boolean(
    "stream", None, "Read the files again in each epoch. Default: if they are larger than 1 GiB."
)
flags.adopt_module_key_flags(data_flags)
flags.adopt_module_key_flags(model_flags)
flags.adopt_module_key_flags(run_flags)


def main(words: Sequence[str]) -> None:
    """Trains, then reads the test set once."""
    folder = run_flags.folder(bool(_PREVIEW.value))
    recipe = _recipe()
    arguments = {"rescale": recipe.rescale, **model_flags.arguments(recipe.architecture)}
    recipe = dataclasses.replace(recipe, architecture=arguments["name"])
    mnist = data_flags.find(data_flags.selection())
    if mnist.background:
        arguments["classes"] = BACKGROUND + 1
    runtime.import_tensorflow()
    # TensorFlow is imported from here on, so that --help and wrong flags answer at once.
    from digits_tf.training import dataset, device, trainer
    from digits_tf.training.run import Run

    data = dataset.split(mnist.train, _LIMIT.value, _STREAM.value, mnist.held_out, mnist.background)
    if _PREVIEW.value:
        _preview(data, recipe, Path(_PREVIEW.value))
        return
    chosen = device.choose(run_flags.PRECISION.value)
    print(f"device: {chosen}", file=sys.stderr)
    run = Run(folder)
    settings = _settings(recipe, arguments, mnist, data, chosen)
    start = run_flags.open_run(run, settings, chosen)
    extra = run_flags.tensorboard(run)
    _announce(run, recipe, data, start)
    limits = run_flags.limits()
    with run_flags.resumable(run):
        seed = run_flags.SEED.value
        trainer.train(run, data, recipe, arguments, seed, chosen, limits, start, extra)
        trainer.test(run, mnist.test)


def _recipe() -> Recipe:
    recipe = recipes.recipe(_RECIPE.value)
    if _AUGMENT.value is not None:
        chosen = _DEFAULT.augmentation if _AUGMENT.value else Augmentation()
        recipe = dataclasses.replace(recipe, augmentation=chosen)
    changes: dict[str, Any] = {
        "epochs": _EPOCHS.value,
        "batch_size": _BATCH.value,
        "learning_rate": _RATE.value,
    }
    return dataclasses.replace(
        recipe, **{key: value for key, value in changes.items() if value is not None}
    )


def _preview(data: "TrainingData", recipe: Recipe, path: Path) -> None:
    import numpy as np

    from digits_tf import plots
    from digits_tf.training import dataset

    batches = dataset.training_batches(
        data,
        seed=run_flags.SEED.value,
        first_epoch=0,
        epochs=1,
        batch_size=min(500, len(data.train)),
        steps=1,
        augmentation=recipe.augmentation,
    )
    images, labels = next(iter(batches.as_numpy_iterator()))
    with files.replacing(path) as beside:
        plots.contact_sheet(np.squeeze(images, -1), labels, beside)
    print(f"preview: {path}")


def _settings(
    recipe: Recipe, arguments: dict[str, Any], mnist: Mnist, data: "TrainingData", device: "Device"
) -> dict[str, Any]:
    """All that decides what a run ends with. A resumed run must have the same."""
    import json

    settings = {
        "recipe": dataclasses.asdict(recipe),
        "model": arguments,
        "seed": run_flags.SEED.value,
        "policy": device.policy,
        "steps_per_epoch": run_flags.STEPS.value,
        "data": {
            "train": mnist.train.origin,
            "test": mnist.test.origin,
            "train_count": len(data.train),
            "held_out_count": len(data.held_out),
            "test_count": mnist.test.count,
            "sha256": mnist.hashes(),
            "selection": data_flags.selection(),
            "is_sample": mnist.is_sample,
            "stream": data.stream,
        },
    }
    # As it will be read back: tuples become lists.
    return json.loads(json.dumps(settings))


def _announce(run: "Run", recipe: Recipe, data: "TrainingData", start: "Checkpoint | None") -> None:
    if run_flags.RESUME.value and start:
        print(f"going on after epoch {start.epoch} of {recipe.epochs}", file=sys.stderr)
    elif run_flags.RESUME.value:
        print("no epoch was finished: starting from the beginning", file=sys.stderr)
    print(
        f"run: {run.folder} (recipe {_RECIPE.value}, {recipe.architecture}, "
        f"{recipe.epochs} epochs, {len(data.train):,} digits, {len(data.held_out):,} held out)",
        file=sys.stderr,
    )


def start() -> NoReturn:
    """Runs the command."""
    command.run(main, __doc__)
