"""Digits as the detector cuts them out of made-up frames, and what it takes for digits there."""

import dataclasses

import numpy as np

from digits_tf.detection.crops import digit_crop
from digits_tf.detection.detector import Detector
from digits_tf.synthetic.background.looks import is_like_digit
from digits_tf.synthetic.canvas import UNSURE
from digits_tf.synthetic.frames import frame
from digits_tf.synthetic.writer import Sources

# A detection is of a digit if the boxes overlap by this (intersection over union); it is of none if
# it overlaps every box by less than the other.
_SAME, _ELSEWHERE = 0.5, 0.05
# Doubtful detections are taken too: what the classifier learns to refuse must be worse than real.
_LEAST = 0.1
# Of a frame at most so many digits and so many others: a page shall not outweigh a hundred frames.
_MOST_DIGITS, _MOST_OTHERS = 12, 4


@dataclasses.dataclass(frozen=True, eq=False)
class Crops:
    """What was cut out.

    Attributes:
        digits: uint8 (n, 28, 28), ink bright on 0.
        labels: uint8 (n,), 0 to 9.
        others: uint8 (m, 28, 28), what is no digit.
    """

    digits: np.ndarray
    labels: np.ndarray
    others: np.ndarray


def crops(
    rng: np.random.Generator,
    detector: Detector,
    images: np.ndarray,
    labels: np.ndarray,
    world: Sources | None,
) -> Crops:
    """Makes a frame and cuts out what the detector finds.

    Args:
        rng: decides the frame.
        detector: finds digits in it.
        images: uint8 (n, 28, 28), MNIST's training digits, bright on 0.
        labels: (n,), 0 to 9.
        world: fonts and photographs; None: without.
    """
    made = frame(rng, images, labels, world)
    found = detector.find(made.image, _LEAST)
    digits, names, others = [], [], []
    for each in found:
        overlaps = overlap(np.array(each.box), made.boxes)
        best = int(overlaps.argmax()) if len(overlaps) else -1
        is_digit = best >= 0 and overlaps[best] >= _SAME and made.labels[best] != UNSURE
        is_other = best < 0 or overlaps[best] < _ELSEWHERE
        if not (is_digit or is_other):
            continue
        crop = digit_crop(made.image, each.box)
        if crop is None:
            continue
        if is_digit:
            digits.append(crop)
            names.append(made.labels[best])
        elif not is_like_digit(crop):
            others.append(crop)
    some = rng.permutation(len(digits))[:_MOST_DIGITS]
    return Crops(
        np.array([digits[each] for each in some], np.uint8).reshape(-1, 28, 28),
        np.array([names[each] for each in some], np.uint8),
        np.array(others[:_MOST_OTHERS], np.uint8).reshape(-1, 28, 28),
    )


def overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of a box, float (4,), with others, (n, 4): x, y, w, h each."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[:2] + box[2:], boxes[:, :2] + boxes[:, 2:])
    both = np.maximum(high - low, 0).prod(axis=1)
    return both / (box[2:].prod() + boxes[:, 2:].prod(axis=1) - both)
