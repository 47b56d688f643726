"""Saves a frame with its reading, under a name of its own."""

import contextlib
import itertools
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from digits_tf import files
from digits_tf.camera.display import View
from digits_tf.errors import DigitsError
from digits_tf.images import write_picture
from digits_tf.runtime import counted


def save(view: View, folder: Path) -> Path:
    """Writes the frame without drawings, and beside it its reading as JSON.

    Args:
        view: what to save.
        folder: where to.

    Returns:
        The PNG file's path; the JSON file's differs in its suffix.

    Raises:
        OSError: if it cannot be written there.
    """
    path = unused_path(folder, ".png")
    write_picture(path, view.frame.shown)
    files.write_json(path.with_suffix(".json"), view.as_json())
    return path


def unused_path(folder: Path, suffix: str) -> Path:
    """A path of the form digits-20261122-181530.png, with a number behind it if that is taken."""
    stem = time.strftime("digits-%Y%m%d-%H%M%S")
    for number in itertools.count(1):
        name = stem if number == 1 else f"{stem}-{number}"
        if not any(folder.glob(f"{name}.*")):
            break
    return folder / f"{name}{suffix}"


SUFFIX = ".mp4"
# H.264 is in no OpenCV wheel.
_CODEC = "mp4v"
# The end of an mp4 is its table of contents: room for it must be left.
_LEAST_FREE_BYTES = 32 << 20
_FRAMES_PER_CHECK = 30


class Recording:
    """Writes an mp4 file, which has its name only once it is whole.

    Args:
        path: the file; its folder is made, one that is there at the end is replaced.
        fps: of the file.
        real_time: whether pictures come in their own time and are to be repeated or left out, so
            that the file runs as fast as the world did; if not, each is one frame.

    Attributes:
        seconds: recorded so far.

    Raises:
        OSError: if it cannot be written there.
    """

    def __init__(self, path: Path, fps: float, real_time: bool):
        self._path, self._fps, self._real_time = path, fps, real_time
        self._file = contextlib.ExitStack()
        self._beside = self._file.enter_context(files.replacing(path))
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._count = 0
        self._start = 0.0
        self._last: np.ndarray | None = None
        self._closed = False

    @property
    def seconds(self) -> float:
        """How long the file runs by now."""
        return self._count / self._fps

    def write(self, picture: np.ndarray, now: float) -> None:
        """Takes a picture.

        Args:
            picture: uint8 (h, w, 3), BGR, always of the same even size.
            now: seconds of a clock that never goes back.

        Raises:
            DigitsError: if OpenCV cannot write such files, or the disk is full.
        """
        if self._writer is None:
            self._open(picture, now)
        if not self._real_time:
            self._write(picture)
            return
        self.repeat(now)
        if self._count <= (now - self._start) * self._fps:
            self._write(picture)
        self._last = picture.copy()

    def repeat(self, now: float) -> None:
        """Fills the time up to now with the picture before, if pictures come in their own time."""
        while self._last is not None and self._count + 1 <= (now - self._start) * self._fps:
            self._write(self._last)

    def close(self) -> str:
        """Ends the file; may be called twice.

        Returns:
            A line that says what was recorded; empty if that has been said.

        Raises:
            DigitsError: if the file cannot be played.
        """
        if self._closed:
            return ""
        self._closed = True
        with _uninterrupted():
            if self._writer is not None:
                self._writer.release()
            if self._count and self._plays():
                self._file.close()
                frames = counted(self._count, "frame")
                return f"recorded {self._path}: {frames}, {self.seconds:.1f} s"
            self._beside.unlink()
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                self._file.close()
        if not self._count:
            return f"{self._path}: nothing was recorded"
        raise DigitsError(f"{self._path}: the recording cannot be played: is the disk full?")

    def _open(self, picture: np.ndarray, now: float) -> None:
        height, width = picture.shape[:2]
        self._size, self._start = (width, height), now
        codec = cv2.VideoWriter.fourcc(*_CODEC)
        self._writer = cv2.VideoWriter(str(self._beside), codec, self._fps, self._size)
        if not self._writer.isOpened():
            raise DigitsError(f"{self._path}: this OpenCV cannot write {SUFFIX} files")

    def _write(self, picture: np.ndarray) -> None:
        if self._writer is None:
            return
        due = self._count % _FRAMES_PER_CHECK == 0
        # OpenCV says nothing of a full disk.
        if due and shutil.disk_usage(self._beside.parent).free < _LEAST_FREE_BYTES:
            raise DigitsError(f"{self._path}: the disk is full: free some space")
        self._writer.write(picture)
        self._count += 1

    def _plays(self) -> bool:
        capture = cv2.VideoCapture(str(self._beside))
        good, _ = capture.read()
        capture.release()
        return good


def find_path(name: str, source: str) -> Path:
    """Finds out where a recording can be written, before anything starts.

    Args:
        name: of a file that is not there yet, or a folder that is: in it the file gets a name of
            its own.
        source: what is to be recorded, as `open_source` takes it.

    Raises:
        DigitsError: if the name does not end in .mp4, is taken, or lies below a file.
        OSError: if nothing can be written there.
    """
    path = Path(name)
    if name and path.is_dir():
        path = unused_path(path, SUFFIX)
    if path.suffix.lower() != SUFFIX:
        raise DigitsError(
            f"--record expected a name that ends in {SUFFIX}, or a folder, received {name!r}"
        )
    # A link to nothing would be replaced as well; and a name that is too long is told by now.
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        path.lstat()
        what = "the file that is to be read" if _same(path, source) else "there already"
        raise DigitsError(
            f"--record {path} is {what}: give another name, or a folder, where each recording gets "
            "its own"
        )
    files.make_folder(path.parent)
    return path


def _same(path: Path, source: str) -> bool:
    """Whether both are one file, by whatever names."""
    try:
        return path.samefile(source)
    except (OSError, ValueError):  # no file at all, such as a camera or an address
        return False


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Lets an impatient second Ctrl-C not spoil the end of a file."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {each: signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in kept.items():
            signal.signal(each, handler)
