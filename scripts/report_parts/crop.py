"""Any bright drawing as a crop that the nets take."""

import numpy as np

from digits_tf.detection.crops import mnist_crop

_FLOOR = 20  # grey levels; a drawing has no noise


def cropped(picture: np.ndarray) -> np.ndarray:
    """Puts a drawing into MNIST's geometry with the program's own code.

    Args:
        picture: uint8 (h, w), bright on 0.

    Returns:
        uint8 (28, 28); all 0 if there is no ink.
    """
    crop = mnist_crop(picture, np.full(picture.shape, 255, np.uint8), _FLOOR)
    return np.zeros((28, 28), np.uint8) if crop is None else crop
