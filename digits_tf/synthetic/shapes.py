"""What a pen draws that is neither a digit nor a letter: shapes and scribbles."""

from collections.abc import Callable

import numpy as np

from digits_tf.synthetic import Pixels, Points
from digits_tf.synthetic.handwriting import LOOSE, STEADY, rotation, write_strokes
from digits_tf.synthetic.pen import drawing

_LEAST_LEAN = 52  # degrees from the vertical; lines that stand more upright are 1
_OUTLINE = 0.3  # share of shapes that are one closed outline
_FILLED = 0.3  # share of outlines that are filled
_LOOSE = 0.4  # share of shapes drawn with `LOOSE`


def shape(rng: np.random.Generator) -> Pixels:
    """Draws a shape with a pen, uint8 (56, 56), bright on 0, its longer side 40 pixels."""
    variation = LOOSE if rng.random() < _LOOSE else STEADY
    if rng.random() < _OUTLINE:
        outline = _OUTLINES[rng.integers(len(_OUTLINES))](rng)
        written = write_strokes([outline], rng, variation)
        return drawing(written, rng, filled=rng.random() < _FILLED)
    return drawing(write_strokes(_SHAPES[rng.integers(len(_SHAPES))](rng), rng, variation), rng)


def scribble(rng: np.random.Generator) -> Pixels:
    """Draws lines of a hand that writes nothing, uint8 (56, 56), bright on 0."""
    kind = rng.integers(len(_SCRIBBLES) + 1)
    if kind == len(_SCRIBBLES):
        return drawing(write_strokes([_spot(rng)], rng), rng, filled=True)
    return drawing(write_strokes(_SCRIBBLES[kind](rng), rng, LOOSE), rng)


def _line(*points: tuple[float, float]) -> Points:
    """One stroke that bends along points."""
    return np.array(points, float)


def _corners(*points: tuple[float, float]) -> Points:
    """Straight lines along points."""
    return _cornered(np.array(points, float))


def _cornered(points: Points) -> Points:
    """Points (n, 2) with a corner at each but the ends."""
    return np.repeat(points, 2, axis=0)[1:-1]


def _turned(strokes: list[Points], angle: float) -> list[Points]:
    return [stroke @ rotation(angle) for stroke in strokes]


# Closed outlines.


def _regular(rng: np.random.Generator) -> Points:
    """A triangle, square, diamond or pentagon."""
    sides = int(rng.integers(3, 6))
    start = rng.choice([0.0, np.pi / sides]) + rng.normal(0, 0.1)
    return _polygon(np.ones(sides), start) * [rng.uniform(0.75, 1.3), 1.0]


def _star(rng: np.random.Generator) -> Points:
    radii = np.tile([1.0, rng.uniform(0.3, 0.5)], int(rng.integers(4, 8)))
    return _polygon(radii, rng.normal(0, 0.15))


def _polygon(radii: Points, start: float) -> Points:
    angle = start + np.linspace(0, 2 * np.pi, len(radii) + 1)
    points = np.append(radii, radii[0])[:, None] * np.stack([np.sin(angle), -np.cos(angle)], axis=1)
    return _cornered(points)


def _heart(rng: np.random.Generator) -> Points:
    right = [(0.5, 0.28), (0.62, 0.06), (0.85, 0.02), (1.0, 0.2), (0.9, 0.5), (0.5, 0.95)]
    left = [(1 - x, y) for x, y in reversed(right)]
    return np.array([*right, *left]) * [rng.uniform(0.8, 1.2), 1.0]


def _rectangle(rng: np.random.Generator) -> Points:
    width = rng.uniform(1.2, 2.5)
    return _corners((0, 0), (width, 0), (width, 1), (0, 1), (0, 0))


# Shapes of one stroke or more.


def _circle(radius: float = 0.5, turns: float = 1.08, start: float = 0.0) -> Points:
    """A line around (0, 0), as a rule a little more than once."""
    angle = start + np.linspace(0, 2 * np.pi * turns, int(12 * turns) + 2)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _five_lines(rng: np.random.Generator) -> list[Points]:
    """A star of one line that crosses itself."""
    angle = np.arange(6) * 0.8 * np.pi + rng.normal(0, 0.1)
    return [_cornered(np.stack([np.sin(angle), -np.cos(angle)], axis=1))]


def _arrow(rng: np.random.Generator) -> list[Points]:
    head, wide = rng.uniform(0.3, 0.5), rng.uniform(0.2, 0.4)
    strokes = [
        _line((0.0, 0.0), (0.5, rng.normal(0, 0.05)), (1.0, 0.0)),
        _corners((1 - head, -wide), (1.0, 0.0), (1 - head, wide)),
    ]
    if rng.random() < 0.2:
        strokes.append(_corners((head, -wide), (0.0, 0.0), (head, wide)))
    # Not upwards: some write a 1 like that.
    return _turned(strokes, np.deg2rad(rng.uniform(-50, 230)))


