"""Where the pixels of a digit go: augmentation of its geometry.

Only keras is imported.
"""

import math

from keras import ops

from digits_tf.training.augmentation import normal
from digits_tf.training.recipes import Augmentation

_SIZE = 28
# One coarse cell of the elastic field; its bumps are about a third of a digit wide.
_CELL = 4
_GRID = _SIZE // _CELL + 1
_FIRST = 17  # of the numbers that the elastic field takes
NUMBERS = _FIRST + 2 * _GRID * _GRID


def _elastic_basis():
    """(28, grid) matrix that spreads coarse noise smoothly over 28 pixels, rows of unit norm."""
    rows = []
    for pixel in range(_SIZE):
        weights = [
            math.exp(-0.5 * ((pixel - _CELL * node) / (1.1 * _CELL)) ** 2) for node in range(_GRID)
        ]
        norm = math.sqrt(sum(w * w for w in weights))
        rows.append([w / norm for w in weights])
    return rows


def _displacement(noise, rms):
    """Smooth displacement fields.

    Args:
        noise: float32 (batch, grid * grid) in [0, 1).
        rms: float32 (batch,), root-mean-square displacement in pixels.

    Returns:
        float32 (batch, 28, 28) in pixels.
    """
    # Uniform noise in -1..1 has a deviation of 1/sqrt(3).
    noise = (noise * 2.0 - 1.0) * math.sqrt(3.0)
    noise = ops.reshape(noise, (-1, _GRID, _GRID))
    basis = ops.convert_to_tensor(_elastic_basis(), dtype="float32")
    field = ops.matmul(ops.matmul(basis, noise), ops.transpose(basis))
    return field * rms[:, None, None]


def _sample(images, y, x):
    """Bilinear samples of (batch, 28, 28) at pixel coordinates (batch, 28, 28), 0 outside."""
    side = _SIZE + 2
    padded = ops.pad(images, [[0, 0], [1, 1], [1, 1]])
    flat = ops.reshape(padded, (-1,))
    limit = _SIZE + 1 - 1e-3
    y = ops.clip(y + 1.0, 0.0, limit)
    x = ops.clip(x + 1.0, 0.0, limit)
    top, left = ops.floor(y), ops.floor(x)
    down, right = y - top, x - left
    first = ops.arange(ops.shape(images)[0], dtype="int32")[:, None, None] * (side * side)
    at = first + ops.cast(top, "int32") * side + ops.cast(left, "int32")
    upper = ops.take(flat, at) * (1.0 - right) + ops.take(flat, at + 1) * right
    lower = ops.take(flat, at + side) * (1.0 - right) + ops.take(flat, at + side + 1) * right
    return upper * (1.0 - down) + lower * down


def warp(images, u, strength: Augmentation):
    """Turns, slants, scales, shifts, tilts and bends.

    Args:
        images: float32 (batch, 28, 28).
        u: float32 (batch, `NUMBERS`), uniform in [0, 1).
        strength: how much of each.

    Returns:
        float32 (batch, 28, 28).
    """
    angle = normal(u[:, 0], u[:, 1]) * (strength.rotation * math.pi / 180.0)
    slant = normal(u[:, 2], u[:, 3]) * strength.slant
    # The inverse map is sampled, so a scale above 1 shrinks the coordinates.
    scale_x = ops.exp(-strength.scale * normal(u[:, 4], u[:, 5]))
    scale_y = ops.exp(-strength.scale * normal(u[:, 6], u[:, 7]))
    shift_x = normal(u[:, 8], u[:, 9]) * strength.shift
    shift_y = normal(u[:, 10], u[:, 11]) * strength.shift
    cos, sin = ops.cos(angle), ops.sin(angle)

    centre = (_SIZE - 1) / 2
    axis = ops.arange(_SIZE, dtype="float32") - centre
    y = axis[None, :, None] + shift_y[:, None, None]
    x = axis[None, None, :] + shift_x[:, None, None]

    def wide(v):
        return v[:, None, None]

    turned_x = wide(cos) * x + wide(sin) * y
    turned_y = wide(cos) * y - wide(sin) * x
    if strength.perspective:
        tilt_x = normal(u[:, 13], u[:, 14]) * (strength.perspective / centre)
        tilt_y = normal(u[:, 15], u[:, 16]) * (strength.perspective / centre)
        depth = 1.0 + wide(tilt_x) * turned_x + wide(tilt_y) * turned_y
        turned_x, turned_y = turned_x / depth, turned_y / depth
    source_y = turned_y * wide(scale_y) + centre
    source_x = turned_x * wide(scale_x) + turned_y * wide(slant) + centre
    if strength.elastic:
        rms = u[:, 12] * strength.elastic
        cells = _GRID * _GRID
        source_x = source_x + _displacement(u[:, _FIRST : _FIRST + cells], rms)
        source_y = source_y + _displacement(u[:, _FIRST + cells : _FIRST + 2 * cells], rms)
    return _sample(images, source_y, source_x)
