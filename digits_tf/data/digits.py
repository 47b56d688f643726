"""A set of labelled digits, from idx files or from memory."""

import abc
import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from digits_tf.data import idx
from digits_tf.errors import DigitsError

# The class behind the ten digits.
NOT_A_DIGIT = 10


class Digits(abc.ABC):
    """Labelled 28x28 pictures, ink bright on 0.

    Attributes:
        count: how many.
        origin: in words, where they come from.
    """

    count: int
    origin: str

    @abc.abstractmethod
    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields (images uint8 (n, 28, 28), labels uint8 (n,)), n at most `size`, in order."""

    @abc.abstractmethod
    def hashes(self) -> dict[str, str]:
        """The SHA-256 of the "images" and "labels", as raw idx files or as arrays."""

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """All of them: images uint8 (count, 28, 28), labels uint8 (count,)."""
        return next(self.batches(self.count))

    def labels(self) -> np.ndarray:
        """All labels, uint8 (count,), without holding all images."""
        return np.concatenate([labels for _, labels in self.batches(10_000)])


@dataclasses.dataclass(frozen=True)
class _InFile(Digits):
    """Pictures in an idx file; nothing is kept in memory."""

    image_file: idx.IdxFile

    @property
    def count(self) -> int:  # type: ignore[override]
        """How many digits."""
        return self.image_file.shape[0]

    @property
    def origin(self) -> str:  # type: ignore[override]
        """The image file's path."""
        return str(self.image_file.path)


@dataclasses.dataclass(frozen=True)
class IdxDigits(_InFile):
    """Digits in a pair of idx files; nothing is kept in memory.

    Attributes:
        image_file: the images.
        label_file: the labels, as many.
        transposed: whether rows and columns are stored the other way round, as in EMNIST.
    """

    label_file: idx.IdxFile
    transposed: bool = False

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Streams both files, see `Digits.batches`."""
        pairs = zip(
            self.image_file.batches(size),
            idx.label_batches(self.label_file, size),
            strict=True,
        )
        for images, labels in pairs:
            yield images.transpose(0, 2, 1) if self.transposed else images, labels.astype(np.uint8)

    def hashes(self) -> dict[str, str]:
        """SHA-256 of the two files, decompressed."""
        return {"images": self.image_file.sha256(), "labels": self.label_file.sha256()}


@dataclasses.dataclass(frozen=True)
class ArrayDigits(Digits):
    """Digits in memory.

    Attributes:
        images: uint8 (n, 28, 28).
        label_array: uint8 (n,).
        origin: where they come from.
    """

    images: np.ndarray
    label_array: np.ndarray
    origin: str

    @property
    def count(self) -> int:  # type: ignore[override]
        """How many digits."""
        return len(self.images)

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Slices of the arrays, see `Digits.batches`."""
        for start in range(0, self.count, size):
            yield self.images[start : start + size], self.label_array[start : start + size]

    def hashes(self) -> dict[str, str]:
        """SHA-256 of the arrays' bytes."""
        arrays = {"images": self.images, "labels": self.label_array}
        return {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}


@dataclasses.dataclass(frozen=True)
class Others(_InFile):
    """Pictures of what is no digit, all labelled `NOT_A_DIGIT`.

    Attributes:
        image_file: the pictures.
    """

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Streams the file, see `Digits.batches`."""
        for images in self.image_file.batches(size):
            yield images, np.full(len(images), NOT_A_DIGIT, np.uint8)

    def hashes(self) -> dict[str, str]:
        """SHA-256 of the file, decompressed."""
        return {"images": self.image_file.sha256()}


class Joined(Digits):
    """Several sets, one behind the other.

    Args:
        parts: at least one set.
    """

    def __init__(self, parts: Sequence[Digits]):
        self.parts = tuple(parts)
        self.count = sum(part.count for part in parts)
        self.origin = ", ".join(part.origin for part in parts)

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches of each set in turn; the last one of a set may be short."""
        for part in self.parts:
            yield from part.batches(size)

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """All of them, see `Digits.read`."""
        images, labels = zip(*(part.read() for part in self.parts), strict=True)
        return np.concatenate(images), np.concatenate(labels)

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of each set's, by the set's number."""
        return {
            f"{number}_{kind}": digest
            for number, part in enumerate(self.parts)
            for kind, digest in part.hashes().items()
        }


def open_pair(images: Path | str, labels: Path | str, transposed: bool | None = None) -> IdxDigits:
    """Opens an image and a label file that belong together.

    Args:
        images: an idx file of 28x28 pictures, raw or gzipped.
        labels: an idx file of as many labels.
        transposed: whether rows and columns are swapped in the file; None: if its name says EMNIST,
            whose files are stored that way (Cohen et al., https://arxiv.org/abs/1702.05373).

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
