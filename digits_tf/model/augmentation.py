"""Augmentation of digits, as a pure function of (seed, epoch, index of the image).

Nothing here keeps a state: image 4711 in epoch 3 of seed 0 is bent the same way whatever the batch,
the order, the machine or the Keras backend, so that a run which was killed goes on as if it had not
been. Random numbers come from an integer hash of those three (counter-based, as in Salmon et al.,
"Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011), computed in 32-bit integers, which all
backends have.

Only keras is imported.
"""

import math

from keras import ops

from digits_tf.model.strength import Augmentation

_SIZE = 28
# One coarse cell of the elastic field; its bumps are about a third of a digit wide.
_CELL = 4
_GRID = _SIZE // _CELL + 1


def _int32(value):
    """The 32-bit two's complement of a Python integer."""
    return (int(value) + 2**31) % 2**32 - 2**31


def _hash(x):
    """Mixes int32 to int32 so that every input bit flips each output bit about half the time.

    The constants and shifts are the "lowbias32" found by Chris Wellons
    (https://nullprogram.com/blog/2018/07/31/). The shifts are arithmetic here, so a mask makes them
    logical.
    """
    x = ops.bitwise_xor(x, ops.bitwise_and(ops.right_shift(x, 16), 0xFFFF))
    x = x * _int32(0x7FEB352D)
    x = ops.bitwise_xor(x, ops.bitwise_and(ops.right_shift(x, 15), 0x1FFFF))
    x = x * _int32(0x846CA68B)
    return ops.bitwise_xor(x, ops.bitwise_and(ops.right_shift(x, 16), 0xFFFF))


def uniform(seed, epoch, index, count):
    """Uniform random numbers that depend on nothing but the arguments.

    Args:
        seed: integer scalar, Python's or int32.
        epoch: integer scalar, Python's or int32.
        index: int32 (batch,), the image's number in its data set.
        count: how many numbers an image gets.

    Returns:
        float32 (batch, count) in [0, 1).
    """
    key = _hash(ops.convert_to_tensor(seed, dtype="int32") + 0x3C6EF372)
    key = _hash(key + ops.convert_to_tensor(epoch, dtype="int32"))
    key = _hash(key + ops.cast(index, "int32"))
    counter = ops.arange(count, dtype="int32") * _int32(0x9E3779B9)
    bits = _hash(_hash(key[:, None] + counter[None, :]))
    return ops.cast(ops.bitwise_and(ops.right_shift(bits, 8), 0xFFFFFF), "float32") / 2.0**24


def _normal(u1, u2):
    """Box-Muller: two uniforms in [0, 1) give one standard normal, cut at 2.5."""
    z = ops.sqrt(-2.0 * ops.log(1.0 - u1)) * ops.cos(2.0 * math.pi * u2)
    return ops.clip(z, -2.5, 2.5)


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


def augment(images, index, *, seed, epoch, strength: Augmentation):
    """Bends, thickens, blurs and brightens a batch of digits.

    Args:
        images: uint8 or float32 (batch, 28, 28, 1), 0..255, ink bright on 0.
        index: integers (batch,), each image's number in its data set.
        seed: integer scalar of the run.
        epoch: integer scalar.
        strength: how much of each change.

    Returns:
        float32 (batch, 28, 28, 1), 0..255.
    """
    images = ops.cast(images, "float32")
    if not strength.changes_anything:
        return images
    u = uniform(seed, epoch, index, 20 + 2 * _GRID * _GRID)
    images = images[..., 0]
    if strength.rotation or strength.slant or strength.scale or strength.shift or strength.elastic:
        images = _warp(images, u, strength)
    if strength.stroke:
        images = _stroke(images, u[:, 13], u[:, 14], strength.stroke)
    if strength.blur:
        amount = ops.where(u[:, 15] < strength.blur, u[:, 16], 0.0)[:, None, None, None]
        images = images[..., None]
        smooth = ops.average_pool(images, 3, strides=1, padding="same")
        images = (images + amount * (smooth - images))[..., 0]
    if strength.gain:
        images = images * (1.0 + strength.gain * (2.0 * u[:, 17] - 1.0))[:, None, None]
    return ops.clip(images, 0.0, 255.0)[..., None]


def _warp(images, u, strength):
    angle = _normal(u[:, 0], u[:, 1]) * (strength.rotation * math.pi / 180.0)
    slant = _normal(u[:, 2], u[:, 3]) * strength.slant
    # The inverse map is sampled, so a scale above 1 shrinks the coordinates.
    scale_x = ops.exp(-strength.scale * _normal(u[:, 4], u[:, 5]))
    scale_y = ops.exp(-strength.scale * _normal(u[:, 6], u[:, 7]))
    shift_x = _normal(u[:, 8], u[:, 9]) * strength.shift
    shift_y = _normal(u[:, 10], u[:, 11]) * strength.shift
    cos, sin = ops.cos(angle), ops.sin(angle)

    centre = (_SIZE - 1) / 2
    axis = ops.arange(_SIZE, dtype="float32") - centre
    y = axis[None, :, None] + shift_y[:, None, None]
    x = axis[None, None, :] + shift_x[:, None, None]

    def wide(v):
        return v[:, None, None]

    turned_x = wide(cos) * x + wide(sin) * y
    turned_y = wide(cos) * y - wide(sin) * x
    source_y = turned_y * wide(scale_y) + centre
    source_x = turned_x * wide(scale_x) + turned_y * wide(slant) + centre
    if strength.elastic:
        rms = u[:, 12] * strength.elastic
        cells = _GRID * _GRID
        source_x = source_x + _displacement(u[:, 20 : 20 + cells], rms)
        source_y = source_y + _displacement(u[:, 20 + cells : 20 + 2 * cells], rms)
    return _sample(images, source_y, source_x)


def _stroke(images, choice, amount, share):
    """Grey dilation or erosion by 3x3, mixed in by up to 0.8."""
    x = images[..., None]
    thick = ops.max_pool(x, 3, strides=1, padding="same") - x
    thin = -ops.max_pool(-x, 3, strides=1, padding="same") - x
    amount = (0.8 * amount)[:, None, None, None]
    choice = choice[:, None, None, None]
    change = ops.where(choice < share / 2, thick, ops.where(choice < share, thin, 0.0))
    return (x + amount * change)[..., 0]
