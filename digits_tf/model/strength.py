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
        stroke: share of images whose strokes are thickened or thinned, half of them each way.
        blur: share of images that are blurred.
        gain: largest relative change of brightness.
    """

    rotation: float = 0.0
    slant: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    stroke: float = 0.0
    blur: float = 0.0
    gain: float = 0.0

    @property
    def changes_anything(self) -> bool:
        """Whether any of the strengths is above zero."""
        return any(getattr(self, field.name) > 0 for field in dataclasses.fields(self))
