"""Shapes of a pen: arrows, crosses, stars, houses."""

import numpy as np

from digits_tf.synthetic.background.ink import ink
from digits_tf.synthetic.handwriting import LOOSE, STEADY, write_strokes

_LEAST_LEAN = 52  # degrees from the vertical; lines that stand more upright are 1
_FILLED = 0.3  # share of outlines that are filled


def shape(rng: np.random.Generator) -> np.ndarray:
    """Draws a shape with a pen, uint8 (56, 56), bright on 0, its longer side 40 pixels."""
    hand = LOOSE if rng.random() < 0.4 else STEADY
    if rng.random() < 0.3:
        outline = _OUTLINES[rng.integers(len(_OUTLINES))](rng)
        return ink(write_strokes([outline], rng, hand), rng, filled=rng.random() < _FILLED)
    return ink(write_strokes(_SHAPES[rng.integers(len(_SHAPES))](rng), rng, hand), rng)


def _corners(*points: tuple[float, float]) -> np.ndarray:
    """Straight lines along points."""
    return np.repeat(np.array(points, float), 2, axis=0)[1:-1]


def _turned(strokes: list[np.ndarray], angle: float) -> list[np.ndarray]:
    cos, sin = np.cos(angle), np.sin(angle)
    return [stroke @ np.array([[cos, sin], [-sin, cos]]) for stroke in strokes]


def _round(radius: float = 0.5, turns: float = 1.08, start: float = 0.0) -> np.ndarray:
    angle = start + np.linspace(0, 2 * np.pi * turns, int(12 * turns) + 2)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _polygon(radii: np.ndarray, start: float) -> np.ndarray:
    angle = start + np.linspace(0, 2 * np.pi, len(radii) + 1)
    points = np.append(radii, radii[0])[:, None] * np.stack([np.sin(angle), -np.cos(angle)], axis=1)
    return np.repeat(points, 2, axis=0)[1:-1]


def _regular(rng: np.random.Generator) -> np.ndarray:
    """A triangle, square, diamond or pentagon."""
    sides = int(rng.integers(3, 6))
    start = rng.choice([0.0, np.pi / sides]) + rng.normal(0, 0.1)
    return _polygon(np.ones(sides), start) * [rng.uniform(0.75, 1.3), 1.0]


def _star(rng: np.random.Generator) -> np.ndarray:
    radii = np.tile([1.0, rng.uniform(0.3, 0.5)], int(rng.integers(4, 8)))
    return _polygon(radii, rng.normal(0, 0.15))


def _heart(rng: np.random.Generator) -> np.ndarray:
    right = [(0.5, 0.28), (0.62, 0.06), (0.85, 0.02), (1.0, 0.2), (0.9, 0.5)]
    points = [*right, (0.5, 0.95)]
    left = [(1 - x, y) for x, y in reversed(points)]
    return np.array([*points, *left]) * [rng.uniform(0.8, 1.2), 1.0]


def _rectangle(rng: np.random.Generator) -> np.ndarray:
    width = rng.uniform(1.2, 2.5)
    return _corners((0, 0), (width, 0), (width, 1), (0, 1), (0, 0))


def _five_lines(rng: np.random.Generator) -> list[np.ndarray]:
    """A star of one line that crosses itself."""
    angle = np.arange(6) * 0.8 * np.pi + rng.normal(0, 0.1)
    return [_corners(*zip(np.sin(angle), -np.cos(angle), strict=True))]


def _arrow(rng: np.random.Generator) -> list[np.ndarray]:
    head, wide = rng.uniform(0.3, 0.5), rng.uniform(0.2, 0.4)
    strokes = [
        np.array([(0.0, 0.0), (0.5, rng.normal(0, 0.05)), (1.0, 0.0)]),
        _corners((1 - head, -wide), (1.0, 0.0), (1 - head, wide)),
    ]
    if rng.random() < 0.2:
        strokes.append(_corners((head, -wide), (0.0, 0.0), (head, wide)))
    # Not upwards: that is one of the 1's.
    return _turned(strokes, np.deg2rad(rng.uniform(-50, 230)))


def _plus(rng: np.random.Generator) -> list[np.ndarray]:
    longer = rng.uniform(0.8, 1.2)
    return [np.array([(0, longer / 2), (1, longer / 2)]), np.array([(0.5, 0), (0.5, longer)])]


def _cross(rng: np.random.Generator) -> list[np.ndarray]:
    wide = rng.uniform(0.7, 1.2)
    return [np.array([(0, 0), (wide, 1)]), np.array([(wide, 0), (0, 1)])]


def _check(rng: np.random.Generator) -> list[np.ndarray]:
    x, y = rng.uniform(0.2, 0.45), rng.uniform(0.4, 0.7)
    return [_corners((0, y), (x, 1), (rng.uniform(0.8, 1.2), 0))]


