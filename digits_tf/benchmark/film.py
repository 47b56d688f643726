"""Frames from memory, as fast as they are asked for."""

from collections.abc import Sequence

import numpy as np

from digits_tf.benchmark.board import FPS
from digits_tf.camera.sources import Frame, Source


class Film(Source):
    """The same frames in turn, for ever.

    Args:
        pictures: uint8 (h, w, 3), BGR, each; at least one.
    """

    description = "frames from memory"

    def __init__(self, pictures: Sequence[np.ndarray]):
        self._pictures, self._count = pictures, 0

    def read(self, timeout: float) -> Frame:
        """The next frame; its time is that of a camera, however fast it is asked for."""
        number, self._count = self._count, self._count + 1
        return Frame(self._pictures[number % len(self._pictures)], number / FPS)
