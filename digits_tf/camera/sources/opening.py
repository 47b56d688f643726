"""Opens a source by its name on the command line."""

import contextlib
import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import cv2

from digits_tf.camera.sources import opencv, picamera
from digits_tf.camera.sources.base import CameraSettings, Source
from digits_tf.camera.sources.files import Pictures, Video, list_pictures
from digits_tf.camera.sources.live import Live
from digits_tf.errors import DigitsError
from digits_tf.images import is_picture
from digits_tf.runtime import counted

DEMO = "demo"
_VIDEO_SUFFIXES = frozenset((".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".webm"))


def open_source(where: str, settings: CameraSettings, notify: Callable[[str], None]) -> Source:
    """Opens a source.

    Args:
        where: "demo"; a camera's number or /dev/videoN; "picamera" or "picamera:1"; a stream's
            address with ://; a video, a picture, a folder of pictures or a pattern such as
            photos/*.jpg.
        settings: asked of a camera.
        notify: takes a message for the user whenever something happens to the source.

    Raises:
        DigitsError: if there is no such source, or it gives no picture.
    """
    _silence_opencv()
    source = _open(where, settings, notify)
    # A Raspberry Pi's camera rotates by 180 degrees itself.
    source.rotate = settings.rotate % (360 if picamera.number_of(where) is None else 180)
    return source


def list_cameras(settings: CameraSettings) -> Iterator[str]:
    """Opens all cameras in turn.

    Args:
        settings: asked of them.

    Yields:
        For each camera that gives a frame, its --source flag and what it gives.
    """
    pi_cameras = map(picamera.name_of, range(picamera.count()))
    for name in (*map(str, opencv.camera_numbers()), *pi_cameras):
        with contextlib.suppress(DigitsError):
            source = open_source(name, settings, lambda message: None)
            source.release()
            yield f"--source {name}: {source.description.partition(': ')[2]}"


def _open(where: str, settings: CameraSettings, notify: Callable[[str], None]) -> Source:
    if picamera.number_of(where) is not None:
        return _pi_camera(where, settings, notify)
    if settings.controls:
        raise DigitsError(f"--controls is for --source picamera alone, received --source {where}")
    if where == DEMO:
        # Other sources start sooner without the handwriting that it imports.
        from digits_tf.camera.demo import Demo

        return Demo()
    if (number := _camera_number(where)) is not None:
        return _camera(number, settings, notify)
    if "://" in where:
        if Path(urlsplit(where).path).suffix.lower() in _VIDEO_SUFFIXES:
            return Video(where, notify)
        return Live(where, opencv.open_stream, "check the sender", notify)
    return _open_files(where, notify)


def _camera(number: int, settings: CameraSettings, notify: Callable[[str], None]) -> Live:
    def number_of(name: str) -> int:
        return int(name.removeprefix("camera "))

    def connect(name: str) -> opencv.Capture:
        return opencv.open_camera(number_of(name), settings)

    def others(name: str) -> list[str]:
        return [f"camera {n}" for n in _following(number_of(name), opencv.camera_numbers())]

    advice = (
        "another program may hold it; the camera at a Raspberry Pi's ribbon cable needs "
        "--source picamera"
    )
    return Live(f"camera {number}", connect, advice, notify, others)


def _pi_camera(where: str, settings: CameraSettings, notify: Callable[[str], None]) -> Live:
    def connect(name: str) -> picamera.PiCamera:
        return picamera.PiCamera(settings, picamera.number_of(name) or 0)

    def others(name: str) -> list[str]:
        following = _following(picamera.number_of(name) or 0, range(picamera.count()))
        return list(map(picamera.name_of, following))

    return Live(where, connect, picamera.ADVICE, notify, others)


def _following(number: int, numbers: Sequence[int]) -> list[int]:
    """Returns the other numbers, the greater ones first."""
    return sorted((n for n in numbers if n != number), key=lambda n: (n < number, n))


def _open_files(where: str, notify: Callable[[str], None]) -> Source:
    path = Path(where)
    if not where.strip() or not (path.exists() or glob.has_magic(where)):
        raise DigitsError(
            f"--source {where!r}: no such file (it takes a camera's number, picamera, a file, a "
            "folder, a pattern, an address or demo)"
        )
    if path.is_dir() or not path.exists():
        paths = list_pictures(where)
        return Pictures(paths, f"{where}: {counted(len(paths), 'picture')}", notify)
    # A GIF may have many frames.
    if is_picture(path) and path.suffix.lower() != ".gif":
        return Pictures([path], where, notify)
    return Video(where, notify)


def _camera_number(where: str) -> int | None:
    """Returns N of "N" and "/dev/videoN", also for a link to such a device; None: no camera."""
    device = str(Path(where).resolve()) if where.startswith("/dev/") else where
    match = re.fullmatch(r"(?:/dev/video)?(\d{1,3})", device, re.ASCII)
    return int(match[1]) if match else None


def _silence_opencv() -> None:
    """Stops OpenCV and FFmpeg from printing ten lines about a missing camera."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # OpenCV 5 has cv2.setLogLevel, OpenCV 4 cv2.utils.logging.setLogLevel.
    logging = getattr(getattr(cv2, "utils", None), "logging", None)
    set_level = getattr(cv2, "setLogLevel", None) or getattr(logging, "setLogLevel", None)
    if set_level:
        set_level(0)
