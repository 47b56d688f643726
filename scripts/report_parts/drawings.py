"""Drawings that are no digits: scribbles, lines, textures, parts and pairs of digits."""

import cv2
import numpy as np

from digits_tf.synthetic import textures as fields
from report_parts.crop import cropped

_SIDE = 200
# Frequencies of Lissajous curves. With a 1 among them they are a 0 or an 8.
_FREQUENCIES = ((2, 3), (3, 2), (3, 4), (4, 3), (3, 5), (5, 3), (2, 5), (5, 2), (4, 5), (5, 4))
# Digits of which a half is none: no ring, no bar, no 7.
_UPPER, _LOWER = (0, 2, 4, 5, 6), (0, 2, 3, 5)
# A narrower half is a stroke, and a stroke is a 1.
_LEAST_ASPECT = 0.6


def scribble(rng: np.random.Generator) -> np.ndarray:
    """A Lissajous curve, or a zigzag of a random walk, with a pen; uint8 (28, 28)."""
    if rng.random() < 0.5:
        time = np.linspace(0, 2 * np.pi, 300)
        across, down = _FREQUENCIES[rng.integers(len(_FREQUENCIES))]
        curve = np.stack([np.sin(across * time + rng.uniform(0.4, 1.2)), np.sin(down * time)], 1)
    else:
        curve = rng.normal(0, 1, (rng.integers(8, 20), 2)).cumsum(axis=0)
        # A narrow one would be a 1.
        curve *= [rng.uniform(0.7, 1.3), 1] / np.ptp(curve, axis=0)
    low, high = curve.min(axis=0), curve.max(axis=0)
    points = (curve - (low + high) / 2) * (0.8 * _SIDE / (high - low).max()) + _SIDE / 2
    picture = np.zeros((_SIDE, _SIDE), np.uint8)
    width = int(rng.integers(8, 20))
    cv2.polylines(picture, [np.round(points).astype(np.int32)], False, 255, width)
    return cropped(picture)


def lines(rng: np.random.Generator) -> np.ndarray:
    """Paper's own lines from edge to edge, ruled or squared, a little turned; uint8 (28, 28)."""
    side = 10 * 28
    picture = np.zeros((side, side), np.uint8)
    pitch, width = side / rng.uniform(2.2, 6), int(rng.integers(8, 25))
    slope, phase = rng.normal(0, 0.04), rng.uniform(0, 1)
    for place in (np.arange(-1, 8) + phase) * pitch:
        ends = (0, round(place)), (side, round(place + slope * side))
        cv2.line(picture, *ends, 255, width)
    if rng.random() < 0.5:
        picture = np.maximum(picture, picture.T)
    return cv2.resize(picture, (28, 28), interpolation=cv2.INTER_AREA)


def texture(rng: np.random.Generator, side: int) -> np.ndarray:
    """Grain, clouds, waves or checks that fill the picture, uint8 (side, side)."""
    kind = rng.integers(4)
    size = side / rng.uniform(2, 14)
    if kind == 0:
        field = fields.noise(rng, (side, side), size / 3)
    elif kind == 1:
        sizes = [size * share for share in (1, 0.5, 0.25)]
        field = np.sum([each * fields.noise(rng, (side, side), each) for each in sizes], axis=0)
    else:
        y, x = np.mgrid[:side, :side]
        angle = rng.uniform(0, np.pi)
        along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        field = np.sin(2 * np.pi * along / size + rng.uniform(0, 6))
        if kind == 3:
            field = np.sign(field * np.sin(2 * np.pi * across / size))
    low, high = np.percentile(field, (2, 98))
    return np.clip(255 * (field - low) / max(high - low, 1e-6), 0, 255).astype(np.uint8)


def half(rng: np.random.Generator, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The upper or the lower half of a digit, uint8 (28, 28).

    Args:
        rng: decides.
        images: uint8 (n, 28, 28), digits, some of them wide enough.
        labels: integers (n,).
    """
    while True:
        index, upper = rng.integers(len(images)), rng.random() < 0.5
        if labels[index] not in (_UPPER if upper else _LOWER):
            continue
        ink = _tight(images[index])
        middle = len(ink) // 2
        kept = _tight(ink[:middle] if upper else ink[middle:])
        if kept.shape[1] > _LEAST_ASPECT * kept.shape[0]:
            return cropped(np.pad(kept, 2))


def pair(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Two digits side by side in one crop, uint8 (28, 28).

    Args:
        rng: decides.
        images: uint8 (n, 28, 28), digits.
    """
    one, other = (images[each] for each in rng.integers(0, len(images), 2))
    left, right = (np.flatnonzero(each.any(axis=0)) for each in (one, other))
    gap = np.zeros((28, int(rng.integers(0, 4))), np.uint8)
    row = [one[:, left[0] : left[-1] + 1], gap, other[:, right[0] : right[-1] + 1]]
    return cropped(np.pad(np.hstack(row), 2))


def _tight(image: np.ndarray) -> np.ndarray:
    x, y, w, h = cv2.boundingRect(image)
    return image[y : y + h, x : x + w]
