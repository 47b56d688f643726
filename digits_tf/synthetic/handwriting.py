"""Digits and letters as strokes of a hand, each written a little differently."""

import dataclasses
import itertools
from collections.abc import Iterable

import numpy as np

from digits_tf.synthetic import Points, forms

# Greatest shift by a smooth warp. Points that meet go on meeting, as in the waist of an 8.
_WARP = 0.03
_SPACING = 0.02  # between the points that are given back
_SAMPLES = 16  # of a curve between two points, before they are spaced evenly
_LOOSE_LETTERS = 0.5  # share of letters written with `LOOSE`
_LETTER_STRETCH = 0.15  # deviation of the aspect's logarithm


@dataclasses.dataclass(frozen=True)
class Variation:
    """How far one instance may differ from the next: standard deviations.

    Attributes:
        point: of each point, as a share of the height.
        turn: of the whole, in degrees.
        slant: to the right, as a share of the height.
        width: as a share of the width.
    """

    point: float
    turn: float
    slant: float
    width: float


STEADY = Variation(point=0.015, turn=4.0, slant=0.10, width=0.07)
LOOSE = Variation(point=0.018, turn=4.0, slant=0.14, width=0.15)


def write(digit: int, rng: np.random.Generator) -> list[Points]:
    """Writes a digit neatly.

    Args:
        digit: 0 to 9.
        rng: decides in what this instance differs.

    Returns:
        The strokes in the order of writing: float64 (n, 2), x and y, evenly spaced, within a box of
        height 1 about (0, 0).
    """
    return write_strokes(forms.DIGITS[digit][0].strokes, rng)


def write_freely(digit: int, rng: np.random.Generator) -> list[Points]:
    """Writes a digit in any of its forms with a loose hand; see `write`."""
    return write_strokes(forms.random_form(digit, rng), rng, LOOSE)


def write_letter(rng: np.random.Generator, name: str | None = None) -> list[Points]:
    """Writes one of `forms.LETTERS`, any if it has no name; see `write`."""
    names = list(forms.LETTERS)
    letter = forms.LETTERS[name or names[rng.integers(len(names))]]
    stretch = np.exp(rng.normal(0, _LETTER_STRETCH))
    form = letter[rng.integers(len(letter))]
    strokes = [stroke * [stretch, 1.0] for stroke in form.strokes]
    return write_strokes(strokes, rng, LOOSE if rng.random() < _LOOSE_LETTERS else STEADY)


def write_strokes(
    strokes: Iterable[Points], rng: np.random.Generator, variation: Variation = STEADY
) -> list[Points]:
    """Writes anything.

    Args:
        strokes: (n, 2) each, n at least 2: x and y, y down, in a box of height about 1. A hand
            bends along the points; a point given twice is a corner.
        rng: decides in what this instance differs.
        variation: how far.

    Returns:
        As `write`.
    """
    frequency = rng.normal(0.0, 0.7, (2, 2))
    phase = rng.uniform(0.0, 2 * np.pi, 2)
    shape = _shape(variation, rng)
    written = []
    for points in strokes:
        corners = _split(np.array(points))
        # Each bend anew, but a corner stays one point: both sides get the same noise.
        curve = np.concatenate([_smooth(part) for part in _shaken(corners, variation.point, rng)])
        curve = curve + _WARP * np.sin(2 * np.pi * curve @ frequency + phase)
        written.append(_evenly(curve @ shape))
    every = np.concatenate(written)
    low, high = every.min(axis=0), every.max(axis=0)
    return [(stroke - (low + high) / 2) / (high - low)[1] for stroke in written]


def rotation(angle: float) -> Points:
    """A turn by an angle in radians, clockwise as y points down: (2, 2), for row vectors."""
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def slanted(slant: float) -> Points:
    """A slant by a share of the height: (2, 2), for row vectors."""
    return np.array([[1.0, 0.0], [slant, 1.0]])


def _shape(variation: Variation, rng: np.random.Generator) -> Points:
    """Width, slant and turn as one matrix (2, 2) for row vectors."""
    turn = rotation(np.deg2rad(rng.normal(0.0, variation.turn)))
    slant = slanted(rng.normal(0.0, variation.slant))
    return np.diag([1.0 + rng.normal(0.0, variation.width), 1.0]) @ slant @ turn


def _split(points: Points) -> list[Points]:
    """A stroke, (n, 2), cut at its corners."""
    repeated = np.flatnonzero((points[1:] == points[:-1]).all(axis=1)) + 1
    return np.split(points, repeated)


def _shaken(parts: list[Points], deviation: float, rng: np.random.Generator) -> list[Points]:
    shaken = [part + rng.normal(0.0, deviation, part.shape) for part in parts]
    for before, after in itertools.pairwise(shaken):
        after[0] = before[-1]
    return shaken


def _smooth(points: Points) -> Points:
    """A cubic B-spline along points (n, 2), n at least 2, from the first to the last."""
    # It rounds bends as a hand does; a curve through every point has a kink at each that is shaken.
    # With mirrored neighbours beyond them, the ends are met exactly.
    first, last = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    p = np.concatenate([[first], points, [last]])
    t = np.linspace(0.0, 1.0, _SAMPLES)[:, None]
    weights = (1 - t) ** 3, 4 - 6 * t**2 + 3 * t**3, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3
    pieces = [
        (weights[0] * a + weights[1] * b + weights[2] * c + weights[3] * d) / 6
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.concatenate(pieces)


def _evenly(curve: Points) -> Points:
    """The same curve through evenly spaced points: a hand moves at an even speed."""
    steps = np.hypot(*np.diff(curve, axis=0).T)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0.0, length[-1], max(2, round(length[-1] / _SPACING)))
    return np.stack([np.interp(wanted, length, curve[:, axis]) for axis in (0, 1)], axis=1)
