"""Named sets of arguments for `resnet`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

ARCHITECTURES: dict[str, dict[str, Any]] = {
    # The seed's network: 2,780,554 trainable parameters, 24 million multiply-adds.
    "resnet": {},
    # The default: quick on two CPU cores, 11 million multiply-adds. A 5x5 stem without pooling
    # keeps thin strokes apart that a 7x7 stem with pooling runs together.
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


IMAGE_SIZE = 28
CLASSES = 10


def _padded_conv(x, filters, kernel, strides, *, use_bias, regularizer, name):
    """A convolution that pads kernel // 2 on every side, as PyTorch does.

    Keras' "same" pads on the right and the bottom alone where the stride is 2, which moves the
    picture by half a pixel a stage and makes PyTorch's weights useless.
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
        kernel_regularizer=regularizer,
        name=name,
    )(x)


def _norm(x, momentum, name):
    return layers.BatchNormalization(momentum=momentum, epsilon=1e-5, name=name)(x)


def _residual_block(x, filters, strides, *, use_bias, momentum, regularizer, name):
    """Two 3x3 convolutions beside a shortcut: identity, or 1x1 where the shape changes."""
    shortcut = x
    x = _padded_conv(
        x, filters, 3, strides, use_bias=use_bias, regularizer=regularizer, name=f"{name}_conv1"
    )
    x = _norm(x, momentum, f"{name}_bn1")
    x = layers.ReLU(name=f"{name}_relu1")(x)
    x = _padded_conv(
        x, filters, 3, 1, use_bias=use_bias, regularizer=regularizer, name=f"{name}_conv2"
    )
    x = _norm(x, momentum, f"{name}_bn2")
    if strides != 1 or shortcut.shape[-1] != filters:
        # With a bias and no norm of its own, as in the seed.
        shortcut = _padded_conv(
            shortcut,
            filters,
            1,
            strides,
            use_bias=True,
            regularizer=regularizer,
            name=f"{name}_shortcut",
        )
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=f"{name}_relu2")(x)


def resnet(
    depths: Sequence[int] = (2, 2, 2),
    widths: Sequence[int] = (64, 128, 256),
    stem_width: int | None = None,
    stem_kernel: int = 7,
    stem_stride: int = 2,
    stem_pool: bool = True,
    use_bias: bool = True,
    bn_momentum: float = 0.9,
    dropout: float = 0.0,
    l2: float = 0.0,
    rescale: float = 1 / 255,
    classes: int = CLASSES,
    name: str = "resnet",
) -> keras.Model:
    """Builds a residual network; the defaults are the seed's (2,780,554 trainable parameters).

    Args:
        depths: residual blocks in each stage. The first block of every stage but the first halves
            the picture.
        widths: filters of each stage; as many as `depths`.
        stem_width: filters of the first convolution; None: those of the first stage.
        stem_kernel: side of the first convolution's kernel in pixels, odd.
        stem_stride: stride of the first convolution.
        stem_pool: whether a 3x3 max pooling with stride 2 follows the stem.
        use_bias: whether the 3x3 convolutions carry a bias. The norm behind them cancels it; the
            seed has it.
        bn_momentum: of the running statistics. Keras' default of 0.99 needs thousands of steps.
        dropout: share of features dropped before the last layer, 0 to 1.
        l2: weight of an L2 penalty on the kernels, 0 for none.
        rescale: what the pixels are multiplied by inside the model: 1/255, or 1 as in the seed.
        classes: number of logits.
        name: the model's name.

    Returns:
        A model from pixels, float32 or uint8 (batch, 28, 28, 1) in 0..255 with ink bright on 0, to
        logits, float32 (batch, classes).

    Raises:
        ValueError: if `depths` and `widths` do not fit each other or the kernel is even.
    """
    if len(depths) != len(widths) or not depths:
        raise ValueError(
            f"Expected one width a stage. Received: depths={tuple(depths)}, widths={tuple(widths)}"
        )
    if stem_kernel % 2 == 0:
        raise ValueError(f"Expected an odd stem_kernel. Received: stem_kernel={stem_kernel}")
    regularizer = keras.regularizers.L2(l2) if l2 else None
    common = {"use_bias": use_bias, "regularizer": regularizer}

    image = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), name="image")
    x = layers.Rescaling(rescale, name="rescale")(image)
    x = _padded_conv(
        x, stem_width or widths[0], stem_kernel, stem_stride, **common, name="stem_conv"
    )
    x = _norm(x, bn_momentum, "stem_bn")
    x = layers.ReLU(name="stem_relu")(x)
    if stem_pool:
        # Behind a ReLU a border of 0 is as good as PyTorch's border of minus infinity.
        x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
        x = layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        for block in range(1, depth + 1):
            x = _residual_block(
                x,
                width,
                strides=2 if stage > 1 and block == 1 else 1,
                **common,
                momentum=bn_momentum,
                name=f"stage{stage}_block{block}",
            )
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    # float32 even in mixed precision: logits in 16 bits lose the small probabilities.
    logits = layers.Dense(classes, dtype="float32", name="logits")(x)
    return keras.Model(image, logits, name=name)
