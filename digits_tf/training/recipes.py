"""Recipes: what decides how a network is trained. No Keras here, so that they load at once."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How much an image is changed; all zeros change nothing.

    Attributes:
        rotation: standard deviation in degrees.
        slant: standard deviation of the horizontal shear, in pixels a pixel.
        scale: standard deviation of the logarithm of each side's scale.
        shift: standard deviation in pixels.
        elastic: largest root-mean-square displacement in pixels (Simard et al., "Best Practices for
            Convolutional Neural Networks", ICDAR 2003); each image draws between 0 and this.
        perspective: standard deviation of a tilt: how much larger one rim is than the centre.
        stroke: share of images whose strokes are thickened or thinned, half of them each way.
        breaks: share of images whose strokes break up, as chalk does.
        rule: share of images with a piece of a ruled line near the rim.
        specks: share of images with a speck or two.
        cut: share of images cut off on one side, up to 3 pixels into the digit.
        blur: share of images that are blurred.
        contrast: share of images with harder edges, up to black and white.
        gain: largest relative change of brightness.
        grain: share of images with noise.
    """

    rotation: float = 0.0
    slant: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    perspective: float = 0.0
    stroke: float = 0.0
    breaks: float = 0.0
    rule: float = 0.0
    specks: float = 0.0
    cut: float = 0.0
    blur: float = 0.0
    contrast: float = 0.0
    gain: float = 0.0
    grain: float = 0.0

    @property
    def changes_anything(self) -> bool:
        """Whether any of the strengths is above zero."""
        return any(getattr(self, field.name) > 0 for field in dataclasses.fields(self))


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


WRITTEN = Augmentation(
    rotation=9,
    slant=0.18,
    scale=0.1,
    shift=0.8,
    elastic=1.4,
    perspective=0.08,
    stroke=0.5,
    breaks=0.15,
    rule=0.05,
    specks=0.08,
    cut=0.06,
    blur=0.3,
    contrast=0.2,
    gain=0.3,
    grain=0.15,
)


_RESNET = Recipe(
    architecture="resnet",
    epochs=6,
    learning_rate=2e-3,
    average=0.998,
    last_epoch=True,
    augmentation=WRITTEN,
)


_REFERENCE = Recipe(
    architecture="resnet",
    rescale=1.0,
    epochs=100,
    batch_size=1000,
    learning_rate=1e-3,
    warmup=None,
    weight_decay=0.0,
    beta_2=0.999,
    average=0.0,
    augmentation=Augmentation(),
)


_TINY = Recipe(
    architecture="tiny",
    epochs=9,
    optimizer="muon",
    learning_rate=2e-2,
    average=0.998,
    last_epoch=True,
    augmentation=WRITTEN,
)


RECIPES = {
    "default": Recipe(),
    "reference": _REFERENCE,
    "resnet": _RESNET,
    "tiny": _TINY,
}

# Former names of recipes, which run folders and older command lines have.
ALIASES = {"seed": "reference"}
