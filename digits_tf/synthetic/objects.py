"""Pictures of other things than writing: things on a desk, hands, faces, clothes, patterns."""

import functools
from collections.abc import Callable

import cv2
import numpy as np

from digits_tf.synthetic import Field, Pixels, Points, forms
from digits_tf.synthetic.textures import light, noise

_SIDE = 28  # pixels of clothes and patterns
_HEIGHTS = (64, 160)  # pixels of photographs
_CLOTHES_ENLARGED = 4  # drawn so much larger, for soft edges
# The right half of what is alike on both sides, from the top down: x from the middle, y; see
# `forms.parse`.
_CLOTHES_HALVES = {
    "t-shirt": "9 5,20 4,48 18,38 34,26 28,26 60,26 98,0 99",
    "pullover": "8 4,18 4,30 14,44 80,34 86,26 40,26 98,0 99",
    "trousers": "0 1,18 1,20 30,24 99,8 99,2 25",
    "dress": "8 4,14 2,18 26,12 42,20 70,28 99,0 99",
    "coat": "6 2,18 3,30 14,40 78,30 80,26 40,28 99,2 99",
    "shirt": "5 2,16 4,34 16,40 60,32 62,26 30,24 99,0 99",
    "bag": "14 30,18 8,26 30,42 32,48 90,40 99,0 99",
}
# The others, x from the left.
_CLOTHES_OUTLINES = {
    "sandal": "2 70,20 55,35 62,55 72,80 58,98 40,98 85,88 76,60 90,2 90",
    "sneaker": "2 64,20 56,34 38,48 46,70 66,96 72,98 88,4 88",
    "boot": "20 4,60 4,62 58,92 72,96 96,20 96,18 50",
    "heel": "2 40,18 34,40 60,80 78,98 86,98 92,60 92,28 70,18 96,10 96",
}

_Colour = tuple[float, float, float]


def photograph(rng: np.random.Generator) -> Pixels:
    """Photographs things on a table, a hand or a face, uint8 (h, w, 3), BGR."""
    height = int(rng.integers(*_HEIGHTS))
    shape = height, int(height * rng.uniform(0.8, 1.6))
    ground = noise(rng, shape, max(shape) / rng.uniform(2, 40))
    picture: Field = np.full((*shape, 3), _colour(rng), np.float32)
    picture *= (1 + rng.uniform(0, 0.15) * ground)[..., None]
    draw = (_things, _things, _hand, _face)[rng.integers(4)]
    draw(picture, rng)
    picture *= light(rng, shape)[..., None]
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2))
    picture += 0.02 * rng.random() * noise(rng, shape, 0.5)[..., None]
    return (255 * np.clip(picture, 0, 1)).astype(np.uint8)


def clothes(rng: np.random.Generator) -> Pixels:
    """Draws a piece of clothing that fills the picture, as Fashion-MNIST has them.

    Args:
        rng: decides which, its shape and its cloth.

    Returns:
        uint8 (28, 28), bright on 0.
    """
    names = (*_CLOTHES_HALVES, *_CLOTHES_OUTLINES)
    outline = _outline(names[rng.integers(len(names))])
    side = _SIDE * _CLOTHES_ENLARGED
    outline = outline * np.exp(rng.normal(0, 0.08, 2)) + rng.normal(0, 0.012, outline.shape)
    if rng.random() < 0.5:
        outline = outline * [-1.0, 1.0]
    low, high = outline.min(axis=0), outline.max(axis=0)
    scale = rng.uniform(0.88, 1.0) * side / (high - low).max()
    points = np.round((outline - (low + high) / 2) * scale + side / 2).astype(np.int32)
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [points], 255)
    # Seams and hems are round.
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1.0, 4.0))
    mask = cv2.threshold(mask, 127, 255, cv2.THRESH_BINARY)[1]
    cover = cv2.resize(mask, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) / 255.0
    return np.asarray(np.round(cover * _cloth(rng)), np.uint8)


def pattern(rng: np.random.Generator) -> Pixels:
    """Fills a picture with noise, a gradient, a pattern or one grey, uint8 (28, 28)."""
    picture = _PATTERNS[rng.integers(len(_PATTERNS))](rng)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


# Things.


