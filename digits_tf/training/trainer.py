"""Trains a network, then reads the test set with the best model."""

import contextlib
import dataclasses
import datetime
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digits_tf import files, plots, runtime
from digits_tf.data.digits import Digits
from digits_tf.errors import DigitsError
from digits_tf.evaluation.score import score
from digits_tf.models.resnet import resnet
from digits_tf.recognition import load
from digits_tf.training import dataset
from digits_tf.training.callbacks import (
    ProgressBar,
    Recorder,
    StopOnNonFiniteLoss,
    WeightAverage,
    assign,
)
from digits_tf.training.checkpoint import Checkpoint, Row
from digits_tf.training.device import Device
from digits_tf.training.optimizers import optimizer
from digits_tf.training.recipes import Recipe
from digits_tf.training.run import Run

_TEST_BATCH = 500


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a run may take.

    Attributes:
        steps_per_epoch: at most this many steps an epoch.
        minutes: begin no epoch that would end later than this.
        keep: how many checkpoints to keep besides the best; 0: all.
        exact: whether a resumed run ends with the very same weights as one without a break. Sums
            in a fixed order take up to twice as long on a CPU.
    """

    steps_per_epoch: int | None = None
    minutes: float | None = None
    keep: int = 3
    exact: bool = True


@dataclasses.dataclass(frozen=True)
class Task:
    """What a network learns, and from what.

    Attributes:
        build: makes the network with new weights.
        loss: of its outputs.
        metric: makes the metric with the name "accuracy", 0..1, or names one of Keras'.
        batches: the batches from an epoch on, counted from 0, to the end of the run.
        held_out: batches that the epoch is chosen on.
        steps: batches an epoch.
        check: raises what is wrong with the data; it is called before each epoch is saved.
    """

    build: Callable[[], keras.Model]
    loss: keras.losses.Loss
    metric: Callable[[], Any]
    batches: Callable[[int], tf.data.Dataset]
    held_out: tf.data.Dataset
    steps: int
    check: Callable[[], None] = lambda: None


def train(
    run: Run,
    data: dataset.TrainingData,
    recipe: Recipe,
    model_arguments: dict[str, Any],
    seed: int,
    device: Device,
    limits: Limits,
    start: Checkpoint | None = None,
    extra: Sequence[keras.callbacks.Callback] = (),
    check: Callable[[], None] = lambda: None,
) -> list[Row]:
    """Trains a network that reads digits.

    Args, returns and errors are those of `fit`, except that the task is given by `data`, the split
    digits, and `model_arguments`, for `resnet`; `check` raises an error if the files of `data` are
    no longer those that the run was begun with.
    """
    batch_size = min(recipe.batch_size, len(data.train))
    steps = len(data.train) // batch_size
    if limits.steps_per_epoch:
        steps = min(steps, limits.steps_per_epoch)

    def batches(first_epoch: int) -> tf.data.Dataset:
        made = dataset.training_batches(
            data,
            seed=seed,
            first_epoch=first_epoch,
            epochs=recipe.epochs,
            batch_size=batch_size,
            steps=steps,
            augmentation=recipe.augmentation,
        )
        # What is not streamed has been read, once and for all.
        check()
        return made

    task = Task(
        build=lambda: resnet(**model_arguments),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metric=lambda: "accuracy",
        batches=batches,
        held_out=dataset.held_out_batches(data),
        steps=steps,
        check=check if data.stream else lambda: None,
    )
    try:
        return fit(run, task, recipe, seed, device, limits, start, extra)
    except tf.errors.OpError:
        # It may have found less in a file than there was.
        check()
        raise


def fit(
    run: Run,
    task: Task,
    recipe: Recipe,
    seed: int,
    device: Device,
    limits: Limits,
    start: Checkpoint | None = None,
    extra: Sequence[keras.callbacks.Callback] = (),
) -> list[Row]:
    """Trains to the end of the recipe and writes into the run folder after each epoch.

    Args:
        run: the folder.
        task: what to learn.
        recipe: how to train; the task follows its architecture and augmentation.
        seed: of the weights and of whatever Keras draws.
        device: where to train.
        limits: what shortens the run.
        start: the checkpoint to go on from; None: from the beginning.
        extra: further callbacks.

    Returns:
        The history, a row an epoch.

    Raises:
        DigitsError: if the loss is not finite.
        OSError: if the folder cannot be written.
    """
    keras.utils.set_random_seed(seed)
    if limits.exact:
        tf.config.experimental.enable_op_determinism()
    model = _compiled_model(task, recipe, device)
    with _dtype_policy("float32"):
        saved_model = task.build()
    average = _average(recipe, start)
    first_epoch, history = (start.epoch, start.history) if start else (0, [])
    limit_s = limits.minutes * 60 if limits.minutes else None
    recorder = Recorder(run, saved_model, task.held_out, average, history, limits.keep, limit_s)
    if start:
        try:
            assign(model.variables, start.model)
            assign(model.optimizer.variables, start.optimizer)
        except ValueError:
            raise DigitsError(
                f"{run.checkpoints}: the newest checkpoint is of another network: delete it, or "
                "give another --run"
            ) from None
        recorder.write_again()
    if first_epoch >= recipe.epochs or recorder.is_time_up():
        return recorder.history

    total, done = recipe.epochs * task.steps, first_epoch * task.steps
    # smoothing=0: the time left follows from the mean of all steps, saving among them.
    with runtime.bar(total, "", "step", initial=done, smoothing=0, leave=False) as bar:
        check = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: task.check())
        progress = ProgressBar(bar, recipe.epochs)
        callbacks = [StopOnNonFiniteLoss(), average, progress, check, recorder]
        model.fit(
            task.batches(first_epoch),
            epochs=recipe.epochs,
            initial_epoch=first_epoch,
            steps_per_epoch=task.steps,
            shuffle=False,
            verbose=0,
            callbacks=[*filter(None, callbacks), *extra],
        )
    return recorder.history


def test(run: Run, digits: Digits) -> None:
    """Reads the test set with the best model, unless that has been done.

    Writes result.json, confusion.png and mistakes.png.

    Raises:
        DigitsError: if the best model cannot be read.
    """
    latest = run.latest()
    if latest is None:
        return
    train_s = float(np.sum([row["seconds"] for row in latest.history]))
    if run.result_file.exists():
        result = run.result()
        # A run that a time limit ended may have gone on since.
        if result.get("train_seconds") == train_s:
            try:
                figures = f"{result['accuracy']:.2%} on {result['n']:,} test digits"
            except (KeyError, TypeError, ValueError):
                raise DigitsError(
                    f"{run.result_file}: damaged: delete it, and --resume measures again"
                ) from None
            print(f"this run is finished: {figures}", file=sys.stderr)
            return
    best = run.best_row(latest.history)
    print(f"reading the test set with the model of epoch {best['epoch']}", file=sys.stderr)
    found = score(load(run.best_file).probabilities, digits.batches(_TEST_BATCH))
    plots.draw(found, run.folder / "confusion.png", run.folder / "mistakes.png")
    result = {
        "best_epoch": best["epoch"],
        "held_out_accuracy": best["held_out_accuracy"],
        "train_seconds": train_s,
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **found.as_dict(),
    }
    files.write_json(run.result_file, result)
    print(
        f"test accuracy: {found.accuracy:.2%} ({found.mistakes} of {found.count:,} misread) after "
        f"{datetime.timedelta(seconds=round(train_s))} of training. All is in {run.folder}; next: "
        f"python -m digits_tf.export {run.folder}",
        file=sys.stderr,
    )


def _compiled_model(task: Task, recipe: Recipe, device: Device) -> keras.Model:
    with device.strategy.scope() if device.strategy else contextlib.nullcontext():
        model = task.build()
        model.compile(
            optimizer(recipe, task.steps * recipe.epochs),
            task.loss,
            metrics=[task.metric()],
            jit_compile=device.jit_compile,
        )
        model.optimizer.build(model.trainable_variables)
    return model


def _average(recipe: Recipe, start: Checkpoint | None) -> WeightAverage | None:
    if not recipe.average:
        return None
    return WeightAverage(recipe.average, start.average if start else ())


@contextlib.contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
