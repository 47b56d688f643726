"""Digits as small scanned collections keep them."""

import cv2
import numpy as np

from digits_tf.detection.crops import INK_SIDE, SIDE

_GRID = (12, 20)  # cells along the longer side
_ENLARGED = 6  # strokes are thickened so much larger, in fine steps
_INK = 96  # of the enlarged digit, where a stroke begins
_THICKER = 3.5  # pixels of the 28, at most
# Square pixels of the 28: a smaller hole is no loop; a loop as large stays one on a coarse grid.
_LEAST_HOLE, _SAFE_HOLE = 0.5, 5.0
# Narrower digits would be a block if they were stretched to a square.
_NARROW = 0.45
_WAYS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC)


def coarse(images: np.ndarray, seed: int, first: int = 0) -> np.ndarray:
    """Brings each digit to a coarse grid, as small collections do, and back.

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


def _coarse(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size = SIDE * _ENLARGED, SIDE * _ENLARGED
    large = _thickened(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), rng)
    large = _tight(large, _INK)
    grid = cv2.resize(large, _grid(large.shape, rng), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        threshold = rng.uniform(0.35, 0.6) * int(grid.max())
        grid = np.where(grid >= threshold, 255, 0).astype(np.uint8)
    else:
        grid = cv2.convertScaleAbs(grid, alpha=rng.uniform(1.0, 2.0) * 255 / int(grid.max()))
    return _as_mnist(_tight(grid, 32), rng)


def _thickened(large: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Strokes of a broader pen, but no loop is filled."""
    loops = _loops(large, _LEAST_HOLE)
    # Squared: most hardly, some by much.
    width = round(_THICKER * _ENLARGED * rng.random() ** 2)
    while width > 1:
        brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
        room = np.pad(large, width)
        thick = cv2.dilate(room, brush)
        if _loops(thick, _LEAST_HOLE) == loops == _loops(thick, _SAFE_HOLE):
            return thick
        width = width * 3 // 4
    return large


def _loops(large: np.ndarray, least: float) -> int:
    """How many holes of an area the ink has; the ground around it is one more."""
    ground = (large <= _INK).astype(np.uint8)
    areas = cv2.connectedComponentsWithStats(ground, connectivity=4)[2][1:, cv2.CC_STAT_AREA]
    return int((areas > least * _ENLARGED**2).sum())


def _tight(ink: np.ndarray, threshold: int) -> np.ndarray:
    x, y, w, h = cv2.boundingRect((ink > threshold).astype(np.uint8))
    return ink[y : y + h, x : x + w]


def _grid(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
    """Cells across and down for ink of a shape: its aspect, or stretched towards a square."""
    height, width = shape
    longer, cells = max(shape), rng.integers(_GRID[0], _GRID[1] + 1)
    stretch = float(rng.random() < 0.5)
    if min(shape) < _NARROW * longer:
        stretch *= rng.uniform(0.0, 0.6)
    across, down = (
        max(1, round(cells * (side / longer) ** (1 - stretch))) for side in (width, height)
    )
    return across, down


def _as_mnist(grid: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = grid.shape
    scale = INK_SIDE / max(grid.shape)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = _WAYS[rng.integers(len(_WAYS))]
    moments = cv2.moments(ink := cv2.resize(grid, size, interpolation=way))
    left = round(SIDE / 2 - moments["m10"] / moments["m00"])
    top = round(SIDE / 2 - moments["m01"] / moments["m00"])
    left, top = min(max(left, 0), SIDE - size[0]), min(max(top, 0), SIDE - size[1])
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + size[1], left : left + size[0]] = ink
    return image
