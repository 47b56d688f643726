"""Where frames come from: cameras, streams, videos, pictures, the demo."""

import abc
import math
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from digits_tf.camera import demo
from digits_tf.errors import DigitsError
from digits_tf.opencv import PICTURE_SUFFIXES, read_picture

DEMO = "demo"
# A USB camera may fail to give a frame now and then, above all the first ones.
_PATIENCE_S = 2.0


class Source(abc.ABC):
    """Gives frames, once.

    Attributes:
        description: what it is, in a few words.
        fps: frames per second that it is to be shown at; None: as they come.
        still: whether each frame is a picture of its own, to be looked at.
        caption: what the last frame is called, if it is still.
    """

    description: str
    fps: float | None = None
    still = False
    caption = ""

    @abc.abstractmethod
    def frames(self) -> Iterator[np.ndarray]:
        """The frames, uint8 (h, w, 3), BGR.

        Raises:
            DigitsError: where the source fails.
        """

    def release(self) -> None:
        """Gives a device back; may be called twice."""
        return


class Demo(Source):
    """The program's own board, see `demo.frames`."""

    fps = demo.FPS
    description = f"demo: a board of {demo.WIDTH}x{demo.HEIGHT} on which the program writes"

    def frames(self) -> Iterator[np.ndarray]:
        """The board, for ever."""
        return demo.frames()


class Capture(Source):
    """Anything that OpenCV's VideoCapture reads, from its first frame on.

    Args:
        capture: opened; released by this object.
        name: in messages.
        no_frame: the message if there is no first frame.
        live: whether frames come in their own time, and never end but by failure.

    Raises:
        DigitsError: if there is no first frame.
    """

    def __init__(self, capture: cv2.VideoCapture, name: str, no_frame: str, live: bool):
        self._capture, self._name, self._live = capture, name, live
        # What a camera says of its size is not always what it sends.
        first = self._next()
        if first is None:
            capture.release()
            raise DigitsError(no_frame)
        self._first: np.ndarray | None = first
        height, width = first.shape[:2]
        self.description = f"{name}: {width}x{height}"
        if not live:
            fps = capture.get(cv2.CAP_PROP_FPS)
            self.fps = fps if math.isfinite(fps) and 1 <= fps <= 1000 else demo.FPS
            self.description += f", {self.fps:.4g} FPS"

    def frames(self) -> Iterator[np.ndarray]:
        """All frames of a video; those of a camera for ever."""
        frame, self._first = self._first, None
        while frame is not None:
            yield frame
            frame = self._next()
        if self._live:
            raise DigitsError(f"{self._name} sends no more pictures: is it still connected?")

    def release(self) -> None:
        """Gives the device back."""
        self._capture.release()

    def _next(self) -> np.ndarray | None:
        deadline = time.monotonic() + (_PATIENCE_S if self._live else 0.0)
        while True:
            good, frame = self._capture.read()
            if good and frame is not None and frame.size:
                return frame
            if time.monotonic() >= deadline:
                return None
            time.sleep(0.05)


class Pictures(Source):
    """Picture files, each once.

    Args:
        paths: in the order to be shown, at least one. If it is the only one, it must be readable;
            of several, those that are not are named on standard error and left out.
        description: what they are.
    """

    still = True

    def __init__(self, paths: list[Path], description: str):
        self._paths, self.description = paths, description

    def frames(self) -> Iterator[np.ndarray]:
        """The pictures."""
        readable = 0
        for path in self._paths:
            try:
                frame = read_picture(path)
            except (DigitsError, OSError) as error:
                if len(self._paths) == 1:
                    raise
                print(f"left out: {error}", file=sys.stderr)
                continue
            readable += 1
            self.caption = path.name
            yield frame
        if not readable:
            raise DigitsError(f"{self._paths[0].parent}: none of the pictures can be read")


def open_source(where: str, width: int = 1920, height: int = 1080) -> Source:
    """Opens a source by its name on the command line.

    Args:
        where: "demo"; a camera's number or /dev/videoN; a stream's address with ://; a video, a
            picture, or a folder of pictures.
        width: pixels, asked of a camera; it may give others.
        height: pixels, likewise.

    Raises:
        DigitsError: if there is no such thing, or it gives no picture.
    """
    _silence_opencv()
    if where == DEMO:
        return Demo()
    if not where.strip():
        raise DigitsError(
            "--source is empty: expected a camera number, a file, a folder, an address or demo"
        )
    if (number := _camera_number(where)) is not None:
        return _open_camera(where, number, width, height)
    if "://" in where:
        capture = cv2.VideoCapture(where)
        failure = (
            f"{where}: no pictures from this address: check it, and that the sender is running"
        )
        return Capture(capture, where, failure, live=True)
    path = Path(where)
    if path.is_dir():
        paths = sorted(each for each in path.iterdir() if _is_picture(each))
        if not paths:
            kinds = " ".join(sorted(PICTURE_SUFFIXES))
            raise DigitsError(f"{path}: expected pictures in this folder ({kinds}), found none")
        return Pictures(paths, f"{path}: {len(paths)} pictures")
    if not path.exists():
        raise DigitsError(
            f"{path}: no such file (--source takes a camera number, a file, a folder, an address "
            "or demo)"
        )
    if _is_picture(path):
        return Pictures([path], str(path))
    failure = f"{path}: expected a video or a picture, found something that OpenCV cannot read"
    return Capture(cv2.VideoCapture(str(path)), str(path), failure, live=False)


def _open_camera(where: str, number: int, width: int, height: int) -> Capture:
    name = f"camera {where}"
    linux = sys.platform.startswith("linux")
    # Without a backend named, OpenCV asks them all, some of which take a number for something else.
    capture = cv2.VideoCapture(number, cv2.CAP_V4L2 if linux else cv2.CAP_ANY)
    if not capture.isOpened():
        raise DigitsError(
            f"no {name}: check that it is plugged in and not used by another program, or try "
            "--source demo"
        )
    if linux:
        # Over USB 2, 1920x1080 raw pixels come at 5 frames per second, as JPEG at 30.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    camera = Capture(
        capture,
        name,
        f"{name} opens but gives no picture: another program may hold it; on a Raspberry Pi's CSI "
        "camera this is normal, as OpenCV cannot read it: use a USB camera",
        live=True,
    )
    camera.description += f" (asked for {width}x{height})"
    return camera


def _camera_number(where: str) -> int | None:
    """N of "N" and "/dev/videoN", also by another name of the same device; None: no camera."""
    device = str(Path(where).resolve()) if where.startswith("/dev/") else where
    match = re.fullmatch(r"(?:/dev/video)?(\d{1,3})", device, re.ASCII)
    return int(match[1]) if match else None


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()


def _silence_opencv() -> None:
    """A missing camera is told in one line, not in ten of OpenCV's and FFmpeg's."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # OpenCV 4 has the one, OpenCV 5 the other.
    logging = getattr(getattr(cv2, "utils", None), "logging", None)
    set_level = getattr(cv2, "setLogLevel", None) or getattr(logging, "setLogLevel", None)
    if set_level:
        set_level(0)
