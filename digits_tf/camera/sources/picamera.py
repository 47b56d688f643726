"""The camera at a Raspberry Pi's ribbon cable, through picamera2."""

import atexit
import contextlib
import logging
import os
import re
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from digits_tf.camera.sources import controls
from digits_tf.camera.sources.base import CameraSettings, Frame
from digits_tf.errors import DigitsError

NAME = "picamera"
ADVICE = (
    "check the ribbon cable at both ends, with the power off, and that rpicam-hello --list-cameras "
    "lists the camera"
)
_BUSY = (
    "another program uses it: end that one (sudo systemctl stop digits_tf, if it starts at boot)"
)
# Where apt installs it; a virtual environment sees it only with --system-site-packages.
_SYSTEM_COPY = Path("/usr/lib/python3/dist-packages/picamera2")
_VENV = "/usr/bin/python3 -m venv --clear --system-site-packages"
_GUIDE = "step 2 of docs/raspberry-pi.md"
# One buffer is being read, one waits, two are the camera's. A Pi has no memory for more: all
# buffers come from one small reserve.
_BUFFERS = 4
# Two frames are at most 1 s apart; a camera whose cable came off sends none for ever.
_WAIT_S = 3.0
# The stream that is read.
_GREY = "lores"
# Values of libcamera's AfModeEnum.
_AF_MANUAL, _AF_CONTINUOUS = 0, 2


def number_of(where: str) -> int | None:
    """Returns N of "picamera:N" and 0 of "picamera"; None: it is another source."""
    match = re.fullmatch(rf"{NAME}(?::(\d{{1,2}}))?", where, re.ASCII)
    return int(match[1] or 0) if match else None


def name_of(number: int) -> str:
    """Returns the shortest name of a camera by its number."""
    return f"{NAME}:{number}" if number else NAME


def count() -> int:
    """Returns the number of cameras at the ribbon cables; 0 also without picamera2."""
    try:
        picamera2, _ = _import()
        return len(_at_ribbon_cables(picamera2))
    except (DigitsError, RuntimeError, OSError):
        return 0


