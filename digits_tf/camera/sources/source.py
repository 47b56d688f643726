"""What all sources of frames have in common."""

import abc
import dataclasses

import numpy as np


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


class Source(abc.ABC):
    """Gives frames, once.

    Attributes:
        description: what it is, in a few words.
        fps: frames per second that it is to be shown at; None: as they come.
        live: whether frames come in their own time, seen or not.
        still: whether each frame is a picture of its own, to be looked at.
        ended: whether there will be no more frames.
    """

    description: str
    fps: float | None = None
    live = False
    still = False
    ended = False

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

    def release(self) -> None:
        """Gives a device back; may be called twice."""
        return
