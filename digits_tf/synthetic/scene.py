"""A photograph of digits in one row that nobody took."""

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np

from digits_tf.synthetic import Field, Pixels
from digits_tf.synthetic.textures import Surface, board, light, noise, paper


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
    """A synthetic photograph.

    Attributes:
        frame: uint8 (h, w, 3), BGR.
        boxes: x, y, w, h of each digit in pixels, left to right.
    """

    frame: Pixels
    boxes: list[tuple[int, int, int, int]]


def draw(
    rng: np.random.Generator, glyphs: Sequence[Pixels], shape: tuple[int, int] | None = None
) -> Scene:
    """Writes digits in one row on paper or a board and photographs it.

    Args:
        rng: decides everything: ground, light, pen, size, place, and what the camera does.
        glyphs: uint8 (h, w) each, such as MNIST's, bright on 0, at least one.
        shape: height and width of the photograph; None: the rng's.

    Raises:
        ValueError: if a photograph of that shape has no room for a digit.
    """
    shape = shape or _shape(rng, len(glyphs))
    surface = _surface(rng, shape)
    ink, boxes = _write(rng, glyphs, shape)
    ink = _worn(rng, ink)
    if surface.light_ink:
        colour = rng.uniform(0.6, 1.0) * rng.uniform(0.85, 1.0, 3)
    else:
        colour = rng.uniform(0.02, 0.6) * rng.uniform(0.3, 1.0, 3) * surface.reflectance.mean()
    cover = ink[..., None]
    reflectance = surface.reflectance * (1 - cover) + colour.astype(np.float32) * cover
    return Scene(_photograph(rng, reflectance), boxes)


def empty(rng: np.random.Generator, shape: tuple[int, int] | None = None) -> Pixels:
    """Photographs paper or a board with nothing on it, uint8 (h, w, 3), BGR; see `draw`."""
    return _photograph(rng, _surface(rng, shape or _shape(rng, 1)).reflectance)


def _shape(rng: np.random.Generator, digits: int) -> tuple[int, int]:
    height = int(2 ** rng.uniform(6.5, 9.6))
    return height, int(height * rng.uniform(0.8, 1.8) * max(1, digits**0.6))


def _surface(rng: np.random.Generator, shape: tuple[int, int]) -> Surface:
    return (board if rng.random() < 0.35 else paper)(rng, shape)


def _write(
    rng: np.random.Generator, glyphs: Sequence[Pixels], shape: tuple[int, int]
) -> tuple[Field, list[tuple[int, int, int, int]]]:
    """How much ink covers each pixel, float32 (h, w), 0..1, and the digits' boxes."""
    height, width = shape
    share = rng.uniform(0.35, 0.85) if len(glyphs) == 1 else rng.uniform(0.3, 0.7)
    gap = rng.uniform(0.08, 0.6)
    # Advance of a digit: its width, about 0.7 of the height, and the gap.
    tall = min(share * height, 0.85 * width, 0.92 * width / (len(glyphs) * (0.75 + gap)))
    total = tall * len(glyphs) * (0.75 + gap)
    x = rng.uniform(0.02, 0.98) * max(0.0, width - total) + 0.5 * gap * tall
    middle = rng.uniform(0.52 * tall, max(0.53 * tall, height - 0.52 * tall))
    rise = rng.normal(0, 0.03)
    threshold, ink = rng.uniform(0.25, 0.6), np.zeros(shape, np.float32)
    boxes = []
    for glyph in glyphs:
        size = tall * rng.uniform(0.85, 1.08)
        patch = _enlarged(glyph, size, threshold)
        h, w = patch.shape
        top = round(middle - h / 2 + rng.normal(0, 0.04) * tall)
        middle += rise * tall
        left, top = min(max(round(x), 1), width - w - 1), min(max(top, 1), height - h - 1)
        if left < 0 or top < 0:
            raise ValueError(f"expected a frame with room for a digit. Received: shape={shape}")
        part = np.s_[top : top + h, left : left + w]
        ink[part] = np.maximum(ink[part], patch)
        boxes.append((left, top, w, h))
        x = left + w + gap * tall * rng.uniform(0.6, 1.4)
    return ink, boxes


def _enlarged(glyph: Pixels, tall: float, threshold: float) -> Field:
    """A digit of another height with sharp edges; the threshold decides the stroke's width."""
    y, x = np.flatnonzero(glyph.any(axis=1)), np.flatnonzero(glyph.any(axis=0))
    cut = glyph[y[0] : y[-1] + 1, x[0] : x[-1] + 1]
    cut = cv2.copyMakeBorder(cut, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    scale = max(tall / max(cut.shape), 6 / max(cut.shape))
    size = max(2, round(cut.shape[1] * scale)), max(2, round(cut.shape[0] * scale))
    large = cv2.resize(cut.astype(np.float32) / 255, size, interpolation=cv2.INTER_CUBIC)
    # One pixel of the enlarged picture is the width of the edge.
    sharp: Field = (large - threshold) * max(1.0, 0.5 * scale) + 0.5 * (scale < 2)
    return np.clip(sharp, 0, 1)


def _worn(rng: np.random.Generator, ink: Field) -> Field:
    """Ink that is not laid on evenly: pencil's and chalk's grain, a pen that runs dry."""
    shape = ink.shape[0], ink.shape[1]
    if rng.random() < 0.4:
        grain = noise(rng, shape, rng.uniform(0.6, max(1.0, max(shape) / 250)))
        ink = ink * np.clip(1 - rng.uniform(0, 0.35) * (1 + grain), 0, 1)
    if rng.random() < 0.4:
        fading = noise(rng, shape, max(shape) / rng.uniform(6, 20))
        ink = ink * np.clip(1 - rng.uniform(0, 0.2) * (1 + fading), 0.2, 1)
    return ink * np.float32(rng.uniform(0.6, 1.0))


def _photograph(rng: np.random.Generator, reflectance: Field) -> Pixels:
    shape = reflectance.shape[0], reflectance.shape[1]
    frame: Field = reflectance * (light(rng, shape) * rng.uniform(0.45, 1.0))[..., None]
    if rng.random() < 0.5:
        frame = cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.3, 0.004 * max(shape) + 0.4))
    frame = 255 * np.clip(frame, 0, 1)
    # A sensor's noise is coarser than its pixels once a JPEG has been made of it.
    sigma = 10 ** rng.uniform(-0.3, 0.9)
    frame = frame + sigma * noise(rng, shape, rng.uniform(0.3, 0.8))[..., None]
    image = np.clip(frame, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96))]
        content = cv2.imencode(".jpg", image, quality)[1]
        image = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR))
    return image
