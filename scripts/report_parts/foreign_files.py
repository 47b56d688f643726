"""Files of other collections: USPS, Semeion, and idx files of what is no digit."""

import bz2
from pathlib import Path

import numpy as np

from digits_tf.data import idx
from digits_tf.errors import DigitsError

_SIDE = 16
_PIXELS = _SIDE * _SIDE
_CLASSES = 10


def usps(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """USPS in LIBSVM's text format, raw or .bz2.

    Hull, "A database for handwritten text recognition research"
    (https://doi.org/10.1109/34.291440); the files are those of
    https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps: a line a digit,
    its class 1 to 10, then index:value with values -1 to 1.

    Returns:
        uint8 (n, 16, 16), ink bright on 0; integers (n,), 0 to 9.

    Raises:
        DigitsError: if it is no such file.
        OSError: if it cannot be read.
    """
    digits, labels = [], []
    for number, words in _lines(path):
        try:
            pixels = np.full(_PIXELS, -1.0)
            for word in words[1:]:
                index, _, value = word.partition(":")
                if int(index) < 1:
                    raise ValueError(f"index {index}")
                pixels[int(index) - 1] = float(value)
            labels.append(int(float(words[0])) - 1)
        except (ValueError, IndexError) as error:
            raise DigitsError(
                f"{path}, line {number}: expected LIBSVM's format ({error})"
            ) from None
        digits.append(pixels)
    return _checked(path, (np.array(digits) + 1) / 2, labels)


def semeion(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The file semeion.data.

    Semeion Handwritten Digit (https://archive.ics.uci.edu/dataset/178): a line a digit, 256 pixels
    of 0 or 1, then ten numbers of which the digit's own is 1.

    Returns:
        uint8 (n, 16, 16), ink bright on 0; integers (n,), 0 to 9.

    Raises:
        DigitsError: if it is no such file.
        OSError: if it cannot be read.
    """
    digits, labels = [], []
    for number, words in _lines(path):
        try:
            values = np.array(words, float)
        except ValueError as error:
            raise DigitsError(f"{path}, line {number}: expected numbers ({error})") from None
        if len(values) != _PIXELS + _CLASSES or values[_PIXELS:].sum() != 1:
            raise DigitsError(
                f"{path}, line {number}: expected {_PIXELS} pixels and one 1 among {_CLASSES}, "
                f"found {len(values)} numbers"
            )
        digits.append(values[:_PIXELS])
        labels.append(int(values[_PIXELS:].argmax()))
    return _checked(path, np.array(digits), labels)


def pictures(folder: Path) -> np.ndarray:
    """The test pictures of Fashion-MNIST, EMNIST-letters or the like.

    Args:
        folder: holds one idx file, raw or .gz, whose name has "images" and "test" or "t10k". If it
            has "emnist" too, rows and columns are swapped.

    Returns:
        uint8 (n, 28, 28).

    Raises:
        DigitsError: if there is no such file, or several.
    """
    names = [path for path in sorted(folder.glob("*")) if "images" in path.name.lower()]
    found = [path for path in names if any(each in path.name.lower() for each in ("test", "t10k"))]
    if len(found) != 1:
        raise DigitsError(
            f"{folder}: expected one idx file named like t10k-images or test-images, found "
            f"{len(found)}"
        )
    images = idx.open_images(found[0]).read()
    return images.transpose(0, 2, 1) if "emnist" in found[0].name.lower() else images


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The words of each line that has any, with its number."""
    try:
        content = bz2.decompress(path.read_bytes()) if path.suffix == ".bz2" else path.read_bytes()
        lines = content.decode("ascii").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise DigitsError(f"{path}: expected text, raw or .bz2, found something else") from None
    return [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]


def _checked(path: Path, shares: np.ndarray, labels: list[int]) -> tuple[np.ndarray, np.ndarray]:
    if not labels or min(labels) < 0 or max(labels) >= _CLASSES:
        raise DigitsError(f"{path}: expected digits of {_CLASSES} classes, found others or none")
    if shares.min() < 0 or shares.max() > 1:
        raise DigitsError(f"{path}: expected pixels in the range of this collection, found others")
    pixels = np.round(255 * shares).astype(np.uint8).reshape(-1, _SIDE, _SIDE)
    return pixels, np.array(labels)
