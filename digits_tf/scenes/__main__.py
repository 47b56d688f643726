"""Makes training digits of MNIST's: photographed on paper and boards, and in forms it lacks.

python -m digits_tf.scenes --out runs/scenes
python -m digits_tf.train --data_dir runs/scenes --recipe=tiny

The folder gets idx files. Training: the training digits as they are, then the same as the
preprocessing cuts them out of made-up photographs, then digits that the program writes itself,
photographed likewise, then training digits as small scanned collections keep them. Held out: 5,000
training digits as they are, of which nothing is made. Others: what is no digit. The test digits are
copied as they are.
"""

import concurrent.futures
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from absl import flags

from digits_tf import command, progress
from digits_tf.data import flags as data_flags
from digits_tf.data import idx
from digits_tf.data.held_out import hold_out
from digits_tf.errors import DigitsError
from digits_tf.opencv import import_cv2

_OUT = flags.DEFINE_string("out", None, "Folder for the idx files.")
_COUNT = flags.DEFINE_integer(
    "count", None, "Photographs to make; default: one of each training digit.", lower_bound=1
)
_WRITTEN = flags.DEFINE_integer(
    "written",
    20_000,
    "Digits that the program writes with a pen of its own: forms that are rare in MNIST, as a 1 "
    "with a long flag.",
    lower_bound=0,
)
_COARSE = flags.DEFINE_integer(
    "coarse", 12_000, "Digits as small scanned collections keep them.", lower_bound=0
)
_OTHERS = flags.DEFINE_integer(
    "others", 30_000, "Letters, scribbles, lines, things: what is no digit.", lower_bound=0
)
_SEED = flags.DEFINE_integer("seed", 1, "Another seed is other photographs.", lower_bound=0)
flags.adopt_module_key_flags(data_flags)

_BATCH = 250  # pictures that a process makes at a time


def main(words: Sequence[str]) -> None:
    """Writes the folder."""
    if not _OUT.value:
        raise DigitsError("expected a folder to write to: --out runs/scenes")
    import_cv2()
    digits = data_flags.find(data_flags.selection())
    images, labels = digits.train.read()
    test_images, test_labels = digits.test.read()
    is_held_out = np.zeros(len(images), bool)
    is_held_out[hold_out(len(images))] = True
    count = min(_COUNT.value or len(images), len(images))
    # Not the first: a data set may be sorted by its labels.
    chosen = np.random.default_rng(_SEED.value).permutation(len(images))[:count]
    written, names = _written(_WRITTEN.value, _SEED.value)
    photographs = _made("photographs", _photographed, np.concatenate([images[chosen], written]))
    seen = ~is_held_out[chosen]
    photographed = photographs[:count][seen]
    plain, plain_labels = images[~is_held_out], labels[~is_held_out]
    few = np.random.default_rng((_SEED.value, 1)).permutation(len(plain))[: _COARSE.value]
    train = [plain, photographed, photographs[count:], _made("coarse", _coarse, plain[few])]
    train_labels = [plain_labels, labels[chosen[seen]], names, plain_labels[few]]
    others = np.zeros((_OTHERS.value, 28, 28), np.uint8)
    others = _made("others", functools.partial(_others, plain, plain_labels), others)
    folder = Path(_OUT.value)
    folder.mkdir(parents=True, exist_ok=True)
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
            idx.write_idx(folder / name, array)
    print(
        f"{folder}: to train {len(plain):,} digits as they are, {seen.sum():,} photographed, "
        f"{len(written):,} written and photographed, {len(few):,} coarse, {len(others):,} others; "
        f"{is_held_out.sum():,} held out"
    )


def _written(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits of the program's own, uint8 (n, 28, 28), and which they are, uint8 (n,)."""
    from digits_tf.scenes.pen import pen_digit

    rng = np.random.default_rng((seed, 0))
    names = rng.integers(0, 10, count, np.uint8)
    digits = [pen_digit(int(name), rng) for name in names]
    return np.array(digits, np.uint8).reshape(-1, 28, 28), names


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
        progress.bar(len(images), what, unit="pictures") as bar,
        concurrent.futures.ProcessPoolExecutor(os.cpu_count(), initializer=_one_thread) as pool,
    ):
        parts = [images[start : start + _BATCH] for start in starts]
        for made in pool.map(make, parts, [_SEED.value] * len(parts), starts):
            bar.update(len(made))
            yield made


def _one_thread() -> None:
    import cv2

    # There is a process a core already.
    cv2.setNumThreads(1)


def _photographed(images: np.ndarray, seed: int, first: int) -> np.ndarray:
    from digits_tf.scenes.crops import crops

    return crops(images, seed, first)


def _coarse(images: np.ndarray, seed: int, first: int) -> np.ndarray:
    from digits_tf.scenes.coarse import coarse

    return coarse(images, seed, first)


def _others(
    digits: np.ndarray, labels: np.ndarray, places: np.ndarray, seed: int, first: int
) -> np.ndarray:
    from digits_tf.scenes.negatives import negatives

    return negatives(digits, labels, len(places), seed, first)


if __name__ == "__main__":
    command.run(main, __doc__)
