"""Frames without digits: things on a desk, hands, faces, photographed."""

from collections.abc import Callable

import cv2
import numpy as np

from digits_tf.synthetic.background.capture import somewhere
from digits_tf.synthetic.textures import light, noise

_HEIGHTS = (64, 160)
Colour = tuple[float, float, float]


def thing(rng: np.random.Generator) -> np.ndarray | None:
    """Cuts out something of a frame without digits, uint8 (28, 28), or None if nothing is there."""
    return somewhere(frame(rng), rng)


def frame(rng: np.random.Generator) -> np.ndarray:
    """Photographs things, uint8 (h, w, 3), BGR."""
    height = int(rng.integers(*_HEIGHTS))
    shape = height, int(height * rng.uniform(0.8, 1.6))
    ground = noise(rng, shape, max(shape) / rng.uniform(2, 40))
    picture = np.full((*shape, 3), _colour(rng), np.float32)
    picture *= (1 + rng.uniform(0, 0.15) * ground)[..., None]
    kinds: tuple[Callable[[np.ndarray, np.random.Generator], None], ...]
    kinds = (_things, _things, _hand, _face)
    kinds[rng.integers(len(kinds))](picture, rng)
    picture *= light(rng, shape)[..., None]
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2))
    picture += 0.02 * rng.random() * noise(rng, shape, 0.5)[..., None]
    return (255 * np.clip(picture, 0, 1)).astype(np.uint8)


def _colour(rng: np.random.Generator) -> Colour:
    b, g, r = rng.uniform(0.05, 1.0) * rng.uniform(0.5, 1.0, 3)
    return float(b), float(g), float(r)


def _point(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[int, int]:
    return int(rng.uniform(0.1, 0.9) * shape[1]), int(rng.uniform(0.1, 0.9) * shape[0])


def _things(picture: np.ndarray, rng: np.random.Generator) -> None:
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
            points = np.round(points + centre).astype(np.int32)
            width = int(rng.integers(1, max(2, side // 12)))
            cv2.polylines(picture, [points], False, colour, width, cv2.LINE_AA)
        else:
            size = tuple(float(each) for each in rng.uniform(0.1, 0.6, 2) * side)
            corners = cv2.boxPoints((centre, size, rng.uniform(0, 90)))
            cv2.fillPoly(picture, [np.round(corners).astype(np.int32)], colour, cv2.LINE_AA)


def _skin(rng: np.random.Generator) -> Colour:
    value = rng.uniform(0.3, 1.0)
    return 0.55 * value, 0.68 * value, 0.9 * value


def _hand(picture: np.ndarray, rng: np.random.Generator) -> None:
    """A palm with some fingers stretched."""
    side, colour = min(picture.shape[:2]), _skin(rng)
    size = rng.uniform(0.1, 0.22) * side
    centre = np.array(_point(rng, picture.shape), float)
    turn = rng.normal(0, 0.6)
    width = max(2, int(0.45 * size))
    for spread in np.linspace(-0.7, 0.7, 5)[rng.random(5) < 0.7]:
        angle = turn + spread + rng.normal(0, 0.05)
        way = np.array([np.sin(angle), -np.cos(angle)])
        tip = centre + way * size * rng.uniform(1.7, 2.4)
        start, end = (np.round(each).astype(int).tolist() for each in (centre + way * size, tip))
        cv2.line(picture, start, end, colour, width, cv2.LINE_AA)
    middle = tuple(int(each) for each in centre)
    cv2.circle(picture, middle, int(size), colour, -1, cv2.LINE_AA)
    wrist = centre + size * 3 * np.array([-np.sin(turn), np.cos(turn)])
    cv2.line(
        picture, middle, np.round(wrist).astype(int).tolist(), colour, int(1.3 * size), cv2.LINE_AA
    )


def _face(picture: np.ndarray, rng: np.random.Generator) -> None:
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
