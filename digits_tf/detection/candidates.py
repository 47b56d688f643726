"""From the network's answers to one box for each digit.

`decode` takes the peaks of a heatmap for candidates, as CenterNet does (Zhou et al., "Objects as
Points", https://arxiv.org/abs/1904.07850). `select` chooses among the candidates of all levels by
non-maximum suppression, and lets the levels vote on what remains.
"""

import dataclasses
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf.boxes import Box
from digits_tf.detection import BLOCK, CELL, VALUES

# Candidates are peaks with a higher score than this: paper is full of fainter ones.
_MIN_SCORE = 0.12
# Candidates a level that are compared with each other. A page has fewer; wild noise has thousands,
# for which the time grows with the square.
MOST_A_LEVEL = 170
# The most digits of one frame, of all levels together. It is ten levels' worth, as many as the tall
# picture of a telephone has. A tall strip has twenty: full of digits it took four seconds.
MOST_DETECTIONS = 10 * MOST_A_LEVEL
# Natural logarithms of a box's side in cells: a network that has learned little must not answer
# with boxes of infinite size.
_LOG_SIDES = (-3.0, 6.0)
# The loop of a 6 is a good 0: of two boxes the larger one is preferred, by its longer side to the
# power of this.
_SIZE_EXPONENT = 0.4
# Two boxes are of one digit if their intersection is more than this share of their union, or of
# the smaller box: the hole of an 8 is a 0, and half of a 0 is a 1.
_MAX_IOU, _MAX_INSIDE = 0.4, 0.65
# A bar's box is so narrow that two boxes of it may lie side by side. For the comparison its shorter
# side is at least this share of its longer one.
_MIN_ASPECT = 0.3
# Levels vote on a digit if its longer side has so many pixels there.
_MIN_VISIBLE, _MAX_VISIBLE = 11, 105


@dataclasses.dataclass(frozen=True)
class Detection:
    """Where a digit is.

    Attributes:
        box: x, y, width, height in pixels of the frame.
        score: 0 to 1.
    """

    box: Box
    score: float


