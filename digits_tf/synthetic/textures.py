"""Random fields and what is made of them: grain, light and shadow, paper, boards."""

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf.synthetic import Field


def noise(rng: np.random.Generator, shape: tuple[int, int], size: float) -> NDArray[np.float32]:
    """Smooth noise, float32 (h, w), mean 0, deviation 1, with grains of about `size` pixels."""
    # Coarse noise is drawn small and enlarged: wide blurs take long.
    step = max(1, int(size / 3))
    low = (shape[0] // step + 3, shape[1] // step + 3)
    field = rng.standard_normal(low, np.float32)
    if size / step > 0.3:
        field = cv2.GaussianBlur(field, (0, 0), size / step)
    # A little larger than asked: no edge is stretched.
    field = cv2.resize(field, (low[1] * step, low[0] * step), interpolation=cv2.INTER_CUBIC)
    field = field[: shape[0], : shape[1]]
    scaled: NDArray[np.float32] = (field - field.mean()) / max(float(field.std()), 1e-6)
    return scaled


def light(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Uneven light, float32 (h, w), about 1: a gradient, a vignette, at times a shadow's edge."""
    height, width = shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    field: Field = 1 + rng.uniform(0, 0.3) * (np.cos(angle) * x + np.sin(angle) * y)
    field -= rng.uniform(0, 0.25) * (x * x + y * y) * (rng.random() < 0.6)
    if rng.random() < 0.35:
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.8, 0.8)
        softness = 10 ** rng.uniform(-2, -0.3)
        side = (np.cos(angle) * x + np.sin(angle) * y - offset) / softness
        field *= 1 - rng.uniform(0.15, 0.55) * (0.5 + 0.5 * np.tanh(side))
    return np.clip(field, 0.15, 1.6).astype(np.float32)


@dataclasses.dataclass(frozen=True, eq=False)
class Surface:
    """Paper or a board without ink.

    Attributes:
        reflectance: float32 (h, w, 3), 0..1, BGR.
        light_ink: whether ink on it is lighter than it is.
    """

    reflectance: Field
    light_ink: bool


def paper(rng: np.random.Generator, shape: tuple[int, int]) -> Surface:
    """White or coloured paper with a grain, at times ruled or squared."""
    colour = np.full(3, rng.uniform(0.55, 1.0), np.float32)
    if rng.random() < 0.3:
        colour *= rng.uniform(0.6, 1.0, 3).astype(np.float32)
    field = np.ones(shape, np.float32)
    field += 10 ** rng.uniform(-2.5, -1.5) * noise(rng, shape, rng.uniform(0.5, 2.0))
    field += 10 ** rng.uniform(-2.3, -1.5) * noise(rng, shape, max(shape) / rng.uniform(3, 15))
    surface = field[..., None] * colour
    if rng.random() < 0.35:
        surface = _ruled(rng, surface)
    return Surface(np.clip(surface, 0, 1), light_ink=False)


def board(rng: np.random.Generator, shape: tuple[int, int]) -> Surface:
    """A black, green or blue board that was wiped before, streaks of the sponge on it."""
    colours = ((0.12, 0.12, 0.12), (0.2, 0.3, 0.15), (0.3, 0.2, 0.12), (0.28, 0.3, 0.26))
    colour = np.array(colours[rng.integers(len(colours))], np.float32) * rng.uniform(0.7, 1.5)
    field = np.ones(shape, np.float32) + 0.04 * noise(rng, shape, 1.0)
    long, short = max(shape) / rng.uniform(2, 5), max(shape) / rng.uniform(20, 60)
    streaks = noise(rng, (shape[0], max(8, int(shape[1] * short / long))), short)
    streaks = cv2.resize(streaks, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        streaks = cv2.resize(streaks.T, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    dust = rng.uniform(0, 0.3) ** 2 * np.clip(streaks, -1, 3)
    surface = field[..., None] * colour + dust[..., None]
    return Surface(np.clip(surface, 0, 1).astype(np.float32), light_ink=True)


def _ruled(rng: np.random.Generator, surface: Field) -> Field:
    height, width = surface.shape[:2]
    pitch = max(12.0, height / rng.uniform(3, 18))
    thickness = max(1, round(pitch * rng.uniform(0.02, 0.06)))
    slope, phase = rng.normal(0, 0.015), rng.uniform(0, pitch)
    lines = np.zeros((height, width), np.uint8)
    for y in np.arange(phase - 2 * pitch, height + 2 * pitch, pitch):
        ends = (0, round(y)), (width, round(y + slope * width))
        cv2.line(lines, *ends, 255, thickness, cv2.LINE_AA)
    if rng.random() < 0.5:
        for x in np.arange(phase - 2 * pitch, width + 2 * pitch, pitch):
            ends = (round(x), 0), (round(x - slope * height), height)
            cv2.line(lines, *ends, 255, thickness, cv2.LINE_AA)
    colour = rng.uniform(0.3, 0.9, 3).astype(np.float32)
    cover = lines[..., None] / np.float32(255) * np.float32(rng.uniform(0.2, 0.7))
    return surface * (1 - cover * (1 - colour))
