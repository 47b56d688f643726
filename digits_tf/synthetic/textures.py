"""Random fields: grain, clouds, light and shadow."""

import cv2
import numpy as np


def noise(rng: np.random.Generator, shape: tuple[int, int], size: float) -> np.ndarray:
    """Smooth noise, float32 (h, w), mean 0, deviation 1, with grains of about `size` pixels."""
    # Coarse noise is drawn small and enlarged: wide blurs take long.
    step = max(1, int(size / 3))
    low = (shape[0] // step + 3, shape[1] // step + 3)
    field = rng.standard_normal(low, np.float32)
    if size / step > 0.3:
        field = cv2.GaussianBlur(field, (0, 0), size / step)
    field = cv2.resize(
        field, (low[1] * step, low[0] * step), interpolation=cv2.INTER_CUBIC
    )  # a little larger than asked: no edge is stretched
    field = field[: shape[0], : shape[1]]
    return (field - field.mean()) / max(float(field.std()), 1e-6)


def light(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Uneven light, float32 (h, w), about 1: a gradient, a vignette, at times a shadow's edge."""
    height, width = shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    field = 1 + rng.uniform(0, 0.3) * (np.cos(angle) * x + np.sin(angle) * y)
    field -= rng.uniform(0, 0.25) * (x * x + y * y) * (rng.random() < 0.6)
    if rng.random() < 0.35:
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.8, 0.8)
        softness = 10 ** rng.uniform(-2, -0.3)
        side = (np.cos(angle) * x + np.sin(angle) * y - offset) / softness
        field *= 1 - rng.uniform(0.15, 0.55) * (0.5 + 0.5 * np.tanh(side))
    return np.clip(field, 0.15, 1.6).astype(np.float32)
