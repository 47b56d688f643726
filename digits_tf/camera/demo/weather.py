"""What stands between a board and a picture of it: moving light, a shaking hand, noise."""

import cv2
import numpy as np

# The camera shakes by so many pixels at most: the board must be larger by them on each side.
MARGIN = 6
_SHAKE = 2.0  # pixels, standard deviation
_SHAKE_HZ = 3.0
# The light's own resolution: it has no edges.
_LIGHT = (32, 18)
_UNITY = 128  # of the light, in its 8 bits
_NOISE = 4.0  # grey levels, standard deviation
_TILE = 64  # pixels by which the noise can be shifted
_PERIOD_S = 60  # after which the shaking repeats


class Weather:
    """Looks at a board.

    A picture depends on the generator's state at the start and on its number alone.

    Args:
        rng: decides how the hand shakes and what the noise is.
        width: pixels of the pictures.
        height: pixels.
        fps: pictures per second.
    """

    def __init__(self, rng: np.random.Generator, width: int, height: int, fps: float):
        self._size, self._fps = (width, height), fps
        self._shifts = _shake(rng, round(_PERIOD_S * fps), fps)
        noise = rng.normal(_NOISE * 3, _NOISE, (height + _TILE, width + _TILE, 3))
        self._noise = noise.clip(0, 255).astype(np.uint8)
        self._offsets = rng.integers(0, _TILE, (len(self._shifts), 2))
        self._x, self._y = np.meshgrid(np.linspace(-1, 1, _LIGHT[0]), np.linspace(-1, 1, _LIGHT[1]))

    def look(self, board: np.ndarray, index: int) -> np.ndarray:
        """Takes a picture.

        Args:
            board: uint8 (height + 2 * MARGIN, width + 2 * MARGIN, 3).
            index: of the picture, from 0.

        Returns:
            uint8 (height, width, 3).
        """
        width, height = self._size
        turn = index % len(self._shifts)
        x, y = (MARGIN + self._shifts[turn]).tolist()
        # Multiplied and added in 8 bits: a Pi has a frame's time for all of this.
        picture = cv2.multiply(
            board[y : y + height, x : x + width], self._light(index / self._fps), scale=1 / _UNITY
        )
        x, y = self._offsets[turn].tolist()
        noise = self._noise[y : y + height, x : x + width]
        return cv2.addWeighted(picture, 1.0, noise, 1.0, -3 * _NOISE, dst=picture)

    def _light(self, seconds: float) -> np.ndarray:
        """A cloud passes and the sun goes on; uint8 (height, width, 3)."""
        cloud = np.sin(2.2 * self._x + 0.9 * self._y - 0.9 * seconds)
        sun = np.cos(0.35 * seconds) * self._x
        light = _UNITY * (0.97 + 0.10 * cloud + 0.10 * sun)
        return cv2.merge([cv2.resize(light.astype(np.uint8), self._size)] * 3)


def _shake(rng: np.random.Generator, count: int, fps: float) -> np.ndarray:
    """Where the camera points, int (count, 2), x and y in pixels within ±MARGIN."""
    # Smooth and without a jump at the end: the first waves of a circle.
    waves = np.zeros((count // 2 + 1, 2), complex)
    highest = round(count / fps * _SHAKE_HZ)
    waves[1:highest] = rng.normal(size=(highest - 1, 2)) + 1j * rng.normal(size=(highest - 1, 2))
    path = np.fft.irfft(waves, count, axis=0)
    path *= _SHAKE / path.std(axis=0)
    return np.round(path).clip(-MARGIN, MARGIN).astype(int)
