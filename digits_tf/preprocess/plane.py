"""One small grey plane of a frame: what finding works on."""

import dataclasses

import cv2
import numpy as np

# Pixels of the small plane, about 640x360. A digit of 1/30 of the height has 12 of them: enough to
# find it; its crop is taken from the frame itself.
_AREA = 230_400
# B, G, R: green has the least noise of a sensor's three, nearly the weights of grey, and half the
# pixels of a Bayer pattern. A grey conversion of 1080p would take longer than all the rest.
_GREEN = 1


@dataclasses.dataclass(frozen=True, eq=False)
class Plane:
    """A frame's plane, shrunk by a whole number.

    Attributes:
        full: uint8 (h, w), a view of the frame; may have gaps between its pixels.
        small: uint8 (h // factor, w // factor), each pixel a mean of some of the frame's.
        factor: frame pixels a pixel of `small`.
    """

    full: np.ndarray
    small: np.ndarray
    factor: int


class Shrinker:
    """Shrinks frames, into the same buffers as long as their size stays."""

    def __init__(self) -> None:
        self._buffers: tuple[np.ndarray, np.ndarray] | None = None

    def shrink(self, frame: np.ndarray) -> Plane:
        """Makes the small plane.

        Args:
            frame: uint8 (h, w) or (h, w, channels).

        Returns:
            The plane. Its arrays are valid until the next call.
        """
        full = frame if frame.ndim == 2 else frame[..., min(_GREEN, frame.shape[2] - 1)]
        factor = max(1, round((full.size / _AREA) ** 0.5))
        height, width = full.shape[0] // factor, full.shape[1] // factor
        if not height or not width:  # a strip thinner than the factor
            factor, (height, width) = 1, full.shape
        one, two = self._matching(height, width)
        # Along the diagonal of each cell: a stroke of two pixels, in any direction but the other
        # diagonal's, is hit as often as by the mean of the cell, for a fraction of the time.
        first, second = 0, factor // 2
        stop = height * factor, width * factor
        np.copyto(one, full[first : stop[0] : factor, first : stop[1] : factor])
        if second:
            np.copyto(two, full[second : stop[0] : factor, second : stop[1] : factor])
            cv2.addWeighted(one, 0.5, two, 0.5, 0.0, dst=one)
        return Plane(full, one, factor)

    def _matching(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        if self._buffers is None or self._buffers[0].shape != (height, width):
            self._buffers = (
                np.empty((height, width), np.uint8),
                np.empty((height, width), np.uint8),
            )
        return self._buffers
