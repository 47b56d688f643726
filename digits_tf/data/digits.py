"""Sets of labelled digits: in idx files, in memory, in picture files, or several sets joined."""

import abc
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from digits_tf.data import idx
from digits_tf.errors import DigitsError
from digits_tf.images import PICTURE_SUFFIXES, read_picture

# The class after the ten digits: whatever is no digit.
BACKGROUND = 10

Batch: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint8]]

_READ_BATCH = 10_000


class Digits(abc.ABC):
    """Labelled 28x28 pictures, ink bright on 0.

    Attributes:
        count: how many.
        origin: where they come from, in words.
    """

    count: int
    origin: str

    @abc.abstractmethod
    def batches(self, size: int) -> Iterator[Batch]:
        """Yields (images uint8 (n, 28, 28), labels uint8 (n,)), n at most `size`, in order."""

    @abc.abstractmethod
    def hashes(self) -> dict[str, str]:
        """The SHA-256 of the "images" and the "labels", as raw idx files or as arrays."""

    def read(self) -> Batch:
        """Reads all digits: images uint8 (count, 28, 28), labels uint8 (count,)."""
        images = np.empty((self.count, *idx.IMAGE_SHAPE), np.uint8)
        labels = np.empty(self.count, np.uint8)
        first = 0
        for some_images, some_labels in self.batches(_READ_BATCH):
            last = first + len(some_images)
            images[first:last], labels[first:last] = some_images, some_labels
            first = last
        return images, labels

    def labels(self) -> NDArray[np.uint8]:
        """Reads all labels, uint8 (count,), without holding all images in memory."""
        return np.concatenate([labels for _, labels in self.batches(_READ_BATCH)])


class IdxDigits(Digits):
    """Digits in a pair of idx files, which are streamed.

    Args:
        image_file: the images.
        label_file: as many labels.
        transposed: whether the file stores columns as rows, as EMNIST does.
    """

    def __init__(
        self, image_file: idx.IdxFile, label_file: idx.IdxFile, transposed: bool = False
    ) -> None:
        self.image_file = image_file
        self.label_file = label_file
        self.transposed = transposed
        self.count = image_file.shape[0]
        self.origin = str(image_file.path)

    def batches(self, size: int) -> Iterator[Batch]:
        """Streams both files, see `Digits.batches`."""
        pairs = zip(
            self.image_file.batches(size),
            idx.label_batches(self.label_file, size),
            strict=True,
        )
        for images, labels in pairs:
            yield images.transpose(0, 2, 1) if self.transposed else images, labels.astype(np.uint8)

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of the two files, decompressed."""
        return {"images": self.image_file.sha256(), "labels": self.label_file.sha256()}


class Background(Digits):
    """Pictures of what is no digit, in an idx file; all have the label `BACKGROUND`.

    Args:
        image_file: the pictures.
    """

    def __init__(self, image_file: idx.IdxFile) -> None:
        self.image_file = image_file
        self.count = image_file.shape[0]
        self.origin = str(image_file.path)

    def batches(self, size: int) -> Iterator[Batch]:
        """Streams the file, see `Digits.batches`."""
        for images in self.image_file.batches(size):
            yield images, np.full(len(images), BACKGROUND, np.uint8)

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of the file, decompressed."""
        return {"images": self.image_file.sha256()}


class ArrayDigits(Digits):
    """Digits in memory.

    Args:
        images: uint8 (n, 28, 28).
        labels: uint8 (n,).
        origin: where they come from, in words.
    """

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.uint8], origin: str) -> None:
        self.images = images
        self.label_array = labels
        self.count = len(images)
        self.origin = origin

    def batches(self, size: int) -> Iterator[Batch]:
        """Slices the arrays, see `Digits.batches`."""
        for start in range(0, self.count, size):
            yield self.images[start : start + size], self.label_array[start : start + size]

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of the arrays' bytes."""
        arrays = {"images": self.images, "labels": self.label_array}
        return {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}


