"""Augmentation of digits, as a pure function of (seed, epoch, index of the image).

Nothing here keeps a state: image 4711 changes the same way in epoch 3 of seed 0 whatever the batch,
the order, the machine or the Keras backend. So a run that was killed can go on as if it had not
been. (Keras' random layers have a state, and `keras.random` draws a whole batch from one seed.)

Only keras is imported.
"""

import math
from typing import Any, TypeAlias

from keras import ops

from digits_tf.training import corruption
from digits_tf.training.recipes import Augmentation

Tensor: TypeAlias = Any

_SIZE = 28
# Distance of the nodes of the elastic field in pixels; its bumps are about a third of a digit wide.
_SPACING = 4
_NODES = _SIZE // _SPACING + 1
# Random numbers that an image takes: for the perspective transform, then for the elastic field.
_TRANSFORM_NUMBERS = 17
_WARP_NUMBERS = _TRANSFORM_NUMBERS + 2 * _NODES * _NODES


def augment(
    images: Tensor, index: Tensor, *, seed: Tensor, epoch: Tensor, strength: Augmentation
) -> Tensor:
    """Warps a batch of digits, then corrupts it.

    Args:
        images: uint8 or float32 (batch, 28, 28, 1), 0..255, ink bright on 0.
        index: integers (batch,), the number of each image in its data set.
        seed: integer scalar of the run.
        epoch: integer scalar.
        strength: how much of each change.

    Returns:
        float32 (batch, 28, 28, 1), 0..255.
    """
    images = ops.cast(images, "float32")
    if not strength.changes_anything:
        return images
    u = uniform(seed, epoch, index, _WARP_NUMBERS + corruption.NUMBERS)
    images = _warp(images[..., 0], u[:, :_WARP_NUMBERS], strength)
    side = corruption.NOISE_SIDE
    noise = 2.0 * uniform(0, 0, ops.arange(side, dtype="int32"), side) - 1.0
    return corruption.corrupt(images, u[:, _WARP_NUMBERS:], noise, strength)[..., None]


def uniform(seed: Tensor, epoch: Tensor, index: Tensor, count: int) -> Tensor:
    """Uniform random numbers that depend only on the arguments.

    Args:
        seed: integer scalar, Python's or int32.
        epoch: integer scalar, Python's or int32.
        index: int32 (batch,), the number of each image in its data set.
        count: how many numbers each image gets.

    Returns:
        float32 (batch, count) in [0, 1).
    """
    key = _hash(ops.convert_to_tensor(seed, dtype="int32") + 0x3C6EF372)
    key = _hash(key + ops.convert_to_tensor(epoch, dtype="int32"))
    key = _hash(key + ops.cast(index, "int32"))
    counter = ops.arange(count, dtype="int32") * _int32(0x9E3779B9)
    bits = _hash(_hash(key[:, None] + counter[None, :]))
    return ops.cast(ops.bitwise_and(ops.right_shift(bits, 8), 0xFFFFFF), "float32") / 2.0**24


def _hash(x: Tensor) -> Tensor:
    """Maps int32 to int32 so that each input bit flips each output bit about half the time.

    The constants and shifts are "lowbias32", found by Chris Wellons
    (https://nullprogram.com/blog/2018/07/31/). Shifts of int32 copy the sign; the masks undo that.
    """
    x = ops.bitwise_xor(x, ops.bitwise_and(ops.right_shift(x, 16), 0xFFFF))
    x = x * _int32(0x7FEB352D)
    x = ops.bitwise_xor(x, ops.bitwise_and(ops.right_shift(x, 15), 0x1FFFF))
    x = x * _int32(0x846CA68B)
    return ops.bitwise_xor(x, ops.bitwise_and(ops.right_shift(x, 16), 0xFFFF))


def _int32(value: int) -> int:
    """The 32-bit two's complement of a Python integer."""
    return (value + 2**31) % 2**32 - 2**31


def _normal(u1: Tensor, u2: Tensor) -> Tensor:
    """Standard normal numbers, clipped at 2.5, from two uniform ones (Box and Muller, 1958)."""
    z = ops.sqrt(-2.0 * ops.log(1.0 - u1)) * ops.cos(2.0 * math.pi * u2)
    return ops.clip(z, -2.5, 2.5)


