"""Finds the digits in a frame."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """A digit in a frame.

    Attributes:
        crop: uint8 (28, 28), ink bright on 0, its longer side 20 pixels, centre of mass at 14, 14.
        box: x, y, width, height in pixels of the frame.
        line: the line of text that it stands in, 0 is the uppermost.
    """

    crop: np.ndarray
    box: tuple[int, int, int, int]
    line: int = 0


class Finder:
    """A stub."""

    def find(self, frame: np.ndarray) -> list[Found]:
        """Finds."""
        from digits_tf.camera.preprocess import find_digit

        found = find_digit(frame)
        self._frame = frame
        return [Found(found.crop, found.box)] if found else []

    def stages(self) -> dict[str, np.ndarray]:
        """Pictures of the last call's steps, by name, uint8 (h, w)."""
        return {"grey": self._frame[..., 1] if self._frame.ndim == 3 else self._frame}
