"""Pictures of nothing: noise, gradients, patterns, one grey."""

import cv2
import numpy as np

from digits_tf.synthetic.textures import noise

_SIDE = 28


def field(rng: np.random.Generator) -> np.ndarray:
    """Fills a picture, uint8 (28, 28)."""
    kinds = (_clouds, _clouds, _gradient, _pattern, _constant, _pepper, _spots)
    picture = kinds[rng.integers(len(kinds))](rng)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def _levels(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Values about 0, of deviation 1, as grey levels of some contrast."""
    return rng.uniform(0, 255) + rng.uniform(10, 110) * values


def _clouds(rng: np.random.Generator) -> np.ndarray:
    return _levels(rng, noise(rng, (_SIDE, _SIDE), rng.uniform(0.3, 9.0)))


def _gradient(rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * x + np.sin(angle) * y
    bend = rng.normal(0, 0.7) * (x * x + y * y)
    grain = rng.uniform(0, 0.15) * rng.standard_normal((_SIDE, _SIDE))
    return _levels(rng, slope + bend + grain)


def _pattern(rng: np.random.Generator) -> np.ndarray:
    """A chequer or stripes."""
    y, x = np.mgrid[:_SIDE, :_SIDE] + rng.uniform(0, 10, (2, 1, 1))
    pitch, slope = rng.uniform(2, 9), rng.normal(0, 0.3)
    across, down = (x + slope * y) // pitch, (y - slope * x) // pitch
    cells = (across + down) if rng.random() < 0.6 else (across, down)[rng.integers(2)]
    return _levels(rng, 2.0 * (cells % 2) - 1)


def _constant(rng: np.random.Generator) -> np.ndarray:
    level = (0.0, 255.0, rng.uniform(0, 255))[rng.integers(3)]
    return np.full((_SIDE, _SIDE), level)


def _pepper(rng: np.random.Generator) -> np.ndarray:
    spots = rng.random((_SIDE, _SIDE)) < 10 ** rng.uniform(-2.3, -0.3)
    return spots * rng.uniform(60, 255, (_SIDE, _SIDE))


def _spots(rng: np.random.Generator) -> np.ndarray:
    """Lights out of focus."""
    picture = np.zeros((_SIDE, _SIDE), np.float32)
    for _ in range(rng.integers(2, 6)):
        centre = tuple(int(each) for each in rng.integers(2, 26, 2))
        cv2.circle(picture, centre, int(rng.integers(1, 7)), rng.uniform(60, 255), -1)
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(1.0, 3.5))
