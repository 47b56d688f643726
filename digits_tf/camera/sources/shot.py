"""What a camera gives at once."""

from typing import NamedTuple

import numpy as np


class Shot(NamedTuple):
    """A picture, perhaps twice.

    Attributes:
        picture: uint8 (h, w) grey or (h, w, 3) BGR, to be read.
        colour: uint8 (h, w, 3), BGR, the same moment, to be shown; None: `picture` is.
    """

    picture: np.ndarray
    colour: np.ndarray | None = None
