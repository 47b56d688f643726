"""The learning rate over the steps."""

import math

import keras
from keras import ops

# What the rate begins at, as a share of its peak.
_FIRST = 0.04


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up to a peak, then down to nothing along a cosine.

    Smith, "A disciplined approach to neural network hyper-parameters"
    (https://arxiv.org/abs/1803.09820), with the linear rise and cosine fall that are common today.

    Args:
        peak: the highest rate.
        steps: steps of the whole run.
        warmup: share of the steps in which the rate rises, 0 to 1.
    """

    def __init__(self, peak: float, steps: int, warmup: float):
        self.peak = peak
        self.steps = steps
        self.warmup = warmup

    def __call__(self, step):
        """The rate at a step, counted from 0."""
        step = ops.cast(step, "float32")
        rise = max(1.0, self.warmup * self.steps)
        up = _FIRST + (1.0 - _FIRST) * step / rise
        fall = ops.clip((step - rise) / max(1.0, self.steps - rise), 0.0, 1.0)
        down = 0.5 * (1.0 + ops.cos(math.pi * fall))
        return self.peak * ops.where(step < rise, up, down)

    def get_config(self):
        """The constructor's arguments."""
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup}
