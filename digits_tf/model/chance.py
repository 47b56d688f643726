"""Random numbers for augmentation, as a pure function of (seed, epoch, index of the image).

They come from an integer hash of those three (counter-based, as in Salmon et al., "Parallel Random
Numbers: As Easy as 1, 2, 3", SC 2011), computed in 32-bit integers, which all backends have.

Only keras is imported.
"""

import math

from keras import ops


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
