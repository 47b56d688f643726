"""Synthetic frames in files, and the windows of them that the detector is trained on."""

import concurrent.futures
import dataclasses
import functools
import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf import files, runtime
from digits_tf.detection import BLOCK, CELL, PACKED, WINDOW
from digits_tf.detection.pyramid import COARSEST
from digits_tf.detection.targets import TARGETS, targets
from digits_tf.errors import DigitsError
from digits_tf.images import start_worker
from digits_tf.synthetic.assets import Assets
from digits_tf.synthetic.canvas import Frame, within
from digits_tf.synthetic.frames import frame

# Shapes of one window and of its targets, as the network has them.
PICTURE_SHAPE = (WINDOW, WINDOW // PACKED, PACKED)
TARGET_SHAPE = (WINDOW // (CELL * BLOCK), WINDOW // (CELL * BLOCK), BLOCK**2 * TARGETS)

_FRAMES_PER_FILE = 200
# Share of the windows with a digit about their middle, of frames that have digits: bare paper
# teaches little.
_AT_A_DIGIT = 0.75
# A frame with a digit of this share of its shorter side is taken so many times as often: such
# digits are rare, and what people show a camera.
_LARGE, _LARGE_REPEATS = 0.3, 4
# Share of the windows that show a frame as the coarsest level does, on which a digit fills it.
_COARSEST_SHARE = 0.2
# By how much a frame is shrunk or enlarged for the other windows: each digit is seen at several
# sizes.
_ZOOM = (0.5, 1.35)
# Share of the windows that are inverted; how much lighter or darker they get, as the deviation of
# the logarithm, and at most.
_INVERTED = 0.12
_LOG_GAIN, _MAX_GAIN = 0.25, 1.6


@dataclasses.dataclass(frozen=True)
class Source:
    """What frames are made of.

    Attributes:
        images: uint8 (n, 28, 28), MNIST's training digits.
        labels: (n,), 0 to 9.
        assets: fonts and photographs, or None.
        seed: other numbers give other frames.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    assets: Assets | None
    seed: tuple[int, ...]


def make(folder: Path, count: int, source: Source) -> list[Path]:
    """Makes frames on all cores, in files of 200; files that are there already are kept.

    Args:
        folder: gets the files.
        count: how many frames at least.
        source: what they are made of.

    Returns:
        The files, uncompressed .npz.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count_of_files = -(-count // _FRAMES_PER_FILE)
    paths = [folder / f"frames-{number:04d}.npz" for number in range(count_of_files)]
    missing = [(number, path) for number, path in enumerate(paths) if not path.is_file()]
    if not missing:
        return paths
    with (
        runtime.bar(len(missing) * _FRAMES_PER_FILE, "frames", unit="frames") as bar,
        concurrent.futures.ProcessPoolExecutor(os.cpu_count(), initializer=start_worker) as pool,
    ):
        for _ in pool.map(functools.partial(_write, source=source), missing):
            bar.update(_FRAMES_PER_FILE)
    return paths


def _write(numbered: tuple[int, Path], source: Source) -> None:
    """Makes the frames of one file, a number and its path."""
    number, path = numbered
    frames = [
        frame(
            np.random.default_rng((*source.seed, number, place)),
            source.images,
            source.labels,
            source.assets,
        )
        for place in range(_FRAMES_PER_FILE)
    ]
    with files.replacing(path) as beside:
        np.savez(
            beside,
            shapes=np.array([each.image.shape for each in frames], np.int32),
            counts=np.array([len(each.boxes) for each in frames], np.int32),
            pixels=np.concatenate([each.image.ravel() for each in frames]),
            boxes=np.concatenate([each.boxes for each in frames]),
            labels=np.concatenate([each.labels for each in frames]),
        )


# What comes of a damaged file, or of arrays that do not belong together.
_DAMAGES = (
    *(AttributeError, EOFError, LookupError, MemoryError, OSError, TypeError, ValueError),
    zipfile.BadZipFile,
)


def load(paths: Sequence[Path]) -> list[Frame]:
    """Reads the frames of files that `make` wrote.

    Raises:
        DigitsError: if a file is damaged.
    """
    frames = []
    for path in paths:
        try:
            # Opened here, as numpy leaves a damaged file open.
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                shapes, counts = file["shapes"], file["counts"]
                pixels, boxes, labels = file["pixels"], file["boxes"], file["labels"]
            ends = np.cumsum(shapes.prod(axis=1))
            stops = np.cumsum(counts)
            for shape, end, count, stop in zip(shapes, ends, counts, stops, strict=True):
                image = pixels[end - shape.prod() : end].reshape(shape)
                frames.append(Frame(image, boxes[stop - count : stop], labels[stop - count : stop]))
        except _DAMAGES as error:
            raise DigitsError(f"{path}: damaged ({error}): delete it and start again") from error
    return frames


def batches(
    frames: Sequence[Frame], batch_size: int, steps: int, seed: tuple[int, ...]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """The windows of an epoch.

    Args:
        frames: to take them from, each about as often as the others.
        batch_size: windows a batch.
        steps: batches.
        seed: of the epoch; decides everything.

    Yields:
        Pictures, uint8 (batch_size, 160, 40, 4), and their targets, float32 (batch_size, 20, 20,
        24).
    """
    rng = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(len(frames)), [_repeats(each) for each in frames])
    passes = -(-batch_size * steps // len(numbers))
    order = np.concatenate([rng.permutation(numbers) for _ in range(passes)])
    for step in range(steps):
        pictures = np.empty((batch_size, WINDOW, WINDOW), np.uint8)
        wanted = np.empty((batch_size, *TARGET_SHAPE), np.float32)
        for place in range(batch_size):
            chosen = frames[order[step * batch_size + place]]
            pictures[place], boxes, labels = _window(rng, chosen)
            wanted[place] = targets(boxes, labels, (WINDOW, WINDOW))
        yield pictures.reshape(batch_size, *PICTURE_SHAPE), wanted


def _repeats(of: Frame) -> int:
    """How often a frame is taken."""
    is_large = of.boxes[:, 3] > _LARGE * min(of.image.shape)
    return _LARGE_REPEATS if is_large.any() else 1


def _window(
    rng: np.random.Generator, chosen: Frame
) -> tuple[NDArray[np.uint8], NDArray[np.floating], NDArray[np.integer]]:
    """A window of a frame, lighter or darker, at times inverted.

    Returns:
        uint8 (160, 160), and the boxes and labels in it, as `Frame` has them.
    """
    height, width = chosen.image.shape
    shows_whole = rng.random() < _COARSEST_SHARE
    zoom = COARSEST / height if shows_whole else np.exp(rng.uniform(*np.log(_ZOOM)))
    side = round(WINDOW / zoom)
    if len(chosen.boxes) and rng.random() < _AT_A_DIGIT:
        x, y, w, h = chosen.boxes[rng.integers(len(chosen.boxes))]
        # Within a third of the window's side it is still in the window.
        middle = np.array([x + w / 2, y + h / 2]) + rng.uniform(-side / 3, side / 3, 2)
    else:
        middle = rng.random(2) * (width, height)
    left, top = (
        int(np.clip(at - side / 2, min(0, length - side), max(0, length - side)))
        for at, length in zip(middle, (width, height), strict=True)
    )
    left, top = max(0, left), max(0, top)
    part = chosen.image[top : top + side, left : left + side]
    # A level that is smaller than a window is padded on the right and below; see `detector`.
    below, right = side - part.shape[0], side - part.shape[1]
    part = cv2.copyMakeBorder(part, 0, below, 0, right, cv2.BORDER_REPLICATE)
    interpolation = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    picture = cv2.resize(part, (WINDOW, WINDOW), interpolation=interpolation)
    boxes = (chosen.boxes - [left, top, 0, 0]) * (WINDOW / side)
    boxes, labels = within(boxes, chosen.labels, (WINDOW, WINDOW))
    gain = min(np.exp(rng.normal(0, _LOG_GAIN)), _MAX_GAIN)
    if rng.random() < _INVERTED:
        picture = 255 - picture
    return cv2.convertScaleAbs(picture, alpha=gain), boxes, labels
