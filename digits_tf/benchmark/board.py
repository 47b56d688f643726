"""The frames that reading is timed on: a chalked board, made by the program itself."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from digits_tf.camera.demo import SHAKE_MARGIN, Board, CameraEffects
from digits_tf.synthetic import handwriting


class Size(NamedTuple):
    """Width and height of a frame in pixels."""

    width: int
    height: int


SIZES = {"480p": Size(640, 480), "720p": Size(1280, 720), "1080p": Size(1920, 1080)}
FPS = 30.0
# By the digits in view: their height as a share of the frame's, and how many stand in a row.
SCENES = {0: (0.0, 1), 1: (0.463, 1), 4: (0.33, 2), 12: (0.241, 6)}


class Frame(NamedTuple):
    """A frame, uint8 (height, width, 3), BGR, and what stands on it, line by line."""

    pixels: np.ndarray
    text: str


def frames(size: Size, digits: int) -> Iterator[Frame]:
    """A board under moving light as a shaking, noisy camera sees it, for ever.

    Args:
        size: of the frames.
        digits: how many stand on it, one of `SCENES`.
    """
    rng = np.random.default_rng(digits)
    share, a_row = SCENES[digits]
    # In narrow frames a row's digits would touch.
    height = min(share * size.height, size.width / a_row)
    board = Board(rng, size.width + 2 * SHAKE_MARGIN, size.height + 2 * SHAKE_MARGIN)
    written = [(7 * place + 3) % 10 for place in range(digits)]
    rows = [written[start : start + a_row] for start in range(0, digits, a_row)]
    for y, row in enumerate(rows):
        for x, digit in enumerate(row):
            cell = np.array([(x + 0.5) / len(row), (y + 0.5) / len(rows)])
            strokes = handwriting.write(digit, rng)
            pairs = [np.stack([stroke[:-1], stroke[1:]], axis=1) for stroke in strokes]
            board.draw(np.concatenate(pairs) * height + cell * size + SHAKE_MARGIN, height)
    text = "\n".join("".join(map(str, row)) for row in rows)
    effects = CameraEffects(rng, *size, FPS)
    index = 0
    while True:
        yield Frame(effects.apply(board.picture, index), text)
        index += 1
