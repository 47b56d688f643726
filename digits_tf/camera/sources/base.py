"""What all sources have in common: the frames they give, and what is asked of a camera."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf.errors import DigitsError

_ROTATIONS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


@dataclasses.dataclass(frozen=True)
class CameraSettings:
    """What is asked of a camera. It may give something else.

    Attributes:
        width: pixels.
        height: pixels.
        fps: frames per second.
        colour: whether frames are shown or recorded; grey ones suffice for reading.
        rotate: degrees clockwise by which frames are rotated: 0, 90, 180 or 270.
        controls: values by the names of libcamera's controls; for a Raspberry Pi's camera only.
    """

    width: int = 1920
    height: int = 1080
    fps: float = 30.0
    colour: bool = False
    rotate: int = 0
    controls: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        """Size and rate, as in "1920x1080, 30 FPS"."""
        return f"{self.width}x{self.height}, {self.fps:.4g} FPS"


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """A picture and its time.

    Attributes:
        picture: uint8 (h, w) grey or (h, w, 3) BGR; valid until the next frame is read.
        seconds: since the source's first frame; from a `live.Device`, of `time.monotonic()`.
        path: of a picture file; empty for a frame of a stream.
        colour: uint8 (h, w, 3), BGR, the same scene to show instead; valid as long as `picture`.
    """

    picture: NDArray[np.uint8]
    seconds: float
    path: str = ""
    colour: NDArray[np.uint8] | None = None

    @property
    def shown(self) -> NDArray[np.uint8]:
        """What to show, draw on and save: the colour picture if there is one."""
        return self.picture if self.colour is None else self.colour

    def rotated(self, degrees: int) -> "Frame":
        """Returns the frame rotated clockwise by 0, 90, 180 or 270 degrees."""
        if not degrees:
            return self
        colour = None if self.colour is None else cv2.rotate(self.colour, _ROTATIONS[degrees])
        picture = cv2.rotate(self.picture, _ROTATIONS[degrees])
        return dataclasses.replace(self, picture=picture, colour=colour)


def as_picture(given: Any) -> NDArray[np.uint8] | None:
    """Checks what a driver or a decoder gives for a picture: it may be anything.

    Args:
        given: an array, or not even that.

    Returns:
        uint8 (h, w) grey or (h, w, 3) BGR; None: it is no picture.
    """
    if not isinstance(given, np.ndarray) or given.dtype != np.uint8 or not given.size:
        return None
    if given.ndim == 3 and given.shape[2] == 1:
        return given[..., 0]
    if given.ndim == 3 and given.shape[2] == 4:
        bgr: NDArray[np.uint8] = cv2.cvtColor(given, cv2.COLOR_BGRA2BGR)
        return bgr
    return given if given.ndim == 2 or given.shape[2:] == (3,) else None


class Source(abc.ABC):
    """Gives frames, each once.

    Attributes:
        description: what it is, in a few words.
        fps: the rate at which to show its frames; None: as they come.
        live: whether frames come in real time, read or not.
        still: whether each frame is a picture of its own.
        repeats: whether pictures begin again after the last one; may be set.
        ended: whether no more frames will come.
        rotate: degrees clockwise by which its frames are still to be rotated.
    """

    description: str
    fps: float | None = None
    live = False
    still = False
    repeats = False
    ended = False
    rotate = 0

    @abc.abstractmethod
    def read(self, timeout: float) -> Frame | None:
        """Returns the next frame, or the newest one of a live source.

        Args:
            timeout: seconds to wait for a live source; others have the next frame at once.

        Returns:
            None if there is no new frame yet, or if the source has `ended`.

        Raises:
            DigitsError: if the source cannot be read.
        """

    def switch(self) -> None:
        """Goes on with the next camera as soon as it gives a frame.

        Raises:
            DigitsError: if the source is no camera, or there is no other.
        """
        raise DigitsError("c goes to the next camera, and this source is none")

    def release(self) -> None:
        """Releases the device or file; may be called twice."""
        return
