"""The image pyramid: small grey pictures of one frame, in which the network looks for digits.

The network knows digits of about 10 to 110 pixels. On the coarsest level of the pyramid it finds a
digit that fills the frame, on the finest one a digit of 1/36 of the frame's height. (Pyramids:
Adelson et al., "Pyramid methods in image processing", RCA Engineer 29-6, 1984.)

A still picture has a level for every third of a doubling in size. A live frame has three in all,
and they are not all looked at in each frame; see `tiles_of_turn`.
"""

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

# Pixels: the height of the coarsest level, and the shorter side of the finest.
COARSEST, FINEST = 96, 384
# Levels for each doubling of the size of a still picture. Seven levels see a digit: it is found
# though one misses it, and what is none seldom looks like a digit on all of them.
_LEVELS_PER_DOUBLING = 3
# Levels of a live frame, for which there is less time.
_LIVE_LEVELS = 3
# The finest level has at most this many times the frame's size: enlarging adds no detail.
_MAX_ENLARGEMENT = 1.3
# A strip's levels would be endless: pixels of the longer side of its coarsest and finest level.
_LONGEST_COARSE, _LONGEST_FINE = 2048, 8192
# A frame that has this many times a level's size is halved on the way: much quicker, and sharp
# enough. Below, it is resized in one step.
_HALVED_FROM = 1.8
# Rows and columns of tiles on the finest level of a wide live frame; a tall one has the transpose.
_GRID = (2, 4)
# Pixels by which tiles overlap, so that one of them sees all of a small digit. The level before
# shows larger ones.
_OVERLAP = 24


def check(frame: NDArray[np.uint8]) -> None:
    """Checks that an array is a frame.

    Raises:
        ValueError: if it is of another type or shape than uint8 (h, w) or (h, w, 1, 3 or 4), or
            has no pixels.
    """
    channels = frame.shape[2] if frame.ndim == 3 else 1
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ValueError(
            f"expected uint8 (h, w), (h, w, 3) or (h, w, 4). Received: {frame.dtype} {frame.shape}"
        )
    if not frame.size:
        raise ValueError(f"expected a frame with pixels. Received: {frame.shape}")


def grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame in grey, uint8 (h, w); see `levels` for what a frame may be."""
    if frame.ndim == 2:
        return frame
    if frame.shape[2] == 1:
        return frame[..., 0]
    code = cv2.COLOR_BGR2GRAY if frame.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
    result: NDArray[np.uint8] = cv2.cvtColor(frame, code)
    return result


def level_sizes(shape: Sequence[int], live: bool = False) -> list[tuple[int, int]]:
    """Width and height of each level of a frame's pyramid, the coarsest first.

    Args:
        shape: the frame's; height and width come first.
        live: whether it is one of a camera's frames, of which there are three levels at most.
    """
    height, width = shape[:2]
    coarsest = min(COARSEST / height, _LONGEST_COARSE / width)
    finest = max(
        coarsest,
        min(_MAX_ENLARGEMENT, FINEST / min(height, width), _LONGEST_FINE / max(height, width)),
    )
    doublings = np.log2(finest / coarsest)
    if live:
        steps = min(_LIVE_LEVELS - 1, round(doublings))
    else:
        steps = round(_LEVELS_PER_DOUBLING * doublings)
    scales = coarsest * 2 ** np.linspace(0, doublings if steps else 0, steps + 1)
    return [(max(1, round(width * each)), max(1, round(height * each))) for each in scales.tolist()]


def levels(frame: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The pyramid of a still picture.

    Each pixel is a mean of all that it covers: the stroke of a thin pen in a large frame would fall
    between pixels that are merely sampled.

    Args:
        frame: uint8 (h, w), (h, w, 1), (h, w, 3) BGR or (h, w, 4) BGRA.

    Returns:
        uint8 (h, w), grey, of the sizes `level_sizes`.
    """
    sizes = level_sizes(frame.shape)
    rest = grey(_halved_to(frame, sizes[-1]))
    finest_first = []
    for size in reversed(sizes):
        rest = _halved_to(rest, size)
        interpolation = cv2.INTER_AREA if rest.shape[1] > size[0] else cv2.INTER_LINEAR
        finest_first.append(cv2.resize(rest, size, interpolation=interpolation))
    return finest_first[::-1]


