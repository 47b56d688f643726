"""Augmentation of digits, as a pure function of (seed, epoch, index of the image).

Nothing here keeps a state: image 4711 in epoch 3 of seed 0 is bent the same way whatever the batch,
the order, the machine or the Keras backend, so that a run which was killed goes on as if it had not
been.

Only keras is imported.
"""

import math

from keras import ops

from digits_tf.training import damage, warp
from digits_tf.training.recipes import Augmentation


def augment(images, index, *, seed, epoch, strength: Augmentation):
    """Bends a batch of digits and damages it.

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
    u = uniform(seed, epoch, index, warp.NUMBERS + damage.NUMBERS)
    images = warp.warp(images[..., 0], u[:, : warp.NUMBERS], strength)
    return damage.damage(images, u[:, warp.NUMBERS :], strength)[..., None]


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


def normal(u1, u2):
    """Box-Muller: two uniforms in [0, 1) give one standard normal, cut at 2.5."""
    z = ops.sqrt(-2.0 * ops.log(1.0 - u1)) * ops.cos(2.0 * math.pi * u2)
    return ops.clip(z, -2.5, 2.5)