@dataclasses.dataclass(frozen=True, eq=False)
class Candidates:
    """Places where one level of the pyramid may show a digit.

    Attributes:
        boxes: float (n, 4), x, y, width, height.
        scores: float (n,), 0 to 1.
        levels: int (n,), the number of the level.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.floating]
    levels: NDArray[np.int_]

    @classmethod
    def joined(cls, parts: "Iterable[Candidates]") -> "Candidates":
        """The candidates of several tiles, in their order; there is at least one tile."""
        boxes, scores, levels = zip(
            *((each.boxes, each.scores, each.levels) for each in parts), strict=True
        )
        return cls(np.concatenate(boxes), np.concatenate(scores), np.concatenate(levels))


def cells(blocks: NDArray[np.float32], values: int = VALUES) -> NDArray[np.float32]:
    """Takes the network's blocks apart.

    Args:
        blocks: (rows, columns, BLOCK * BLOCK * values), the cells of a block row by row.
        values: numbers of a cell.

    Returns:
        (rows * BLOCK, columns * BLOCK, values).
    """
    rows, columns, _ = blocks.shape
    grid = blocks.reshape(rows, columns, BLOCK, BLOCK, values).transpose(0, 2, 1, 3, 4)
    return grid.reshape(rows * BLOCK, columns * BLOCK, values)


def decode(heatmap: NDArray[np.float32], values: NDArray[np.float32], level: int = 0) -> Candidates:
    """Takes the peaks of a heatmap for candidates.

    Args:
        heatmap: (rows, columns), the logits of a digit's centre, one a cell.
        values: (rows, columns, 4), what else the network says of a cell; see
            `digits_tf.detection.VALUES`.
        level: the number of the level.

    Returns:
        The cells that score higher than 0.12 and no lower than their eight neighbours; boxes in
        pixels of the picture that the network saw.
    """
    highest = cv2.dilate(heatmap, np.ones((3, 3), np.uint8))
    threshold = np.log(_MIN_SCORE / (1 - _MIN_SCORE))
    rows, columns = np.nonzero((heatmap >= highest) & (heatmap > threshold))
    right, down, log_width, log_height = values[rows, columns].T
    width, height = (np.exp(np.clip(side, *_LOG_SIDES)) * CELL for side in (log_width, log_height))
    x = (columns + 0.5 + right) * CELL - width / 2
    y = (rows + 0.5 + down) * CELL - height / 2
    boxes = np.stack([x, y, width, height], axis=1)
    return Candidates(boxes, _sigmoid(heatmap[rows, columns]), np.full(len(rows), level))


def select(candidates: Candidates, scales: Sequence[float], threshold: float) -> list[Detection]:
    """Chooses one detection for each digit.

    The candidate that scores highest, or a larger one that scores nearly as high, stands for those
    that share too much with it. Then all levels vote on which a digit of its size should be seen:
    a level's vote is its best candidate for this digit, 0 without one. The score is the geometric
    mean of the best vote and of the votes' mean.

    Args:
        candidates: of all levels, boxes in pixels of the frame.
        scales: for each level, its size divided by the frame's.
        threshold: detections with a lower score are left out.

    Returns:
        The detections, the highest score first.
    """
    rank = candidates.scores * candidates.boxes[:, 2:].max(axis=1) ** _SIZE_EXPONENT
    most = min(MOST_A_LEVEL * len(scales), MOST_DETECTIONS)
    order = np.argsort(-rank, kind="stable")[:most]
    boxes, scores = candidates.boxes[order], candidates.scores[order]
    levels = candidates.levels[order]
    is_same, is_suppressed = _overlaps(boxes)
    is_left = np.ones(len(boxes), bool)
    detections = []
    for index in range(len(boxes)):
        if not is_left[index]:
            continue
        own = np.flatnonzero(is_same[index] & is_left)
        is_left &= ~is_suppressed[index]
        score = _vote(float(boxes[index, 2:].max()), scores[own], levels[own], scales)
        if score >= threshold:
            detections.append(Detection(Box(*boxes[index].tolist()), score))
    return sorted(detections, key=lambda each: -each.score)


def heat_picture(heatmap: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Logits as probabilities that a person can look at, uint8 (h, w), 255 for 1."""
    return (255 * _sigmoid(np.clip(heatmap, -20, 20))).astype(np.uint8)


def _overlaps(boxes: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Compares each box with each.

    Returns:
        bool (n, n): which boxes are of the same digit, as large and in the same place; and which
        must not stand beside each other, as these or as one in the other.
    """
    sides = np.maximum(boxes[:, 2:], _MIN_ASPECT * boxes[:, 2:].max(axis=1, keepdims=True))
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    low, high = centres - sides / 2, centres + sides / 2
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    intersections = np.maximum(shared[..., 0], 0) * np.maximum(shared[..., 1], 0)
    areas = sides.prod(axis=1)
    is_same = intersections > _MAX_IOU * (areas[:, None] + areas - intersections)
    is_inside = intersections > _MAX_INSIDE * np.minimum(areas[:, None], areas)
    return is_same, is_same | is_inside


def _vote(
    size: float, scores: NDArray[np.floating], levels: NDArray[np.int_], scales: Sequence[float]
) -> float:
    """The score of a digit of a size in pixels of the frame; see `select`."""
    best = float(scores.max())
    votes = np.zeros(len(scales))
    np.maximum.at(votes, levels, scores)
    has_vote = [_MIN_VISIBLE <= size * scale <= _MAX_VISIBLE for scale in scales]
    mean = float(votes[has_vote].mean()) if any(has_vote) else best
    return float((best * mean) ** 0.5)


def _sigmoid(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    scores: NDArray[np.floating] = 1 / (1 + np.exp(-logits))
    return scores
