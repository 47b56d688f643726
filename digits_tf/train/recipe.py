"""What decides how a network is trained."""

import dataclasses

from digits_tf.model.strength import Augmentation

_BENT = Augmentation(rotation=8, slant=0.1, scale=0.08, shift=0.8, elastic=1.0, stroke=0.2)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        architecture: a name in `ARCHITECTURES`.
        rescale: what the model multiplies pixels by; 1 trains on raw pixels.
        epochs: passes over the training digits.
        batch_size: digits a step.
        optimizer: "adamw", or "muon" (see `train.muon`).
        learning_rate: the peak, or the constant rate.
        warmup: share of all steps in which the rate rises to the peak, before it falls along a
            cosine (one-cycle, Smith, https://arxiv.org/abs/1708.07120); None: a constant rate.
        weight_decay: decoupled, AdamW's (Loshchilov and Hutter, https://arxiv.org/abs/1711.05101),
            on kernels alone.
        beta_2: Adam's second momentum.
        average: share of the old value that the averaged weights keep each step; 0: no averaging.
        last_epoch: whether the last epoch is the model, instead of that with the smallest loss on
            the held-out digits: where these are not of the kind that most others are.
        augmentation: how much each digit is changed, anew in every epoch.
    """

    architecture: str = "small"
    rescale: float = 1 / 255
    epochs: int = 12
    batch_size: int = 128
    optimizer: str = "adamw"
    learning_rate: float = 4e-3
    warmup: float | None = 0.2
    weight_decay: float = 0.02
    beta_2: float = 0.99
    average: float = 0.995
    last_epoch: bool = False
    augmentation: Augmentation = _BENT
