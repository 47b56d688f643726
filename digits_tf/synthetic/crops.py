"""Crops to train a classifier on: as the detector cuts them out, and as scans keep them."""

import dataclasses
import functools
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digits_tf.detection.crops import INK_SIDE, SIDE, digit_crop
from digits_tf.synthetic import Field, Labels, Pixels
from digits_tf.synthetic.assets import Assets
from digits_tf.synthetic.canvas import UNSURE
from digits_tf.synthetic.digit_parts import is_bar_or_ring
from digits_tf.synthetic.frames import frame
from digits_tf.synthetic.pen import cut_to_ink

if TYPE_CHECKING:
    from digits_tf.detection.detector import Detector

# A detection is of a digit if the boxes overlap by this (intersection over union); it is of none if
# it overlaps every box by less than the other.
_SAME, _ELSEWHERE = 0.5, 0.05
# Doubtful detections are taken too: what the classifier learns to refuse must be worse than real.
_LEAST = 0.1
# Of a frame at most so many of each: a page shall not outweigh a hundred frames.
_MOST_DIGITS, _MOST_BACKGROUND = 12, 4
# Another number of a seed than those of other things that are made of it.
_STREAM = 2

_CELLS = (12, 20)  # of a coarse grid, along the longer side
_ENLARGED = 6  # strokes are thickened so much larger, in fine steps
_INK = 96  # of the enlarged digit, where a stroke begins
_GRID_INK = 32  # of the grid
_THICKER = 3.5  # pixels of the 28, at most
# Square pixels of the 28: a smaller hole is no loop; a loop as large stays one on a coarse grid.
_LEAST_HOLE, _SAFE_HOLE = 0.5, 5.0
# Narrower digits would be a block if they were stretched to a square.
_NARROW = 0.45
_INTERPOLATIONS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC)


@dataclasses.dataclass(frozen=True, eq=False)
class Crops:
    """What was cut out.

    Attributes:
        digits: uint8 (n, 28, 28), ink bright on 0.
        labels: uint8 (n,), 0 to 9.
        background: uint8 (m, 28, 28), what is no digit.
    """

    digits: Pixels
    labels: Pixels
    background: Pixels


def frame_crops(
    rng: np.random.Generator,
    detector: "Detector",
    images: Pixels,
    labels: Labels,
    assets: Assets | None,
) -> Crops:
    """Makes a frame and cuts out what the detector finds.

    Args:
        rng: decides the frame.
        detector: finds digits in it.
        images: uint8 (n, 28, 28), MNIST's training digits, bright on 0.
        labels: (n,), 0 to 9.
        assets: fonts and photographs; None: without.
    """
    made = frame(rng, images, labels, assets)
    digits, names, background = [], [], []
    for each in detector.find(made.image, _LEAST):
        overlaps = overlap(np.array(each.box), made.boxes)
        best = int(overlaps.argmax()) if len(overlaps) else -1
        is_digit = best >= 0 and overlaps[best] >= _SAME and made.labels[best] != UNSURE
        is_background = best < 0 or overlaps[best] < _ELSEWHERE
        if not (is_digit or is_background):
            continue
        crop = digit_crop(made.image, each.box)
        if crop is None:
            continue
        if is_digit:
            digits.append(crop)
            names.append(made.labels[best])
        elif not is_bar_or_ring(crop):
            background.append(crop)
    some = rng.permutation(len(digits))[:_MOST_DIGITS]
    return Crops(
        np.array([digits[each] for each in some], np.uint8).reshape(-1, 28, 28),
        np.array([names[each] for each in some], np.uint8),
        np.array(background[:_MOST_BACKGROUND], np.uint8).reshape(-1, 28, 28),
    )


def shipped_detector_crops(
    images: Pixels,
    labels: Labels,
    assets: Assets | None,
    seed: int,
    count: int,
    first: int,
) -> Crops:
    """What the shipped detector cuts out of some frames; see `frame_crops`.

    Worker processes run this: those of Windows and macOS start afresh and import it from here.

    Args:
        images: uint8 (n, 28, 28), MNIST's training digits, bright on 0.
        labels: (n,), 0 to 9.
        assets: fonts and photographs; None: without.
        seed: another seed is other frames.
        count: how many frames.
        first: the number of the first.
    """
    made = []
    for number in range(first, first + count):
        rng = np.random.default_rng((seed, _STREAM, number))
        made.append(frame_crops(rng, _shipped_detector(), images, labels, assets))
    return joined(made)


