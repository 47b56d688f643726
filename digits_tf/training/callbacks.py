"""What happens between the steps of a run, as Keras callbacks."""

import math
import sys
import time
from typing import Any

import keras
import numpy as np

from digits_tf import runtime
from digits_tf.errors import DigitsError

# Steps that are slower than the rest: tracing, compiling, filling the pipeline.
_WARM_UP_STEPS = 3
_AVERAGE_EVERY = 8


class StopWhenNotFinite(keras.callbacks.Callback):
    """Ends a run whose loss is infinite or not a number, before that is saved."""

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Looks at the epoch's mean loss, which one bad step spoils for good.

        Raises:
            DigitsError: if it is not finite.
        """
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise DigitsError(
                f"the loss is {loss} at step {batch + 1} of epoch {self._epoch + 1}: try a smaller "
                "--learning_rate (earlier epochs are kept)"
            )


class WeightAverage(keras.callbacks.Callback):
    """Keeps an exponential moving average of all weights, the norms' statistics among them.

    Keras' own `use_ema` leaves BatchNormalization's statistics out and overwrites the weights when
    `fit` ends. Averaging weights: Polyak and Juditsky, "Acceleration of stochastic approximation by
    averaging" (SIAM J. Control Optim. 30, 1992).

    Args:
        keep: share of the old value kept each step.
        start: values to go on from, in the order of `model.variables`; None: the model's own.
    """

    def __init__(self, keep: float, start: list[np.ndarray] | None = None):
        super().__init__()
        self._keep = keep
        self.values = start or []
        self._step = 0

    def on_train_begin(self, logs=None):
        """Begins with the model's own values."""
        if not self.values:
            self.values = variable_values(self.model.variables)
        self._step = int(self.model.optimizer.iterations.numpy())

    def on_train_batch_end(self, batch, logs=None):
        """Moves the average every 8th step, by as much as 8 steps would."""
        self._step += 1
        if self._step % _AVERAGE_EVERY:
            return
        # A young average must not remember the random start: it keeps less at first.
        keep = min(self._keep**_AVERAGE_EVERY, self._step / (self._step + 10 * _AVERAGE_EVERY))
        for old, variable in zip(self.values, self.model.variables, strict=True):
            new = variable.numpy()
            if np.issubdtype(old.dtype, np.floating):
                old += (1.0 - keep) * (new - old)
            else:
                old[...] = new


class ProgressBar(keras.callbacks.Callback):
    """One bar an epoch, and the time left in the whole run.

    Args:
        epochs: of the whole run.
        steps: in an epoch.
        pause_s: seconds between epochs (evaluation, saving), as far as known.
    """

    def __init__(self, epochs: int, steps: int, pause_s: float = 0.0):
        super().__init__()
        self._epochs = epochs
        self._steps = steps
        self._pause_s = pause_s
        self._warm_up_left = _WARM_UP_STEPS
        self._step_s = 0.0
        self._epoch_end: float | None = None

    def on_epoch_begin(self, epoch, logs=None):
        """Opens the epoch's bar."""
        now = time.monotonic()
        if self._epoch_end is not None:
            self._pause_s = now - self._epoch_end
        self._epoch = epoch
        self._last = now
        self._bar = runtime.bar(self._steps, f"epoch {epoch + 1}/{self._epochs}", "step")

    def on_train_batch_end(self, batch, logs=None):
        """Moves the bar; the first steps compile, and tell nothing of the time left."""
        now = time.monotonic()
        step_s, self._last = now - self._last, now
        if self._warm_up_left:
            self._warm_up_left -= 1
        else:
            self._step_s = 0.95 * self._step_s + 0.05 * step_s if self._step_s else step_s
        left = self.seconds_left(batch + 1)
        words = f"loss {float(logs['loss']):.4f}, accuracy {float(logs['accuracy']):.2%}"
        if left is not None:
            words += f", {clock(left)} left in all"
        self._bar.set_postfix_str(words, refresh=False)
        self._bar.update(1)

    def seconds_left(self, done: int) -> float | None:
        """Seconds to the end of the run, after `done` steps of this epoch; None: not known yet."""
        if not self._step_s:
            return None
        epochs_after = self._epochs - self._epoch - 1
        steps = self._steps - done + epochs_after * self._steps
        return steps * self._step_s + (epochs_after + 1) * self._pause_s

    def on_epoch_end(self, epoch, logs=None):
        """Closes the bar, so that the epoch's figures can take its place."""
        self._epoch_end = time.monotonic()
        self._bar.leave = False
        self._bar.close()

    def close(self):
        """Takes the bar away when a run is broken off."""
        if hasattr(self, "_bar"):
            self._bar.close()


def variable_values(variables: list[Any]) -> list[np.ndarray]:
    """Copies of variables' values."""
    return [np.array(variable.numpy()) for variable in variables]


def assign(variables: list[Any], values: list[np.ndarray]) -> None:
    """Sets variables to values, one for one.

    Raises:
        ValueError: if their number or a shape differs.
    """
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def say(words: str) -> None:
    """Prints to standard error, where the bars are."""
    print(words, file=sys.stderr, flush=True)
