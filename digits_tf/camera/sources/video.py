"""A video file as frames."""

import math
from collections.abc import Callable

import cv2

from digits_tf.camera.sources.source import Frame, Source
from digits_tf.errors import DigitsError

_DEFAULT_FPS = 30.0
# Some containers only estimate how many frames they have.
_ESTIMATE = 0.97


class Video(Source):
    """Every frame of a video file.

    Args:
        where: its path or address.
        tell: takes a line for the user.

    Raises:
        DigitsError: if there is no first frame.
    """

    def __init__(self, where: str, tell: Callable[[str], None]):
        self._where, self._tell = where, tell
        self._capture = cv2.VideoCapture(where)
        good, first = self._capture.read()
        if not good:
            self._capture.release()
            raise DigitsError(
                f"{where}: expected a video or a picture, found nothing that OpenCV can read (is "
                "it whole?)"
            )
        self._picture, self._count = first, 0
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps: float = fps if math.isfinite(fps) and 1 <= fps <= 1000 else _DEFAULT_FPS
        height, width = first.shape[:2]
        self.description = f"{where}: {width}x{height}, {self.fps:.4g} FPS"

    def read(self, timeout: float) -> Frame | None:
        """The next frame."""
        if self._count:
            # Into the same memory: a new array for each frame costs more than it seems.
            good, self._picture = self._capture.read(self._picture)
            if not good:
                self._end()
                return None
        self._count += 1
        return Frame(self._picture, (self._count - 1) / self.fps)

    def release(self) -> None:
        """Closes the file."""
        self._capture.release()

    def _end(self) -> None:
        self.ended = True
        expected = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        if math.isfinite(expected) and self._count < _ESTIMATE * expected - 1:
            self._tell(
                f"{self._where} ended early, after {self._count} of {expected:.0f} frames: it is "
                "cut or damaged"
            )
