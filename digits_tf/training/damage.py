"""What pens, chalk, cameras and crops do to a digit: augmentation of its grey values.

Only keras is imported.
"""

from keras import ops

from digits_tf.training.augmentation import uniform
from digits_tf.training.recipes import Augmentation

_SIZE = 28
NUMBERS = 32
# Grain is cut out of one tile of noise at random places: a number a pixel would cost more than all
# the rest.
_TILE = 96
# Nodes, and the distance between them in pixels, of the field in which chalk breaks up.
_NODES, _CELL = 15, 2
_GREATEST_GRAIN = 60.0  # grey levels
_HARDEST = 4.0
# Of specks and of remnants of a rule: pixels.
_SPECK, _RULE = (0.5, 1.4), (0.5, 1.5)
# Where the digit's edge is in a crop, and how deep the crop may cut into it: pixels.
_EDGE, _DEEPEST = 4.0, 3.0


def damage(images, u, strength: Augmentation):
    """Changes strokes, then the picture, then what the crop has left.

    Args:
        images: float32 (batch, 28, 28), 0..255.
        u: float32 (batch, `NUMBERS`), uniform in [0, 1).
        strength: how much of each change.

    Returns:
        float32 (batch, 28, 28), 0..255.
    """
    if strength.stroke:
        images = _stroke(images, u[:, 0], u[:, 1], strength.stroke)
    if strength.breaks:
        images = _breaks(images, u[:, 2], u[:, 3:6], strength.breaks)
    if strength.rule:
        images = _rule(images, u[:, 6], u[:, 7:11], strength.rule)
    if strength.specks:
        images = _specks(images, u[:, 11], u[:, 12:20], strength.specks)
    if strength.cut:
        images = _cut(images, u[:, 20], u[:, 21:23], strength.cut)
    if strength.blur:
        images = _blur(images, u[:, 23], u[:, 24], strength.blur)
    if strength.contrast:
        images = _contrast(images, u[:, 25], u[:, 26], strength.contrast)
    if strength.gain:
        images = images * (1.0 + strength.gain * (2.0 * u[:, 27] - 1.0))[:, None, None]
    if strength.grain:
        images = _grain(images, u[:, 28], u[:, 29:32], strength.grain)
    return ops.clip(images, 0.0, 255.0)


def _wide(v):
    return v[:, None, None]


def _only(choice, share, value):
    """The value where the image is one of the share, else 0; (batch, 1, 1)."""
    return _wide(ops.where(choice < share, value, 0.0))


def _stroke(images, choice, amount, share):
    """Grey dilation or erosion by 3x3, mixed in by up to 0.8."""
    x = images[..., None]
    thick = ops.max_pool(x, 3, strides=1, padding="same") - x
    thin = -ops.max_pool(-x, 3, strides=1, padding="same") - x
    amount = (0.8 * amount)[:, None, None, None]
    choice = choice[:, None, None, None]
    change = ops.where(choice < share / 2, thick, ops.where(choice < share, thin, 0.0))
    return (x + amount * change)[..., 0]


def _window(u, side):
    """Squares of the noise tile at random places, float32 (batch, side, side), uniform in -1..1."""
    tile = ops.reshape(uniform(0, 0, ops.arange(_TILE, dtype="int32"), _TILE), (-1,))
    free = float(_TILE - side)
    top = ops.cast(u[:, 0] * free, "int32")[:, None, None]
    left = ops.cast(u[:, 1] * free, "int32")[:, None, None]
    axis = ops.arange(side, dtype="int32")
    at = (top + axis[None, :, None]) * _TILE + left + axis[None, None, :]
    return 2.0 * ops.take(tile, at) - 1.0


def _breaks(images, choice, u, share):
    """Smooth holes of a few pixels, as in chalk on a rough board."""
    noise = _window(u, _NODES)
    pixels = ops.arange(_SIZE, dtype="float32")[:, None]
    nodes = ops.arange(_NODES, dtype="float32")[None, :] * _CELL
    weights = ops.exp(-0.5 * ops.square((pixels - nodes) / (0.8 * _CELL)))
    # Uniform noise in -1..1 has a variance of 1/3.
    weights = weights / ops.sqrt(ops.sum(ops.square(weights), axis=1, keepdims=True) / 3.0**0.5)
    field = ops.matmul(ops.matmul(weights, noise), ops.transpose(weights))
    holes = ops.clip(2.0 * (field - 0.8), 0.0, 1.0)
    return images * (1.0 - _only(choice, share, 0.3 + 0.7 * u[:, 2]) * holes)


