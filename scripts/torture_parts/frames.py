"""Frames of any shape with any noise, still and live."""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf.detection.candidates import MOST_A_LEVEL, MOST_DETECTIONS
from digits_tf.detection.pyramid import level_sizes
from digits_tf.recognition import Digit, Recognizer
from digits_tf.synthetic.textures import noise
from torture_parts import Trial

COUNT, SECONDS, MEGABYTES = 2_000, 5.0, 2000

_Frame = NDArray[np.uint8]
_MOST_PIXELS = 3_000_000
_LIVE_FRAMES = 4


def start(folder: Path) -> Trial:
    """Prepares the trials."""
    cv2.setNumThreads(1)
    recognizer = Recognizer.load()

    def trial(rng: np.random.Generator) -> tuple[str, str]:
        shape = _shape(rng)
        draw = _DRAWN[int(rng.integers(len(_DRAWN)))]
        live = rng.random() < 0.5
        most, slowest = 0, 0.0
        for _ in range(_LIVE_FRAMES if live else 1):
            frame = _coloured(rng, draw(rng, shape))
            np.save(folder / "frame.npy", frame)
            begin = time.process_time()
            digits = recognizer.read(frame, live=live)
            slowest = max(slowest, time.process_time() - begin)
            _check(digits, frame, live)
            most = max(most, len(digits))
        return f"{draw.__name__[1:]}, {'live' if live else 'still'}", (
            f"at most {_class(most, 10, 100, 500, MOST_DETECTIONS)} digits, "
            f"{_class(1000 * slowest, 100, 1000, 5000)} ms"
        )

    return trial


def _class(value: float, *ends: int) -> int:
    return next((end for end in ends if value <= end), 10 * ends[-1])


def _check(digits: list[Digit], frame: _Frame, live: bool) -> None:
    height, width = frame.shape[:2]
    if len(digits) > min(MOST_DETECTIONS, MOST_A_LEVEL * len(level_sizes(frame.shape, live))):
        raise AssertionError(f"{len(digits)} digits")
    for digit in digits:
        x, y, w, h = digit.box
        if not (0 <= x < x + w <= width and 0 <= y < y + h <= height):
            raise AssertionError(f"{digit.box} in {frame.shape}")
        rows = digit.probabilities
        if not np.isfinite(rows).all() or rows.min() < 0 or rows.sum() > 1.01:
            raise AssertionError(f"probabilities {rows}")
        if not 0 <= digit.confidence <= 1 or digit.label not in (None, *range(10)):
            raise AssertionError(f"{digit}")
        if digit.crop.shape != (28, 28) or digit.crop.dtype != np.uint8:
            raise AssertionError(f"a crop {digit.crop.shape}")


def _shape(rng: np.random.Generator) -> tuple[int, int]:
    """Height and width: usual ones, any, and strips of one pixel."""
    kind = rng.random()
    if kind < 0.3:
        usual = ((480, 640), (720, 1280), (1080, 1920), (640, 480), (28, 28))
        return usual[int(rng.integers(len(usual)))]
    low, high = (0.0, 3.3) if kind < 0.9 else (0.0, 5.0)
    height, width = (max(1, int(10 ** rng.uniform(low, high))) for _ in range(2))
    return height, max(1, min(width, _MOST_PIXELS // height))


def _coloured(rng: np.random.Generator, grey: _Frame) -> _Frame:
    """A frame of one, three or four channels, at times a view with gaps."""
    kind = int(rng.integers(5))
    if kind == 0:
        return grey[..., None]
    if kind == 1:
        return np.dstack([grey] * 4)
    if kind == 2:
        return np.repeat(grey, 2, axis=1)[:, ::2]
    if kind == 3:
        return np.dstack([grey, np.roll(grey, 1, 1), 255 - grey])
    return grey


def _scaled(field: NDArray[np.floating]) -> _Frame:
    result: _Frame = np.clip(field, 0, 255).astype(np.uint8)
    return result


def _grain(rng: np.random.Generator, shape: tuple[int, int]) -> _Frame:
    return rng.integers(0, 256, shape).astype(np.uint8)


def _clouds(rng: np.random.Generator, shape: tuple[int, int]) -> _Frame:
    sigma = float(np.exp(rng.uniform(-1, 3)))
    return _scaled(127 + rng.choice([20, 60, 900]) * noise(rng, shape, sigma))


def _specks(rng: np.random.Generator, shape: tuple[int, int]) -> _Frame:
    specks = (rng.random(shape) < 10 ** rng.uniform(-4, -0.5)).astype(np.uint8) * 255
    side = int(rng.integers(1, 9))
    specks = cv2.dilate(specks, np.ones((side, int(rng.integers(1, 9))), np.uint8))
    result: _Frame = 255 - specks if rng.random() < 0.5 else specks
    return result


def _stripes(rng: np.random.Generator, shape: tuple[int, int]) -> _Frame:
    rows, columns = (np.arange(side) for side in shape)
    waves = np.sin(rows * rng.uniform(0, 2))[:, None] + np.sin(columns * rng.uniform(0, 2))[None]
    return _scaled(127 + rng.uniform(10, 200) * waves)


def _flat(rng: np.random.Generator, shape: tuple[int, int]) -> _Frame:
    return np.full(shape, rng.integers(256), np.uint8)


def _digits(rng: np.random.Generator, shape: tuple[int, int]) -> _Frame:
    """As many digits as there is room for: the most that can be found."""
    side = int(10 ** rng.uniform(0.9, 2))
    cells = []
    for digit in "0123456789":
        cell = np.full((2 * side, 2 * side), 230, np.uint8)
        place, thick = (side // 3, int(1.8 * side)), max(1, side // 6)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(cell, digit, place, font, side / 14, 30, thick, cv2.LINE_AA)
        cells.append(cv2.resize(cell, (side, side), interpolation=cv2.INTER_AREA))
    rows, columns = -(-shape[0] // side), -(-shape[1] // side)
    grid = np.array(cells)[rng.integers(10, size=(rows, columns))]
    page = grid.transpose(0, 2, 1, 3).reshape(rows * side, columns * side)
    result: _Frame = np.ascontiguousarray(page[: shape[0], : shape[1]])
    return result


def _patchwork(rng: np.random.Generator, shape: tuple[int, int]) -> _Frame:
    """Something on the left, something else on the right."""
    one, other = (_DRAWN[int(rng.integers(len(_DRAWN) - 1))](rng, shape) for _ in range(2))
    column = int(rng.integers(shape[1] + 1))
    return np.hstack([one[:, :column], other[:, column:]])


_DRAWN: tuple[Callable[[np.random.Generator, tuple[int, int]], _Frame], ...] = (
    *(_grain, _clouds, _specks, _stripes, _flat, _digits, _patchwork),
)