@dataclasses.dataclass(frozen=True)
class Tile:
    """A part of a level.

    Attributes:
        level: its number, 0 is the coarsest.
        grid: rows and columns of tiles on that level.
        cell: this tile's row and column.
    """

    level: int
    grid: tuple[int, int] = (1, 1)
    cell: tuple[int, int] = (0, 0)

    def window(self, shape: Sequence[int]) -> tuple[int, int, int, int]:
        """Top, bottom, left, right in pixels of a level of a height and width."""
        ends = []
        for length, count, number in zip(shape, self.grid, self.cell, strict=True):
            extent = min(length, -(-length // count) + (_OVERLAP if count > 1 else 0))
            start = round(number * (length - extent) / max(1, count - 1))
            ends += [start, start + extent]
        top, bottom, left, right = ends
        return top, bottom, left, right


def tiles(shape: Sequence[int], live: bool) -> list[Tile]:
    """All tiles of a frame's pyramid: whole levels, but eighths of a large live frame's finest."""
    count = len(level_sizes(shape, live))
    if not live or count < _LIVE_LEVELS:
        return [Tile(level) for level in range(count)]
    rows, columns = grid = _GRID if shape[1] >= shape[0] else _GRID[::-1]
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    eighths = [Tile(count - 1, grid, cell) for cell in cells]
    return [*(Tile(level) for level in range(count - 1)), *eighths]


def tiles_of_turn(shape: Sequence[int], turn: int) -> list[Tile]:
    """The tiles in which a live frame is looked at, when the turn is its number in the stream.

    The first frame, number 0, is looked at as a whole. Every second frame after it shows the middle
    level; those between show the coarsest one and the next eighth of the finest. A frame with fewer
    than three levels is always looked at as a whole.
    """
    every = tiles(shape, live=True)
    coarse, eighths = every[: _LIVE_LEVELS - 1], every[_LIVE_LEVELS - 1 :]
    if turn == 0 or not eighths:
        return every
    return coarse[1:] if turn % 2 else [coarse[0], eighths[turn // 2 % len(eighths)]]


def live_tile(
    frame: NDArray[np.uint8], size: tuple[int, int], window: tuple[int, int, int, int]
) -> NDArray[np.uint8]:
    """A tile of a live frame's pyramid.

    It takes most of the time to fetch the frame from memory. So of a large frame only every second
    or third row is read.

    Args:
        frame: as `levels` has it.
        size: width and height of the tile's whole level.
        window: top, bottom, left, right of the tile on its level.

    Returns:
        uint8 (bottom - top, right - left), grey.
    """
    top, bottom, left, right = window
    across, down = frame.shape[1] / size[0], frame.shape[0] / size[1]
    rows, columns = (
        slice(round(start * zoom), round(end * zoom))
        for start, end, zoom in ((top, bottom, down), (left, right, across))
    )
    return shrink(frame[rows, columns], (right - left, bottom - top))


def shrink(frame: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A frame in grey at another, mostly smaller width and height, from some of its rows.

    Args:
        frame: as `levels` has it.
        size: width and height.

    Returns:
        uint8 (h, w), grey.
    """
    zoom = frame.shape[0] / size[1]
    # Enough rows are left out that the rest, halved a few times, nearly has the size.
    halvings = max(1, round(np.log2(zoom)) - 1) if zoom > _HALVED_FROM else 0
    step = max(1, round(zoom / 2**halvings))
    rest = grey(frame[(step - 1) // 2 :: step])
    for _ in range(halvings if min(rest.shape) >= 2**halvings else 0):
        rest = _halved(rest)
    result: NDArray[np.uint8] = cv2.resize(rest, size, interpolation=cv2.INTER_LINEAR)
    return result


def _halved_to(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Halves a picture as long as it keeps at least this width and height."""
    while picture.shape[1] >= 2 * size[0] and picture.shape[0] >= 2 * size[1]:
        picture = _halved(picture)
    return picture


def _halved(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Means of two by two pixels, many times as quick as other means; an odd last row is cut."""
    width, height = picture.shape[1] // 2, picture.shape[0] // 2
    even = picture[: 2 * height, : 2 * width]
    result: NDArray[np.uint8] = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
    return result
