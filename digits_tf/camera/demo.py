"""A board on which a hand chalks digits: shows the whole way where there is no camera."""

import itertools
from collections.abc import Iterator

import cv2
import numpy as np

from digits_tf.camera import handwriting

WIDTH, HEIGHT = 1280, 720
FPS = 30.0
# Frames per digit: 2 s in all, so that ten digits take 20 s.
_WRITING, _HOLDING, _WIPING, _PAUSE = 15, 36, 6, 3
_DIGIT_HEIGHT = 400  # pixels
_CHALK_WIDTH = (22, 50)  # pixels; single touches are within, a stroke is near the mean
_SHIFT = (220, 70)  # pixels that a digit may be off the middle
_BOARD = np.array([62, 74, 56], np.float32)  # B, G, R
_CHALK = np.array([244, 250, 252], np.float32)
# What the sponge leaves, of this digit and of those before it: adds up to 0.13 at most.
_SMEAR, _FADING = 0.05, 0.6
_SUBPIXEL_BITS = 4


def frames(seed: int = 0) -> Iterator[np.ndarray]:
    """Chalks the digits 0 to 9 in a shuffled order, then in another one, for ever.

    Frame n shows the instant n / FPS and depends on the seed alone.

    Args:
        seed: another seed is another order in another hand.

    Yields:
        uint8 (720, 1280, 3), BGR; each its own array.
    """
    board = _Board(np.random.default_rng((seed, 0)))
    for number in itertools.count():
        turn, place = divmod(number, 10)
        digit = int(np.random.default_rng((seed, 1, turn)).permutation(10)[place])
        segments = _segments(digit, np.random.default_rng((seed, 2, number)))
        for part in np.array_split(segments, _WRITING):
            board.draw(part)
            yield board.frame.copy()
        for _ in range(_HOLDING):
            yield board.frame.copy()
        for step in range(1, _WIPING + 1):
            board.wipe(step / _WIPING)
            yield board.frame.copy()
        for _ in range(_PAUSE):
            yield board.frame.copy()


def _segments(digit: int, rng: np.random.Generator) -> np.ndarray:
    """The way of the chalk, float64 (n, 2, 2): from and to, x and y in pixels."""
    strokes = handwriting.write(digit, rng)
    height = _DIGIT_HEIGHT * rng.uniform(0.9, 1.1)
    middle = np.array([WIDTH / 2, HEIGHT / 2]) + rng.uniform(-1, 1, 2) * _SHIFT
    pairs = [np.stack([stroke[:-1], stroke[1:]], axis=1) for stroke in strokes]
    return np.concatenate(pairs) * height + middle


class _Board:
    """What is on the board.

    Args:
        rng: decides its texture.

    Attributes:
        frame: uint8 (720, 1280, 3), the board as it is now.
    """

    def __init__(self, rng: np.random.Generator):
        self._rng = rng
        self._width = sum(_CHALK_WIDTH) / 2
        self._bare = _bare_board(rng)
        self._grain = _grain(rng)
        self._smear = np.zeros((HEIGHT, WIDTH, 1), np.float32)
        self._ink = np.zeros((HEIGHT, WIDTH), np.uint8)
        self.frame = self._bare.astype(np.uint8)

    def draw(self, segments: np.ndarray) -> None:
        """Chalks lines, see `_segments`."""
        for start, end in np.round(segments * 2**_SUBPIXEL_BITS).astype(int).tolist():
            # The chalk rolls in the hand.
            self._width = 0.9 * self._width + 0.1 * self._rng.uniform(*_CHALK_WIDTH)
            width = round(self._width)
            cv2.line(self._ink, start, end, 255, width, cv2.LINE_AA, _SUBPIXEL_BITS)
        self._show(1.0)

    def wipe(self, share: float) -> None:
        """Takes a share of the chalk off, 0 to 1; at 1 a trace stays and new chalk may come."""
        if share < 1.0:
            self._show(1.0 - share)
        else:
            soft = cv2.GaussianBlur(self._ink, (0, 0), 12)[..., None] / np.float32(255)
            self._smear = self._smear * _FADING + _SMEAR * soft
            self._ink[:] = 0
            self.frame = (self._bare + (_CHALK - self._bare) * self._smear).astype(np.uint8)

    def _show(self, strength: float) -> None:
        # Only the part of the board with chalk on it: the whole of it is too slow for a Pi.
        x, y, w, h = cv2.boundingRect(self._ink)
        part = np.s_[max(0, y - 12) : y + h + 12, max(0, x - 12) : x + w + 12]
        bare, grain = self._bare[part], self._grain[part]
        ground = bare + (_CHALK - bare) * self._smear[part]
        soft = cv2.GaussianBlur(self._ink[part], (0, 0), 3.5)[..., None] / np.float32(255)
        # Inside a stroke all is chalk; towards its edge the grain of the board shows through.
        cover = np.clip((soft - 0.1 - 0.7 * grain) * 5, 0.0, 1.0) * np.float32(strength)
        chalk = _CHALK * (1.0 - 0.12 * grain)
        self.frame[part] = (ground + (chalk - ground) * cover).astype(np.uint8)


def _bare_board(rng: np.random.Generator) -> np.ndarray:
    """A board with clouds of old dust, a fine grain and darker corners, float32 (720, 1280, 3)."""
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j].astype(np.float32)
    light = 1.05 - 0.18 * (x * x + y * y)
    clouds = 0.85 + 0.3 * _noise(rng, 60.0)
    grain = 0.94 + 0.12 * _noise(rng, 0.8)
    return _BOARD * (light * clouds * grain)[..., None]


def _grain(rng: np.random.Generator) -> np.ndarray:
    """How deep the pores of the board are, 0 to 1, float32 (720, 1280, 1)."""
    grain = 0.6 * _noise(rng, 1.0) + 0.4 * _noise(rng, 2.5)
    return np.clip((grain - 0.25) * 2, 0.0, 1.0)[..., None]


def _noise(rng: np.random.Generator, size: float) -> np.ndarray:
    """Smooth noise from 0 to 1, float32 (720, 1280), with grains of about `size` pixels."""
    # Coarse noise is drawn small and enlarged: a wide blur of a full frame takes long.
    step = max(1, int(size / 4))
    small = rng.random((HEIGHT // step, WIDTH // step), np.float32)
    small = cv2.GaussianBlur(small, (0, 0), size / step)
    wide = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return cv2.normalize(wide, None, 0.0, 1.0, cv2.NORM_MINMAX)
