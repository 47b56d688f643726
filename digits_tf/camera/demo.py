"""A board on which the program writes numbers in chalk, to try everything without a camera."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf.camera.sources.base import Frame, Source
from digits_tf.synthetic import handwriting

WIDTH, HEIGHT = 1280, 720
FPS = 30.0
# The camera shakes by at most so many pixels: the board must be larger by them on each side.
SHAKE_MARGIN = 6

# Frames to write each digit, then to show, wipe and wait after each number. The ten digits of a
# round take 17 s.
_WRITING, _SHOWING, _WIPING, _WAITING = 15, 42, 6, 3
# How the ten digits of a round are divided into numbers.
_LENGTHS = (1, 2, 1, 4, 1, 1)
# By the length of a number: the height of its digits, and how far it may be off the middle in x
# and y; pixels.
_DIGIT_HEIGHT = {1: 400, 2: 330, 3: 280, 4: 260}
_OFFSET = {1: (220, 70), 2: (160, 80), 3: (120, 90), 4: (90, 100)}
_ADVANCE = 0.82  # from one digit to the next, as a share of its height
# A hand trembles about nine times a second, by some pixels.
_TREMBLES_PER_DIGIT, _TREMBLE = 4.5, 0.007

# The width of strokes varies within this range, as a share of a digit's height.
_CHALK_WIDTH = (0.055, 0.125)
_BOARD_COLOUR = np.array([62, 74, 56], np.float32)  # B, G, R
_CHALK_COLOUR = np.array([244, 250, 252], np.float32)
# How much chalk wiping leaves, and how much of that the next wiping leaves: at most 0.13 in all.
_SMEAR, _SMEAR_LEFT = 0.05, 0.6
_SUBPIXEL_BITS = 4
_BLUR, _BLUR_REACH = 3.5, 12  # of a stroke's edge, pixels

_SHAKE, _SHAKE_HZ = 2.0, 3.0  # standard deviation in pixels, greatest frequency
_SHAKE_PERIOD_S = 60  # after which the shaking repeats
# The light has no edges, so that this resolution is enough.
_LIGHT_SIZE = (32, 18)
_LIGHT_UNIT = 128  # 1.0 in the light's 8 bits
_NOISE = 4.0  # grey levels, standard deviation
_NOISE_SHIFT = 64  # pixels


class DemoFrame(NamedTuple):
    """What the camera sees at one instant.

    Attributes:
        picture: uint8 (720, 1280, 3), BGR; its own array.
        text: what the board shows; None while it is being written or wiped.
    """

    picture: NDArray[np.uint8]
    text: str | None


class Demo(Source):
    """The frames of `frames`, without end."""

    fps: float = FPS
    description = f"demo: a board of {WIDTH}x{HEIGHT} on which the program writes"

    def __init__(self) -> None:
        self._frames, self._count = frames(), 0

    def read(self, timeout: float) -> Frame:
        """Returns the next frame."""
        self._count += 1
        return Frame(next(self._frames).picture, (self._count - 1) / FPS)


def frames(seed: int = 0) -> Iterator[DemoFrame]:
    """Writes the ten digits, alone and as numbers, then again in another order, without end.

    Frame n shows the time n / FPS and depends on the seed only.

    Args:
        seed: decides the order and the handwriting.
    """
    board = Board(
        np.random.default_rng((seed, 0)), WIDTH + 2 * SHAKE_MARGIN, HEIGHT + 2 * SHAKE_MARGIN
    )
    effects = CameraEffects(np.random.default_rng((seed, 3)), WIDTH, HEIGHT, FPS)
    for index, text in enumerate(_write(board, seed)):
        yield DemoFrame(effects.apply(board.picture, index), text)


def _write(board: "Board", seed: int) -> Iterator[str | None]:
    """Changes the board from one frame to the next and yields the text on it."""
    for turn in itertools.count():
        rng = np.random.default_rng((seed, 1, turn))
        digits, start = rng.permutation(10), 0
        for length in rng.permutation(_LENGTHS):
            number = digits[start : start + length].tolist()
            start += length
            hand = np.random.default_rng((seed, 2, turn, start))
            for segments in _segments(number, hand):
                for part in np.array_split(segments, _WRITING):
                    board.draw(part, _DIGIT_HEIGHT[length])
                    yield None
            for _ in range(_SHOWING):
                yield "".join(map(str, number))
            for step in range(1, _WIPING + 1):
                board.wipe(step / _WIPING)
                yield None
            for _ in range(_WAITING):
                yield ""


def _segments(number: list[int], rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Returns each digit as line segments, (n, 2, 2): from and to, x and y in pixels."""
    length = len(number)
    height = _DIGIT_HEIGHT[length] * rng.uniform(0.9, 1.1)
    middle = np.array([WIDTH / 2, HEIGHT / 2]) + rng.uniform(-1, 1, 2) * _OFFSET[length]
    digits = []
    for place, digit in enumerate(number):
        # No hand writes exactly on the line.
        offset = [(place - (length - 1) / 2) * _ADVANCE, rng.normal(0.0, 0.02)]
        strokes = [_tremble(stroke, rng) + offset for stroke in handwriting.write(digit, rng)]
        pairs = [np.stack([stroke[:-1], stroke[1:]], axis=1) for stroke in strokes]
        digits.append(np.concatenate(pairs) * height + (middle + SHAKE_MARGIN))
    return digits


