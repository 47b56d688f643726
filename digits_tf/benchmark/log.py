"""A display that nobody looks at."""

import time
from typing import NamedTuple

import numpy as np

from digits_tf.camera.display import Display, FrameResult


class Entry(NamedTuple):
    """What was read, when, and what its stages took, as `FrameResult.milliseconds`."""

    text: str
    instant: float
    milliseconds: dict[str, float]


class Log(Display):
    """Keeps what is read, without the blanks between numbers, and when.

    Attributes:
        entries: one a frame.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def show(self, result: FrameResult, picture: np.ndarray | None) -> None:
        """Keeps the reading."""
        # On a wide frame digits stand as far apart as numbers do.
        digits = result.text.replace(" ", "")
        self.entries.append(Entry(digits, time.perf_counter(), result.milliseconds))

    def wait(self, seconds: float) -> None:
        """Nobody wants anything, and nothing is waited for."""
        return
