"""The frames that the reading is timed on: a chalked board, made by the program itself."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from digits_tf.camera.demo.chalk import Board
from digits_tf.camera.demo.weather import MARGIN, Weather
from digits_tf.scenes import handwriting

WIDTH, HEIGHT, FPS = 1920, 1080, 30.0
# By the digits in view: their height in pixels, and how many stand in a row.
SCENES = {1: (500, 1), 12: (260, 6)}


class Frame(NamedTuple):
    """A frame, uint8 (1080, 1920, 3), BGR, and what stands on it, line by line."""

    pixels: np.ndarray
    text: str


def frames(digits: int) -> Iterator[Frame]:
    """A board as a camera sees it, for ever.

    Args:
        digits: how many stand on it, 1 or 12.
    """
    rng = np.random.default_rng(digits)
    height, a_row = SCENES[digits]
    board = Board(rng, WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN)
    written = [(7 * place + 3) % 10 for place in range(digits)]
    rows = [written[start : start + a_row] for start in range(0, digits, a_row)]
    for y, row in enumerate(rows):
        for x, digit in enumerate(row):
            cell = np.array([(x + 0.5) / len(row), (y + 0.5) / len(rows)])
            middle = cell * (WIDTH, HEIGHT) + MARGIN
            strokes = handwriting.write(digit, rng)
            pairs = [np.stack([stroke[:-1], stroke[1:]], axis=1) for stroke in strokes]
            board.draw(np.concatenate(pairs) * height + middle, height)
    text = "\n".join("".join(map(str, row)) for row in rows)
    weather = Weather(rng, WIDTH, HEIGHT, FPS)
    index = 0
    while True:
        yield Frame(weather.look(board.picture, index), text)
        index += 1
