"""Residual networks, and the architectures that are named on the command line.

He et al., "Deep Residual Learning for Image Recognition" (https://arxiv.org/abs/1512.03385).
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
from keras import layers

Tensor: TypeAlias = Any
_Convolution: TypeAlias = Callable[..., Tensor]

IMAGE_SIZE = 28
CLASSES = 10

# Arguments for `resnet`, by name.
ARCHITECTURES: dict[str, dict[str, Any]] = {
    # The tutorial's network: 2,780,554 trainable parameters, 24 million multiply-adds.
    "resnet": {},
    # The default: quick on two CPU cores, 11 million multiply-adds. A 5x5 stem without pooling
    # keeps thin strokes apart that a 7x7 stem with pooling merges.
    "small": {
        "depths": (1, 1, 1),
        "widths": (32, 64, 128),
        "stem_kernel": 5,
        "stem_pool": False,
        "use_bias": False,
    },
    # For a Raspberry Pi: under 100,000 parameters and 3 million multiply-adds.
    "tiny": {
        "depths": (1, 1, 1),
        "widths": (16, 32, 64),
        "stem_kernel": 5,
        "stem_pool": False,
        "use_bias": False,
    },
}


def resnet(
    depths: Sequence[int] = (2, 2, 2),
    widths: Sequence[int] = (64, 128, 256),
    stem_kernel: int = 7,
    stem_stride: int = 2,
    stem_pool: bool = True,
    use_bias: bool = True,
    dropout: float = 0.0,
    rescale: float = 1 / 255,
    classes: int = CLASSES,
    name: str = "resnet",
) -> keras.Model:
    """Builds a residual network; the defaults are the tutorial's (2,780,554 parameters).

    Args:
        depths: residual blocks in each stage. The first block of every stage but the first halves
            the picture.
        widths: filters of each stage; as many as `depths`.
        stem_kernel: side of the first convolution's kernel in pixels, odd.
        stem_stride: stride of the first convolution.
        stem_pool: whether a 3x3 max pooling with stride 2 follows the first convolution.
        use_bias: whether the convolutions before a BatchNormalization have a bias, which it
            cancels. The tutorial's have one.
        dropout: share of features dropped before the last layer, 0 to 1.
        rescale: what the model multiplies pixels by: 1/255, or 1 as in the tutorial.
        classes: number of logits.
        name: the model's name.

    Returns:
        A model from pixels, float32 or uint8 (batch, 28, 28, 1) in 0..255 with ink bright on 0, to
        logits, float32 (batch, classes).

    Raises:
        ValueError: if `depths` and `widths` differ in length or the kernel is even.
    """
    if len(depths) != len(widths) or not depths:
        raise ValueError(
            f"Expected one width a stage. Received: depths={tuple(depths)}, widths={tuple(widths)}"
        )
    if stem_kernel % 2 == 0:
        raise ValueError(f"Expected an odd stem_kernel. Received: stem_kernel={stem_kernel}")
    convolution = functools.partial(_convolution, use_bias=use_bias)

    image = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), name="image")
    x = layers.Rescaling(rescale, name="rescale")(image)
    x = convolution(x, widths[0], stem_kernel, stem_stride, name="stem_conv")
    x = _normalization(x, "stem_bn")
    x = layers.ReLU(name="stem_relu")(x)
    if stem_pool:
        x = _max_pooling(x, "stem_pool")
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        for block in range(1, depth + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            x = _residual_block(x, width, strides, convolution, f"stage{stage}_block{block}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    # float32 even in mixed precision, as 16 bits round small probabilities to 0.
    logits = layers.Dense(classes, dtype="float32", name="logits")(x)
    return keras.Model(image, logits, name=name)


def _residual_block(
    x: Tensor, filters: int, strides: int, convolution: _Convolution, name: str
) -> Tensor:
    """Two 3x3 convolutions beside a shortcut: identity, or 1x1 where the shape changes."""
    shortcut = x
    x = convolution(x, filters, 3, strides, name=f"{name}_conv1")
    x = _normalization(x, f"{name}_bn1")
    x = layers.ReLU(name=f"{name}_relu1")(x)
    x = convolution(x, filters, 3, 1, name=f"{name}_conv2")
    x = _normalization(x, f"{name}_bn2")
    if strides != 1 or shortcut.shape[-1] != filters:
        # With a bias and without a BatchNormalization, as in the tutorial.
        shortcut = convolution(
            shortcut, filters, 1, strides, use_bias=True, name=f"{name}_shortcut"
        )
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=f"{name}_relu2")(x)


def _convolution(
    x: Tensor, filters: int, kernel: int, strides: int, *, use_bias: bool, name: str
) -> Tensor:
    """A convolution that pads kernel // 2 on every side, as PyTorch does.

    With a stride of 2, Keras' "same" pads only on the right and at the bottom. That shifts the
    picture by half a pixel at each stage, and PyTorch's weights would not fit.
    """
    padding = "same"
    if strides > 1:
        if kernel > 1:
            x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
        padding = "valid"
    return layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding=padding,
        use_bias=use_bias,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _max_pooling(x: Tensor, name: str) -> Tensor:
    # After a ReLU a border of 0 gives the same as PyTorch's border of minus infinity.
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name=name)(x)


def _normalization(x: Tensor, name: str) -> Tensor:
    # Keras' default momentum of 0.99 needs thousands of steps.
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)
