"""The camera at a Raspberry Pi's ribbon cable, through picamera2."""

import os

import numpy as np

from digits_tf.errors import DigitsError

NAME = "picamera"
ADVICE = "check the cable at both ends, and that no other program uses it"


class PiCamera:
    """A camera that libcamera knows; a `live.Device` whose pictures are grey.

    Digits need no colours: the Y plane of a YUV420 stream is the grey picture, made by the Pi's
    image processor at no cost.

    Args:
        width: pixels, asked of the camera; it may give others.
        height: pixels, likewise.
        fps: frames per second, likewise.

    Attributes:
        details: what was asked of it.

    Raises:
        DigitsError: if picamera2 or a camera is missing.
    """

    def __init__(self, width: int, height: int, fps: float):
        # libcamera tells its life on standard error.
        os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
        try:
            from picamera2 import Picamera2
        except ImportError as error:
            raise DigitsError(
                f"picamera2 is missing ({error}): sudo apt install python3-picamera2, and make the "
                "virtual environment with python3 -m venv --system-site-packages"
            ) from None
        if not Picamera2.global_camera_info():
            raise DigitsError(f"no camera at this Raspberry Pi: {ADVICE}")
        camera = None
        try:
            camera = Picamera2()
            stream = {"size": (width, height), "format": "YUV420"}
            # A main stream there must be, at least as large; nobody reads it.
            camera.configure(
                camera.create_video_configuration(
                    main=stream, lores=dict(stream), controls={"FrameRate": fps}
                )
            )
            camera.start()
        except (RuntimeError, OSError, ValueError) as error:
            if camera:
                camera.close()
            raise DigitsError(
                f"the Raspberry Pi's camera does not start ({error}): {ADVICE}"
            ) from None
        self._camera = camera
        self._width, self._height = camera.camera_configuration()["lores"]["size"]
        self.details = f" (asked for {width}x{height}, {fps:.4g} FPS)"

    def read(self, spare: np.ndarray | None) -> np.ndarray:
        """Waits for the next picture, uint8 (h, w)."""
        planes = self._camera.capture_array("lores")
        # Below are U and V; at the right, rows may be padded.
        return planes[: self._height, : self._width]

    def release(self) -> None:
        """Gives the camera back."""
        self._camera.stop()
        self._camera.close()
