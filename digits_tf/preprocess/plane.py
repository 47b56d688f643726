"""Small grey planes of a frame: what finding works on."""

import dataclasses

import cv2
import numpy as np

# Pixels of the finest plane, about 640x360. A digit of 1/30 of the height has 12 of them: enough to
# find it; its crop is taken from the frame itself.
_AREA = 230_400
# B, G, R: green has the least noise of a sensor's three, nearly the weights of grey, and half the
# pixels of a Bayer pattern. A grey conversion of 1080p would take longer than all the rest.
GREEN = 1
# What green does not show: green or yellow on white, red on black.
OTHERS = (2, 0)
# A thumbnail, whose longer side is at most this, is enlarged: its strokes are a pixel or two wide.
_THUMBNAIL, _ENLARGED = 64, 4
# No plane is smaller than this in height or width.
_LEAST_SIDE = 64


@dataclasses.dataclass(frozen=True, eq=False)
class Plane:
    """A frame's plane, shrunk by a whole number, or enlarged if it is a thumbnail.

    Attributes:
        full: uint8 (h, w), a view of the frame; may have gaps between its pixels.
        small: uint8 (h // factor, w // factor), each pixel a mean of two of the frame's.
        factor: frame pixels a pixel of `small`.
    """

    full: np.ndarray
    small: np.ndarray
    factor: float


class Shrinker:
    """Shrinks frames, into the same buffers as long as their size stays."""

    def __init__(self) -> None:
        self._buffers: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
        self._shape: tuple[int, ...] = ()

    def factors(self, frame: np.ndarray) -> list[float]:
        """By what to shrink a frame, in the order to try after a glance on the coarsest.

        Large digits are found soonest on a small plane, where noise and the grain of chalk are
        averaged away; small ones need the finest; the coarsest is for ink that falls to pieces on
        the others.
        """
        height, width = frame.shape[:2]
        if max(height, width) <= _THUMBNAIL:
            return [1 / _ENLARGED]
        finest = max(1, round((height * width / _AREA) ** 0.5))
        if not min(height, width) // finest:  # a strip thinner than the factor
            finest = 1
        order = (2 * finest, finest, 4 * finest)
        return [
            each for each in order if each == finest or min(height, width) >= _LEAST_SIDE * each
        ]

    def shrink(self, frame: np.ndarray, factor: float, channel: int = GREEN) -> Plane:
        """Makes a small plane.

        Args:
            frame: uint8 (h, w) or (h, w, channels).
            factor: one of `factors`.
            channel: which of a colour frame's.

        Returns:
            The plane. Its arrays are valid until the next call with the same factor.
        """
        full = frame if frame.ndim == 2 else frame[..., min(channel, frame.shape[2] - 1)]
        if factor < 1:
            size = full.shape[1] * _ENLARGED, full.shape[0] * _ENLARGED
            return Plane(full, cv2.resize(full.copy(), size, interpolation=cv2.INTER_CUBIC), factor)
        factor = int(factor)
        if full.shape != self._shape:
            self._buffers, self._shape = {}, full.shape
        height, width = full.shape[0] // factor, full.shape[1] // factor
        if (height, width) not in self._buffers:
            self._buffers[height, width] = (
                np.empty((height, width), np.uint8),
                np.empty((height, width), np.uint8),
            )
        one, two = self._buffers[height, width]
        return Plane(full, sampled(full, factor, one, two), factor)


def sampled(full: np.ndarray, factor: int, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Shrinks a plane by a whole number.

    Of each cell two pixels on its diagonal are taken, half a cell apart: a stroke of half a cell's
    width hits one of them, wherever it lies, and gets the contrast that the mean of the cell has,
    for a fraction of the time.

    Args:
        full: uint8 (h, w), may have gaps between its pixels.
        factor: pixels a cell.
        one: uint8 (h // factor, w // factor), filled with the result.
        two: likewise, filled with something.

    Returns:
        `one`.
    """
    first = factor // 4
    stop = one.shape[0] * factor, one.shape[1] * factor
    np.copyto(one, full[first : stop[0] : factor, first : stop[1] : factor])
    if factor > 1:
        second = first + factor // 2
        np.copyto(two, full[second : stop[0] : factor, second : stop[1] : factor])
        # Their mean, up to a grey level: halves add up in half of the time of a weighted sum.
        np.right_shift(one, 1, out=one)
        np.right_shift(two, 1, out=two)
        cv2.add(one, two, dst=one)
    return one