def _tremble(stroke: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    phase = rng.uniform(0, 2 * np.pi, 2) + np.linspace(
        0, 2 * np.pi * _TREMBLES_PER_DIGIT, len(stroke)
    ).reshape(-1, 1)
    return stroke + _TREMBLE * np.sin(phase)


class Board:
    """A blackboard and the chalk on it.

    Args:
        rng: decides the texture.
        width: pixels.
        height: pixels.

    Attributes:
        picture: uint8 (height, width, 3), BGR, the board as it is now.
    """

    def __init__(self, rng: np.random.Generator, width: int, height: int):
        self._rng = rng
        self._chalk_width = sum(_CHALK_WIDTH) / 2
        self._bare = _bare_board(rng, width, height)
        self._grain = _grain(rng, width, height)
        self._smear = np.zeros((height, width, 1), np.float32)
        self._chalk = np.zeros((height, width), np.uint8)
        self.picture = self._bare.astype(np.uint8)

    def draw(self, segments: NDArray[np.float64], digit_height: float) -> None:
        """Draws line segments in chalk.

        Args:
            segments: (n, 2, 2), from and to, x and y in pixels.
            digit_height: pixels; larger digits have wider strokes.
        """
        for start, end in np.round(segments * 2**_SUBPIXEL_BITS).astype(int).tolist():
            # The chalk turns in the hand.
            self._chalk_width = 0.9 * self._chalk_width + 0.1 * self._rng.uniform(*_CHALK_WIDTH)
            width = round(self._chalk_width * digit_height)
            cv2.line(self._chalk, start, end, 255, width, cv2.LINE_AA, _SUBPIXEL_BITS)
        reach = round(_CHALK_WIDTH[1] * digit_height)
        left, top = (segments.min(axis=(0, 1)).astype(int) - reach).tolist()
        right, bottom = (segments.max(axis=(0, 1)).astype(int) + reach).tolist()
        self._show(left, top, right, bottom, 1.0)

    def wipe(self, share: float) -> None:
        """Wipes a share of the chalk off, 0 to 1; after 1, a trace stays and new chalk may come."""
        if share < 1.0:
            x, y, w, h = cv2.boundingRect(self._chalk)
            self._show(x, y, x + w, y + h, 1.0 - share)
        else:
            soft = cv2.GaussianBlur(self._chalk, (0, 0), 12)[..., None] / np.float32(255)
            self._smear = self._smear * _SMEAR_LEFT + _SMEAR * soft
            self._chalk[:] = 0
            smeared = self._bare + (_CHALK_COLOUR - self._bare) * self._smear
            self.picture = smeared.astype(np.uint8)

    def _show(self, left: int, top: int, right: int, bottom: int, strength: float) -> None:
        """Draws a part of the board; all of it would take a Pi too long."""
        reach = _BLUR_REACH
        part = self._slices(left - reach, top - reach, right + reach, bottom + reach)
        # The blur takes in what is beside the part.
        reach *= 2
        wide = self._slices(left - reach, top - reach, right + reach, bottom + reach)
        soft = cv2.GaussianBlur(self._chalk[wide], (0, 0), _BLUR)
        rows, columns = (
            slice(inner.start - outer.start, inner.stop - outer.start)
            for inner, outer in zip(part, wide, strict=True)
        )
        grain, ground = self._grain[part], self._bare[part]
        ground = ground + (_CHALK_COLOUR - ground) * self._smear[part]
        # Chalk covers a stroke's inside fully; at its edge the grain of the board shows through.
        cover = (soft[rows, columns, None] / np.float32(255) - 0.1 - 0.7 * grain) * 5
        cover = np.clip(cover, 0.0, 1.0) * np.float32(strength)
        chalk = _CHALK_COLOUR * (1.0 - 0.12 * grain)
        self.picture[part] = (ground + (chalk - ground) * cover).astype(np.uint8)

    def _slices(self, left: int, top: int, right: int, bottom: int) -> tuple[slice, slice]:
        height, width = self._chalk.shape
        return slice(max(0, top), min(height, bottom)), slice(max(0, left), min(width, right))


def _bare_board(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """Returns clouds of old dust, a fine grain and darker corners, (height, width, 3)."""
    x, y = np.meshgrid(*(np.linspace(-1, 1, side, dtype=np.float32) for side in (width, height)))
    light = 1.05 - 0.18 * (x * x + y * y)
    clouds = 0.85 + 0.3 * _noise(rng, 60.0, width, height)
    grain = 0.94 + 0.12 * _noise(rng, 0.8, width, height)
    board: NDArray[np.float32] = _BOARD_COLOUR * (light * clouds * grain)[..., None]
    return board


def _grain(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """Returns the depth of the board's pores, 0 to 1, (height, width, 1)."""
    grain = 0.6 * _noise(rng, 1.0, width, height) + 0.4 * _noise(rng, 2.5, width, height)
    grain = np.clip((grain - 0.25) * 2, 0.0, 1.0)
    return grain[..., None]


def _noise(rng: np.random.Generator, size: float, width: int, height: int) -> NDArray[np.float32]:
    """Returns smooth noise from 0 to 1, (height, width), with grains of about `size` pixels."""
    # Coarse noise is made small and enlarged, as a wide blur of a full frame takes long.
    step = max(1, int(size / 4))
    small = rng.random((height // step, width // step), np.float32)
    small = cv2.GaussianBlur(small, (0, 0), size / step)
    noise: NDArray[np.float32] = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    cv2.normalize(noise, noise, 0.0, 1.0, cv2.NORM_MINMAX)
    return noise


class CameraEffects:
    """What a real camera adds to a picture: changing light, a shaking hand, noise.

    A picture depends only on the generator's state at the start and on its index.

    Args:
        rng: decides the shaking and the noise.
        width: pixels of the pictures.
        height: pixels.
        fps: pictures per second.
    """

    def __init__(self, rng: np.random.Generator, width: int, height: int, fps: float):
        self._size, self._fps = (width, height), fps
        self._shifts = _shake(rng, round(_SHAKE_PERIOD_S * fps), fps)
        shape = (height + _NOISE_SHIFT, width + _NOISE_SHIFT, 3)
        self._noise = rng.normal(_NOISE * 3, _NOISE, shape).clip(0, 255).astype(np.uint8)
        self._noise_shifts = rng.integers(0, _NOISE_SHIFT, (len(self._shifts), 2))
        self._x, self._y = np.meshgrid(*(np.linspace(-1, 1, side) for side in _LIGHT_SIZE))

    def apply(self, board: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
        """Takes a picture of the board.

        Args:
            board: uint8 (height + 2 * SHAKE_MARGIN, width + 2 * SHAKE_MARGIN, 3).
            index: of the picture, from 0.

        Returns:
            uint8 (height, width, 3).
        """
        width, height = self._size
        turn = index % len(self._shifts)
        x, y = (SHAKE_MARGIN + self._shifts[turn]).tolist()
        seen = board[y : y + height, x : x + width]
        # In 8 bits, as a Pi has only a frame's time for all of this.
        picture: NDArray[np.uint8]
        picture = cv2.multiply(seen, self._light(index / self._fps), scale=1 / _LIGHT_UNIT)
        x, y = self._noise_shifts[turn].tolist()
        noise = self._noise[y : y + height, x : x + width]
        cv2.addWeighted(picture, 1.0, noise, 1.0, -3 * _NOISE, dst=picture)
        return picture

    def _light(self, seconds: float) -> NDArray[np.uint8]:
        """Returns the light of a passing cloud and a moving sun, (height, width, 3)."""
        cloud = np.sin(2.2 * self._x + 0.9 * self._y - 0.9 * seconds)
        sun = np.cos(0.35 * seconds) * self._x
        light = (_LIGHT_UNIT * (0.97 + 0.10 * cloud + 0.10 * sun)).astype(np.uint8)
        merged: NDArray[np.uint8] = cv2.merge([cv2.resize(light, self._size)] * 3)
        return merged


def _shake(rng: np.random.Generator, count: int, fps: float) -> NDArray[np.int64]:
    """Returns where the camera points, (count, 2), x and y in pixels within ±SHAKE_MARGIN."""
    # A sum of low frequencies is smooth and repeats without a jump.
    waves = np.zeros((count // 2 + 1, 2), complex)
    highest = round(count / fps * _SHAKE_HZ)
    waves[1:highest] = rng.normal(size=(highest - 1, 2)) + 1j * rng.normal(size=(highest - 1, 2))
    path = np.fft.irfft(waves, count, axis=0)
    path *= _SHAKE / path.std(axis=0)
    return np.round(path).clip(-SHAKE_MARGIN, SHAKE_MARGIN).astype(np.int64)