def _coordinates():
    axis = ops.arange(_SIZE, dtype="float32")
    return axis[None, :, None], axis[None, None, :]


def _rule(images, choice, u, share):
    """A piece of a nearly level or upright line near the picture's rim."""
    y, x = _coordinates()
    upright = _wide(u[:, 0]) < 0.3
    along, across = ops.where(upright, y, x), ops.where(upright, x, y)
    # The first or the last six pixels.
    middle = 6.0 * ops.abs(2.0 * u[:, 1] - 1.0)
    middle = ops.where(u[:, 1] < 0.5, middle, _SIZE - 1.0 - middle)
    slope = 0.2 * (u[:, 2] - 0.5)
    distance = ops.abs(across - _wide(middle) - _wide(slope) * (along - _SIZE / 2))
    thickness = _RULE[0] + (_RULE[1] - _RULE[0]) * u[:, 3]
    line = ops.clip(_wide(thickness) + 0.5 - distance, 0.0, 1.0)
    # Seldom whole: what a crop leaves of a rule is a piece of it.
    first = _wide(u[:, 3] * 40.0 - 12.0)
    line = ops.where((along > first) & (along < first + 16.0), line, 0.0)
    level = _only(choice, share, 60.0 + 195.0 * u[:, 2])
    return ops.maximum(images, level * line)


def _specks(images, choice, u, share):
    """Two round specks, the second one in half of the cases."""
    y, x = _coordinates()
    for number in range(2):
        row, column, size, level = (u[:, 4 * number + part] for part in range(4))
        radius = _wide(_SPECK[0] + (_SPECK[1] - _SPECK[0]) * size)
        squares = ops.square(y - _wide(row) * _SIZE) + ops.square(x - _wide(column) * _SIZE)
        spot = ops.clip(radius + 0.5 - ops.sqrt(squares), 0.0, 1.0)
        height = _only(choice, share / (number + 1), 80.0 + 175.0 * level)
        images = ops.maximum(images, height * spot)
    return images


def _cut(images, choice, u, share):
    """A crop that was taken too tight on one side: ends of strokes are missing."""
    depth = _EDGE + _DEEPEST * u[:, 1]
    side = ops.floor(4.0 * u[:, 0])
    axis = ops.arange(_SIZE, dtype="float32")[None, :]
    near = ops.clip(axis - depth[:, None] + 0.5, 0.0, 1.0)
    far = ops.clip(_SIZE - 1.0 - axis - depth[:, None] + 0.5, 0.0, 1.0)
    nothing = ops.ones_like(near)
    chosen = (choice < share)[:, None]
    side = side[:, None]
    rows = ops.where(chosen & (side == 0), near, ops.where(chosen & (side == 1), far, nothing))
    columns = ops.where(chosen & (side == 2), near, ops.where(chosen & (side == 3), far, nothing))
    return images * rows[:, :, None] * columns[:, None, :]


def _blur(images, choice, amount, share):
    """A 3x3 mean, mixed in."""
    x = images[..., None]
    smooth = ops.average_pool(x, 3, strides=1, padding="same")[..., 0]
    return images + _only(choice, share, amount) * (smooth - images)


def _contrast(images, choice, amount, share):
    """Harder edges, in the extreme black and white."""
    steepness = _only(choice, share, (_HARDEST - 1.0) * amount)
    return ops.clip(images + steepness * (images - 110.0), 0.0, 255.0)


def _grain(images, choice, u, share):
    """Noise, the most of it where there is ink: the crop clears the ground."""
    amount = _only(choice, share, _GREATEST_GRAIN * u[:, 2])
    return images + amount * _window(u, _SIZE) * (0.25 + images / 255.0)
