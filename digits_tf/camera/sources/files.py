"""Picture files as frames."""

import glob
import math
from collections.abc import Callable
from pathlib import Path

import cv2

from digits_tf.camera import demo
from digits_tf.camera.sources.source import Frame, Source
from digits_tf.errors import DigitsError
from digits_tf.images import PICTURE_SUFFIXES, is_picture, natural, read_picture


class Pictures(Source):
    """Picture files, each once.

    Args:
        paths: in the order to be shown, at least one. If it is the only one, it must be readable;
            of several, those that are not are told of and left out.
        description: what they are.
        tell: takes a line for the user.
    """

    still = True

    def __init__(self, paths: list[Path], description: str, tell: Callable[[str], None]):
        self._paths, self.description, self._tell = paths, description, tell
        self._next = self._readable = 0

    def read(self, timeout: float) -> Frame | None:
        """The next picture that can be read."""
        while self._next < len(self._paths):
            path = self._paths[self._next]
            self._next += 1
            try:
                picture = read_picture(path)
            except (DigitsError, OSError) as error:
                if len(self._paths) == 1:
                    raise
                self._tell(f"left out: {error}")
                continue
            self._readable += 1
            return Frame(picture, 0.0, str(path))
        if not self._readable:
            raise DigitsError(f"{self.description}, but none of them can be read")
        self.ended = True
        return None


def list_pictures(where: str) -> list[Path]:
    """The pictures of a folder or a pattern such as photos/*.jpg, photo 10 behind photo 9.

    Raises:
        DigitsError: if there are none.
    """
    folder = Path(where)
    # Not Path.glob, which takes no absolute patterns.
    candidates = folder.iterdir() if folder.is_dir() else map(Path, glob.glob(where))  # noqa: PTH207
    paths = sorted((path for path in candidates if is_picture(path)), key=natural)
    if not paths:
        kinds = " ".join(sorted(PICTURE_SUFFIXES))
        raise DigitsError(f"{where}: expected pictures there ({kinds}), found none")
    return paths


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


class Demo(Source):
    """The board of `digits_tf.camera.demo`, for ever."""

    fps: float = demo.FPS
    description = f"demo: a board of {demo.WIDTH}x{demo.HEIGHT} on which the program writes"

    def __init__(self) -> None:
        self._shots, self._count = demo.shots(), 0

    def read(self, timeout: float) -> Frame:
        """The next frame."""
        self._count += 1
        return Frame(next(self._shots).picture, (self._count - 1) / demo.FPS)