def _plus(rng: np.random.Generator) -> list[Points]:
    longer = rng.uniform(0.8, 1.2)
    return [_line((0, longer / 2), (1, longer / 2)), _line((0.5, 0), (0.5, longer))]


def _cross(rng: np.random.Generator) -> list[Points]:
    wide = rng.uniform(0.7, 1.2)
    return [_line((0, 0), (wide, 1)), _line((wide, 0), (0, 1))]


def _check(rng: np.random.Generator) -> list[Points]:
    x, y = rng.uniform(0.2, 0.45), rng.uniform(0.4, 0.7)
    return [_corners((0, y), (x, 1), (rng.uniform(0.8, 1.2), 0))]


def _marked_circle(rng: np.random.Generator) -> list[Points]:
    """A circle with a cross, a dot, a chord or another circle in it."""
    inside = (
        [_line((-0.5, 0), (0.5, 0)), _line((0, -0.5), (0, 0.5))],
        [_line((-0.35, -0.35), (0.35, 0.35)), _line((0.35, -0.35), (-0.35, 0.35))],
        [_circle(0.06), _circle(0.03)],
        [_line((-0.48, rng.uniform(-0.2, 0.2)), (0.48, rng.uniform(-0.2, 0.2)))],
        [_line((rng.uniform(-0.1, 0.1), -0.5), (rng.uniform(-0.1, 0.1), 0.5))],
        [_circle(rng.uniform(0.18, 0.28))],
    )
    return [_circle(), *inside[rng.integers(len(inside))]]


def _spiral(rng: np.random.Generator) -> list[Points]:
    turns = rng.uniform(2.2, 4)
    points = _circle(1.0, turns, rng.uniform(0, 2 * np.pi))
    spiral = points * np.linspace(0.08, 1, len(points))[:, None]
    return [spiral * [rng.choice([-1.0, 1.0]), 1.0]]


def _zigzag(rng: np.random.Generator) -> list[Points]:
    count = int(rng.integers(6, 9))
    height = rng.uniform(0.3, 1.0)
    index = np.arange(count)
    line = np.stack([index / (count - 1) * 1.3, height * (index % 2)], axis=1)
    if rng.random() < 0.5:
        line = _cornered(line)
    return _turned([line], rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)]))


def _smiley(rng: np.random.Generator) -> list[Points]:
    mouth = rng.choice([-1.0, 1.0]) * rng.uniform(0.05, 0.15)
    eyes = [_circle(rng.uniform(0.02, 0.05)) + np.array([x, -0.15]) for x in (-0.18, 0.18)]
    return [_circle(), *eyes, _line((-0.22, 0.2 - mouth), (0, 0.2 + mouth), (0.22, 0.2 - mouth))]


def _house(rng: np.random.Generator) -> list[Points]:
    roof = rng.uniform(0.3, 0.5)
    strokes = [
        _corners((0, roof), (0, 1), (0.9, 1), (0.9, roof), (0, roof), (0.45, 0), (0.9, roof))
    ]
    if rng.random() < 0.6:
        strokes.append(_corners((0.35, 1), (0.35, 0.7), (0.55, 0.7), (0.55, 1)))
    return strokes


def _leaning(rng: np.random.Generator) -> list[Points]:
    """One line that lies."""
    angle = np.deg2rad(rng.uniform(_LEAST_LEAN, 180 - _LEAST_LEAN))
    return _turned([_line((0.0, 0.0), (0.5, 0.0), (1.0, 0.0))], angle - np.pi / 2)


def _bars(rng: np.random.Generator) -> list[Points]:
    """Two or three lying lines, as an equals sign has."""
    count = int(rng.integers(2, 4))
    gap = rng.uniform(0.25, 0.5)
    return [_line((0, gap * each), (1, gap * each)) for each in range(count)]


def _grid(rng: np.random.Generator) -> list[Points]:
    """A # or more of a grid."""
    across, down = (int(each) for each in rng.integers(2, 4, 2))
    heights = (np.arange(down) + 0.5) / down
    slant = rng.normal(0, 0.1)
    places = (np.arange(across) + 0.5) / across
    return [
        *(_line((0, y), (1, y)) for y in heights),
        *(_line((x + slant, 0), (x - slant, 1)) for x in places),
    ]


def _ladder(rng: np.random.Generator) -> list[Points]:
    wide, steps = rng.uniform(0.35, 0.6), int(rng.integers(3, 6))
    heights = (np.arange(steps) + 0.5) / steps
    rails = [_line((0, 0), (0, 1)), _line((wide, 0), (wide, 1))]
    return [*rails, *(_line((0, y), (wide, y)) for y in heights)]


def _corner(rng: np.random.Generator) -> list[Points]:
    """An L, as it is or mirrored; with its stroke above, it would be a 7."""
    wide = rng.uniform(0.6, 1.1) * rng.choice([-1.0, 1.0])
    return [_corners((0, 0), (0, 1), (wide, 1))]