def _colour(rng: np.random.Generator) -> _Colour:
    b, g, r = rng.uniform(0.05, 1.0) * rng.uniform(0.5, 1.0, 3)
    return float(b), float(g), float(r)


def _skin(rng: np.random.Generator) -> _Colour:
    value = rng.uniform(0.3, 1.0)
    return 0.55 * value, 0.68 * value, 0.9 * value


def _point(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[int, int]:
    return int(rng.uniform(0.1, 0.9) * shape[1]), int(rng.uniform(0.1, 0.9) * shape[0])


def _things(picture: Field, rng: np.random.Generator) -> None:
    side = min(picture.shape[:2])
    for _ in range(rng.integers(2, 9)):
        colour, centre = _colour(rng), _point(rng, picture.shape)
        kind = rng.integers(4)
        if kind == 0:
            axes = [int(each) for each in rng.uniform(0.03, 0.35, 2) * side]
            thickness = -1 if rng.random() < 0.7 else int(rng.integers(1, 5))
            angle = rng.uniform(0, 180)
            cv2.ellipse(picture, centre, axes, angle, 0, 360, colour, thickness, cv2.LINE_AA)
        elif kind == 1:
            angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 8)))
            radii = side * rng.uniform(0.05, 0.35, (len(angles), 1))
            points = radii * np.stack([np.cos(angles), np.sin(angles)], axis=1) + centre
            cv2.fillPoly(picture, [np.round(points).astype(np.int32)], colour, cv2.LINE_AA)
        elif kind == 2:
            # A pencil, a cable.
            points = np.cumsum(rng.normal(0, 0.15 * side, (rng.integers(2, 7), 2)), axis=0)
            line = np.round(points + centre).astype(np.int32)
            width = int(rng.integers(1, max(2, side // 12)))
            cv2.polylines(picture, [line], False, colour, width, cv2.LINE_AA)
        else:
            size = tuple(float(each) for each in rng.uniform(0.1, 0.6, 2) * side)
            corners = cv2.boxPoints((centre, size, rng.uniform(0, 90)))
            cv2.fillPoly(picture, [np.round(corners).astype(np.int32)], colour, cv2.LINE_AA)


def _hand(picture: Field, rng: np.random.Generator) -> None:
    """A palm with some fingers stretched."""
    side, colour = min(picture.shape[:2]), _skin(rng)
    size = rng.uniform(0.1, 0.22) * side
    centre = np.array(_point(rng, picture.shape), float)
    turn = rng.normal(0, 0.6)
    width = max(2, int(0.45 * size))

    def line(start: Points, end: Points, thickness: int) -> None:
        first, last = (np.round(each).astype(int).tolist() for each in (start, end))
        cv2.line(picture, first, last, colour, thickness, cv2.LINE_AA)

    for spread in np.linspace(-0.7, 0.7, 5)[rng.random(5) < 0.7]:
        angle = turn + spread + rng.normal(0, 0.05)
        way = np.array([np.sin(angle), -np.cos(angle)])
        line(centre + way * size, centre + way * size * rng.uniform(1.7, 2.4), width)
    cv2.circle(picture, centre.astype(int).tolist(), int(size), colour, -1, cv2.LINE_AA)
    wrist = centre + size * 3 * np.array([-np.sin(turn), np.cos(turn)])
    line(centre, wrist, int(1.3 * size))


def _face(picture: Field, rng: np.random.Generator) -> None:
    side = min(picture.shape[:2])
    size = rng.uniform(0.15, 0.4) * side
    x, y = _point(rng, picture.shape)
    dark = tuple(float(each) for each in rng.uniform(0.02, 0.35) * np.array([0.6, 0.8, 1.0]))

    def oval(across: float, down: float, width: float, height: float, colour: object) -> None:
        place = int(x + across * size), int(y + down * size)
        axes = max(1, int(width * size)), max(1, int(height * size))
        cv2.ellipse(picture, place, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)

    oval(0, -0.25, 0.85, 0.95, dark)  # hair
    oval(0, 0, 0.75, 1.0, _skin(rng))
    for each in (-0.32, 0.32):
        oval(each, -0.2, 0.14, 0.07, (0.9, 0.9, 0.9))
        oval(each, -0.2, 0.06, 0.06, dark)
        oval(each, -0.4, 0.18, 0.04, dark)
    oval(0, 0.12, 0.1, 0.16, _skin(rng))
    oval(0, 0.5, rng.uniform(0.15, 0.35), rng.uniform(0.04, 0.14), (0.25, 0.25, 0.6))


# Clothes.


@functools.cache
def _outline(name: str) -> Points:
    if name in _CLOTHES_OUTLINES:
        return forms.parse(_CLOTHES_OUTLINES[name])[0]
    half = forms.parse(_CLOTHES_HALVES[name])[0]
    return np.concatenate([half, half[::-1] * [-1.0, 1.0]])


def _cloth(rng: np.random.Generator) -> Field:
    """Grey levels, float (28, 28), 20..255."""
    shape = _SIDE, _SIDE
    cloth: Field
    cloth = rng.uniform(50, 240) + rng.uniform(3, 25) * noise(rng, shape, rng.uniform(0.4, 4.0))
    y, x = np.mgrid[:_SIDE, :_SIDE]
    if rng.random() < 0.35:  # stripes
        place = (x, y, x + y)[rng.integers(3)] / rng.uniform(1.5, 6)
        cloth += rng.uniform(15, 70) * np.sign(np.sin(place * np.pi + rng.uniform(0, 6)))
    if rng.random() < 0.3:  # a print
        top, left = rng.integers(6, 14, 2)
        rows = slice(top, top + rng.integers(3, 10))
        columns = slice(left, left + rng.integers(3, 10))
        cloth[rows, columns] += rng.normal(0, 80)
    if rng.random() < 0.3:  # buttons, a zip
        middle = 14 + int(rng.integers(-1, 2))
        cloth[:, middle : middle + 1] -= rng.uniform(30, 120)
    return np.clip(cloth, 20, 255)


# Patterns.


def _contrast(rng: np.random.Generator, values: Field) -> Field:
    """Values about 0, of deviation 1, as grey levels of some contrast."""
    return rng.uniform(0, 255) + rng.uniform(10, 110) * values


def _clouds(rng: np.random.Generator) -> Field:
    return _contrast(rng, noise(rng, (_SIDE, _SIDE), rng.uniform(0.3, 9.0)))


def _gradient(rng: np.random.Generator) -> Field:
    y, x = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * x + np.sin(angle) * y
    bend = rng.normal(0, 0.7) * (x * x + y * y)
    grain = rng.uniform(0, 0.15) * rng.standard_normal((_SIDE, _SIDE))
    return _contrast(rng, slope + bend + grain)


def _chequer(rng: np.random.Generator) -> Field:
    """A chequer or stripes."""
    y, x = np.mgrid[:_SIDE, :_SIDE] + rng.uniform(0, 10, (2, 1, 1))
    pitch, slope = rng.uniform(2, 9), rng.normal(0, 0.3)
    across, down = (x + slope * y) // pitch, (y - slope * x) // pitch
    cells = (across + down) if rng.random() < 0.6 else (across, down)[rng.integers(2)]
    return _contrast(rng, 2.0 * (cells % 2) - 1)


def _constant(rng: np.random.Generator) -> Field:
    level = (0.0, 255.0, rng.uniform(0, 255))[rng.integers(3)]
    return np.full((_SIDE, _SIDE), level)


def _dots(rng: np.random.Generator) -> Field:
    dots = rng.random((_SIDE, _SIDE)) < 10 ** rng.uniform(-2.3, -0.3)
    return dots * rng.uniform(60, 255, (_SIDE, _SIDE))


def _lights(rng: np.random.Generator) -> Field:
    """Lights out of focus."""
    picture = np.zeros((_SIDE, _SIDE), np.float32)
    for _ in range(rng.integers(2, 6)):
        centre = tuple(int(each) for each in rng.integers(2, 26, 2))
        cv2.circle(picture, centre, int(rng.integers(1, 7)), rng.uniform(60, 255), -1)
    soft: Field = cv2.GaussianBlur(picture, (0, 0), rng.uniform(1.0, 3.5))
    return soft


# One that stands twice is drawn twice as often.
_PATTERNS: tuple[Callable[[np.random.Generator], Field], ...] = (
    *(_clouds, _clouds, _gradient, _chequer, _constant, _dots, _lights),
)
