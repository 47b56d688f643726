"""Saves what is read: single frames as PNG with JSON, and recordings as mp4."""

import contextlib
import itertools
import math
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf import files
from digits_tf.camera.display import FrameResult
from digits_tf.errors import DigitsError
from digits_tf.images import write_picture
from digits_tf.runtime import counted

SUFFIX = ".mp4"
# No OpenCV wheel can write H.264.
_CODEC = "mp4v"
# A usual mp4 cannot be played without its table of contents, which comes last. By this suffix
# FFmpeg writes an mp4 in fragments, each with a table of its own: it plays up to where it was cut.
_PART_PREFIX, _PART_SUFFIX = ".recording-", ".ismv"
# It is left to other programs.
_MINIMUM_FREE_BYTES = 32 << 20
_FRAMES_PER_CHECK = 30


def save(result: FrameResult, folder: Path) -> Path:
    """Writes the frame without drawings, and beside it the reading as JSON.

    Args:
        result: what to save.
        folder: where to.

    Returns:
        The PNG file's path; the JSON file's differs in its suffix.

    Raises:
        OSError: if it cannot be written there.
    """
    path = unused_path(folder, ".png")
    write_picture(path, result.frame.shown)
    files.write_json(path.with_suffix(".json"), result.as_json())
    return path


def unused_path(folder: Path, suffix: str) -> Path:
    """Returns a path such as digits-20261122-181530.png, with a number added if it is taken."""
    path = folder / f"{time.strftime('digits-%Y%m%d-%H%M%S')}{suffix}"
    return next(each for each in _numbered(path) if not any(folder.glob(f"{each.stem}.*")))


class Recording:
    """Writes an mp4 file, which gets its name only when it is complete.

    Until then it is hidden beside that name. If the program is killed, `recover` finds it there.

    Args:
        path: the file; its folder is made. If there is such a file, or one is being recorded, a
            number is added to the name.
        fps: of the file.
        real_time: whether to repeat or skip frames, so that the file runs at the speed of the
            scene; if not, each picture is one frame.

    Raises:
        OSError: if it cannot be written there.
    """

    def __init__(self, path: Path, fps: float, real_time: bool):
        self._fps, self._real_time = fps, real_time
        self._path, self._file = _claim(path)
        self._part = _part(self._path)
        self._writer: cv2.VideoWriter | None = None
        self._count = 0
        self._start = 0.0
        self._last: NDArray[np.uint8] | None = None
        self._closed = False

    @property
    def seconds(self) -> float:
        """The length of the recording so far."""
        return self._count / self._fps

    def write(self, picture: NDArray[np.uint8], now: float) -> None:
        """Records a picture.

        Args:
            picture: uint8 (h, w, 3), BGR, always of the same even size.
            now: seconds of a clock that never goes back.

        Raises:
            DigitsError: if OpenCV cannot write such files, or the disk is full.
            OSError: if the file or its disk is no longer there.
        """
        if self._writer is None:
            self._writer = self._open(picture)
            self._start = now
        if not self._real_time:
            self._write(self._writer, picture)
            return
        self.repeat(now)
        if self._count <= (now - self._start) * self._fps:
            self._write(self._writer, picture)
        self._last = picture.copy()

    def repeat(self, now: float) -> None:
        """Fills the time up to now with the last picture, if the recording runs in real time.

        Raises:
            DigitsError, OSError: as `write`.
        """
        # After a long stop, such as Ctrl-Z, at most a second at a time: the program is to go on.
        for _ in range(math.ceil(self._fps)):
            if self._writer is None or self._last is None:
                return
            if self._count + 1 > (now - self._start) * self._fps:
                return
            self._write(self._writer, self._last)

    def close(self) -> str:
        """Completes the file; may be called twice.

        Returns:
            A message about what was recorded; empty the second time.

        Raises:
            DigitsError: if the file cannot be played.
            OSError: if the file or its disk is no longer there.
        """
        if self._closed:
            return ""
        self._closed = True
        with _signals_ignored(), _named(self._path):
            # Windows renames no open file.
            with self._file:
                if self._writer is not None:
                    self._writer.release()
                # A disk that was full for a moment may have fewer.
                frames = min(self._count, _frames(self._part)) if self._count else 0
                if frames:
                    files.sync(self._part)
            if frames:
                self._part.replace(self._path)
                files.sync(self._path.parent)
                seconds = frames / self._fps
                return f"recorded {self._path}: {counted(frames, 'frame')}, {seconds:.1f} s"
            self._part.unlink(missing_ok=True)
        if not self._count:
            return f"{self._path}: nothing was recorded"
        raise DigitsError(f"{self._path}: the recording cannot be played: is the disk full?")

    def _open(self, picture: NDArray[np.uint8]) -> cv2.VideoWriter:
        height, width = picture.shape[:2]
        codec = cv2.VideoWriter.fourcc(*_CODEC)
        writer = cv2.VideoWriter(str(self._part), codec, self._fps, (width, height))
        if not writer.isOpened():
            raise DigitsError(f"{self._path}: this OpenCV cannot write {SUFFIX} files")
        return writer

    def _write(self, writer: cv2.VideoWriter, picture: NDArray[np.uint8]) -> None:
        # OpenCV reports neither a full disk nor one that was pulled out.
        if self._count % _FRAMES_PER_CHECK == 0:
            with _named(self._path):
                free = shutil.disk_usage(self._part).free
            if free < _MINIMUM_FREE_BYTES:
                raise DigitsError(f"{self._path}: the disk is full: free some space")
        writer.write(picture)
        self._count += 1


