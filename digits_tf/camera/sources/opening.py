"""Opens a source by its name on the command line."""

import contextlib
import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import cv2

from digits_tf.camera.sources import capture, picamera
from digits_tf.camera.sources.files import Pictures, Video, list_pictures
from digits_tf.camera.sources.live import Device, Live
from digits_tf.camera.sources.source import Source, Wanted
from digits_tf.errors import DigitsError
from digits_tf.images import is_picture
from digits_tf.runtime import counted

DEMO = "demo"
_VIDEO_SUFFIXES = frozenset((".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".webm"))


def open_source(where: str, wanted: Wanted, tell: Callable[[str], None]) -> Source:
    """Opens a source.

    Args:
        where: "demo"; a camera's number or /dev/videoN; "picamera" or "picamera:1"; a stream's
            address with ://; a video, a picture, a folder of pictures or a pattern such as
            photos/*.jpg.
        wanted: asked of a camera.
        tell: takes a line for the user, whenever something happens to the source.

    Raises:
        DigitsError: if there is no such thing, or it gives no picture.
    """
    _silence_opencv()
    source = _open(where, wanted, tell)
    # A Raspberry Pi's camera makes a half turn by itself.
    source.rotate = wanted.rotate % (360 if picamera.number_of(where) is None else 180)
    return source


def list_cameras(wanted: Wanted) -> Iterator[str]:
    """Opens all cameras in turn; of each that sends something, how to name it and what it sends.

    Args:
        wanted: asked of them.
    """
    names = [*map(str, capture.numbers()), *map(_pi_name, range(picamera.count()))]
    for name in names:
        with contextlib.suppress(DigitsError):
            source = open_source(name, wanted, lambda line: None)
            source.release()
            yield f"--source {name}: {source.description.partition(': ')[2]}"


def _open(where: str, wanted: Wanted, tell: Callable[[str], None]) -> Source:
    if (pi_number := picamera.number_of(where)) is not None:
        return _pi_camera(where, pi_number, wanted, tell)
    if wanted.controls:
        raise DigitsError(f"--controls is for --source picamera alone, received --source {where}")
    if where == DEMO:
        from digits_tf.camera.sources.files import Demo

        return Demo()
    if (number := _camera_number(where)) is not None:
        return _camera(number, wanted, tell)
    if "://" in where:
        if Path(urlsplit(where).path).suffix.lower() in _VIDEO_SUFFIXES:
            return Video(where, tell)
        advice = "check the sender"
        return Live(lambda: capture.open_stream(where), where, advice, tell)
    return _open_files(where, tell)


def _camera(number: int, wanted: Wanted, tell: Callable[[str], None]) -> Live:
    def opener(number: int) -> Callable[[], capture.Capture]:
        return lambda: capture.open_camera(number, wanted.width, wanted.height, wanted.fps)

    def others(name: str) -> list[tuple[str, Callable[[], Device]]]:
        following = _following(int(name.split()[-1]), capture.numbers())
        return [(f"camera {each}", opener(each)) for each in following]

    advice = (
        "another program may hold it; the camera at a Raspberry Pi's ribbon cable needs "
        "--source picamera"
    )
    return Live(opener(number), f"camera {number}", advice, tell, others)


def _pi_camera(where: str, number: int, wanted: Wanted, tell: Callable[[str], None]) -> Live:
    def opener(number: int) -> Callable[[], picamera.PiCamera]:
        return lambda: picamera.PiCamera(wanted, number)

    def others(name: str) -> list[tuple[str, Callable[[], Device]]]:
        following = _following(picamera.number_of(name) or 0, range(picamera.count()))
        return [(_pi_name(each), opener(each)) for each in following]

    return Live(opener(number), where, picamera.ADVICE, tell, others)


def _pi_name(number: int) -> str:
    return f"{picamera.NAME}:{number}" if number else picamera.NAME


def _following(number: int, numbers: Sequence[int]) -> list[int]:
    """The others, from the next one on, in a circle."""
    return sorted((n for n in numbers if n != number), key=lambda each: (each < number, each))


def _open_files(where: str, tell: Callable[[str], None]) -> Source:
    path = Path(where)
    if not where.strip() or not (path.exists() or glob.has_magic(where)):
        raise DigitsError(
            f"--source {where!r}: no such file (it takes a camera's number, picamera, a file, a "
            "folder, a pattern, an address or demo)"
        )
    if path.is_dir() or not path.exists():
        paths = list_pictures(where)
        return Pictures(paths, f"{where}: {counted(len(paths), 'picture')}", tell)
    # A GIF may be a film.
    if is_picture(path) and path.suffix.lower() != ".gif":
        return Pictures([path], where, tell)
    return Video(where, tell)


def _camera_number(where: str) -> int | None:
    """N of "N" and "/dev/videoN", also by another name of the same device; None: no camera."""
    device = str(Path(where).resolve()) if where.startswith("/dev/") else where
    match = re.fullmatch(r"(?:/dev/video)?(\d{1,3})", device, re.ASCII)
    return int(match[1]) if match else None


def _silence_opencv() -> None:
    """A missing camera is told in one line, not in ten of OpenCV's and FFmpeg's."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # OpenCV 4 has the one, OpenCV 5 the other.
    logging = getattr(getattr(cv2, "utils", None), "logging", None)
    set_level = getattr(cv2, "setLogLevel", None) or getattr(logging, "setLogLevel", None)
    if set_level:
        set_level(0)