def _warp(images: Tensor, u: Tensor, strength: Augmentation) -> Tensor:
    """Rotates, shears, scales, shifts, tilts and bends.

    Args:
        images: float32 (batch, 28, 28).
        u: float32 (batch, `_WARP_NUMBERS`), uniform in [0, 1).
        strength: how much of each.

    Returns:
        float32 (batch, 28, 28).
    """
    # Each output pixel is looked up in the input, so all changes are inverted.
    angle = _normal(u[:, 0], u[:, 1]) * (strength.rotation * math.pi / 180.0)
    slant = _normal(u[:, 2], u[:, 3]) * strength.slant
    scale_x = ops.exp(-strength.scale * _normal(u[:, 4], u[:, 5]))
    scale_y = ops.exp(-strength.scale * _normal(u[:, 6], u[:, 7]))
    shift_x = _normal(u[:, 8], u[:, 9]) * strength.shift
    shift_y = _normal(u[:, 10], u[:, 11]) * strength.shift
    cos, sin = _per_image(ops.cos(angle)), _per_image(ops.sin(angle))

    centre = (_SIZE - 1) / 2
    axis = ops.arange(_SIZE, dtype="float32") - centre
    y = axis[None, :, None] + _per_image(shift_y)
    x = axis[None, None, :] + _per_image(shift_x)
    rotated_x = cos * x + sin * y
    rotated_y = cos * y - sin * x
    if strength.perspective:
        tilt_x = _normal(u[:, 13], u[:, 14]) * (strength.perspective / centre)
        tilt_y = _normal(u[:, 15], u[:, 16]) * (strength.perspective / centre)
        depth = 1.0 + _per_image(tilt_x) * rotated_x + _per_image(tilt_y) * rotated_y
        rotated_x, rotated_y = rotated_x / depth, rotated_y / depth
    source_y = rotated_y * _per_image(scale_y) + centre
    source_x = rotated_x * _per_image(scale_x) + rotated_y * _per_image(slant) + centre
    if strength.elastic:
        rms = u[:, 12] * strength.elastic
        noise = ops.reshape(u[:, _TRANSFORM_NUMBERS:], (-1, 2, _NODES, _NODES))
        source_x = source_x + _displacement(noise[:, 0], rms)
        source_y = source_y + _displacement(noise[:, 1], rms)
    return _sample(images, source_y, source_x)


def _per_image(value: Tensor) -> Tensor:
    """(batch,) as (batch, 1, 1)."""
    return value[:, None, None]


def _displacement(noise: Tensor, rms: Tensor) -> Tensor:
    """Smooth displacement fields.

    Args:
        noise: float32 (batch, `_NODES`, `_NODES`) in [0, 1).
        rms: float32 (batch,), root-mean-square displacement in pixels.

    Returns:
        float32 (batch, 28, 28) in pixels.
    """
    # Uniform noise in -1..1 has a deviation of 1/sqrt(3).
    noise = (noise * 2.0 - 1.0) * math.sqrt(3.0)
    basis = ops.convert_to_tensor(_smoothing(), dtype="float32")
    field = ops.matmul(ops.matmul(basis, noise), ops.transpose(basis))
    return field * _per_image(rms)


def _smoothing() -> list[list[float]]:
    """A (28, `_NODES`) matrix that spreads noise smoothly over 28 pixels, rows of unit norm."""
    rows = []
    for pixel in range(_SIZE):
        weights = [
            math.exp(-0.5 * ((pixel - _SPACING * node) / (1.1 * _SPACING)) ** 2)
            for node in range(_NODES)
        ]
        norm = math.sqrt(sum(w * w for w in weights))
        rows.append([w / norm for w in weights])
    return rows


def _sample(images: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Bilinear samples of (batch, 28, 28) at pixel coordinates (batch, 28, 28), 0 outside.

    `ops.image.map_coordinates` would interpolate between images, too, and takes twice as long.
    """
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
