"""Trains a residual network on MNIST, or on digits of your own in the idx format.

    python -m digits_tf.train
    python -m digits_tf.train --data_dir FOLDER --epochs=20 --run=runs/mine
    python -m digits_tf.train --run=runs/mine --resume
    python -m digits_tf.train --recipe=reference --minutes=15
    python -m digits_tf.train --finetune=tiny --data_dir=own   a model of your own, in two minutes

A run folder keeps everything: config.json, log.csv, curves.png, the checkpoints, best.keras, and at
the end result.json, confusion.png and mistakes.png.
"""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from digits_tf import runtime
from digits_tf.cli import data_flags, finetune, network_flags, run_flags
from digits_tf.data.digits import BACKGROUND
from digits_tf.errors import DigitsError
from digits_tf.training.recipes import ALIASES, RECIPES, Augmentation, Recipe

if TYPE_CHECKING:
    from digits_tf.training.checkpoint import Checkpoint
    from digits_tf.training.dataset import TrainingData
    from digits_tf.training.run import Run

_DEFAULT, _REFERENCE = RECIPES["default"], RECIPES["reference"]


def _both(field: str) -> str:
    """The defaults of two recipes, in words."""
    default, reference = (getattr(recipe, field) for recipe in (_DEFAULT, _REFERENCE))
    return f"Default: {default}; the reference recipe's: {reference}."


_RECIPE = flags.DEFINE_string(
    "recipe",
    "default",
    f"How to train: {', '.join(RECIPES)}. reference is the tutorial's: Adam with a rate of 1e-3, "
    "batches of 1000, 100 epochs, raw pixels, no augmentation.",
)
_EPOCHS = flags.DEFINE_integer(
    "epochs", None, f"Passes over the digits. {_both('epochs')}", lower_bound=1
)
_BATCH = flags.DEFINE_integer(
    "batch_size", None, f"Digits in a step. {_both('batch_size')}", lower_bound=1
)
_RATE = flags.DEFINE_float(
    "learning_rate",
    None,
    f"The highest learning rate. {_both('learning_rate')}",
    lower_bound=0,
)
_AUGMENT = flags.DEFINE_boolean(
    "augment", None, "Whether to bend and shift digits anew in each epoch. Default: the recipe's."
)
_PREVIEW = flags.DEFINE_string(
    "preview",
    None,
    "Draw digits as the network sees them in training into this PNG file; do not train.",
)
_FINETUNE = flags.DEFINE_string(
    "finetune",
    None,
    "Go on from this trained model with digits of your own, those in --data_dir (own/, which "
    "digits-tf teach fills): tiny, resnet, a .keras file or a run folder.",
)
_LIMIT = flags.DEFINE_integer(
    "limit", None, "Train on only this many digits, for a short run.", lower_bound=1
)
_STREAM = flags.DEFINE_boolean(
    "stream",
    None,
    "Whether to read the files again in each epoch. Default: if they are larger than 1 GiB.",
)
flags.adopt_module_key_flags(data_flags)
flags.adopt_module_key_flags(network_flags)
flags.adopt_module_key_flags(run_flags)


def main(words: Sequence[str]) -> None:
    """Trains, then reads the test set once."""
    folder = run_flags.folder(bool(_PREVIEW.value))
    if _FINETUNE.value is not None:
        finetune.main(_FINETUNE.value, folder)
        return
    recipe = _recipe()
    digits = data_flags.find(data_flags.selection())
    runtime.import_tensorflow()
    # What needs TensorFlow is imported from here on: --help and wrong flags answer at once.
    from digits_tf.training import classifier, dataset, device, trainer
    from digits_tf.training.run import Run

    arguments = {"rescale": recipe.rescale, **network_flags.arguments(recipe.architecture)}
    if digits.background:
        arguments["classes"] = BACKGROUND + 1
    recipe = dataclasses.replace(recipe, architecture=arguments["name"])
    seed = run_flags.SEED.value
    data = dataset.split(
        digits.train, _LIMIT.value, _STREAM.value, digits.held_out, digits.background
    )
    if _PREVIEW.value:
        classifier.preview(data, recipe.augmentation, seed, Path(_PREVIEW.value))
        print(f"preview: {_PREVIEW.value}")
        return
    chosen = device.choose(run_flags.PRECISION.value)
    print(f"device: {chosen}", file=sys.stderr)
    run = Run(folder)
    settings = classifier.ClassifierSettings(
        recipe, arguments, seed, chosen.policy, run_flags.STEPS.value
    ).as_json(digits, data, data_flags.selection())

    def check() -> None:
        hashes = digits.hashes()
        changed = [key for key in hashes if hashes[key] != settings["data"]["sha256"][key]]
        if changed:
            raise DigitsError(
                f"{digits.train.origin}: the digits have changed since the run began "
                f"({', '.join(changed)}): put the old files back and add --resume, or give another "
                "--run"
            )

    with run_flags.opened(run, settings, chosen) as start:
        _announce(run, recipe, data, start)
        limits, callbacks = run_flags.limits(), run_flags.callbacks(run)
        trainer.train(run, data, recipe, arguments, seed, chosen, limits, start, callbacks, check)
        check()
        trainer.test(run, digits.test)


def _recipe() -> Recipe:
    name = ALIASES.get(_RECIPE.value, _RECIPE.value)
    if name not in RECIPES:
        raise DigitsError(f"expected --recipe out of {', '.join(RECIPES)}, found {name!r}")
    recipe = RECIPES[name]
    if _AUGMENT.value is not None:
        augmentation = _DEFAULT.augmentation if _AUGMENT.value else Augmentation()
        recipe = dataclasses.replace(recipe, augmentation=augmentation)
    changes: dict[str, Any] = {
        "epochs": _EPOCHS.value,
        "batch_size": _BATCH.value,
        "learning_rate": _RATE.value,
    }
    return dataclasses.replace(
        recipe, **{key: value for key, value in changes.items() if value is not None}
    )


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