def _marked_circle(rng: np.random.Generator) -> list[np.ndarray]:
    """A circle with a cross, a dot or a chord in it."""
    inside = (
        [np.array([(-0.5, 0), (0.5, 0)]), np.array([(0, -0.5), (0, 0.5)])],
        [np.array([(-0.35, -0.35), (0.35, 0.35)]), np.array([(0.35, -0.35), (-0.35, 0.35)])],
        [_round(0.06), _round(0.03)],
        [np.array([(-0.48, rng.uniform(-0.2, 0.2)), (0.48, rng.uniform(-0.2, 0.2))])],
        [np.array([(rng.uniform(-0.1, 0.1), -0.5), (rng.uniform(-0.1, 0.1), 0.5)])],
        [_round(rng.uniform(0.18, 0.28))],
    )
    return [_round(), *inside[rng.integers(len(inside))]]


def _spiral(rng: np.random.Generator) -> list[np.ndarray]:
    turns = rng.uniform(2.2, 4)
    points = _round(1.0, turns, rng.uniform(0, 2 * np.pi))
    spiral = points * np.linspace(0.08, 1, len(points))[:, None]
    return [spiral * [rng.choice([-1.0, 1.0]), 1.0]]


def _zigzag(rng: np.random.Generator) -> list[np.ndarray]:
    count = int(rng.integers(6, 9))
    height = rng.uniform(0.3, 1.0)
    points = [(index / (count - 1) * 1.3, height * (index % 2)) for index in range(count)]
    line = _corners(*points) if rng.random() < 0.5 else np.array(points)
    return _turned([line], rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)]))


def _smiley(rng: np.random.Generator) -> list[np.ndarray]:
    mouth = rng.choice([-1.0, 1.0]) * rng.uniform(0.05, 0.15)
    eyes = [_round(rng.uniform(0.02, 0.05)) + np.array([x, -0.15]) for x in (-0.18, 0.18)]
    return [
        _round(),
        *eyes,
        np.array([(-0.22, 0.2 - mouth), (0, 0.2 + mouth), (0.22, 0.2 - mouth)]),
    ]


def _house(rng: np.random.Generator) -> list[np.ndarray]:
    roof = rng.uniform(0.3, 0.5)
    strokes = [
        _corners((0, roof), (0, 1), (0.9, 1), (0.9, roof), (0, roof), (0.45, 0), (0.9, roof))
    ]
    if rng.random() < 0.6:
        strokes.append(_corners((0.35, 1), (0.35, 0.7), (0.55, 0.7), (0.55, 1)))
    return strokes


def _leaning(rng: np.random.Generator) -> list[np.ndarray]:
    """One line that lies."""
    angle = np.deg2rad(rng.uniform(_LEAST_LEAN, 180 - _LEAST_LEAN))
    line = np.array([(0.0, 0.0), (0.5, 0.0), (1.0, 0.0)])
    return _turned([line], angle - np.pi / 2)


def _bars(rng: np.random.Generator) -> list[np.ndarray]:
    """Two or three lying lines, as a sign of equality."""
    count = int(rng.integers(2, 4))
    gap = rng.uniform(0.25, 0.5)
    return [np.array([(0, gap * each), (1, gap * each)]) for each in range(count)]


def _grid(rng: np.random.Generator) -> list[np.ndarray]:
    """A # or more of a grid."""
    across, down = (int(each) for each in rng.integers(2, 4, 2))
    lines = [np.array([(0, (each + 0.5) / down), (1, (each + 0.5) / down)]) for each in range(down)]
    slant = rng.normal(0, 0.1)
    lines += [
        np.array([((each + 0.5) / across + slant, 0), ((each + 0.5) / across - slant, 1)])
        for each in range(across)
    ]
    return lines


def _ladder(rng: np.random.Generator) -> list[np.ndarray]:
    wide, steps = rng.uniform(0.35, 0.6), int(rng.integers(3, 6))
    rails = [np.array([(0, 0), (0, 1)]), np.array([(wide, 0), (wide, 1)])]
    heights = (np.arange(steps) + 0.5) / steps
    return [*rails, *(np.array([(0, y), (wide, y)]) for y in heights)]


def _corner(rng: np.random.Generator) -> list[np.ndarray]:
    """An L, as it is or mirrored; with its stroke above, it would be a 7."""
    wide = rng.uniform(0.6, 1.1) * rng.choice([-1.0, 1.0])
    return [_corners((0, 0), (0, 1), (wide, 1))]


def _bracket(rng: np.random.Generator) -> list[np.ndarray]:
    wide = rng.uniform(0.35, 0.6) * rng.choice([-1.0, 1.0])
    square = _corners((wide, 0), (0, 0), (0, 1), (wide, 1))
    angle = _corners((wide, 0), (0, 0.5), (wide, 1))
    return [square if rng.random() < 0.6 else angle]


def _tees(rng: np.random.Generator) -> list[np.ndarray]:
    """Where two lines meet, the T that no 7 is like: lying or upside down."""
    strokes = [np.array([(0, 0), (1, 0)]), np.array([(0.5, 0), (0.5, -0.9)])]
    return _turned(strokes, rng.choice([0.0, np.pi / 2, -np.pi / 2]) + rng.normal(0, 0.1))


_OUTLINES = (_regular, _regular, _star, _heart, _rectangle)
_SHAPES = (
    *(_five_lines, _arrow, _arrow, _plus, _cross, _check, _check, _marked_circle, _marked_circle),
    *(_spiral, _zigzag, _smiley, _house, _leaning, _bars, _grid, _ladder, _corner, _bracket, _tees),
)
