"""What digits are written on: paper and boards, plain, ruled, squared, smeared."""

import dataclasses

import cv2
import numpy as np

from digits_tf.synthetic.textures import noise


@dataclasses.dataclass(frozen=True, eq=False)
class Ground:
    """A surface without ink.

    Attributes:
        reflectance: float32 (h, w, 3), 0..1, BGR.
        light_ink: whether ink on it is lighter than it is.
    """

    reflectance: np.ndarray
    light_ink: bool


def paper(rng: np.random.Generator, shape: tuple[int, int]) -> Ground:
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
    return Ground(np.clip(surface, 0, 1), light_ink=False)


def board(rng: np.random.Generator, shape: tuple[int, int]) -> Ground:
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
    return Ground(np.clip(surface, 0, 1).astype(np.float32), light_ink=True)


def _ruled(rng: np.random.Generator, surface: np.ndarray) -> np.ndarray:
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
