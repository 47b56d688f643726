"""Lines of a hand that writes nothing."""

import numpy as np

from digits_tf.synthetic.background.ink import ink
from digits_tf.synthetic.handwriting import LOOSE, write_strokes


def scribble(rng: np.random.Generator) -> np.ndarray:
    """Scribbles anything, uint8 (56, 56), bright on 0."""
    kinds = (_tangle, _tangle, _loops, _hatching, _struck_out, _strokes, _strokes, _blob)
    return kinds[rng.integers(len(kinds))](rng)


def _written(strokes: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    return ink(write_strokes(strokes, rng, LOOSE), rng)


def _box(rng: np.random.Generator) -> np.ndarray:
    """Width and height of what is scribbled, the longer 1."""
    side = np.array([1.0, rng.uniform(0.45, 1.0)])
    return side if rng.random() < 0.6 else side[::-1]


def _tangle(rng: np.random.Generator) -> np.ndarray:
    """One line that crosses itself over and over."""
    points = rng.uniform(0, 1, (rng.integers(9, 22), 2)) * _box(rng)
    return _written([points], rng)


def _loops(rng: np.random.Generator) -> np.ndarray:
    """Turns of a pen while the hand moves on."""
    turns = rng.uniform(3, 6)
    t = np.linspace(0, 1, int(turns * 8))[:, None]
    radius = rng.uniform(0.15, 0.4) * np.array([1.0, rng.uniform(0.6, 1.6)])
    angle = 2 * np.pi * turns * t
    curve = radius * np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    return _written([curve + t * np.array([rng.uniform(0.6, 1.6), rng.uniform(-0.6, 0.6)])], rng)


def _zigzag(count: int, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Up and down `count` times across a box, round or sharp at its turns."""
    y = np.arange(count) % 2 + rng.normal(0, 0.1, count)
    points = np.stack([np.linspace(0, 1, count), y], axis=1) * box
    return np.repeat(points, 2, axis=0)[1:-1] if rng.random() < 0.5 else points


def _turned(points: np.ndarray, angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]])


def _hatching(rng: np.random.Generator) -> np.ndarray:
    layers = [
        _turned(_zigzag(int(rng.integers(6, 14)), _box(rng), rng), rng.uniform(0, np.pi))
        for _ in range(rng.integers(1, 3))
    ]
    return _written([layer - layer.mean(axis=0) for layer in layers], rng)


def _struck_out(rng: np.random.Generator) -> np.ndarray:
    """A word that was made unreadable."""
    width = rng.uniform(1.0, 2.5)
    word = rng.uniform(0, 1, (rng.integers(5, 10), 2)) * [width, 1.0]
    over = _zigzag(int(rng.integers(3, 9)), np.array([width, 1.0]), rng)
    across = np.array([[-0.1, rng.uniform(0.2, 0.8)], [width + 0.1, rng.uniform(0.2, 0.8)]])
    return _written([word, over, across][: rng.integers(2, 4)], rng)


def _strokes(rng: np.random.Generator) -> np.ndarray:
    """Four to six short lines that have nothing to do with each other."""
    strokes = []
    for _ in range(rng.integers(4, 7)):
        middle, angle = rng.uniform(0, 1, 2), rng.uniform(0, 2 * np.pi)
        along = rng.uniform(0.2, 0.6) * np.array([np.cos(angle), np.sin(angle)])
        bend = rng.normal(0, 0.12, 2)
        strokes.append(np.array([middle - along, middle + bend, middle + along]))
    return _written(strokes, rng)


def _blob(rng: np.random.Generator) -> np.ndarray:
    """A filled spot, at times with lines out of it."""
    angles = np.linspace(0, 2 * np.pi, int(rng.integers(5, 12)), endpoint=False)
    radii = rng.uniform(0.5, 1.0, (len(angles), 1)) * 0.5
    outline = radii * np.stack([np.cos(angles), np.sin(angles)], axis=1) * _box(rng)
    return ink(write_strokes([np.concatenate([outline, outline[:2]])], rng), rng, filled=True)