class PictureDigits(Digits):
    """Digits in picture files, light on dark or dark on light.

    Args:
        paths: the files; the name of each begins with its digit, as in 7_003.png.
        origin: where they come from, in words.
    """

    def __init__(self, paths: Sequence[Path], origin: str) -> None:
        self.paths = tuple(paths)
        self.count = len(self.paths)
        self.origin = origin

    def batches(self, size: int) -> Iterator[Batch]:
        """Reads the files in order, see `Digits.batches`.

        Raises:
            DigitsError: if a file is no picture of 28x28 pixels.
        """
        for start in range(0, self.count, size):
            some = self.paths[start : start + size]
            images = np.stack([_read_digit(path) for path in some])
            yield images, np.array([int(path.name[0]) for path in some], np.uint8)

    def hashes(self) -> dict[str, str]:
        """Nothing, as no model is trained on pictures."""
        return {}


class Joined(Digits):
    """Several sets, one after the other.

    Args:
        parts: at least one set.
    """

    def __init__(self, parts: Sequence[Digits]) -> None:
        self.parts = tuple(parts)
        self.count = sum(part.count for part in parts)
        self.origin = ", ".join(part.origin for part in parts)

    def batches(self, size: int) -> Iterator[Batch]:
        """Yields the batches of each set in turn; the last batch of a set may be short."""
        for part in self.parts:
            yield from part.batches(size)

    def hashes(self) -> dict[str, str]:
        """The hashes of each set, by its number."""
        return {
            f"{number}_{kind}": digest
            for number, part in enumerate(self.parts)
            for kind, digest in part.hashes().items()
        }


def open_pair(images: Path | str, labels: Path | str, transposed: bool | None = None) -> IdxDigits:
    """Opens an image file and the label file that belongs to it.

    Args:
        images: an idx file of 28x28 pictures, raw or gzipped.
        labels: an idx file of as many labels.
        transposed: whether the file stores columns as rows; None: if its name says EMNIST, whose
            files are stored that way (Cohen et al., https://arxiv.org/abs/1702.05373).

    Raises:
        DigitsError: if either is no such file or their counts differ.
    """
    image_file, label_file = idx.open_images(images), idx.open_labels(labels)
    if image_file.shape[0] != label_file.shape[0]:
        raise DigitsError(
            f"expected as many labels as images, found {image_file.shape[0]:,} images in {images} "
            f"and {label_file.shape[0]:,} labels in {labels}"
        )
    if transposed is None:
        transposed = "emnist" in Path(images).name.lower()
    return IdxDigits(image_file, label_file, transposed)


def open_pictures(folder: Path) -> PictureDigits:
    """Lists the pictures of a folder whose names begin with their digit.

    Raises:
        DigitsError: if there are none, or a name does not begin with a digit.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if not paths:
        raise DigitsError(f"{folder}: expected pictures named like 7_003.png, found none")
    for path in paths:
        if not ("0" <= path.name[0] <= "9"):
            raise DigitsError(
                f"{path}: expected a name that begins with its digit, as in 7_003.png"
            )
    return PictureDigits(paths, str(folder))


def is_dark_on_bright(images: NDArray[np.uint8]) -> bool:
    """Whether most of the border of pictures (..., 28, 28) is brighter than mid-grey."""
    border = np.ones(idx.IMAGE_SHAPE, bool)
    border[1:-1, 1:-1] = False
    return bool(np.median(images[..., border]) > 127)


def bright_on_dark(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture (28, 28) with its ink bright: inverted where its ground is bright."""
    return 255 - image if is_dark_on_bright(image) else image


def _read_digit(path: Path) -> NDArray[np.uint8]:
    """Reads a picture as uint8 (28, 28), ink bright on 0; inverts it where its ground is bright."""
    image = read_picture(path, grey=True)
    if image.shape != idx.IMAGE_SHAPE:
        height, width = image.shape
        raise DigitsError(f"{path}: expected 28x28 pixels, found {width}x{height}")
    return bright_on_dark(image)
