"""Cameras and network streams through OpenCV."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2

from digits_tf.camera.sources.base import CameraSettings, Frame, as_picture
from digits_tf.errors import DigitsError

# FFmpeg's own limits for an address that does not answer are 30 s.
_OPEN_MS, _READ_MS = 8000, 5000
_DEVICES = Path("/sys/class/video4linux")
# Parts of a Raspberry Pi's own camera, which is read as a whole by `picamera`.
_PI_PARTS = ("bcm2835-", "pispbe", "rp1-cfe", "rpi", "unicam")
# Windows and macOS do not list their cameras: these numbers are tried.
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

    def read(self, spare: Frame | None) -> Frame | None:
        """Waits for the next frame; None if that failed, or gave no picture."""
        good, given = self._capture.read(spare.picture if spare else None)
        picture = as_picture(given) if good else None
        return None if picture is None else Frame(picture, time.monotonic())

    def release(self) -> None:
        """Releases the camera or stream."""
        self._capture.release()


def camera_numbers() -> Sequence[int]:
    """Returns the numbers of the cameras that there may be; not all need open."""
    if not sys.platform.startswith("linux"):
        return range(_MOST_CAMERAS)
    return sorted(
        int(path.name[5:])
        for path in _DEVICES.glob("video*")
        if path.name[5:].isdecimal() and not _is_pi_part(path / "name")
    )


def _is_pi_part(name: Path) -> bool:
    try:
        return name.read_text().startswith(_PI_PARTS)
    except OSError:
        return False


def open_camera(number: int, settings: CameraSettings) -> Capture:
    """Opens a camera of this computer.

    Args:
        number: counted from 0.
        settings: its size and rate are asked of the camera.

    Raises:
        DigitsError: if there is none.
    """
    linux = sys.platform.startswith("linux")
    # Without a named backend OpenCV asks all, and some take a number for something else.
    capture = cv2.VideoCapture(number, cv2.CAP_V4L2 if linux else cv2.CAP_ANY)
    if not capture.isOpened():
        raise DigitsError(
            f"no camera {number}: check that it is plugged in and not used by another program, or "
            "try --source demo"
        )
    if linux:
        # USB 2 carries 5 raw frames of 1920x1080 per second, and 30 as JPEG.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
    capture.set(cv2.CAP_PROP_FPS, settings.fps)
    return Capture(capture, f" (asked for {settings})")


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
