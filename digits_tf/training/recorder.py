"""After each epoch: measure on the held-out digits, save, and draw."""

import time
from typing import Any

import keras
import tensorflow as tf

from digits_tf import files, plots
from digits_tf.training import checkpoint
from digits_tf.training.callbacks import WeightAverage, assign, say, variable_values
from digits_tf.training.checkpoint import Checkpoint
from digits_tf.training.run import Run, is_spent


class Recorder(keras.callbacks.Callback):
    """Writes checkpoint, best model, log and curves after each epoch, in this order.

    The checkpoint is what counts: all else is made again from it by a resumed run.

    Args:
        run: the run folder.
        blank: an uncompiled float32 model of the same architecture, which the best file is saved
            from, so that it opens on any machine and without this package.
        held_out: batches of digits that the epoch is chosen on.
        average: the averaged weights, or None.
        history: rows of the epochs before this session.
        keep: how many checkpoints to keep besides the best; 0: all.
        limit_s: stop before an epoch that would end later than this many seconds of training in
            all; None: no limit.
    """

    def __init__(
        self,
        run: Run,
        blank: keras.Model,
        held_out: tf.data.Dataset,
        average: WeightAverage | None,
        history: list[dict[str, Any]],
        keep: int,
        limit_s: float | None = None,
    ):
        super().__init__()
        self._run = run
        self._blank = blank
        self._held_out = held_out
        self._average = average
        self.history = history
        self._keep = keep
        self._limit_s = limit_s

    def on_epoch_begin(self, epoch, logs=None):
        """Starts the epoch's clock."""
        self._start = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        """Measures and saves."""
        logs = logs or {}
        weights = variable_values(self.model.variables)
        average = [value.copy() for value in self._average.values] if self._average else []
        held_out = self._evaluate(weights, average)
        rate = self.model.optimizer.learning_rate
        row = {
            "epoch": epoch + 1,
            "loss": float(logs["loss"]),
            "accuracy": float(logs["accuracy"]),
            "held_out_loss": float(held_out["loss"]),
            "held_out_accuracy": float(held_out["accuracy"]),
            "learning_rate": float(keras.ops.convert_to_numpy(rate)),
            "seconds": time.monotonic() - self._start,
        }
        # Under Keras' own names, for the callbacks behind this one (TensorBoard).
        logs.update(val_loss=row["held_out_loss"], val_accuracy=row["held_out_accuracy"])
        self.history.append(row)
        optimizer = variable_values(self.model.optimizer.variables)
        state = Checkpoint(epoch + 1, self.history, weights, optimizer, average)
        checkpoint.save(state, self._run.checkpoints)
        best = self._run.best_row(self.history)
        if best is row:
            save_best(self._run, self._blank, state)
        write_reports(self._run, self.history)
        checkpoint.prune(self._run.checkpoints, self._keep, best["epoch"])
        say(
            f"epoch {row['epoch']}: loss {row['loss']:.4f}, accuracy {row['accuracy']:.2%}, "
            f"held out {row['held_out_accuracy']:.2%}{' (best)' if best is row else ''}, "
            f"{row['seconds']:.0f} s"
        )
        if self._limit_s is not None and is_spent(self.history, self._limit_s):
            say(f"the time limit of {self._limit_s / 60:.0f} minutes ends the training here")
            self.model.stop_training = True

    def _evaluate(self, weights, average) -> dict[str, float]:
        if not average:
            return self.model.evaluate(self._held_out, verbose=0, return_dict=True)
        assign(self.model.variables, average)
        try:
            return self.model.evaluate(self._held_out, verbose=0, return_dict=True)
        finally:
            assign(self.model.variables, weights)


def save_best(run: Run, blank: keras.Model, state: Checkpoint) -> None:
    """Writes the best file from a checkpoint's weights."""
    assign(blank.variables, state.weights)
    with files.replacing(run.best_file) as beside:
        blank.save(beside)


def write_reports(run: Run, history: list[dict[str, Any]]) -> None:
    """Writes log.csv and curves.png."""
    run.write_log(history)
    with files.replacing(run.folder / "curves.png") as beside:
        plots.curves(history, beside)
