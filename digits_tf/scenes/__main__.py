"""Writes digits on paper and boards, photographs them, and makes training digits of what is found.

python -m digits_tf.scenes --out runs/scenes
python -m digits_tf.train --data_dir runs/scenes --recipe=handwriting

The folder gets idx files: the training digits as they are, then the same as the preprocessing cuts
them out of made-up photographs, then digits that the program writes itself, photographed likewise.
The test digits are copied as they are.
"""

import concurrent.futures
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from absl import flags

from digits_tf import command, progress
from digits_tf.data import flags as data_flags
from digits_tf.data import idx
from digits_tf.errors import DigitsError
from digits_tf.opencv import import_cv2

_OUT = flags.DEFINE_string("out", None, "Folder for the idx files.")
_COUNT = flags.DEFINE_integer(
    "count", None, "Photographs to make; default: one of each training digit.", lower_bound=1
)
_WRITTEN = flags.DEFINE_integer(
    "written",
    6000,
    "Digits that the program writes with a pen of its own: forms that are rare in MNIST, as a 1 "
    "with a long flag.",
    lower_bound=0,
)
_SEED = flags.DEFINE_integer("seed", 1, "Another seed is other photographs.", lower_bound=0)
flags.adopt_module_key_flags(data_flags)

_BATCH = 250  # digits that a process makes at a time


def main(words: Sequence[str]) -> None:
    """Writes the folder."""
    if not _OUT.value:
        raise DigitsError("expected a folder to write to: --out runs/scenes")
    import_cv2()
    digits = data_flags.find(data_flags.selection())
    images, labels = digits.train.read()
    test_images, test_labels = digits.test.read()
    count = min(_COUNT.value or len(images), len(images))
    # Not the first: a data set may be sorted by its labels.
    chosen = np.random.default_rng(_SEED.value).permutation(len(images))[:count]
    written, names = _written(_WRITTEN.value, _SEED.value)
    taken = _photographed(np.concatenate([images[chosen], written]), _SEED.value)
    photographed = np.concatenate(list(taken))
    folder = Path(_OUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in (
        ("train-images-idx3-ubyte", np.concatenate([images, photographed])),
        ("train-labels-idx1-ubyte", np.concatenate([labels, labels[chosen], names])),
        ("t10k-images-idx3-ubyte", test_images),
        ("t10k-labels-idx1-ubyte", test_labels),
    ):
        idx.write_idx(folder / name, array)
    print(
        f"{folder}: {len(images):,} digits as they are, {count:,} of them photographed, "
        f"{len(written):,} written and photographed"
    )


def _written(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Digits of the program's own, uint8 (n, 28, 28), and which they are, uint8 (n,)."""
    from digits_tf.scenes.pen import pen_digit

    rng = np.random.default_rng((seed, 0))
    names = rng.integers(0, 10, count, np.uint8)
    digits = [pen_digit(int(name), rng) for name in names]
    return np.array(digits, np.uint8).reshape(-1, 28, 28), names


def _photographed(images: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """Batches of uint8 (n, 28, 28), in order; see `crops.crops`."""
    starts = range(0, len(images), _BATCH)
    with (
        progress.bar(len(images), "photographs", unit="digits") as bar,
        concurrent.futures.ProcessPoolExecutor(os.cpu_count(), initializer=_one_thread) as pool,
    ):
        parts = [images[start : start + _BATCH] for start in starts]
        for taken in pool.map(_taken, parts, [seed] * len(parts), starts):
            bar.update(len(taken))
            yield taken


def _one_thread() -> None:
    import cv2

    # There is a process a core already.
    cv2.setNumThreads(1)


def _taken(images: np.ndarray, seed: int, first: int) -> np.ndarray:
    from digits_tf.scenes.crops import crops

    return crops(images, seed, first)


if __name__ == "__main__":
    command.run(main, __doc__)
