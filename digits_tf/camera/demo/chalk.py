"""Chalk on a board."""

import cv2
import numpy as np

# Shares of a digit's height; single touches are within, a stroke is near the mean.
_CHALK_WIDTH = (0.055, 0.125)
_BOARD = np.array([62, 74, 56], np.float32)  # B, G, R
_CHALK = np.array([244, 250, 252], np.float32)
# What the sponge leaves, of this digit and of those before it: adds up to 0.13 at most.
_SMEAR, _FADING = 0.05, 0.6
_SUBPIXEL_BITS = 4
_SOFT = 3.5  # pixels by which the edge of a stroke is blurred, and how far that reaches
_REACH = 12


class Board:
    """What is on the board.

    Args:
        rng: decides its texture.
        width: pixels.
        height: pixels.

    Attributes:
        picture: uint8 (height, width, 3), BGR, the board as it is now.
    """

    def __init__(self, rng: np.random.Generator, width: int, height: int):
        self._rng = rng
        self._width = sum(_CHALK_WIDTH) / 2
        self._bare = _bare_board(rng, width, height)
        self._grain = _grain(rng, width, height)
        self._smear = np.zeros((height, width, 1), np.float32)
        self._ink = np.zeros((height, width), np.uint8)
        self.picture = self._bare.astype(np.uint8)

    def draw(self, way: np.ndarray, digit_height: float) -> None:
        """Chalks lines.

        Args:
            way: float64 (n, 2, 2), from and to, x and y in pixels.
            digit_height: pixels; large digits are written with the broad side.
        """
        for start, end in np.round(way * 2**_SUBPIXEL_BITS).astype(int).tolist():
            # The chalk rolls in the hand.
            self._width = 0.9 * self._width + 0.1 * self._rng.uniform(*_CHALK_WIDTH)
            width = round(self._width * digit_height)
            cv2.line(self._ink, start, end, 255, width, cv2.LINE_AA, _SUBPIXEL_BITS)
        around = round(_CHALK_WIDTH[1] * digit_height)
        low = way.min(axis=(0, 1)).astype(int) - around
        high = way.max(axis=(0, 1)).astype(int) + around
        self._show((*low.tolist(), *high.tolist()), 1.0)

    def wipe(self, share: float) -> None:
        """Takes a share of the chalk off, 0 to 1; at 1 a trace stays and new chalk may come."""
        if share < 1.0:
            x, y, w, h = cv2.boundingRect(self._ink)
            self._show((x, y, x + w, y + h), 1.0 - share)
        else:
            soft = cv2.GaussianBlur(self._ink, (0, 0), 12)[..., None] / np.float32(255)
            self._smear = self._smear * _FADING + _SMEAR * soft
            self._ink[:] = 0
            self.picture = (self._bare + (_CHALK - self._bare) * self._smear).astype(np.uint8)

    def _show(self, changed: tuple[int, int, int, int], strength: float) -> None:
        """Draws a part of the board, given by its left, upper, right and lower edge."""
        # The whole of it is too slow for a Pi. What lies beside the part shines into it.
        left, top, right, bottom = changed
        part = self._slices(left - _REACH, top - _REACH, right + _REACH, bottom + _REACH)
        wide = self._slices(
            left - 2 * _REACH, top - 2 * _REACH, right + 2 * _REACH, bottom + 2 * _REACH
        )
        soft = cv2.GaussianBlur(self._ink[wide], (0, 0), _SOFT)
        rows, columns = (
            slice(inner.start - outer.start, inner.stop - outer.start)
            for inner, outer in zip(part, wide, strict=True)
        )
        grain, ground = self._grain[part], self._bare[part]
        ground = ground + (_CHALK - ground) * self._smear[part]
        # Inside a stroke all is chalk; towards its edge the grain of the board shows through.
        cover = (soft[rows, columns, None] / np.float32(255) - 0.1 - 0.7 * grain) * 5
        cover = np.clip(cover, 0.0, 1.0) * np.float32(strength)
        chalk = _CHALK * (1.0 - 0.12 * grain)
        self.picture[part] = (ground + (chalk - ground) * cover).astype(np.uint8)

    def _slices(self, left: int, top: int, right: int, bottom: int) -> tuple[slice, slice]:
        height, width = self._ink.shape
        return slice(max(0, top), min(height, bottom)), slice(max(0, left), min(width, right))


def _bare_board(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Clouds of old dust, a fine grain and darker corners, float32 (height, width, 3)."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    light = 1.05 - 0.18 * (x * x + y * y)
    clouds = 0.85 + 0.3 * _noise(rng, 60.0, width, height)
    grain = 0.94 + 0.12 * _noise(rng, 0.8, width, height)
    return _BOARD * (light * clouds * grain)[..., None]


def _grain(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """How deep the pores of the board are, 0 to 1, float32 (height, width, 1)."""
    grain = 0.6 * _noise(rng, 1.0, width, height) + 0.4 * _noise(rng, 2.5, width, height)
    return np.clip((grain - 0.25) * 2, 0.0, 1.0)[..., None]


def _noise(rng: np.random.Generator, size: float, width: int, height: int) -> np.ndarray:
    """Smooth noise from 0 to 1, float32 (height, width), with grains of about `size` pixels."""
    # Coarse noise is drawn small and enlarged: a wide blur of a full frame takes long.
    step = max(1, int(size / 4))
    small = rng.random((height // step, width // step), np.float32)
    small = cv2.GaussianBlur(small, (0, 0), size / step)
    wide = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.normalize(wide, None, 0.0, 1.0, cv2.NORM_MINMAX)
