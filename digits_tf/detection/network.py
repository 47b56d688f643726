"""The network that finds digits, as a Keras functional model.

One-stage detection without anchors: for each place of a picture whether a digit's centre is
there, and where its box is (CenterNet: Zhou et al., "Objects as Points",
https://arxiv.org/abs/1904.07850). A path from coarse to fine lets each place know its surroundings
(Lin et al., "Feature Pyramid Networks", https://arxiv.org/abs/1612.03144).

Only keras is imported, so the same model runs with KERAS_BACKEND=tensorflow, jax or torch.
"""

import keras
from keras import layers

from digits_tf.detection.grid import BLOCK, CELL, PACKED, VALUES


def _conv(x, filters, kernel, strides=1, *, name, relu=True):
    x = layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(momentum=0.95, epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _block(x, name, bottleneck=None):
    """Two 3x3 convolutions beside a shortcut, or one between two of 1x1 that narrow and widen."""
    filters = x.shape[-1]
    if bottleneck:
        y = _conv(x, bottleneck, 1, name=f"{name}_1")
        y = _conv(y, bottleneck, 3, name=f"{name}_2")
        y = _conv(y, filters, 1, name=f"{name}_3", relu=False)
    else:
        y = _conv(x, filters, 3, name=f"{name}_1")
        y = _conv(y, filters, 3, name=f"{name}_2", relu=False)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, y]))


def _merged(fine, coarse, name):
    """Adds what a coarser stage knows to a finer one."""
    coarse = _conv(coarse, fine.shape[-1], 1, name=f"{name}_down", relu=False)
    coarse = layers.UpSampling2D(2, name=f"{name}_up")(coarse)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([fine, coarse]))


def detector(
    widths: tuple[int, int, int, int] = (32, 48, 64, 64), head: int = 48, name: str = "detector"
) -> keras.Model:
    """Builds the detector.

    Args:
        widths: filters at 1/4, 1/8, 1/16 and 1/32 of the picture's size.
        head: filters before the answer.
        name: the model's name.

    Returns:
        A model from pictures of any size, float32 or uint8 (batch, height, width / 4, 4), grey
        0..255, height and width multiples of 32, to float32 (batch, height / 8, width / 8, 20): for
        each block of 2 by 2 cells, row by row, the five values of each cell (see `grid.VALUES`).
    """
    image = keras.Input((None, None, PACKED), name="image")
    x = _conv(image, widths[0], (CELL, 1), (CELL, 1), name="stem")
    x = _conv(x, widths[0], 3, name="quarter")
    x = _conv(x, widths[1], 3, 2, name="eighth")
    eighth = _block(x, "eighth_block")
    x = _conv(eighth, widths[2], 3, 2, name="sixteenth")
    sixteenth = _block(x, "sixteenth_block")
    x = _conv(sixteenth, widths[3], 3, 2, name="thirtysecond")
    x = _block(x, "thirtysecond_block", bottleneck=widths[3] // 2)
    x = _merged(sixteenth, x, "to_sixteenth")
    x = _merged(eighth, x, "to_eighth")
    x = _conv(x, head, 3, name="head")
    # A first guess of "no digit" almost everywhere (Lin et al., https://arxiv.org/abs/1708.02002).
    bias = [-4.0, 0.0, 0.0, 1.0, 1.5] * BLOCK**2
    answer = layers.Conv2D(
        VALUES * BLOCK**2,
        1,
        bias_initializer=keras.initializers.Constant(bias),
        dtype="float32",
        name="answer",
    )(x)
    return keras.Model(image, answer, name=name)