def joined(parts: list[Crops]) -> Crops:
    """All crops in one, in order; none if there are no parts."""
    empty = np.zeros((0, 28, 28), np.uint8)
    return Crops(
        np.concatenate([empty, *(each.digits for each in parts)]),
        np.concatenate([np.zeros(0, np.uint8), *(each.labels for each in parts)]),
        np.concatenate([empty, *(each.background for each in parts)]),
    )


def overlap(box: Field, boxes: Field) -> Field:
    """Intersection over union of a box, float (4,), with others, (n, 4): x, y, w, h each."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[:2] + box[2:], boxes[:, :2] + boxes[:, 2:])
    both = np.maximum(high - low, 0).prod(axis=1)
    return np.asarray(both / (box[2:].prod() + boxes[:, 2:].prod(axis=1) - both))


def coarse(images: Pixels, seed: int, first: int = 0) -> Pixels:
    """Brings each digit to a coarse grid, as small scanned collections do, and back.

    USPS (Hull, "A database for handwritten text recognition research", 1994) has digits of American
    envelopes in 16x16 cells of grey, with broad strokes. Semeion (Buscema, at Semeion Research
    Center with Tattile, 1998) has digits of Italian writers in 16x16 cells of ink or none,
    stretched until they fill the square. Optdigits is of the kind too.

    Digit number n of a seed comes out the same whatever else is in the batch.

    Args:
        images: uint8 (n, 28, 28), bright on 0.
        seed: another seed is another grid and pen for each.
        first: the number of the first image.

    Returns:
        uint8 (n, 28, 28), the longer side of the ink 20 pixels, its centre of mass at 14, 14. An
        image without ink is given back as it is.
    """
    made = images.copy()
    for index, image in enumerate(images):
        if image.max() > _INK:
            made[index] = _coarse(image, np.random.default_rng((seed, first + index)))
    return made


@functools.cache
def _shipped_detector() -> "Detector":
    from digits_tf.detection import detector

    return detector.load()


def _coarse(image: Pixels, rng: np.random.Generator) -> Pixels:
    size = SIDE * _ENLARGED, SIDE * _ENLARGED
    large = _thickened(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), rng)
    large = cut_to_ink(large, _INK)
    grid = cv2.resize(large, _grid_size(large.shape, rng), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        threshold = rng.uniform(0.35, 0.6) * int(grid.max())
        grid = np.where(grid >= threshold, 255, 0).astype(np.uint8)
    else:
        grid = cv2.convertScaleAbs(grid, alpha=rng.uniform(1.0, 2.0) * 255 / int(grid.max()))
    return _as_mnist(cut_to_ink(grid, _GRID_INK), rng)


def _thickened(large: Pixels, rng: np.random.Generator) -> Pixels:
    """Strokes of a broader pen, but no loop is filled."""
    loops = _loops(large, _LEAST_HOLE)
    # Squared: most hardly, some by much.
    width = round(_THICKER * _ENLARGED * rng.random() ** 2)
    while width > 1:
        brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
        thick: Pixels = cv2.dilate(np.pad(large, width), brush)
        if _loops(thick, _LEAST_HOLE) == loops == _loops(thick, _SAFE_HOLE):
            return thick
        width = width * 3 // 4
    return large


def _loops(large: Pixels, least: float) -> int:
    """How many holes of an area the ink has; the ground around it is one more."""
    ground = (large <= _INK).astype(np.uint8)
    areas = cv2.connectedComponentsWithStats(ground, connectivity=4)[2][1:, cv2.CC_STAT_AREA]
    return int((areas > least * _ENLARGED**2).sum())


def _grid_size(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
    """Cells across and down for ink of a shape: its aspect, or stretched towards a square."""
    height, width = shape
    longer, cells = max(shape), rng.integers(_CELLS[0], _CELLS[1] + 1)
    stretch = float(rng.random() < 0.5)
    if min(shape) < _NARROW * longer:
        stretch *= rng.uniform(0.0, 0.6)
    across, down = (
        max(1, round(cells * (side / longer) ** (1 - stretch))) for side in (width, height)
    )
    return across, down


def _as_mnist(grid: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = grid.shape
    scale = INK_SIDE / max(grid.shape)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = _INTERPOLATIONS[rng.integers(len(_INTERPOLATIONS))]
    ink = cv2.resize(grid, size, interpolation=interpolation)
    moments = cv2.moments(ink)
    left = round(SIDE / 2 - moments["m10"] / moments["m00"])
    top = round(SIDE / 2 - moments["m01"] / moments["m00"])
    left, top = min(max(left, 0), SIDE - size[0]), min(max(top, 0), SIDE - size[1])
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + size[1], left : left + size[0]] = ink
    return image
