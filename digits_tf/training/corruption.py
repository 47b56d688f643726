"""What pens, chalk, cameras and crops do to a digit: augmentation of its grey values.

Only keras is imported.
"""

from typing import Any, TypeAlias

from keras import ops

from digits_tf.training.recipes import Augmentation

Tensor: TypeAlias = Any

_SIZE = 28
NUMBERS = 32
# Each image's noise is a window of one tile: a random number a pixel would take longer than all the
# rest.
NOISE_SIDE = 96
# Nodes of the field that breaks strokes up, and the distance between them in pixels.
_NODES, _SPACING = 15, 2
_MAX_NOISE = 60.0  # grey levels
_MAX_STEEPNESS = 4.0
# Smallest and largest, in pixels: the radius of a speck, half the thickness of a ruled line.
_SPECK, _RULE = (0.5, 1.4), (0.5, 1.5)
# The digit's edge in a crop, and how far a crop may cut into it: pixels.
_EDGE, _MAX_CUT = 4.0, 3.0


def corrupt(images: Tensor, u: Tensor, noise: Tensor, strength: Augmentation) -> Tensor:
    """Changes the strokes, then the crop, then the camera's picture.

    Args:
        images: float32 (batch, 28, 28), 0..255.
        u: float32 (batch, `NUMBERS`), uniform in [0, 1).
        noise: float32 (`NOISE_SIDE`, `NOISE_SIDE`), uniform in [-1, 1).
        strength: how much of each change.

    Returns:
        float32 (batch, 28, 28), 0..255.
    """
    if strength.stroke:
        images = _thicken_or_thin(images, u[:, 0], u[:, 1], strength.stroke)
    if strength.breaks:
        images = _break_strokes(images, u[:, 2], u[:, 3:6], noise, strength.breaks)
    if strength.rule:
        images = _add_ruled_line(images, u[:, 6], u[:, 7:11], strength.rule)
    if strength.specks:
        images = _add_specks(images, u[:, 11], u[:, 12:20], strength.specks)
    if strength.cut:
        images = _cut_side(images, u[:, 20], u[:, 21:23], strength.cut)
    if strength.blur:
        images = _blur(images, u[:, 23], u[:, 24], strength.blur)
    if strength.contrast:
        images = _sharpen_contrast(images, u[:, 25], u[:, 26], strength.contrast)
    if strength.gain:
        images = images * (1.0 + strength.gain * (2.0 * u[:, 27] - 1.0))[:, None, None]
    if strength.grain:
        images = _add_noise(images, u[:, 28], u[:, 29:32], noise, strength.grain)
    return ops.clip(images, 0.0, 255.0)


def _per_image(value: Tensor) -> Tensor:
    """(batch,) as (batch, 1, 1)."""
    return value[:, None, None]


def _where_chosen(choice: Tensor, share: float, value: Tensor) -> Tensor:
    """The value for the share of images that are chosen, else 0; (batch, 1, 1)."""
    return _per_image(ops.where(choice < share, value, 0.0))


def _coordinates() -> tuple[Tensor, Tensor]:
    axis = ops.arange(_SIZE, dtype="float32")
    return axis[None, :, None], axis[None, None, :]


def _window(noise: Tensor, u: Tensor, side: int) -> Tensor:
    """Squares of the noise tile at random places, float32 (batch, side, side)."""
    free = float(NOISE_SIDE - side)
    top = _per_image(ops.cast(u[:, 0] * free, "int32"))
    left = _per_image(ops.cast(u[:, 1] * free, "int32"))
    axis = ops.arange(side, dtype="int32")
    at = (top + axis[None, :, None]) * NOISE_SIDE + left + axis[None, None, :]
    return ops.take(ops.reshape(noise, (-1,)), at)


def _thicken_or_thin(images: Tensor, choice: Tensor, amount: Tensor, share: float) -> Tensor:
    """Grey dilation or erosion by 3x3, mixed in by up to 0.8."""
    x = images[..., None]
    thick = ops.max_pool(x, 3, strides=1, padding="same") - x
    thin = -ops.max_pool(-x, 3, strides=1, padding="same") - x
    amount = (0.8 * amount)[:, None, None, None]
    choice = choice[:, None, None, None]
    change = ops.where(choice < share / 2, thick, ops.where(choice < share, thin, 0.0))
    return (x + amount * change)[..., 0]


