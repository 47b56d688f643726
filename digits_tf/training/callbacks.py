"""What happens between the steps and the epochs of a run, as Keras callbacks."""

import math
import sys
import time
from collections.abc import Sequence
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digits_tf import files, plots
from digits_tf.errors import DigitsError
from digits_tf.training import checkpoint
from digits_tf.training.checkpoint import Checkpoint, Row
from digits_tf.training.run import Run

Logs: TypeAlias = dict[str, Any] | None

_AVERAGE_EVERY = 8  # steps
_TRY_SMALLER_RATE = "try a smaller --learning_rate (earlier epochs are kept)"


class StopOnNonFiniteLoss(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends a run whose loss is infinite or not a number, before it is saved.

    Keras' TerminateOnNaN lets the epoch end, which would then be saved, or raises a RuntimeError
    that does not tell the epoch.
    """

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Remembers the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Checks the epoch's mean loss, which stays non-finite after one bad step.

        Raises:
            DigitsError: if it is not finite.
        """
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise DigitsError(
                f"the loss is {loss} at step {batch + 1} of epoch {self._epoch + 1}: "
                f"{_TRY_SMALLER_RATE}"
            )


class WeightAverage(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps an exponential moving average of all weights and of the normalization's statistics.

    Keras' own `use_ema` leaves these statistics out and overwrites the weights when `fit` ends.
    Averaging weights: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging"
    (SIAM J. Control Optim. 30, 1992).

    Args:
        keep: share of the old value kept each step.
        start: values to go on from, in the order of `model.variables`; empty: the model's own.
    """

    def __init__(self, keep: float, start: Sequence[NDArray[Any]] = ()) -> None:
        super().__init__()
        self._keep = keep
        self.values = [value.copy() for value in start]
        self._step = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Begins with the model's own values."""
        if not self.values:
            self.values = values_of(self.model.variables)
        self._step = int(self.model.optimizer.iterations.numpy())

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Moves the average every 8th step, by as much as 8 steps would."""
        self._step += 1
        if self._step % _AVERAGE_EVERY:
            return
        # A young average keeps less, so that it forgets the random start.
        keep = min(self._keep**_AVERAGE_EVERY, self._step / (self._step + 10 * _AVERAGE_EVERY))
        for old, variable in zip(self.values, self.model.variables, strict=True):
            new = variable.numpy()
            if np.issubdtype(old.dtype, np.floating):
                old += (1.0 - keep) * (new - old)
            else:
                old[...] = new


class ProgressBar(keras.callbacks.Callback):  # type: ignore[misc]
    """Moves one bar through the whole run, which tells the time left in all.

    Args:
        bar: a tqdm bar of all steps.
        epochs: of the whole run.
    """

    def __init__(self, bar: Any, epochs: int) -> None:
        super().__init__()
        self._bar = bar
        self._epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Shows the epoch's number."""
        self._bar.set_description_str(f"epoch {epoch + 1}/{self._epochs}", refresh=False)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Shows the epoch's mean loss and accuracy so far."""
        logs = logs or {}
        words = f"loss {float(logs['loss']):.4f}, accuracy {float(logs['accuracy']):.2%}"
        self._bar.set_postfix_str(words, refresh=False)
        self._bar.update(1)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Clears the line for the epoch's figures."""
        self._bar.clear()


class Recorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Measures on the held-out digits after each epoch, then saves.

    It writes the checkpoint, the best model, the log and the curves, in this order. The checkpoint
    is what counts: a resumed run makes all else again from it.

    Args:
        run: the run folder.
        saved_model: an uncompiled float32 model of the same architecture, which the best file is
            saved from, so that it opens on any machine and without this package.
        held_out: batches of digits that the epoch is chosen on.
        average: the averaged weights, or None.
        history: the epochs before this session.
        keep: how many checkpoints to keep besides the best; 0: all.
        limit_s: stop before an epoch that would end later than this many seconds of training in
            all; None: no limit.
    """

    def __init__(
        self,
        run: Run,
        saved_model: keras.Model,
        held_out: tf.data.Dataset,
        average: WeightAverage | None,
        history: Sequence[Row],
        keep: int,
        limit_s: float | None,
    ) -> None:
        super().__init__()
        self._run = run
        self._saved_model = saved_model
        self._held_out = held_out
        self._average = average
        self.history = list(history)
        self._keep = keep
        self._limit_s = limit_s

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Notes when the epoch begins."""
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Measures and saves.

        Raises:
            DigitsError: if the weights, or the held-out loss, are not finite.
            OSError: if the run folder cannot be written.
        """
        weights = values_of(self.model.variables)
        average = [value.copy() for value in self._average.values] if self._average else []
        row = self._measure(epoch, logs if logs is not None else {}, weights, average)
        # The loss of the last step was that of the weights before it.
        if not all(np.isfinite(each).all() for each in (*weights, row["held_out_loss"])):
            raise DigitsError(
                f"the weights are not finite at the end of epoch {epoch + 1}: {_TRY_SMALLER_RATE}"
            )
        self.history.append(row)
        optimizer = values_of(self.model.optimizer.variables)
        state = Checkpoint(epoch + 1, self.history, weights, optimizer, average)
        checkpoint.save(state, self._run.checkpoints)
        best = self._run.best_row(self.history)
        if best is row:
            self._save_best(state)
        self._write_log()
        checkpoint.prune(self._run.checkpoints, self._keep, best["epoch"])
        print(
            f"epoch {row['epoch']}: loss {row['loss']:.4f}, accuracy {row['accuracy']:.2%}, "
            f"held out {row['held_out_accuracy']:.2%}{' (best)' if best is row else ''}, "
            f"{row['seconds']:.0f} s",
            file=sys.stderr,
        )
        is_last = epoch + 1 == self.params["epochs"]
        if self._limit_s is not None and self.is_time_up() and not is_last:
            print(
                f"the time limit of {self._limit_s / 60:.0f} minutes ends the training here",
                file=sys.stderr,
            )
            self.model.stop_training = True

    def is_time_up(self) -> bool:
        """Whether another epoch as long as the last would end after the time limit."""
        if self._limit_s is None or not self.history:
            return False
        trained_s: float = sum(row["seconds"] for row in self.history)
        return trained_s + float(self.history[-1]["seconds"]) > self._limit_s

    def write_again(self) -> None:
        """Writes all but the checkpoint, as the run may have been killed right after it."""
        if best := self._run.best(self.history):
            self._save_best(best)
        self._write_log()

    def _measure(
        self,
        epoch: int,
        logs: dict[str, Any],
        weights: list[NDArray[Any]],
        average: list[NDArray[Any]],
    ) -> Row:
        """The epoch's row of the history, with the averaged weights where there are some."""
        if average:
            assign(self.model.variables, average)
        try:
            held_out = self.model.evaluate(self._held_out, verbose=0, return_dict=True)
        finally:
            if average:
                assign(self.model.variables, weights)
        # Under Keras' own names, for the callbacks after this one (TensorBoard).
        logs.update(val_loss=float(held_out["loss"]), val_accuracy=float(held_out["accuracy"]))
        rate = self.model.optimizer.learning_rate
        return {
            "epoch": epoch + 1,
            "loss": float(logs["loss"]),
            "accuracy": float(logs["accuracy"]),
            "held_out_loss": logs["val_loss"],
            "held_out_accuracy": logs["val_accuracy"],
            "learning_rate": float(keras.ops.convert_to_numpy(rate)),
            "seconds": time.monotonic() - self._start,
        }

    def _save_best(self, state: Checkpoint) -> None:
        assign(self._saved_model.variables, state.weights)
        with files.replacing(self._run.best_file) as beside:
            self._saved_model.save(beside)

    def _write_log(self) -> None:
        self._run.write_log(self.history)
        with files.replacing(self._run.curves_file) as beside:
            plots.curves(self.history, beside)


def values_of(variables: Sequence[keras.Variable]) -> list[NDArray[Any]]:
    """Copies of the values of variables."""
    return [np.array(variable.numpy()) for variable in variables]


def assign(variables: Sequence[keras.Variable], values: Sequence[NDArray[Any]]) -> None:
    """Sets each variable to its value.

    Raises:
        ValueError: if their number or a shape differs.
    """
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
