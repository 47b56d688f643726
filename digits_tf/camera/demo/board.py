"""The board, the hand that writes on it, and the camera that looks at it."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from digits_tf.camera.demo.chalk import Board
from digits_tf.camera.demo.weather import MARGIN, Weather
from digits_tf.synthetic import handwriting

WIDTH, HEIGHT = 1280, 720
FPS = 30.0
# Frames: for each digit, then for the whole number. The ten digits of a turn take 17 s.
_WRITING = 15
_HOLDING, _WIPING, _PAUSE = 42, 6, 3
# How the ten digits of a turn fall into numbers.
_LENGTHS = (1, 2, 1, 4, 1, 1)
_DIGIT_HEIGHT = {1: 400, 2: 330, 3: 280, 4: 260}  # pixels, by the digits of a number
_ADVANCE = 0.82  # from one digit to the next, as a share of its height
_SHIFT = {1: (220, 70), 2: (160, 80), 3: (120, 90), 4: (90, 100)}  # pixels off the middle
# A hand trembles about nine times a second, by some pixels.
_TREMBLES_PER_DIGIT, _TREMBLE = 4.5, 0.007


class Shot(NamedTuple):
    """What the camera sees at one instant.

    Attributes:
        picture: uint8 (720, 1280, 3), BGR; its own array.
        text: what stands on the board; None while it is written or wiped.
    """

    picture: np.ndarray
    text: str | None


def shots(seed: int = 0) -> Iterator[Shot]:
    """Chalks the ten digits, singly and as numbers, then again in another order, for ever.

    Shot n shows the instant n / FPS and depends on the seed alone.

    Args:
        seed: another seed is another order in another hand.
    """
    board = Board(np.random.default_rng((seed, 0)), WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN)
    weather = Weather(np.random.default_rng((seed, 3)), WIDTH, HEIGHT, FPS)
    for index, text in enumerate(_write(board, seed)):
        yield Shot(weather.look(board.picture, index), text)


def _write(board: Board, seed: int) -> Iterator[str | None]:
    """Changes the board from one instant to the next and says what stands on it."""
    for turn in itertools.count():
        rng = np.random.default_rng((seed, 1, turn))
        digits, start = rng.permutation(10), 0
        for length in rng.permutation(_LENGTHS):
            number = digits[start : start + length].tolist()
            start += length
            hand = np.random.default_rng((seed, 2, turn, start))
            for way in _ways(number, hand):
                for part in np.array_split(way, _WRITING):
                    board.draw(part, _DIGIT_HEIGHT[length])
                    yield None
            for _ in range(_HOLDING):
                yield "".join(map(str, number))
            for step in range(1, _WIPING + 1):
                board.wipe(step / _WIPING)
                yield None
            for _ in range(_PAUSE):
                yield ""


def _ways(number: list[int], rng: np.random.Generator) -> list[np.ndarray]:
    """The ways of the chalk for each digit, float64 (n, 2, 2): from and to, x and y in pixels."""
    length = len(number)
    height = _DIGIT_HEIGHT[length] * rng.uniform(0.9, 1.1)
    middle = np.array([WIDTH / 2, HEIGHT / 2]) + rng.uniform(-1, 1, 2) * _SHIFT[length] + MARGIN
    ways = []
    for place, digit in enumerate(number):
        # No hand keeps the line to the pixel.
        offset = [(place - (length - 1) / 2) * _ADVANCE, rng.normal(0.0, 0.02)]
        strokes = [_tremble(stroke, rng) + offset for stroke in handwriting.write(digit, rng)]
        pairs = [np.stack([stroke[:-1], stroke[1:]], axis=1) for stroke in strokes]
        ways.append(np.concatenate(pairs) * height + middle)
    return ways


def _tremble(stroke: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    phase = rng.uniform(0, 2 * np.pi, 2) + np.linspace(
        0, 2 * np.pi * _TREMBLES_PER_DIGIT, len(stroke)
    ).reshape(-1, 1)
    return stroke + _TREMBLE * np.sin(phase)
