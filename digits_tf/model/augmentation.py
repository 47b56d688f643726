"""Augmentation of digits, as a pure function of (seed, epoch, index of the image).

Nothing here keeps a state: image 4711 in epoch 3 of seed 0 is bent the same way whatever the batch,
the order, the machine or the Keras backend, so that a run which was killed goes on as if it had not
been.

Only keras is imported.
"""

from keras import ops

from digits_tf.model import damage, warp
from digits_tf.model.chance import uniform
from digits_tf.model.strength import Augmentation


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
