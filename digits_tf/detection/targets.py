"""What the detector learns to answer: a Gaussian peak at each digit's centre, and its box."""

import numpy as np
from numpy.typing import NDArray

from digits_tf.boxes import Box
from digits_tf.detection import BLOCK, CELL
from digits_tf.synthetic.canvas import UNSURE

# Numbers of a cell: the height of the peak, 0 to 1; whether the cell counts, 1 or 0; and the four
# of its box, see `digits_tf.detection.VALUES`.
TARGETS = 6
# Pixels of a digit's longer side. Digits beyond `_TOO_SMALL` and `_TOO_LARGE` belong to another
# level of the pyramid and are ground here. Between these and the two that are learned nothing is
# learned either way.
_SMALLEST, _LARGEST = 10.0, 120.0
_TOO_SMALL, _TOO_LARGE = 6.0, 160.0
# The standard deviation of a peak: a share of the box's sides, and so many cells at the least.
_DEVIATION, _MIN_DEVIATION = 0.12, 0.5
# The least side of a box in cells: a logarithm of less would only teach noise.
_MIN_SIDE = 0.25


def targets(
    boxes: NDArray[np.floating], labels: NDArray[np.integer], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Makes the targets of a picture (CenterNet: Zhou et al., https://arxiv.org/abs/1904.07850).

    Args:
        boxes: (n, 4), x, y, width, height in pixels.
        labels: (n,), 0 to 9, or `UNSURE` where nothing is to be learned.
        size: height and width of the picture, multiples of 8.

    Returns:
        float32 (height / 8, width / 8, 24): blocks of two by two cells, row by row, as the network
        answers them, but six numbers of each cell.
    """
    rows, columns = size[0] // CELL, size[1] // CELL
    cells = np.zeros((rows, columns, TARGETS), np.float32)
    cells[..., 1] = 1
    for box, label in zip(boxes / CELL, labels, strict=True):
        longer = max(box[2:]) * CELL
        if not _TOO_SMALL <= longer <= _TOO_LARGE:
            continue
        x, y, w, h = box
        top, bottom = max(0, int(y)), min(rows, int(np.ceil(y + h)))
        left, right = max(0, int(x)), min(columns, int(np.ceil(x + w)))
        if label == UNSURE or not _SMALLEST <= longer <= _LARGEST:
            cells[top:bottom, left:right, 1] = 0
        elif top < bottom and left < right:
            _draw(cells[top:bottom, left:right], (left, top), Box(x, y, w, h))
    blocks = cells.reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK, TARGETS)
    return blocks.transpose(0, 2, 1, 3, 4).reshape(rows // BLOCK, columns // BLOCK, -1)


def _draw(cells: NDArray[np.float32], corner: tuple[int, int], box: Box) -> None:
    """Draws a peak and its box into the cells of a digit where no other peak is higher.

    Args:
        cells: float32 (rows, columns, 6), changed in place.
        corner: column and row of the first one.
        box: x, y, width, height in cells.
    """
    x, y, w, h = box
    rows, columns, _ = cells.shape
    # From the centre of each cell to that of the box.
    across = x + w / 2 - 0.5 - np.arange(corner[0], corner[0] + columns)
    down = (y + h / 2 - 0.5 - np.arange(corner[1], corner[1] + rows))[:, None]
    wide, tall = (max(_DEVIATION * side, _MIN_DEVIATION) for side in (w, h))
    peak = np.exp(-0.5 * ((across / wide) ** 2 + (down / tall) ** 2))
    # One cell of each digit is its centre, wherever in the cell that lies.
    peak[np.unravel_index(peak.argmax(), peak.shape)] = 1
    is_higher = peak > cells[..., 0]
    cells[..., 0][is_higher] = peak[is_higher]
    log_sides = (np.log(max(side, _MIN_SIDE)) for side in (w, h))
    values = np.stack(np.broadcast_arrays(across, down, *log_sides), axis=-1)
    cells[..., 2:][is_higher] = values[is_higher]
