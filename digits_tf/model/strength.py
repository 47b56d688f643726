"""How much digits are changed in training. No keras here, so that recipes load at once."""

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
