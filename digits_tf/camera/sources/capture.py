"""Cameras and network streams through OpenCV."""

import sys
from pathlib import Path

import cv2

from digits_tf.camera.sources.source import Shot
from digits_tf.errors import DigitsError

# FFmpeg's own limits for an address that does not answer are 30 s.
_OPEN_MS, _READ_MS = 8000, 5000
_DEVICES = Path("/sys/class/video4linux")
_PARTS = ("bcm2835-", "pispbe", "rp1-cfe", "rpi", "unicam")
# Windows and macOS tell OpenCV of none: these numbers are tried.
_MOST_CAMERAS = 6


class Capture:
    """A camera or stream that OpenCV has opened; a `live.Device`.

    Args:
        capture: opened; released by this object.
        asked: what was asked of it, for the details.

    Attributes:
        details: its rate, as far as it is known.
    """

    def __init__(self, capture: cv2.VideoCapture, asked: str = ""):
        self._capture = capture
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.details = (f", {fps:.4g} FPS" if 0 < fps <= 1000 else "") + asked

    def read(self, spare: Shot | None) -> Shot | None:
        """Waits for the next picture, uint8 (h, w, 3), BGR; None: that failed."""
        good, picture = self._capture.read(spare.picture if spare else None)
        return Shot(picture) if good else None

    def release(self) -> None:
        """Gives it back."""
        self._capture.release()


def numbers() -> list[int]:
    """Of the cameras that there may be: not all need open."""
    if not sys.platform.startswith("linux"):
        return list(range(_MOST_CAMERAS))
    return sorted(
        int(path.name[5:])
        for path in _DEVICES.glob("video*")
        if path.name[5:].isdecimal() and not _is_part(path / "name")
    )


def _is_part(name: Path) -> bool:
    """Whether it is what a Raspberry Pi's own camera is made of: that is `picamera`, as a whole."""
    try:
        return name.read_text().startswith(_PARTS)
    except OSError:
        return False


def open_camera(number: int, width: int, height: int, fps: float) -> Capture:
    """Opens a camera of this computer.

    Args:
        number: counted from 0.
        width: pixels, asked of the camera; it may give others.
        height: pixels, likewise.
        fps: frames per second, likewise.

    Raises:
        DigitsError: if there is none.
    """
    linux = sys.platform.startswith("linux")
    # Without a backend named, OpenCV asks them all, some of which take a number for something else.
    capture = cv2.VideoCapture(number, cv2.CAP_V4L2 if linux else cv2.CAP_ANY)
    if not capture.isOpened():
        raise DigitsError(
            f"no camera {number}: check that it is plugged in and not used by another program, or "
            "try --source demo"
        )
    if linux:
        # Over USB 2, 1920x1080 raw pixels come at 5 frames per second, as JPEG at 30.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    capture.set(cv2.CAP_PROP_FPS, fps)
    asked = f" (asked for {width}x{height}, {fps:.4g} FPS)"
    return Capture(capture, asked)


def open_stream(address: str) -> Capture:
    """Opens a network stream.

    Args:
        address: an RTSP or HTTP address, or another that FFmpeg knows.

    Raises:
        DigitsError: if nothing answers.
    """
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS]
    capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        raise DigitsError(
            f"{address}: no pictures from this address: check it, and that the sender is running"
        )
    return Capture(capture)
