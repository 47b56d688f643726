"""What the detector shall answer, and how wrong it is."""

import keras
import numpy as np
from keras import ops

from digits_tf.detection.grid import BLOCK, CELL, VALUES
from digits_tf.synthetic.canvas import UNSURE

# Pixels of a digit's longer side. Smaller or larger digits belong to another plane; between these
# and the limits of the promise nothing is learned either way.
LEAST, MOST = 10.0, 120.0
_TOO_SMALL, _TOO_LARGE = 6.0, 160.0
# A centre's peak: its deviation as a share of the box's sides, and in cells at the least.
_DEVIATION, _LEAST_DEVIATION = 0.12, 0.5
# Cells where the peak is as high as this give the box, too.
_BOX = 0.6
# A picture counts by the root of its digits, and as if there were so many more: one large digit
# shall not be outweighed by a page of small ones.
_CALM = 4.0
# Of a cell in the targets: the peak, whether it counts, and the box's four values.
TARGETS = 6


def shape(side: int) -> tuple[int, int, int]:
    """The shape of the targets of a square picture."""
    return side // (CELL * BLOCK), side // (CELL * BLOCK), BLOCK**2 * TARGETS


def targets(boxes: np.ndarray, labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What the detector shall answer for a picture.

    Args:
        boxes: float (n, 4), x, y, w, h in pixels.
        labels: (n,), 0 to 9, or `UNSURE`.
        size: height and width of the picture, multiples of 8.

    Returns:
        float32 (height / 8, width / 8, 24): as the detector's answer, but six values a cell.
    """
    rows, columns = size[0] // CELL, size[1] // CELL
    cells = np.zeros((rows, columns, TARGETS), np.float32)
    cells[..., 1] = 1
    for (x, y, w, h), label in zip(boxes / CELL, labels, strict=True):
        longer = max(w, h) * CELL
        if longer < _TOO_SMALL or longer > _TOO_LARGE:
            continue
        top, bottom = max(0, int(y)), min(rows, int(np.ceil(y + h)))
        left, right = max(0, int(x)), min(columns, int(np.ceil(x + w)))
        if label == UNSURE or not LEAST <= longer <= MOST:
            cells[top:bottom, left:right, 1] = 0
            continue
        across = x + w / 2 - 0.5 - np.arange(left, right)
        down = (y + h / 2 - 0.5 - np.arange(top, bottom))[:, None]
        deviation = np.maximum(_DEVIATION * np.array([w, h]), _LEAST_DEVIATION)
        peak = np.exp(-0.5 * ((across / deviation[0]) ** 2 + (down / deviation[1]) ** 2))
        if not peak.size:
            continue
        peak[np.unravel_index(peak.argmax(), peak.shape)] = 1
        part = cells[top:bottom, left:right]
        higher = peak > part[..., 0]
        part[..., 0][higher] = peak[higher]
        values = np.broadcast_arrays(across, down, np.log(max(w, 0.25)), np.log(max(h, 0.25)))
        part[..., 2:][higher] = np.stack(values, axis=-1)[higher]
    blocks = cells.reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK, TARGETS)
    return blocks.transpose(0, 2, 1, 3, 4).reshape(rows // BLOCK, columns // BLOCK, -1)


def _split(wanted, answer):
    """Peak, weight and box wanted; logit and box answered: (cells,) and (cells, 4)."""
    wanted = ops.reshape(wanted, (-1, TARGETS))
    answer = ops.reshape(ops.cast(answer, "float32"), (-1, VALUES))
    return wanted[..., 0], wanted[..., 1], wanted[..., 2:], answer[..., 0], answer[..., 1:]


def _corners(box):
    """Left, top, right, bottom in cells from the cell's centre."""
    # An untrained network must not answer with boxes of infinite size.
    half = 0.5 * ops.exp(ops.clip(box[..., 2:], -3.0, 5.0))
    return ops.concatenate([box[..., :2] - half, box[..., :2] + half], axis=-1)


class DetectionLoss(keras.losses.Loss):
    """The peaks' focal loss (CenterNet's, equation 1), and how far the boxes' sides are off.

    CenterNet divides by the digits of the whole batch. Here each picture is divided by the root of
    its own.

    A side counts by its distance as a share of the digit's size: a crop of a small digit suffers
    from a pixel as a crop of a large one does from ten.
    """

    def __init__(self, box_weight: float = 2.0, name: str = "detection"):
        super().__init__(name=name, reduction=None)
        self._box_weight = box_weight

    def call(self, y_true, y_pred):
        """The loss of a batch, a scalar."""
        peak, weight, box, logit, answer = _split(y_true, y_pred)
        log_p, log_not = ops.log_sigmoid(logit), ops.log_sigmoid(-logit)
        p = ops.sigmoid(logit)
        is_centre = ops.cast(peak >= 1.0, "float32")
        gain = is_centre * (1 - p) ** 2 * log_p
        loss = (1 - is_centre) * (1 - peak) ** 4 * p**2 * log_not
        pictures = (ops.shape(y_true)[0], -1)
        digits = ops.sum(ops.reshape(is_centre * weight, pictures), axis=1)
        wrong = -ops.sum(ops.reshape((gain + loss) * weight, pictures), axis=1)
        finding = ops.mean(wrong / ops.sqrt(digits + _CALM))
        near = ops.cast(peak > _BOX, "float32") * weight
        size = ops.exp(ops.max(box[..., 2:], axis=-1, keepdims=True))
        off = ops.sum(ops.abs(_corners(answer) - _corners(box)) / size, axis=-1)
        boxes = ops.sum(off * near) / (ops.sum(near) + 1.0)
        return finding + self._box_weight * boxes


class Found(keras.metrics.Metric):
    """The share of digits whose cell says so, with a box that overlaps by half or more."""

    def __init__(self, name: str = "accuracy"):
        super().__init__(name=name)
        self._found = self.add_weight(name="found", initializer="zeros")
        self._digits = self.add_weight(name="digits", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Counts a batch."""
        peak, weight, box, logit, answer = _split(y_true, y_pred)
        is_centre = ops.cast(peak >= 1.0, "float32") * weight
        one, other = _corners(box), _corners(answer)
        low = ops.maximum(one[..., :2], other[..., :2])
        high = ops.minimum(one[..., 2:], other[..., 2:])
        both = ops.prod(ops.maximum(high - low, 0.0), axis=-1)
        areas = [ops.prod(each[..., 2:] - each[..., :2], axis=-1) for each in (one, other)]
        overlap = both / (areas[0] + areas[1] - both + 1e-6)
        found = is_centre * ops.cast(logit > 0, "float32") * ops.cast(overlap >= 0.5, "float32")
        self._found.assign_add(ops.sum(found))
        self._digits.assign_add(ops.sum(is_centre))

    def result(self):
        """0 to 1."""
        return self._found / ops.maximum(self._digits, 1.0)
