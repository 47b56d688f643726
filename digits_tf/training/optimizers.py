"""Optimizers and their learning rate."""

import math
from typing import Any, TypeAlias

import keras
from keras import ops

from digits_tf.training.recipes import Recipe

Tensor: TypeAlias = Any

# The last layers of the project's networks.
_LAST_LAYERS = "answer", "logits"
# The rate at the first step, as a share of the peak.
_FIRST_RATE = 0.04


def optimizer(recipe: Recipe, steps: int) -> keras.Optimizer:
    """The optimizer of a recipe, for a run of so many steps in all."""
    rate: Any = recipe.learning_rate
    if recipe.warmup is not None:
        rate = one_cycle(recipe.learning_rate, steps, recipe.warmup)
    if recipe.optimizer == "muon":
        return Muon(rate, recipe.weight_decay, recipe.beta_2)
    if not recipe.weight_decay:
        return keras.optimizers.Adam(rate, beta_2=recipe.beta_2)
    adamw = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, beta_2=recipe.beta_2)
    # Decay of biases and of the normalization's variables brings nothing and can undo it.
    adamw.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return adamw


def one_cycle(peak: float, steps: int, warmup: float) -> keras.optimizers.schedules.CosineDecay:
    """A rate that rises linearly to a peak, then falls to 0 along a cosine.

    Smith, "A disciplined approach to neural network hyper-parameters"
    (https://arxiv.org/abs/1803.09820).

    Args:
        peak: the highest rate.
        steps: steps of the whole run.
        warmup: share of the steps in which the rate rises, 0 to 1.
    """
    warmup_steps = max(1, round(warmup * steps))
    return keras.optimizers.schedules.CosineDecay(
        _FIRST_RATE * peak,
        decay_steps=max(1, steps - warmup_steps),
        warmup_target=peak,
        warmup_steps=warmup_steps,
    )


class Muon(keras.optimizers.Muon):  # type: ignore[misc]
    """Keras' Muon, which takes only matrices, for convolutions.

    Jordan et al., "Muon: An optimizer for hidden layers in neural networks"
    (https://kellerjordan.github.io/posts/muon/): the momentum of a layer is replaced by the nearest
    matrix with equal singular values, so that rare directions learn as fast as common ones.

    A kernel (height, width, in, out) is taken as a matrix (height * width * in, out). Everything
    else, and the last layer, learns by AdamW at a share of the rate.

    Args:
        learning_rate: a rate or a schedule; about three times AdamW's.
        weight_decay: of kernels.
        adam_beta_2: the second momentum of what learns by AdamW.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        weight_decay: float,
        adam_beta_2: float,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            adam_weight_decay=0.0,
            adam_beta_2=adam_beta_2,
            adam_lr_ratio=0.4,
        )

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) != 4 or any(name in variable.path for name in _LAST_LAYERS)

    def _muon_update_step(
        self, gradient: Tensor, variable: keras.Variable, lr: Tensor, m: keras.Variable
    ) -> None:
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        shape = tuple(variable.shape)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        ahead = ops.reshape(ops.add(gradient, self.momentum * m), (rows, columns))
        update = ops.reshape(self.zeropower_via_newtonschulz5(ahead, self.ns_steps), shape)
        # As large as AdamW's update: Liu et al., https://arxiv.org/abs/2502.16982, equation 4.
        self.assign_sub(variable, lr * self.rms_rate * math.sqrt(max(rows, columns)) * update)
