"""A display that nobody looks at."""

import time
from typing import NamedTuple

import numpy as np

from digits_tf.camera.display import Display
from digits_tf.camera.view import View


class Entry(NamedTuple):
    """What was read, when, and what its stages took, as `View.milliseconds`."""

    text: str
    instant: float
    milliseconds: dict[str, float]


class Log(Display):
    """Keeps what is read, as `Lines` would print it, and when.

    Attributes:
        entries: one a frame.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def show(self, view: View, picture: np.ndarray | None) -> None:
        """Keeps the reading."""
        self.entries.append(Entry(view.text, time.perf_counter(), view.milliseconds))

    def wait(self, seconds: float) -> None:
        """Nobody wants anything, and nothing is waited for."""
        return
