"""What a camera gives at once."""

import abc
import dataclasses
import types
from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np

from digits_tf.errors import DigitsError


class Shot(NamedTuple):
    """A picture, perhaps twice.

    Attributes:
        picture: uint8 (h, w) grey or (h, w, 3) BGR, to be read.
        colour: uint8 (h, w, 3), BGR, the same moment, to be shown; None: `picture` is.
    """

    picture: np.ndarray
    colour: np.ndarray | None = None


class Wanted(NamedTuple):
    """What is asked of a camera; it may give something else.

    Attributes:
        width: pixels.
        height: pixels.
        fps: frames per second.
        colour: whether pictures are shown or recorded; to be read, grey ones will do.
        rotate: degrees clockwise that pictures are turned by: 0, 90, 180 or 270.
        controls: values by the names of libcamera's controls; of a Raspberry Pi's camera alone.
    """

    width: int = 1920
    height: int = 1080
    fps: float = 30.0
    colour: bool = False
    rotate: int = 0
    controls: Mapping[str, str] = types.MappingProxyType({})


_TURNS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """A picture and when it was.

    Attributes:
        picture: uint8 (h, w) grey or (h, w, 3) BGR; good until the next frame is read.
        seconds: since the first frame, as the source counts.
        path: of a picture file; empty for a frame of a stream.
        colour: uint8 (h, w, 3), BGR, the same scene to be shown in its place; good as long as it.
    """

    picture: np.ndarray
    seconds: float
    path: str = ""
    colour: np.ndarray | None = None

    @property
    def shown(self) -> np.ndarray:
        """The picture for the eye."""
        return self.picture if self.colour is None else self.colour

    def turned(self, degrees: int) -> "Frame":
        """The frame turned clockwise by 0, 90, 180 or 270 degrees."""
        if not degrees:
            return self
        colour = None if self.colour is None else cv2.rotate(self.colour, _TURNS[degrees])
        picture = cv2.rotate(self.picture, _TURNS[degrees])
        return dataclasses.replace(self, picture=picture, colour=colour)


class Source(abc.ABC):
    """Gives frames, once.

    Attributes:
        description: what it is, in a few words.
        fps: frames per second that it is to be shown at; None: as they come.
        live: whether frames come in their own time, seen or not.
        still: whether each frame is a picture of its own, to be looked at.
        ended: whether there will be no more frames.
        rotate: degrees clockwise that its frames are still to be turned by, see `Frame.turned`.
    """

    description: str
    fps: float | None = None
    live = False
    still = False
    ended = False
    rotate = 0

    @abc.abstractmethod
    def read(self, timeout: float) -> Frame | None:
        """The next frame; of a live source the newest.

        Args:
            timeout: seconds to wait for a live source; others have the next frame at once.

        Returns:
            None if there is none yet, or if the source has `ended`.

        Raises:
            DigitsError: if the source is not what it should be.
        """

    def switch(self) -> None:
        """Goes on with the next camera, as soon as it sends something.

        Raises:
            DigitsError: if the source is no camera, or there is no other.
        """
        raise DigitsError("c goes to the next camera, and this source is none")

    def release(self) -> None:
        """Gives a device back; may be called twice."""
        return
