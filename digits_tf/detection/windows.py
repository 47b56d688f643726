"""Made-up frames in files, and the windows that a detector is trained on."""

import concurrent.futures
import dataclasses
import functools
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from digits_tf import files, runtime
from digits_tf.detection.grid import WINDOW
from digits_tf.detection.pyramid import COARSEST
from digits_tf.detection.targets import TARGETS, targets
from digits_tf.images import one_thread
from digits_tf.synthetic.assets import Assets
from digits_tf.synthetic.canvas import Frame, within
from digits_tf.synthetic.frames import frame

# A file of the set holds so many frames.
_SHARD = 200
# Windows with a digit in their middle half, of frames that have digits: bare paper teaches little.
_AT_A_DIGIT = 0.75
# A frame with a digit of this share of its shorter side is taken so many times as often.
_LARGE, _OFTEN = 0.3, 2
# Windows of a frame's coarsest plane.
_COARSEST = 0.2
# By how much a frame is shrunk or enlarged for a window: each digit is seen at several sizes.
_ZOOM = (0.5, 1.35)


@dataclasses.dataclass(frozen=True)
class Source:
    """What frames are made of.

    Attributes:
        images: uint8 (n, 28, 28), MNIST's training digits.
        labels: (n,), 0 to 9.
        world: fonts and photographs, or None.
        seed: others are other frames.
    """

    images: np.ndarray
    labels: np.ndarray
    world: Assets | None
    seed: tuple[int, ...]


def make(folder: Path, count: int, source: Source) -> list[Path]:
    """Makes frames on all cores, in files of 200; those that are there already are kept.

    Args:
        folder: gets the files.
        count: how many frames at least.
        source: what they are made of.

    Returns:
        The files, uncompressed .npz.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"frames-{number:04d}.npz" for number in range(-(-count // _SHARD))]
    missing = [number for number, path in enumerate(paths) if not path.is_file()]
    if not missing:
        return paths
    with (
        runtime.bar(len(missing) * _SHARD, "frames", unit="frames") as bar,
        concurrent.futures.ProcessPoolExecutor(os.cpu_count(), initializer=one_thread) as pool,
    ):
        write = functools.partial(_write, folder=folder, source=source)
        for _ in pool.map(write, missing):
            bar.update(_SHARD)
    return paths


def load(paths: list[Path]) -> list[Frame]:
    """Reads frames.

    Raises:
        ValueError: if a file is damaged.
    """
    frames = []
    for path in paths:
        try:
            # Opened here, as numpy leaves a damaged file open.
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                shapes, counts = file["shapes"], file["counts"]
                pixels, boxes, labels = file["pixels"], file["boxes"], file["labels"]
        except (OSError, KeyError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path}: damaged ({error}): delete it and start again") from error
        ends = np.cumsum(shapes.prod(axis=1))
        stops = np.cumsum(counts)
        for shape, end, count, stop in zip(shapes, ends, counts, stops, strict=True):
            image = pixels[end - shape.prod() : end].reshape(shape)
            frames.append(Frame(image, boxes[stop - count : stop], labels[stop - count : stop]))
    return frames


def batches(
    frames: list[Frame], batch_size: int, steps: int, seed: tuple[int, ...]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Windows of frames, all of an epoch.

    Args:
        frames: to take them from, each about as often as the others.
        batch_size: windows a batch.
        steps: batches.
        seed: of the epoch; decides everything.

    Yields:
        Pictures, uint8 (batch_size, 160, 40, 4), and what is to be answered, float32 (batch_size,
        20, 20, 24).
    """
    rng = np.random.default_rng(seed)
    often = np.repeat(np.arange(len(frames)), [_share(each) for each in frames])
    passes = -(-batch_size * steps // len(often))
    order = np.concatenate([rng.permutation(often) for _ in range(passes)])
    for step in range(steps):
        pictures = np.empty((batch_size, WINDOW, WINDOW), np.uint8)
        wanted = np.empty((batch_size, WINDOW // 8, WINDOW // 8, 4 * TARGETS), np.float32)
        for place in range(batch_size):
            chosen = frames[order[step * batch_size + place]]
            pictures[place], boxes, labels = _window(rng, chosen)
            wanted[place] = targets(boxes, labels, (WINDOW, WINDOW))
        yield pictures.reshape(batch_size, WINDOW, WINDOW // 4, 4), wanted


def _share(of: Frame) -> int:
    """How often a frame is taken: large digits are rare, and what people show a camera."""
    return _OFTEN if (of.boxes[:, 3] > _LARGE * min(of.image.shape)).any() else 1


def _window(rng: np.random.Generator, chosen: Frame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A part of a frame, lighter or darker, at times a negative: picture, boxes, labels."""
    height, width = chosen.image.shape
    # At times as the coarsest plane shows it, on which a digit fills the frame.
    whole = rng.random() < _COARSEST
    zoom = COARSEST / height if whole else np.exp(rng.uniform(*np.log(_ZOOM)))
    side = round(WINDOW / zoom)
    if len(chosen.boxes) and rng.random() < _AT_A_DIGIT:
        x, y, w, h = chosen.boxes[rng.integers(len(chosen.boxes))]
        middle = np.array([x + w / 2, y + h / 2]) + rng.uniform(-side / 3, side / 3, 2)
    else:
        middle = rng.random(2) * (width, height)
    left, top = (
        int(np.clip(at - side / 2, min(0, length - side), max(0, length - side)))
        for at, length in zip(middle, (width, height), strict=True)
    )
    part = chosen.image[max(0, top) : top + side, max(0, left) : left + side]
    if part.shape != (side, side):
        # The plane of a picture is filled up on the right and below; see `detector.Detector`.
        part = cv2.copyMakeBorder(
            part, 0, side - part.shape[0], 0, side - part.shape[1], cv2.BORDER_REPLICATE
        )
        left, top = max(0, left), max(0, top)
    way = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    picture = cv2.resize(part, (WINDOW, WINDOW), interpolation=way)
    scale = WINDOW / side
    boxes, labels = within(
        (chosen.boxes - [left, top, 0, 0]) * scale, chosen.labels, (WINDOW, WINDOW)
    )
    gain = np.exp(rng.normal(0, 0.25))
    if rng.random() < 0.12:
        picture = 255 - picture
    return cv2.convertScaleAbs(picture, alpha=min(gain, 1.6)), boxes, labels


def _write(number: int, folder: Path, source: Source) -> None:
    frames = [
        frame(
            np.random.default_rng((*source.seed, number, place)),
            source.images,
            source.labels,
            source.world,
        )
        for place in range(_SHARD)
    ]
    with files.replacing(folder / f"frames-{number:04d}.npz") as beside:
        np.savez(
            beside,
            shapes=np.array([each.image.shape for each in frames], np.int32),
            counts=np.array([len(each.boxes) for each in frames], np.int32),
            pixels=np.concatenate([each.image.ravel() for each in frames]),
            boxes=np.concatenate([each.boxes for each in frames]),
            labels=np.concatenate([each.labels for each in frames]),
        )
