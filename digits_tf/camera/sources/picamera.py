"""The camera at a Raspberry Pi's ribbon cable, through picamera2."""

import atexit
import contextlib
import logging
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from digits_tf.camera.sources import controls
from digits_tf.camera.sources.source import Shot, Wanted
from digits_tf.errors import DigitsError

NAME = "picamera"
ADVICE = (
    "check the ribbon cable at both ends, with the power off, and that rpicam-hello --list-cameras "
    "lists the camera"
)
_BUSY = (
    "another program uses it: end that one (sudo systemctl stop digits_tf, if it starts at boot)"
)
# Where apt puts it; a virtual environment sees it only if it was told to.
_SYSTEM_COPY = Path("/usr/lib/python3/dist-packages/picamera2")
_VENV = "/usr/bin/python3 -m venv --clear --system-site-packages"
_GUIDE = "step 2 of docs/raspberry-pi.md"
# One is being read, one waits to be, two are the camera's. More take memory that a Pi lacks: all
# of it comes from one small reserve.
_BUFFERS = 4
# The longest time between two frames is 1 s; a camera whose cable came off sends none for ever.
_WAIT_S = 3.0
# The stream that is read.
_GREY = "lores"
# libcamera's AfModeEnum, by number, as its controls are set.
_AF_MANUAL, _AF_CONTINUOUS = 0, 2


def number_of(where: str) -> int | None:
    """N of "picamera:N", 0 of "picamera"; None: it is something else."""
    match = re.fullmatch(rf"{NAME}(?::(\d{{1,2}}))?", where, re.ASCII)
    return int(match[1] or 0) if match else None


def count() -> int:
    """How many cameras there are at the ribbon cables; 0 also without picamera2."""
    try:
        picamera2, _ = _import()
        return len(_at_ribbon_cables(picamera2))
    except (DigitsError, RuntimeError, OSError):
        return 0


class PiCamera:
    """A camera that libcamera knows; a `live.Device` whose pictures are grey.

    Digits need no colours: the first plane of the YUV420 `lores` stream is the grey picture, made
    by the Pi's image processor at no cost. If pictures are shown, the `main` stream of the same
    frame is fetched as well, in colour.

    Args:
        wanted: asked of the camera.
        number: which camera, if there are two.

    Attributes:
        details: the rate and what was asked of it.

    Raises:
        DigitsError: if picamera2 or a camera is missing, or it does not take what is wanted.
    """

    def __init__(self, wanted: Wanted, number: int = 0):
        picamera2, libcamera = _import()
        self._shows_colour = wanted.colour
        try:
            with contextlib.ExitStack() as failed:
                self._camera = _open(picamera2, number)
                failed.callback(self._camera.close)
                self._configure(libcamera, wanted)
                rate = self._set_controls(wanted)
                self._camera.start()
                failed.pop_all()
        except (RuntimeError, OSError, ValueError, TypeError) as error:
            raise DigitsError(_failure(error)) from None
        self._width, self._height = self._camera.camera_configuration()[_GREY]["size"]
        asked = f"{wanted.width}x{wanted.height}, {wanted.fps:.4g} FPS"
        self.details = f"{rate} (asked for {asked})"

    def read(self, spare: Shot | None) -> Shot | None:
        """Waits for the next picture; None: there was none for seconds."""
        job = self._camera.capture_request(wait=False)
        try:
            request = self._camera.wait(job, timeout=_WAIT_S)
        except TimeoutError:
            # What waits for a frame would make `release` wait as well.
            self._camera.cancel_all_and_flush()
            return None
        try:
            # Both are copies: the camera writes over its own memory once it has it back.
            planes = request.make_array(_GREY)
            colour = request.make_array("main") if self._shows_colour else None
        finally:
            request.release()
        # Below are U and V; at the right, rows may be padded.
        return Shot(planes[: self._height, : self._width], colour)

    def release(self) -> None:
        """Gives the camera back."""
        try:
            self._camera.stop()
        finally:
            self._camera.close()

    def _configure(self, libcamera: ModuleType, wanted: Wanted) -> None:
        size = (wanted.width, wanted.height)
        # A main stream there must be, at least as large as the other; unless it is shown, nobody
        # reads it, and YUV420 takes the least memory. RGB888 is B, G, R in memory.
        main = {"size": size, "format": "RGB888" if wanted.colour else "YUV420"}
        # A quarter of a turn, which it cannot, is left to `Frame.turned`.
        turned = wanted.rotate >= 180
        camera = self._camera
        camera.configure(
            camera.create_video_configuration(
                main=main,
                lores={"size": size, "format": "YUV420"},
                # Nobody reads what comes from the sensor itself.
                raw=None,
                buffer_count=_BUFFERS,
                # Grey from 0 to 255; video's own colour spaces have 16 to 235.
                colour_space=libcamera.ColorSpace.Sycc(),
                transform=libcamera.Transform(hflip=turned, vflip=turned),
            )
        )
        given = camera.camera_configuration()
        for name, expected in (("main", main["format"]), (_GREY, "YUV420")):
            found = given[name]["format"]
            if found != expected:
                raise DigitsError(f"the camera gives {found}, not {expected}: {ADVICE}")
        # What is read in the one is drawn on the other.
        if given["main"]["size"] != given[_GREY]["size"]:
            width, height = given[_GREY]["size"]
            raise DigitsError(
                f"the camera cannot give {wanted.width}x{wanted.height} in colour and in grey: add "
                f"--width {width} --height {height}"
            )

    def _set_controls(self, wanted: Wanted) -> str:
        """Sets rate, focus and what the user wants; says what was set, for the details."""
        known = self._camera.camera_controls
        chosen: dict[str, Any] = controls.check(wanted.controls, known)
        said = ""
        if "FrameDurationLimits" in known:
            # In microseconds, and as the sensor's mode for this size allows.
            shortest, longest = known["FrameDurationLimits"][:2]
            duration = max(min(round(1e6 / wanted.fps), longest), shortest)
            chosen["FrameDurationLimits"] = (duration, duration)
            said = f", {1e6 / duration:.4g} FPS"
        if "AfMode" in known and "AfMode" not in chosen:
            by_hand = "LensPosition" in chosen
            chosen["AfMode"] = _AF_MANUAL if by_hand else _AF_CONTINUOUS
            said += "" if by_hand else ", autofocus"
        self._camera.set_controls(chosen)
        return said


