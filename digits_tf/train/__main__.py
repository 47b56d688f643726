"""Trains a residual network on MNIST, or on digits of your own in the idx format.

    python -m digits_tf.train
    python -m digits_tf.train --data_dir FOLDER --epochs=20 --run=runs/mine
    python -m digits_tf.train --run=runs/mine --resume
    python -m digits_tf.train --recipe=seed --minutes=15

A run folder keeps everything: config.json, log.csv, curves.png, the checkpoints, best.keras, and at
the end result.json, confusion.png and mistakes.png.
"""

import dataclasses
import datetime
import importlib.util
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from digits_tf import __version__, backend, command, machine, storage
from digits_tf.data import flags as data_flags
from digits_tf.data.digits import NOT_A_DIGIT
from digits_tf.data.mnist import Mnist
from digits_tf.errors import DigitsError
from digits_tf.model import flags as model_flags
from digits_tf.model.strength import Augmentation
from digits_tf.train.recipe import Recipe
from digits_tf.train.recipes import RECIPES

if TYPE_CHECKING:
    from digits_tf.train.checkpoint import Checkpoint
    from digits_tf.train.dataset import TrainingData
    from digits_tf.train.device import Device
    from digits_tf.train.run import Run

_DEFAULT, _SEED_RECIPE = RECIPES["default"], RECIPES["seed"]


def _both(field: str) -> str:
    """The defaults of the two recipes, in words."""
    return f"Default: {getattr(_DEFAULT, field)}, seed recipe: {getattr(_SEED_RECIPE, field)}."


