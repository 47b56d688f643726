"""Trains a network: from digits, a recipe and a run folder to the best model."""

import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from digits_tf.models.resnet import resnet
from digits_tf.training import dataset
from digits_tf.training.callbacks import ProgressBar, StopWhenNotFinite, WeightAverage, assign
from digits_tf.training.checkpoint import Checkpoint
from digits_tf.training.device import Device
from digits_tf.training.optimizers import Muon, OneCycle
from digits_tf.training.recipes import Recipe
from digits_tf.training.recorder import Recorder, save_best, write_reports
from digits_tf.training.run import Run, is_spent


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a run may take.

    Attributes:
        steps_per_epoch: at most this many steps an epoch.
        minutes: no epoch that would end later than this.
        keep: how many checkpoints to keep besides the best; 0: all.
        exact: whether a resumed run ends with the very same weights as one that was not broken
            off. Sums of a fixed order take up to twice as long on a CPU.
    """

    steps_per_epoch: int | None = None
    minutes: float | None = None
    keep: int = 3
    exact: bool = True


@dataclasses.dataclass(frozen=True)
class Task:
    """What is learned, and from what.

    Attributes:
        build: makes the network with new weights.
        loss: of its answers.
        metric: makes the metric by the name of "accuracy", 0..1; or Keras' own name of one.
        batches: the batches from an epoch on, counted from 0, one epoch after the other.
        held_out: batches that the epoch is chosen on.
        steps: batches an epoch.
    """

    build: Callable[[], keras.Model]
    loss: keras.losses.Loss
    metric: Callable[[], Any]
    batches: Callable[[int], tf.data.Dataset]
    held_out: tf.data.Dataset
    steps: int


def train(
    run: Run,
    data: dataset.TrainingData,
    recipe: Recipe,
    model_arguments: dict[str, Any],
    seed: int,
    device: Device,
    limits: Limits,
    start: Checkpoint | None = None,
    extra: list[keras.callbacks.Callback] | None = None,
) -> list[dict[str, Any]]:
    """Trains a network that reads digits.

    Args, returns and errors are those of `fit`, but that `data`, the digits, split, and
    `model_arguments`, for `resnet`, stand for its task.
    """
    batch_size = min(recipe.batch_size, len(data.train))
    steps = len(data.train) // batch_size
    if limits.steps_per_epoch:
        steps = min(steps, limits.steps_per_epoch)

    def batches(first_epoch: int) -> tf.data.Dataset:
        return dataset.training_batches(
            data,
            seed=seed,
            first_epoch=first_epoch,
            epochs=recipe.epochs,
            batch_size=batch_size,
            steps=steps,
            augmentation=recipe.augmentation,
        )

    task = Task(
        build=lambda: resnet(**model_arguments),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metric=lambda: "accuracy",
        batches=batches,
        held_out=dataset.held_out_batches(data),
        steps=steps,
    )
    return fit(run, task, recipe, seed, device, limits, start, extra)


def fit(
    run: Run,
    task: Task,
    recipe: Recipe,
    seed: int,
    device: Device,
    limits: Limits,
    start: Checkpoint | None = None,
    extra: list[keras.callbacks.Callback] | None = None,
) -> list[dict[str, Any]]:
    """Trains to the end of the recipe, writing into the run folder after each epoch.

    Args:
        run: the folder.
        task: what to learn.
        recipe: how to train; its architecture and augmentation are the task's to heed.
        seed: of weights and whatever Keras draws.
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
    with device.strategy.scope() if device.strategy else contextlib.nullcontext():
        model = task.build()
        model.compile(
            _optimizer(recipe, task.steps),
            task.loss,
            metrics=[task.metric()],
            jit_compile=device.jit_compile,
        )
        model.optimizer.build(model.trainable_variables)
    with _policy("float32"):
        blank = task.build()

    average = WeightAverage(recipe.average) if recipe.average else None
    first_epoch, history = 0, []
    if start:
        assign(model.variables, start.model)
        assign(model.optimizer.variables, start.optimizer)
        first_epoch, history = start.epoch, list(start.history)
        if average:
            average.values = [value.copy() for value in start.average]
        # These may be of an earlier epoch if the run was killed right after the checkpoint.
        if best := run.best(history):
            save_best(run, blank, best)
        write_reports(run, history)
    limit_s = limits.minutes * 60 if limits.minutes else None
    if first_epoch >= recipe.epochs or is_spent(history, limit_s):
        return history
    bar = ProgressBar(recipe.epochs, task.steps)
    recorder = Recorder(run, blank, task.held_out, average, history, limits.keep, limit_s)
    all_callbacks = [StopWhenNotFinite(), *([average] if average else []), bar, recorder]
    try:
        model.fit(
            task.batches(first_epoch),
            epochs=recipe.epochs,
            initial_epoch=first_epoch,
            steps_per_epoch=task.steps,
            shuffle=False,
            verbose=0,
            callbacks=[*all_callbacks, *(extra or [])],
        )
    finally:
        bar.close()
    return recorder.history


def _optimizer(recipe: Recipe, steps: int) -> keras.Optimizer:
    rate: Any = recipe.learning_rate
    if recipe.warmup is not None:
        rate = OneCycle(recipe.learning_rate, steps * recipe.epochs, recipe.warmup)
    if recipe.optimizer == "muon":
        return Muon(rate, recipe.weight_decay, recipe.beta_2)
    if not recipe.weight_decay:
        return keras.optimizers.Adam(rate, beta_2=recipe.beta_2)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, beta_2=recipe.beta_2)
    # Decaying what shifts and scales brings nothing and can undo the norms.
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


@contextlib.contextmanager
def _policy(name: str):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