def recover(folder: Path) -> Iterator[str]:
    """Gives the recordings of programs that were killed a name, such as out-recovered.mp4.

    Those that another program is writing are left alone, and so is what cannot be renamed.

    Args:
        folder: where recordings were made.

    Yields:
        A message for each.
    """
    for part in sorted(folder.glob(f"{_PART_PREFIX}*{_PART_SUFFIX}")):
        with contextlib.suppress(OSError):
            with part.open("rb") as file:
                if not files.try_lock(file):
                    continue
            yield _recover(part)


def _recover(part: Path) -> str:
    stem = part.stem.removeprefix(_PART_PREFIX)
    if not part.stat().st_size:
        part.unlink()
        name = part.with_name(f"{stem}{SUFFIX}")
        return f"{name}: nothing was recorded before its program was killed"
    path = part.with_name(f"{stem}-recovered{SUFFIX}")
    path = next(each for each in _numbered(path) if not os.path.lexists(each))
    part.rename(path)
    flaw = "" if _frames(path) else ", but it cannot be played"
    return f"recovered {path}: the program that recorded it was killed{flaw}"


def _claim(path: Path) -> tuple[Path, BinaryIO]:
    """Finds a name that is free, and makes the file to write into, locked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for each in _numbered(path):
        if os.path.lexists(each):
            continue
        with contextlib.suppress(FileExistsError), _named(each):
            file = _part(each).open("xb")
            files.try_lock(file)
            return each, file
    raise AssertionError("there is no end of names")


def _part(path: Path) -> Path:
    return path.with_name(f"{_PART_PREFIX}{path.stem}{_PART_SUFFIX}")


def _numbered(path: Path) -> Iterator[Path]:
    """The path, then with a number added to its name."""
    yield path
    for number in itertools.count(2):
        yield path.with_stem(f"{path.stem}-{number}")


def _frames(path: Path) -> int:
    """About how many frames of a file can be played."""
    capture = cv2.VideoCapture(str(path))
    plays, _ = capture.read()
    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    capture.release()
    if not plays:
        return 0
    return int(count) if math.isfinite(count) and count >= 1 else 1


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Names a path in errors about the file beside it."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def find_path(name: str, source: str) -> Path:
    """Finds a path for a recording, and whether it can be written, before anything starts.

    Args:
        name: of a new file, or of an existing folder, in which the file gets a name of its own.
        source: what is to be recorded, as `open_source` takes it.

    Raises:
        DigitsError: if the name does not end in .mp4, exists, or lies below a file.
        OSError: if nothing can be written there.
    """
    path = Path(name)
    if name and path.is_dir():
        path = unused_path(path, SUFFIX)
    if path.suffix.lower() != SUFFIX:
        raise DigitsError(
            f"--record expected a name that ends in {SUFFIX}, or a folder, received {name!r}"
        )
    # lstat, as a broken link would be replaced as well. It also raises if a name is too long.
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
    """Returns whether both name the same file."""
    try:
        return path.samefile(source)
    except (OSError, ValueError):  # no file at all, such as a camera or an address
        return False


@contextlib.contextmanager
def _signals_ignored() -> Iterator[None]:
    """Ignores Ctrl-C and SIGTERM, so that a second one does not spoil the end of a file."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in signals}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
