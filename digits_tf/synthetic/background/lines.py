"""Lines that nobody wrote: pieces of ruled and squared paper, edges of a sheet."""

import cv2
import numpy as np

from digits_tf.synthetic.background.capture import somewhere
from digits_tf.synthetic.background.ink import SIDE
from digits_tf.synthetic.scene import empty


def piece(rng: np.random.Generator) -> np.ndarray:
    """Draws a piece of ruled or squared paper, uint8 (56, 56), bright on 0."""
    glyph = np.zeros((SIDE, SIDE), np.uint8)
    turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.normal(0, 6), 1.0)
    rows, columns = _COUNTS[rng.integers(len(_COUNTS))]
    pitch = rng.uniform(8, 20)
    width = int(rng.integers(1, 6))
    far = (6, SIDE - 6)
    for count, axis in ((rows, 1), (columns, 0)):
        places = (np.arange(count) - (count - 1) / 2) * pitch + SIDE / 2
        places = np.clip(places, 3, SIDE - 4)
        # One alone may run along the end of the others: a corner or a T. Not above, as in a 7.
        if count == 1 and rng.random() < 0.5:
            places = np.array([far[1 if axis else rng.integers(2)]])
        for place in places:
            ends = np.array([(far[0], place), (far[1], place)])[:, :: 1 if axis else -1]
            start, end = np.round(cv2.transform(ends[None], turn)[0]).astype(int).tolist()
            cv2.line(glyph, start, end, 255, width, cv2.LINE_AA)
    return glyph


def of_ground(rng: np.random.Generator) -> np.ndarray | None:
    """Cuts out what is found on paper or a board with nothing on it, uint8 (28, 28), or None."""
    height = int(rng.integers(64, 160))
    return somewhere(empty(rng, (height, int(height * rng.uniform(0.8, 1.5)))), rng)


# Rows and columns; columns alone would be ones.
_COUNTS = ((1, 1), (1, 1), (2, 0), (3, 0), (4, 0), (1, 2), (2, 1), (2, 2), (3, 2), (2, 3), (3, 3))