def _break_strokes(
    images: Tensor, choice: Tensor, u: Tensor, noise: Tensor, share: float
) -> Tensor:
    """Smooth holes of a few pixels, as in chalk on a rough board."""
    coarse = _window(noise, u, _NODES)
    pixels = ops.arange(_SIZE, dtype="float32")[:, None]
    nodes = ops.arange(_NODES, dtype="float32")[None, :] * _SPACING
    weights = ops.exp(-0.5 * ops.square((pixels - nodes) / (0.8 * _SPACING)))
    # Uniform noise in -1..1 has a variance of 1/3.
    weights = weights / ops.sqrt(ops.sum(ops.square(weights), axis=1, keepdims=True) / 3.0**0.5)
    field = ops.matmul(ops.matmul(weights, coarse), ops.transpose(weights))
    holes = ops.clip(2.0 * (field - 0.8), 0.0, 1.0)
    return images * (1.0 - _where_chosen(choice, share, 0.3 + 0.7 * u[:, 2]) * holes)


def _add_ruled_line(images: Tensor, choice: Tensor, u: Tensor, share: float) -> Tensor:
    """A piece of a nearly horizontal or vertical line near the picture's edge."""
    y, x = _coordinates()
    vertical = _per_image(u[:, 0]) < 0.3
    along, across = ops.where(vertical, y, x), ops.where(vertical, x, y)
    # In the first or the last six pixels.
    middle = 6.0 * ops.abs(2.0 * u[:, 1] - 1.0)
    middle = ops.where(u[:, 1] < 0.5, middle, _SIZE - 1.0 - middle)
    slope = 0.2 * (u[:, 2] - 0.5)
    distance = ops.abs(across - _per_image(middle) - _per_image(slope) * (along - _SIZE / 2))
    thickness = _RULE[0] + (_RULE[1] - _RULE[0]) * u[:, 3]
    line = ops.clip(_per_image(thickness) + 0.5 - distance, 0.0, 1.0)
    # A crop leaves a piece of a ruled line, seldom all of it.
    first = _per_image(u[:, 3] * 40.0 - 12.0)
    line = ops.where((along > first) & (along < first + 16.0), line, 0.0)
    level = _where_chosen(choice, share, 60.0 + 195.0 * u[:, 2])
    return ops.maximum(images, level * line)


def _add_specks(images: Tensor, choice: Tensor, u: Tensor, share: float) -> Tensor:
    """Two round specks, the second one in half of the cases."""
    y, x = _coordinates()
    for number in range(2):
        row, column, size, level = (u[:, 4 * number + part] for part in range(4))
        radius = _per_image(_SPECK[0] + (_SPECK[1] - _SPECK[0]) * size)
        squares = ops.square(y - _per_image(row) * _SIZE)
        squares = squares + ops.square(x - _per_image(column) * _SIZE)
        spot = ops.clip(radius + 0.5 - ops.sqrt(squares), 0.0, 1.0)
        height = _where_chosen(choice, share / (number + 1), 80.0 + 175.0 * level)
        images = ops.maximum(images, height * spot)
    return images


def _cut_side(images: Tensor, choice: Tensor, u: Tensor, share: float) -> Tensor:
    """A crop that ends within the digit on one side: the ends of strokes are missing."""
    depth = (_EDGE + _MAX_CUT * u[:, 1])[:, None]
    side = ops.floor(4.0 * u[:, 0])[:, None]
    axis = ops.arange(_SIZE, dtype="float32")[None, :]
    near = ops.clip(axis - depth + 0.5, 0.0, 1.0)
    far = ops.clip(_SIZE - 1.0 - axis - depth + 0.5, 0.0, 1.0)
    whole = ops.ones_like(near)
    chosen = (choice < share)[:, None]
    rows = ops.where(chosen & (side == 0), near, ops.where(chosen & (side == 1), far, whole))
    columns = ops.where(chosen & (side == 2), near, ops.where(chosen & (side == 3), far, whole))
    return images * rows[:, :, None] * columns[:, None, :]


def _blur(images: Tensor, choice: Tensor, amount: Tensor, share: float) -> Tensor:
    """A 3x3 mean, mixed in."""
    smooth = ops.average_pool(images[..., None], 3, strides=1, padding="same")[..., 0]
    return images + _where_chosen(choice, share, amount) * (smooth - images)


def _sharpen_contrast(images: Tensor, choice: Tensor, amount: Tensor, share: float) -> Tensor:
    """Harder edges, at the most black and white."""
    steepness = _where_chosen(choice, share, (_MAX_STEEPNESS - 1.0) * amount)
    return ops.clip(images + steepness * (images - 110.0), 0.0, 255.0)


def _add_noise(images: Tensor, choice: Tensor, u: Tensor, noise: Tensor, share: float) -> Tensor:
    """Noise, most of it on the ink: the crop clears the ground."""
    amount = _where_chosen(choice, share, _MAX_NOISE * u[:, 2])
    return images + amount * _window(noise, u, _SIZE) * (0.25 + images / 255.0)
