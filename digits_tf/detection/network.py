"""The network that finds digits, and what it is trained with: Keras models, a loss, a metric.

One-stage detection without anchors: for each place of a picture whether a digit's centre is there,
and where its box is (CenterNet: Zhou et al., "Objects as Points", https://arxiv.org/abs/1904.07850;
FCOS: Tian et al., https://arxiv.org/abs/1904.01355). A path from coarse to fine lets each place
know its surroundings (Lin et al., "Feature Pyramid Networks", https://arxiv.org/abs/1612.03144).

Only keras is imported, so the same model runs with KERAS_BACKEND=tensorflow, jax or torch.
"""

from typing import Any

import keras
from keras import layers, ops

from digits_tf.detection import BLOCK, CELL, PACKED, VALUES
from digits_tf.detection.targets import TARGETS

# Keras has no public type for the tensors of all its backends.
Tensor = Any

# A first guess of no digit almost everywhere (Lin et al., "Focal Loss for Dense Object Detection",
# https://arxiv.org/abs/1708.02002), and of a box as high and wide as digits mostly are.
_FIRST_GUESS = (-4.0, 0.0, 0.0, 1.0, 1.5)
# Cells where the peak is as high as this learn the box, too.
_BOX_PEAK = 0.6
# Of the focal loss, as CenterNet has them: how much less a cell counts that is answered well, or
# that lies close to a centre.
_ALPHA, _BETA = 2, 4
# Each picture's loss is divided by the root of its digits and of so many more: one large digit must
# not be outweighed by a page of small ones, nor paper without digits by anything.
_EXTRA_DIGITS = 4.0
# A digit is found if its cell says so and the boxes overlap by this (intersection over union).
_MIN_IOU = 0.5


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
        each block of 2 by 2 cells, row by row, the five values of each cell (see
        `digits_tf.detection.VALUES`).
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
    answer = layers.Conv2D(
        VALUES * BLOCK**2,
        1,
        bias_initializer=keras.initializers.Constant(list(_FIRST_GUESS) * BLOCK**2),
        dtype="float32",
        name="answer",
    )(x)
    return keras.Model(image, answer, name=name)


def _conv(
    x: Tensor,
    filters: int,
    kernel: int | tuple[int, int],
    strides: int | tuple[int, int] = 1,
    *,
    name: str,
    relu: bool = True,
) -> Tensor:
    """A convolution with batch normalization, and with ReLU unless told."""
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


def _block(x: Tensor, name: str, bottleneck: int | None = None) -> Tensor:
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


def _merged(fine: Tensor, coarse: Tensor, name: str) -> Tensor:
    """Adds what a coarser stage knows to a finer one."""
    coarse = _conv(coarse, fine.shape[-1], 1, name=f"{name}_down", relu=False)
    coarse = layers.UpSampling2D(2, name=f"{name}_up")(coarse)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([fine, coarse]))


class DetectionLoss(keras.losses.Loss):  # type: ignore[misc]  # keras is untyped
    """The peaks' focal loss (CenterNet's equation 1), and how far the boxes' sides are off.

    CenterNet divides by the digits of the whole batch. Here each picture is divided by the root of
    its own. A side counts by its distance as a share of the digit's size: one pixel hurts the crop
    of a small digit as much as ten pixels hurt that of a large one.

    Args:
        box_weight: how much the boxes count beside the peaks.
        name: the loss' name.
    """

    def __init__(self, box_weight: float = 2.0, name: str = "detection"):
        super().__init__(name=name, reduction=None)
        self._box_weight = box_weight

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The loss of a batch, a scalar; the shapes are those of `targets` and `detector`."""
        peak, weight, box, logit, found_box = _split(y_true, y_pred)
        p, log_p, log_not = ops.sigmoid(logit), ops.log_sigmoid(logit), ops.log_sigmoid(-logit)
        is_centre = ops.cast(peak >= 1.0, "float32")
        at_centres = is_centre * (1 - p) ** _ALPHA * log_p
        elsewhere = (1 - is_centre) * (1 - peak) ** _BETA * p**_ALPHA * log_not
        by_picture = (ops.shape(y_true)[0], -1)
        focal = -ops.sum(ops.reshape((at_centres + elsewhere) * weight, by_picture), axis=1)
        digits = ops.sum(ops.reshape(is_centre * weight, by_picture), axis=1)
        peaks = ops.mean(focal / ops.sqrt(digits + _EXTRA_DIGITS))
        has_box = ops.cast(peak > _BOX_PEAK, "float32") * weight
        size = ops.exp(ops.max(box[..., 2:], axis=-1, keepdims=True))
        distance = ops.sum(ops.abs(_corners(found_box) - _corners(box)) / size, axis=-1)
        boxes = ops.sum(distance * has_box) / (ops.sum(has_box) + 1.0)
        return peaks + self._box_weight * boxes


class Found(keras.metrics.Metric):  # type: ignore[misc]  # keras is untyped
    """The share of digits whose cell says so, with a box that overlaps by half or more."""

    def __init__(self, name: str = "accuracy"):
        super().__init__(name=name)
        self._found = self.add_weight(name="found", initializer="zeros")
        self._digits = self.add_weight(name="digits", initializer="zeros")

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Counts a batch; the shapes are those of `targets` and `detector`."""
        peak, weight, box, logit, found_box = _split(y_true, y_pred)
        is_centre = ops.cast(peak >= 1.0, "float32") * weight
        true, found = _corners(box), _corners(found_box)
        low = ops.maximum(true[..., :2], found[..., :2])
        high = ops.minimum(true[..., 2:], found[..., 2:])
        shared = ops.prod(ops.maximum(high - low, 0.0), axis=-1)
        areas = [ops.prod(each[..., 2:] - each[..., :2], axis=-1) for each in (true, found)]
        iou = shared / (areas[0] + areas[1] - shared + 1e-6)
        is_found = ops.cast(logit > 0, "float32") * ops.cast(iou >= _MIN_IOU, "float32")
        self._found.assign_add(ops.sum(is_centre * is_found))
        self._digits.assign_add(ops.sum(is_centre))

    def result(self) -> Tensor:
        """0 to 1."""
        return self._found / ops.maximum(self._digits, 1.0)


def _split(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Takes batches apart: peak, weight and box wanted; logit and box answered.

    Returns:
        float32 (cells,), (cells,), (cells, 4), (cells,) and (cells, 4).
    """
    wanted = ops.reshape(y_true, (-1, TARGETS))
    answer = ops.reshape(ops.cast(y_pred, "float32"), (-1, VALUES))
    return wanted[..., 0], wanted[..., 1], wanted[..., 2:], answer[..., 0], answer[..., 1:]


def _corners(box: Tensor) -> Tensor:
    """Left, top, right, bottom in cells from the cell's centre, (cells, 4)."""
    # An untrained network must not answer with boxes of infinite size.
    half = 0.5 * ops.exp(ops.clip(box[..., 2:], -3.0, 5.0))
    return ops.concatenate([box[..., :2] - half, box[..., :2] + half], axis=-1)