class PiCamera:
    """A camera that libcamera knows; a `live.Device` with grey frames.

    Digits need no colours: the first plane of the YUV420 stream `lores` is a grey picture, which
    the Pi's image processor makes at no cost. If frames are shown, the stream `main` gives the same
    frame in colour.

    Args:
        settings: asked of the camera.
        number: of the camera, from 0.

    Attributes:
        details: the rate and what was asked.

    Raises:
        DigitsError: if picamera2 or the camera is missing, or the camera refuses a setting.
    """

    def __init__(self, settings: CameraSettings, number: int = 0):
        picamera2, libcamera = _import()
        self._colour = settings.colour
        try:
            with contextlib.ExitStack() as on_failure:
                self._camera = _open(picamera2, number)
                on_failure.callback(self._camera.close)
                self._configure(libcamera, settings)
                details = self._set_controls(settings)
                self._camera.start()
                on_failure.pop_all()
        except (RuntimeError, OSError, ValueError, TypeError) as error:
            raise DigitsError(_failure(error)) from None
        self._width, self._height = self._camera.camera_configuration()[_GREY]["size"]
        self.details = f"{details} (asked for {settings})"

    def read(self, spare: Frame | None) -> Frame | None:
        """Waits for the next frame; None if there was none for seconds."""
        job = self._camera.capture_request(wait=False)
        try:
            request = self._camera.wait(job, timeout=_WAIT_S)
        except TimeoutError:
            # A job that waits for a frame would make `release` wait as well.
            self._camera.cancel_all_and_flush()
            return None
        try:
            # Both are copies: the camera writes over its own memory once that is released.
            planes = request.make_array(_GREY)
            colour = request.make_array("main") if self._colour else None
        finally:
            request.release()
        # U and V are below; the rows may be padded at the right.
        return Frame(planes[: self._height, : self._width], time.monotonic(), colour=colour)

    def release(self) -> None:
        """Releases the camera."""
        try:
            self._camera.stop()
        finally:
            self._camera.close()

    def _configure(self, libcamera: ModuleType, settings: CameraSettings) -> None:
        size = (settings.width, settings.height)
        # There must be a main stream at least as large as lores. If it is not shown, YUV420 takes
        # the least memory. RGB888 is B, G, R in memory.
        main_format = "RGB888" if settings.colour else "YUV420"
        # The camera rotates by 180 degrees only; the rest is left to `Frame.rotated`.
        upside_down = settings.rotate >= 180
        camera = self._camera
        camera.configure(
            camera.create_video_configuration(
                main={"size": size, "format": main_format},
                lores={"size": size, "format": "YUV420"},
                # The sensor's own data is not needed.
                raw=None,
                buffer_count=_BUFFERS,
                # Grey from 0 to 255; video's own colour spaces have 16 to 235.
                colour_space=libcamera.ColorSpace.Sycc(),
                transform=libcamera.Transform(hflip=upside_down, vflip=upside_down),
            )
        )
        given = camera.camera_configuration()
        for name, expected in (("main", main_format), (_GREY, "YUV420")):
            found = given[name]["format"]
            if found != expected:
                raise DigitsError(f"the camera gives {found}, not {expected}: {ADVICE}")
        # Boxes found in the grey picture are drawn on the one in colour.
        if given["main"]["size"] != given[_GREY]["size"]:
            width, height = given[_GREY]["size"]
            raise DigitsError(
                f"the camera cannot give {settings.width}x{settings.height} in colour and in grey: "
                f"add --width {width} --height {height}"
            )

    def _set_controls(self, settings: CameraSettings) -> str:
        """Sets the rate, the focus and the user's controls; returns the details about them."""
        known = self._camera.camera_controls
        chosen = controls.check(settings.controls, known)
        details = ""
        if "FrameDurationLimits" in known:
            # In microseconds, as far as the sensor's mode for this size allows.
            shortest, longest = known["FrameDurationLimits"][:2]
            duration = max(min(round(1e6 / settings.fps), longest), shortest)
            chosen["FrameDurationLimits"] = (duration, duration)
            details = f", {1e6 / duration:.4g} FPS"
        if "AfMode" in known and "AfMode" not in chosen:
            manual = "LensPosition" in chosen
            chosen["AfMode"] = _AF_MANUAL if manual else _AF_CONTINUOUS
            details += "" if manual else ", autofocus"
        self._camera.set_controls(chosen)
        return details


def _import() -> tuple[ModuleType, ModuleType]:
    """Imports picamera2 and libcamera."""
    # libcamera writes much to standard error otherwise.
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
    try:
        import libcamera
        import picamera2
    except Exception as error:  # a broken set of packages fails in many ways
        raise DigitsError(_import_failure(error)) from None
    if not hasattr(picamera2.Picamera2, "cancel_all_and_flush"):
        raise DigitsError("picamera2 is too old: sudo apt update && sudo apt full-upgrade")
    # It logs the errors that it raises as well.
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
    """Returns their numbers among all cameras that picamera2 counts, those at USB as well."""
    infos = picamera2.Picamera2.global_camera_info()
    return [index for index, info in enumerate(infos) if "/usb" not in info.get("Id", "")]


def _open(picamera2: ModuleType, number: int) -> Any:
    """Opens a camera at a ribbon cable; returns a picamera2.Picamera2."""
    found = _at_ribbon_cables(picamera2)
    if not found:
        raise DigitsError(f"no camera at this Raspberry Pi: {ADVICE}; one at USB is --source 0")
    if number >= len(found):
        raise DigitsError(
            f"no camera {NAME}:{number}: expected 0 to {len(found) - 1}, as rpicam-hello "
            "--list-cameras lists them"
        )
    camera = picamera2.Picamera2(found[number])
    # Closing a dead camera may block for ever, so that only a thread may do it.
    atexit.unregister(camera.close)
    return camera


def _failure(error: BaseException) -> str:
    """Says why a camera does not start, and what to do."""
    # picamera2 says only that it failed; the first error gives the reason.
    while error.__context__ is not None:
        error = error.__context__
    reason = str(error)
    advice = ADVICE
    if "busy" in reason or "acquire" in reason:
        advice = _BUSY
    elif "allocate" in reason:
        advice = "it wants too much memory: add --width 1280 --height 720"
    return f"the Raspberry Pi's camera does not start ({reason}): {advice}"
