"""Picture files and videos as sources."""

import glob
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf.camera.sources.base import Frame, Source, as_picture
from digits_tf.errors import DigitsError
from digits_tf.images import PICTURE_SUFFIXES, is_picture, natural, read_picture

_DEFAULT_FPS = 30.0
# Some video formats only estimate their number of frames.
_COUNT_TOLERANCE = 0.97


class Pictures(Source):
    """Picture files, each once, or again and again.

    Args:
        paths: in the order to show them, at least one. If it is the only one, it must be readable;
            of several, the unreadable ones are named to the user and left out.
        description: what they are.
        notify: takes a message for the user.
    """

    still = True

    def __init__(self, paths: list[Path], description: str, notify: Callable[[str], None]):
        self._paths, self.description, self._notify = list(paths), description, notify
        self._is_alone, self._next = len(paths) == 1, 0

    def read(self, timeout: float) -> Frame | None:
        """Returns the next picture that can be read."""
        while self._paths and (self.repeats or self._next < len(self._paths)):
            self._next %= len(self._paths)
            path = self._paths[self._next]
            try:
                picture = read_picture(path)
            except (DigitsError, OSError) as error:
                if self._is_alone:
                    raise
                self._notify(f"left out: {error}")
                del self._paths[self._next]
                continue
            self._next += 1
            return Frame(picture, 0.0, str(path))
        if not self._paths:
            raise DigitsError(f"{self.description}, but none of them can be read")
        self.ended = True
        return None


def list_pictures(where: str) -> list[Path]:
    """Lists the pictures of a folder or a pattern such as photos/*.jpg; photo 9 before photo 10.

    Raises:
        DigitsError: if there are none.
    """
    folder = Path(where)
    # Path.glob takes no absolute patterns.
    candidates = folder.iterdir() if folder.is_dir() else map(Path, glob.glob(where))  # noqa: PTH207
    paths = sorted((path for path in candidates if is_picture(path)), key=natural)
    if not paths:
        kinds = " ".join(sorted(PICTURE_SUFFIXES))
        raise DigitsError(f"{where}: expected pictures there ({kinds}), found none")
    return paths


class Video(Source):
    """Every frame of a video file.

    Args:
        where: its path or address.
        notify: takes a message for the user.

    Raises:
        DigitsError: if there is no first frame.
    """

    def __init__(self, where: str, notify: Callable[[str], None]):
        self._where, self._notify = where, notify
        self._capture = cv2.VideoCapture(where)
        picture = self._next(None)
        if picture is None:
            self._capture.release()
            raise DigitsError(
                f"{where}: expected a video or a picture, found nothing that OpenCV can read (is "
                "it whole?)"
            )
        self._picture, self._count = picture, 0
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps: float = fps if math.isfinite(fps) and 1 <= fps <= 1000 else _DEFAULT_FPS
        height, width = self._picture.shape[:2]
        self.description = f"{where}: {width}x{height}, {self.fps:.4g} FPS"

    def read(self, timeout: float) -> Frame | None:
        """Returns the next frame."""
        if self._count:
            # Into the same memory: allocating an array for each frame takes noticeable time.
            picture = self._next(self._picture)
            if picture is None:
                self._end()
                return None
            self._picture = picture
        self._count += 1
        return Frame(self._picture, (self._count - 1) / self.fps)

    def release(self) -> None:
        """Closes the file."""
        self._capture.release()

    def _next(self, memory: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
        """The next picture; None if there is none or what comes is none."""
        try:
            good, given = self._capture.read(memory)
        except cv2.error:
            return None
        return as_picture(given) if good else None

    def _end(self) -> None:
        self.ended = True
        expected = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        if math.isfinite(expected) and self._count < _COUNT_TOLERANCE * expected - 1:
            self._notify(
                f"{self._where} ended early, after {self._count} of {expected:.0f} frames: it is "
                "cut or damaged"
            )
