"""Makes training digits of MNIST's: photographed on paper and boards, and in forms it lacks.

digits-tf scenes --out runs/scenes
python -m digits_tf.train --data_dir runs/scenes --recipe=tiny

The folder gets idx files. Training: the training digits as they are; digits of many hands as the
detector cuts them out of made-up frames; some of both as small scanned collections keep them.
Held out: 5,000 training digits as they are, of which nothing is made. Others: what is no digit,
part of it what the detector takes for digits in the frames. The test digits are copied as they are.
digits-tf scenes-fetch, before it, gets handwriting fonts and photographs for the frames.
"""

import concurrent.futures
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from absl import flags

from digits_tf import files as storage
from digits_tf import runtime
from digits_tf.cli import command
from digits_tf.cli import data_flags as data_flags
from digits_tf.data import idx
from digits_tf.data.mnist import hold_out
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2, one_thread

if TYPE_CHECKING:
    from digits_tf.synthetic.crops import Crops

_OUT = flags.DEFINE_string("out", None, "Folder for the idx files.")
_FRAMES = flags.DEFINE_integer(
    "frames", 10_000, "Frames to make; each gives up to 12 digits.", lower_bound=0
)
_COARSE = flags.DEFINE_integer(
    "coarse", 16_000, "Digits of both kinds as small scanned collections keep them.", lower_bound=0
)
_OTHERS = flags.DEFINE_integer(
    "others", 30_000, "Letters, scribbles, lines, things: what is no digit.", lower_bound=0
)
_SEED = flags.DEFINE_integer("seed", 1, "Another seed is other photographs.", lower_bound=0)
flags.adopt_module_key_flags(data_flags)

_BATCH = 250  # pictures that a process makes at a time
_FRAMES_BATCH = 50


def main(words: Sequence[str]) -> None:
    """Writes the folder."""
    if not _OUT.value:
        raise DigitsError("expected a folder to write to: --out runs/scenes")
    import_cv2()
    folder = Path(_OUT.value)
    storage.make_folder(folder)
    # What needs OpenCV is imported when it is known to be there.
    from digits_tf.synthetic.crops import coarse

    digits = data_flags.find(data_flags.selection())
    images, labels = digits.train.read()
    test_images, test_labels = digits.test.read()
    is_held_out = np.zeros(len(images), bool)
    is_held_out[hold_out(len(images))] = True
    plain, plain_labels = images[~is_held_out], labels[~is_held_out]
    framed = _framed(plain, plain_labels)
    # Not the first: a data set may be sorted by its labels.
    every = np.concatenate([plain, framed.digits])
    names = np.concatenate([plain_labels, framed.labels])
    few = np.random.default_rng((_SEED.value, 1)).permutation(len(every))[: _COARSE.value]
    train = [every, _made("coarse", coarse, every[few])]
    train_labels = [names, names[few]]
    others = np.zeros((_OTHERS.value, 28, 28), np.uint8)
    others = _made("others", functools.partial(_background, plain, plain_labels), others)
    others = np.concatenate([others, framed.background])
    files = {
        "train-images-idx3-ubyte": np.concatenate(train),
        "train-labels-idx1-ubyte": np.concatenate(train_labels),
        "held-out-images-idx3-ubyte": images[is_held_out],
        "held-out-labels-idx1-ubyte": labels[is_held_out],
        "others-images-idx3-ubyte": others,
        "t10k-images-idx3-ubyte": test_images,
        "t10k-labels-idx1-ubyte": test_labels,
    }
    for name, array in files.items():
        if len(array):
            with storage.replacing(folder / name) as beside:
                idx.write_idx(beside, array)
    print(
        f"{folder}: to train {len(plain):,} digits as they are, {len(framed.digits):,} cut out of "
        f"frames, {len(few):,} coarse, {len(others):,} others ({len(framed.background):,} of them "
        f"cut out of frames); {is_held_out.sum():,} held out"
    )


def _framed(images: np.ndarray, labels: np.ndarray) -> "Crops":
    """What the detector cuts out of frames, made on all cores."""
    from digits_tf.synthetic import assets, crops

    there = assets.load()
    if there is None and _FRAMES.value:
        print(assets.MISSING, file=sys.stderr)
    cut = crops.shipped_detector_crops
    work = functools.partial(cut, images, labels, there, _SEED.value, _FRAMES_BATCH)
    made = []
    with (
        runtime.bar(_FRAMES.value, "frames", unit="frames") as bar,
        concurrent.futures.ProcessPoolExecutor(os.cpu_count(), initializer=one_thread) as pool,
    ):
        for each in pool.map(work, range(0, _FRAMES.value, _FRAMES_BATCH)):
            made.append(each)
            bar.update(_FRAMES_BATCH)
    return crops.joined(made)


def _background(
    images: np.ndarray, labels: np.ndarray, places: np.ndarray, seed: int, first: int
) -> np.ndarray:
    """As many pictures without a digit as there are places; see `background_crops`."""
    from digits_tf.synthetic.background import background_crops

    return background_crops(images, labels, len(places), seed, first)


def _made(
    what: str, make: Callable[[np.ndarray, int, int], np.ndarray], images: np.ndarray
) -> np.ndarray:
    """What `make` makes of uint8 (n, 28, 28), its seed and the first one's number; in order."""
    if not len(images):
        return images
    return np.concatenate(list(_batches(what, make, images)))


def _batches(
    what: str, make: Callable[[np.ndarray, int, int], np.ndarray], images: np.ndarray
) -> Iterator[np.ndarray]:
    starts = range(0, len(images), _BATCH)
    with (
        runtime.bar(len(images), what, unit="pictures") as bar,
        concurrent.futures.ProcessPoolExecutor(os.cpu_count(), initializer=one_thread) as pool,
    ):
        parts = [images[start : start + _BATCH] for start in starts]
        for made in pool.map(make, parts, [_SEED.value] * len(parts), starts):
            bar.update(len(made))
            yield made


def start() -> NoReturn:
    """Runs the command."""
    command.run(main, __doc__)
