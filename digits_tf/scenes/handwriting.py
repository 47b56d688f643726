"""Digits as strokes of a hand, each written a little differently."""

import itertools

import numpy as np

# Strokes in a box of height 1, x to the right, y down, in the order of writing. A hand runs in
# curves along the points; a point given twice is a corner.
Strokes = tuple[tuple[tuple[float, float], ...], ...]
_STROKES: tuple[Strokes, ...] = (
    (
        (
            *((0.42, 0.03), (0.22, 0.05), (0.06, 0.26), (0.02, 0.58), (0.13, 0.90), (0.32, 1.0)),
            *((0.52, 0.88), (0.62, 0.55), (0.58, 0.22), (0.42, 0.03), (0.30, 0.04)),
        ),
    ),
    (((0.17, 0.17), (0.26, 0.10), (0.34, 0.0), (0.34, 0.0), (0.33, 0.50), (0.30, 1.0)),),
    (
        (
            *((0.03, 0.24), (0.13, 0.06), (0.33, 0.0), (0.53, 0.09), (0.56, 0.30), (0.40, 0.58)),
            *((0.20, 0.80), (0.02, 0.98), (0.02, 0.98), (0.32, 0.95), (0.64, 0.97)),
        ),
    ),
    (
        (
            *((0.04, 0.12), (0.24, 0.0), (0.48, 0.07), (0.53, 0.24), (0.41, 0.41), (0.22, 0.47)),
            *((0.22, 0.47), (0.46, 0.52), (0.60, 0.71), (0.51, 0.92), (0.26, 1.0), (0.01, 0.90)),
        ),
    ),
    (
        ((0.16, 0.0), (0.09, 0.28), (0.0, 0.58), (0.0, 0.58), (0.34, 0.57), (0.68, 0.54)),
        ((0.50, 0.08), (0.47, 0.50), (0.43, 1.0)),
    ),
    (
        (
            *((0.14, 0.03), (0.11, 0.22), (0.07, 0.45), (0.07, 0.45), (0.26, 0.38), (0.48, 0.46)),
            *((0.58, 0.68), (0.47, 0.91), (0.24, 1.0), (0.0, 0.90)),
        ),
        ((0.13, 0.03), (0.34, 0.03), (0.60, 0.0)),
    ),
    (
        (
            *((0.48, 0.0), (0.27, 0.15), (0.10, 0.40), (0.03, 0.68), (0.12, 0.92), (0.33, 1.0)),
            *((0.53, 0.89), (0.55, 0.68), (0.39, 0.55), (0.20, 0.61), (0.07, 0.78)),
        ),
    ),
    (
        (
            (0.0, 0.07),
            (0.30, 0.05),
            (0.60, 0.02),
            (0.60, 0.02),
            (0.46, 0.34),
            (0.33, 0.67),
            (0.24, 1.0),
        ),
    ),
    (
        (
            *((0.50, 0.12), (0.31, 0.0), (0.09, 0.10), (0.12, 0.30), (0.31, 0.46), (0.52, 0.63)),
            *((0.54, 0.86), (0.31, 1.0), (0.07, 0.88), (0.11, 0.65), (0.31, 0.46), (0.50, 0.29)),
            *((0.50, 0.12),),
        ),
    ),
    (
        (
            *((0.54, 0.14), (0.34, 0.0), (0.11, 0.09), (0.04, 0.29), (0.16, 0.47), (0.36, 0.44)),
            *((0.51, 0.28), (0.54, 0.14), (0.54, 0.14), (0.52, 0.46), (0.46, 0.75), (0.38, 1.0)),
        ),
    ),
)
# How far one instance may differ from the next: standard deviations.
_POINT, _TURN_DEGREES, _SLANT, _WIDTH = 0.015, 4.0, 0.10, 0.07
# Greatest shift by a smooth warp. Points that meet go on meeting, as in the waist of an 8.
_WARP = 0.03
_SPACING = 0.02  # between the points that are given back
_SAMPLES = 16  # of a curve between two points, before they are spaced evenly


def write(digit: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Writes a digit.

    Args:
        digit: 0 to 9.
        rng: decides in what this instance differs.

    Returns:
        The strokes in the order of writing: float64 (n, 2), x and y, evenly spaced, within a box of
        height 1 about (0, 0).
    """
    return write_strokes(_STROKES[digit], rng)


def write_strokes(strokes: Strokes, rng: np.random.Generator) -> list[np.ndarray]:
    """Writes anything.

    Args:
        strokes: points (x, y) of each, y down, in a box of height 1; a point given twice is a
            corner, at the others a hand bends.
        rng: decides in what this instance differs.

    Returns:
        As `write`.
    """
    frequency = rng.normal(0.0, 0.7, (2, 2))
    phase = rng.uniform(0.0, 2 * np.pi, 2)
    shape = _shape(rng)
    written = []
    for points in strokes:
        corners = _split(np.array(points))
        # Each bend anew, but a corner stays one point: both sides get the same noise.
        curve = np.concatenate([_smooth(part) for part in _shaken(corners, rng)])
        curve = curve + _WARP * np.sin(2 * np.pi * curve @ frequency + phase)
        written.append(_evenly(curve @ shape))
    every = np.concatenate(written)
    low, high = every.min(axis=0), every.max(axis=0)
    return [(stroke - (low + high) / 2) / (high - low)[1] for stroke in written]


def _shape(rng: np.random.Generator) -> np.ndarray:
    """Width, slant and turn as one matrix (2, 2) for row vectors."""
    turn = np.deg2rad(rng.normal(0.0, _TURN_DEGREES))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    slant = np.array([[1.0, 0.0], [rng.normal(0.0, _SLANT), 1.0]])
    return np.diag([1.0 + rng.normal(0.0, _WIDTH), 1.0]) @ slant @ rotation


def _split(points: np.ndarray) -> list[np.ndarray]:
    """A stroke, (n, 2), cut at its corners."""
    repeated = np.flatnonzero((points[1:] == points[:-1]).all(axis=1)) + 1
    return np.split(points, repeated)


def _shaken(parts: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    shaken = [part + rng.normal(0.0, _POINT, part.shape) for part in parts]
    for before, after in itertools.pairwise(shaken):
        after[0] = before[-1]
    return shaken


def _smooth(points: np.ndarray) -> np.ndarray:
    """A cubic B-spline along points (n, 2), n at least 2, from the first to the last."""
    # It rounds bends as a hand does; a curve through every point has a kink at each that is shaken.
    # With mirrored neighbours beyond them, the ends are met exactly.
    first, last = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    p = np.concatenate([[first], points, [last]])
    t = np.linspace(0.0, 1.0, _SAMPLES)[:, None]
    weights = (1 - t) ** 3, 4 - 6 * t**2 + 3 * t**3, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3
    pieces = [
        sum(weight * point for weight, point in zip(weights, four, strict=True)) / 6
        for four in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.concatenate(pieces)


def _evenly(curve: np.ndarray) -> np.ndarray:
    """The same curve through evenly spaced points: a hand moves at an even speed."""
    steps = np.hypot(*np.diff(curve, axis=0).T)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0.0, length[-1], max(2, round(length[-1] / _SPACING)))
    return np.stack([np.interp(wanted, length, curve[:, axis]) for axis in (0, 1)], axis=1)
