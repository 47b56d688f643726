"""Recipes: what decides how a network is trained. Without Keras, so that the import is quick."""

import dataclasses
from typing import Literal


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
        perspective: standard deviation of a tilt: by what share an edge is larger than the centre.
        stroke: share of images whose strokes become thicker or thinner, half of them each.
        breaks: share of images whose strokes break up, as chalk does.
        rule: share of images with a piece of a ruled line near the edge.
        specks: share of images with one speck or two.
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


# For MNIST's digits as they are.
_MILD = Augmentation(rotation=8, slant=0.1, scale=0.08, shift=0.8, elastic=1.0, stroke=0.2)
# For handwriting that a camera sees on paper and boards.
_STRONG = Augmentation(
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


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        architecture: a name in `ARCHITECTURES`.
        rescale: what the model multiplies pixels by; 1 trains on raw pixels.
        epochs: passes over the training digits.
        batch_size: digits a step.
        optimizer: AdamW, or Muon for convolutions and AdamW for the rest.
        learning_rate: the peak, or the constant rate.
        warmup: share of all steps in which the rate rises to the peak, before it falls along a
            cosine (one cycle: Smith, https://arxiv.org/abs/1708.07120); None: a constant rate.
        weight_decay: decoupled (Loshchilov and Hutter, https://arxiv.org/abs/1711.05101), of
            kernels alone.
        beta_2: Adam's second momentum.
        average: share of the old value that the averaged weights keep each step; 0: no averaging.
        last_epoch: whether the last epoch becomes the model, instead of the one with the smallest
            loss on the held-out digits. For training digits of other kinds than those held out.
        augmentation: how much each digit is changed, anew in every epoch.
    """

    architecture: str = "small"
    rescale: float = 1 / 255
    epochs: int = 12
    batch_size: int = 128
    optimizer: Literal["adamw", "muon"] = "adamw"
    learning_rate: float = 4e-3
    warmup: float | None = 0.2
    weight_decay: float = 0.02
    beta_2: float = 0.99
    average: float = 0.995
    last_epoch: bool = False
    augmentation: Augmentation = _MILD


RECIPES = {
    "default": Recipe(),
    # The tutorial's.
    "reference": Recipe(
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
    ),
    # The shipped models', for the folder that `digits-tf scenes` writes.
    "resnet": Recipe(
        architecture="resnet",
        epochs=6,
        learning_rate=2e-3,
        average=0.998,
        last_epoch=True,
        augmentation=_STRONG,
    ),
    "tiny": Recipe(
        architecture="tiny",
        epochs=9,
        optimizer="muon",
        learning_rate=2e-2,
        average=0.998,
        last_epoch=True,
        augmentation=_STRONG,
    ),
}

# Of a model that is trained already, with digits of one's own.
FINETUNE = Recipe(epochs=1, learning_rate=1e-3, warmup=0.1, weight_decay=0.0, augmentation=_STRONG)

# Former names of recipes, which run folders and older command lines have.
ALIASES = {"seed": "reference"}


def recipe(name: str) -> Recipe:
    """The recipe of a name in `RECIPES` or `ALIASES`.

    Raises:
        KeyError: if there is none.
    """
    return RECIPES[ALIASES.get(name, name)]
