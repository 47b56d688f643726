"""Muon for convolutions.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks"
(https://kellerjordan.github.io/posts/muon/): the momentum of a layer is replaced by the nearest
matrix whose singular values are alike, so that rare directions learn as fast as common ones.
"""

import math

import keras
from keras import ops

# The last layers of the project's networks.
_LAST = "answer", "logits"


class Muon(keras.optimizers.Muon):
    """Keras' Muon, which takes matrices alone, for convolutions, too.

    A kernel (height, width, in, out) is taken as a matrix (height * width * in, out). Everything
    else, and the last layer, learns by AdamW at a share of the rate.

    Args:
        learning_rate: a rate or a schedule; about three times AdamW's.
        weight_decay: of kernels.
        adam_beta_2: the second momentum of what learns by AdamW.
    """

    def __init__(self, learning_rate, weight_decay: float, adam_beta_2: float):
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            adam_weight_decay=0.0,
            adam_beta_2=adam_beta_2,
            adam_lr_ratio=0.4,
        )

    def _should_use_adamw(self, variable):
        return len(variable.shape) != 4 or any(name in variable.path for name in _LAST)

    def _muon_update_step(self, gradient, variable, lr, m):
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        shape = tuple(variable.shape)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        ahead = ops.reshape(ops.add(gradient, self.momentum * m), (rows, columns))
        update = ops.reshape(self.zeropower_via_newtonschulz5(ahead, self.ns_steps), shape)
        # As large as AdamW's: Liu et al., https://arxiv.org/abs/2502.16982, equation 4.
        self.assign_sub(variable, lr * self.rms_rate * math.sqrt(max(rows, columns)) * update)


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