_RECIPE = flags.DEFINE_enum(
    "recipe",
    "default",
    sorted(RECIPES),
    "How to train. seed: Adam 1e-3, batches of 1000, 100 epochs, raw pixels, no augmentation.",
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
_SEED = flags.DEFINE_integer(
    "seed", 0, "Of the first weights, the order and the augmentation.", 0, 2**31 - 1
)
_PRECISION = flags.DEFINE_enum(
    "precision",
    "auto",
    ["auto", "float32", "mixed_float16", "mixed_bfloat16"],
    "auto: mixed_float16 on a GPU with tensor cores, mixed_bfloat16 where that is native, float32 "
    "on a CPU.",
)
_RUN = flags.DEFINE_string(
    "run", None, "The run folder. Default: the next of runs/run-001, runs/run-002, ..."
)
_RESUME = flags.DEFINE_boolean(
    "resume",
    False,
    "Go on from the last finished epoch of --run, or of the newest run in runs/.",
)
_PREVIEW = flags.DEFINE_string(
    "preview", None, "Only draw digits as the network sees them in training into this PNG file."
)
_LIMIT = flags.DEFINE_integer(
    "limit", None, "Train on only that many digits, for a short run.", lower_bound=1
)
_STEPS = flags.DEFINE_integer(
    "steps_per_epoch", None, "At most this many steps an epoch, for a short run.", lower_bound=1
)
_MINUTES = flags.DEFINE_float(
    "minutes", None, "Begin no epoch that would end after this many minutes.", lower_bound=0
)
_KEEP = flags.DEFINE_integer(
    "keep", 3, "How many checkpoints to keep besides the best; 0: all.", lower_bound=0
)
_STREAM = flags.DEFINE_boolean(
    "stream", None, "Read the files again in each epoch. Default: if they are larger than 1 GiB."
)
_TENSORBOARD = flags.DEFINE_boolean(
    "tensorboard", False, "Also write TensorBoard logs into the run folder."
)
flags.adopt_module_key_flags(data_flags)
flags.adopt_module_key_flags(model_flags)


def main(words: Sequence[str]) -> None:
    """Trains, then reads the test set once."""
    recipe = _recipe()
    arguments = {"rescale": recipe.rescale, **model_flags.arguments(recipe.architecture)}
    recipe = dataclasses.replace(recipe, architecture=arguments["name"])
    folder = _folder()
    _check_folder(folder)
    if _TENSORBOARD.value and not importlib.util.find_spec("tensorboard"):
        raise DigitsError("--tensorboard needs pip install 'digits_tf[tensorboard]'")
    mnist = data_flags.find(data_flags.selection())
    if mnist.others:
        arguments["classes"] = NOT_A_DIGIT + 1
    backend.import_tensorflow()
    # TensorFlow is imported from here on, so that --help and wrong flags answer at once.
    from digits_tf.train import dataset, device, report, trainer
    from digits_tf.train.run import Run

    data = dataset.split(mnist.train, _LIMIT.value, _STREAM.value, mnist.held_out, mnist.others)
    if _PREVIEW.value:
        _preview(data, recipe, Path(_PREVIEW.value))
        return
    chosen = device.choose(_PRECISION.value)
    print(f"device: {chosen}", file=sys.stderr)
    run = Run(folder)
    settings = _settings(recipe, arguments, mnist, data, chosen)
    start = _open(run, settings, chosen)
    extra = _tensorboard(run)
    _announce(run, recipe, data, start)
    limits = trainer.Limits(_STEPS.value, _MINUTES.value, _KEEP.value)
    try:
        trainer.train(run, data, recipe, arguments, _SEED.value, chosen, limits, start, extra)
        report.write(run, mnist.test)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{_resume_hint(run)}") from None
    except OSError as error:
        raise DigitsError(f"{command.describe(error)}; then: {_resume_hint(run)}") from None


def _recipe() -> Recipe:
    recipe = RECIPES[_RECIPE.value]
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


def _folder() -> Path:
    from digits_tf.train import run

    runs = Path("runs")
    if _RUN.value:
        return Path(_RUN.value)
    newest = run.newest_folder(runs)
    return newest if _RESUME.value and newest else run.new_folder(runs)


def _check_folder(folder: Path) -> None:
    """Refuses what cannot become a run folder, before anything takes time.

    Raises:
        DigitsError: if it holds a run and --resume is not given, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise DigitsError(f"{folder}: expected a folder, found a file")
    if (folder / "config.json").exists() and not (_RESUME.value or _PREVIEW.value):
        raise DigitsError(
            f"{folder} holds a run already: add --resume to go on, or name another --run"
        )


def _preview(data: "TrainingData", recipe: Recipe, path: Path) -> None:
    import numpy as np

    from digits_tf import plots
    from digits_tf.train import dataset

    batches = dataset.training_batches(
        data,
        seed=_SEED.value,
        first_epoch=0,
        epochs=1,
        batch_size=min(500, len(data.train)),
        steps=1,
        augmentation=recipe.augmentation,
    )
    images, labels = next(iter(batches.as_numpy_iterator()))
    with storage.replacing(path) as beside:
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
        "seed": _SEED.value,
        "policy": device.policy,
        "steps_per_epoch": _STEPS.value,
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


def _given() -> dict[str, Any]:
    """The values of the flags that were given on the command line."""
    return {name: flags.FLAGS[name].value for name in flags.FLAGS if flags.FLAGS[name].present}


def _open(run: "Run", settings: dict[str, Any], device: "Device") -> "Checkpoint | None":
    """Makes the run folder, or finds where to go on.

    Raises:
        DigitsError: if the folder holds a run that was started otherwise.
    """
    if run.config_file.exists():
        before = run.config()["settings"]
        if different := _differences(before, settings):
            raise DigitsError(
                f"{run.folder} was started otherwise ({'; '.join(different)}): resume it with the "
                "flags it was started with, or give another --run"
            )
        run.clear_parts()
        start = run.latest()
        run.drop_after(start.epoch if start else 0)
        return start
    import keras
    import numpy as np
    import tensorflow as tf

    config = {
        "command": " ".join(["python -m digits_tf.train", *sys.argv[1:]]),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "flags": _given(),
        "device": str(device),
        "settings": settings,
        "machine": machine.describe(),
        "versions": {
            "digits_tf": __version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
    }
    storage.write_json(run.config_file, config)
    return None


def _differences(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differences(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key}: {old}, now {new}")
    return found


def _announce(run: "Run", recipe: Recipe, data: "TrainingData", start: "Checkpoint | None") -> None:
    if _RESUME.value and start:
        print(f"going on after epoch {start.epoch} of {recipe.epochs}", file=sys.stderr)
    elif _RESUME.value:
        print("nothing to resume, starting from the beginning", file=sys.stderr)
    print(
        f"run: {run.folder} (recipe {_RECIPE.value}, {recipe.architecture}, "
        f"{recipe.epochs} epochs, {len(data.train):,} digits, {len(data.held_out):,} held out)",
        file=sys.stderr,
    )


def _tensorboard(run: "Run") -> list[Any]:
    if not _TENSORBOARD.value:
        return []
    import keras

    return [keras.callbacks.TensorBoard(str(run.folder / "tensorboard"))]


def _resume_hint(run: "Run") -> str:
    given = [word for word in sys.argv[1:] if word not in ("--resume", "--resume=true")]
    if not _RUN.value:
        given.append(f"--run={run.folder}")
    return f"go on with: {' '.join(['python -m digits_tf.train', *given, '--resume'])}"


if __name__ == "__main__":
    command.run(main, __doc__)
