"""Training digits in idx files: MNIST's own, digits out of made-up frames, and what is no digit."""

import concurrent.futures
import dataclasses
import functools
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from digits_tf import files, runtime
from digits_tf.data import idx
from digits_tf.data.mnist import Mnist, hold_out
from digits_tf.images import start_worker
from digits_tf.synthetic import assets
from digits_tf.synthetic.background import background_crops
from digits_tf.synthetic.crops import Crops, coarse, joined, shipped_detector_crops

# Pictures, and frames, that a worker process makes at a time.
_PICTURES, _FRAMES = 250, 50

_Images = NDArray[np.uint8]
_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True)
class Counts:
    """How many pictures of each kind.

    Attributes:
        plain: training digits as they are.
        framed: digits that the detector cut out of frames.
        coarse: some of both, as small scanned collections keep them.
        others: pictures of what is no digit.
        framed_others: those of them that were cut out of frames.
        held_out: digits as they are, of which nothing is made.
    """

    plain: int
    framed: int
    coarse: int
    others: int
    framed_others: int
    held_out: int


def write(
    folder: Path, digits: Mnist, frame_count: int, coarse_count: int, other_count: int, seed: int
) -> Counts:
    """Makes digits on all cores and writes them as idx files, which `mnist.in_folder` finds.

    Args:
        folder: gets the files.
        digits: MNIST's.
        frame_count: frames to make; each gives up to 12 digits.
        coarse_count: digits to make as small scanned collections keep them.
        other_count: pictures of what is no digit to make, besides those out of frames.
        seed: seed of the random numbers.
    """
    images, labels = digits.train.read()
    is_held_out = np.zeros(len(images), bool)
    is_held_out[hold_out(len(images))] = True
    plain, plain_labels = images[~is_held_out], labels[~is_held_out]
    framed = _out_of_frames(plain, plain_labels, frame_count, seed)
    all_images = np.concatenate([plain, framed.digits])
    all_labels = np.concatenate([plain_labels, framed.labels])
    # Not the first ones: a data set may be sorted by its labels.
    few = np.random.default_rng((seed, 1)).permutation(len(all_images))[:coarse_count]
    coarse_images = _in_parts("coarse", coarse, all_images[few], seed)
    other_images = _others(plain, plain_labels, other_count, seed)
    other_images = np.concatenate([other_images, framed.background])
    test_images, test_labels = digits.test.read()
    arrays = {
        "train-images-idx3-ubyte": np.concatenate([all_images, coarse_images]),
        "train-labels-idx1-ubyte": np.concatenate([all_labels, all_labels[few]]),
        "held-out-images-idx3-ubyte": images[is_held_out],
        "held-out-labels-idx1-ubyte": labels[is_held_out],
        "others-images-idx3-ubyte": other_images,
        "t10k-images-idx3-ubyte": test_images,
        "t10k-labels-idx1-ubyte": test_labels,
    }
    for name, array in arrays.items():
        if len(array):
            with files.replacing(folder / name) as beside:
                idx.write_idx(beside, array)
    return Counts(
        plain=len(plain),
        framed=len(framed.digits),
        coarse=len(few),
        others=len(other_images),
        framed_others=len(framed.background),
        held_out=int(is_held_out.sum()),
    )


def _out_of_frames(images: _Images, labels: _Images, frames: int, seed: int) -> Crops:
    there = assets.load()
    if there is None and frames:
        print(assets.MISSING, file=sys.stderr)
    make = functools.partial(shipped_detector_crops, images, labels, there, seed, _FRAMES)
    return joined(_on_all_cores("frames", frames, _FRAMES, make, range(0, frames, _FRAMES)))


def _others(images: _Images, labels: _Images, count: int, seed: int) -> _Images:
    make = functools.partial(_background, images, labels)
    return _in_parts("background", make, np.zeros((count, 28, 28), np.uint8), seed)


def _background(
    images: _Images, labels: _Images, places: _Images, seed: int, first: int
) -> _Images:
    """As many pictures without a digit as there are places."""
    return background_crops(images, labels, len(places), seed, first)


def _in_parts(
    description: str, make: Callable[[_Images, int, int], _Images], images: _Images, seed: int
) -> _Images:
    """Calls `make` with parts of uint8 (n, 28, 28), the seed and each part's first number."""
    if not len(images):
        return images
    starts = range(0, len(images), _PICTURES)
    parts = [images[start : start + _PICTURES] for start in starts]
    seeds = [seed] * len(parts)
    return np.concatenate(
        _on_all_cores(description, len(images), _PICTURES, make, parts, seeds, starts)
    )


def _on_all_cores(
    description: str,
    total: int,
    each: int,
    make: Callable[..., _T],
    *arguments: Iterable[object],
) -> list[_T]:
    """Maps `make` over the arguments in worker processes; the results keep their order."""
    results = []
    with (
        runtime.bar(total, description, unit=description) as bar,
        concurrent.futures.ProcessPoolExecutor(os.cpu_count(), initializer=start_worker) as pool,
    ):
        for result in pool.map(make, *arguments):
            results.append(result)
            bar.update(each)
    return results