def _import() -> tuple[ModuleType, ModuleType]:
    """The modules picamera2 and libcamera."""
    # libcamera tells its life on standard error.
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
    try:
        import libcamera
        import picamera2
    except Exception as error:  # a broken set of packages fails in many ways
        raise DigitsError(_import_failure(error)) from None
    if not hasattr(picamera2.Picamera2, "cancel_all_and_flush"):
        raise DigitsError("picamera2 is too old: sudo apt update && sudo apt full-upgrade")
    # It logs what it raises as well.
    logging.getLogger("picamera2").setLevel(logging.CRITICAL)
    return picamera2, libcamera


def _import_failure(error: Exception) -> str:
    if "numpy" in str(error):
        return (
            f"pip's numpy does not fit apt's picamera2 ({error}): pip uninstall numpy "
            f"opencv-python opencv-python-headless ml_dtypes, and install as {_GUIDE} says"
        )
    if not (isinstance(error, ImportError) and error.name in ("libcamera", "picamera2")):
        return (
            f"picamera2 is there but does not load ({error}): sudo apt install --reinstall "
            f"python3-picamera2 python3-libcamera, and a new virtual environment by {_VENV}"
        )
    if _SYSTEM_COPY.is_dir():
        return (
            f"picamera2 is installed, but the Python of {sys.prefix} does not look there: make the "
            f"virtual environment again with {_VENV} {sys.prefix}, and install as {_GUIDE} says"
        )
    return (
        "picamera2 is missing: sudo apt install python3-picamera2, make the virtual environment "
        f"with {_VENV} {sys.prefix}, and install as {_GUIDE} says"
    )


def _at_ribbon_cables(picamera2: ModuleType) -> list[int]:
    """Their numbers among all that picamera2 counts, those at USB as well."""
    infos = picamera2.Picamera2.global_camera_info()
    return [index for index, info in enumerate(infos) if "/usb" not in info.get("Id", "")]


def _open(picamera2: ModuleType, number: int) -> Any:
    """Opens a camera at a ribbon cable."""
    found = _at_ribbon_cables(picamera2)
    if not found:
        raise DigitsError(f"no camera at this Raspberry Pi: {ADVICE}; one at USB is --source 0")
    if number >= len(found):
        raise DigitsError(
            f"no camera {NAME}:{number}: expected 0 to {len(found) - 1}, as rpicam-hello "
            "--list-cameras lists them"
        )
    camera = picamera2.Picamera2(found[number])
    # Closing a camera that has died may wait for ever: whoever releases it does so in a thread.
    atexit.unregister(camera.close)
    return camera


def _failure(error: BaseException) -> str:
    """Why a camera does not start, and what to do."""
    # picamera2 says only that it failed; the first error says why.
    while error.__context__ is not None:
        error = error.__context__
    reason = str(error)
    advice = ADVICE
    if "busy" in reason or "acquire" in reason:
        advice = _BUSY
    elif "allocate" in reason:
        advice = "it wants too much memory: add --width 1280 --height 720"
    return f"the Raspberry Pi's camera does not start ({reason}): {advice}"