def _bracket(rng: np.random.Generator) -> list[Points]:
    wide = rng.uniform(0.35, 0.6) * rng.choice([-1.0, 1.0])
    if rng.random() < 0.6:
        return [_corners((wide, 0), (0, 0), (0, 1), (wide, 1))]
    return [_corners((wide, 0), (0, 0.5), (wide, 1))]


def _tee(rng: np.random.Generator) -> list[Points]:
    """A T that lies or stands on its head: upright, some would take it for a 7."""
    strokes = [_line((0, 0), (1, 0)), _line((0.5, 0), (0.5, -0.9))]
    return _turned(strokes, rng.choice([0.0, np.pi / 2, -np.pi / 2]) + rng.normal(0, 0.1))


# Scribbles.


def _box(rng: np.random.Generator) -> Points:
    """Width and height of what is scribbled, the longer 1."""
    side = np.array([1.0, rng.uniform(0.45, 1.0)])
    return side if rng.random() < 0.6 else side[::-1]


def _tangle(rng: np.random.Generator) -> list[Points]:
    """One line that crosses itself over and over."""
    return [rng.uniform(0, 1, (rng.integers(9, 22), 2)) * _box(rng)]


def _loops(rng: np.random.Generator) -> list[Points]:
    """Turns of a pen while the hand moves on."""
    turns = rng.uniform(3, 6)
    t = np.linspace(0, 1, int(turns * 8))[:, None]
    radius = rng.uniform(0.15, 0.4) * np.array([1.0, rng.uniform(0.6, 1.6)])
    angle = 2 * np.pi * turns * t
    curve = radius * np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    return [curve + t * np.array([rng.uniform(0.6, 1.6), rng.uniform(-0.6, 0.6)])]


def _hatching(rng: np.random.Generator) -> list[Points]:
    layers = []
    for _ in range(rng.integers(1, 3)):
        line = _up_and_down(int(rng.integers(6, 14)), _box(rng), rng)
        layers.append(line @ rotation(rng.uniform(0, np.pi)))
    return [layer - layer.mean(axis=0) for layer in layers]


def _up_and_down(count: int, box: Points, rng: np.random.Generator) -> Points:
    """Up and down `count` times across a box, round or sharp at its turns."""
    y = np.arange(count) % 2 + rng.normal(0, 0.1, count)
    points = np.stack([np.linspace(0, 1, count), y], axis=1) * box
    return _cornered(points) if rng.random() < 0.5 else points


def _struck_out(rng: np.random.Generator) -> list[Points]:
    """A word that was made unreadable."""
    width = rng.uniform(1.0, 2.5)
    word = rng.uniform(0, 1, (rng.integers(5, 10), 2)) * [width, 1.0]
    over = _up_and_down(int(rng.integers(3, 9)), np.array([width, 1.0]), rng)
    across = _line((-0.1, rng.uniform(0.2, 0.8)), (width + 0.1, rng.uniform(0.2, 0.8)))
    return [word, over, across][: rng.integers(2, 4)]


def _short_lines(rng: np.random.Generator) -> list[Points]:
    """Four to six short lines that have nothing to do with each other."""
    strokes = []
    for _ in range(rng.integers(4, 7)):
        middle, angle = rng.uniform(0, 1, 2), rng.uniform(0, 2 * np.pi)
        along = rng.uniform(0.2, 0.6) * np.array([np.cos(angle), np.sin(angle)])
        bend = rng.normal(0, 0.12, 2)
        strokes.append(np.array([middle - along, middle + bend, middle + along]))
    return strokes


def _spot(rng: np.random.Generator) -> Points:
    """The outline of a spot, at times with lines out of it."""
    angles = np.linspace(0, 2 * np.pi, int(rng.integers(5, 12)), endpoint=False)
    radii = rng.uniform(0.5, 1.0, (len(angles), 1)) * 0.5
    outline = radii * np.stack([np.cos(angles), np.sin(angles)], axis=1) * _box(rng)
    return np.concatenate([outline, outline[:2]])


# One that stands twice is drawn twice as often.
_OUTLINES: tuple[Callable[[np.random.Generator], Points], ...]
_OUTLINES = (_regular, _regular, _star, _heart, _rectangle)
_Drawer = Callable[[np.random.Generator], list[Points]]
_SHAPES: tuple[_Drawer, ...] = (
    *(_five_lines, _arrow, _arrow, _plus, _cross, _check, _check, _marked_circle, _marked_circle),
    *(_spiral, _zigzag, _smiley, _house, _leaning, _bars, _grid, _ladder, _corner, _bracket, _tee),
)
# A filled spot comes as often as one of these.
_SCRIBBLES: tuple[_Drawer, ...] = (
    *(_tangle, _tangle, _loops, _hatching, _struck_out, _short_lines, _short_lines),
)
