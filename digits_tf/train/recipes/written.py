"""How digits on paper and boards differ from MNIST's.

Pens of every width, other hands' slants, and what chalk, a camera and a crop do to them.
"""

from digits_tf.model.strength import Augmentation

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
