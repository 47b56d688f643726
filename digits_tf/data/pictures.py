"""A folder of 28x28 pictures whose names begin with their digit, as in 7_003.png."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from digits_tf.data import idx
from digits_tf.data.digits import Digits
from digits_tf.errors import DigitsError
from digits_tf.images import PICTURE_SUFFIXES, read_picture


@dataclasses.dataclass(frozen=True)
class PictureDigits(Digits):
    """Digits in picture files, light on dark or dark on light; read one batch at a time.

    Attributes:
        paths: the files, each with a name that begins with its digit.
        folder: where they lie.
    """

    paths: tuple[Path, ...]
    folder: Path

    @property
    def count(self) -> int:  # type: ignore[override]
        """How many digits."""
        return len(self.paths)

    @property
    def origin(self) -> str:  # type: ignore[override]
        """The folder."""
        return str(self.folder)

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Reads the files in order, see `Digits.batches`.

        Raises:
            DigitsError: if a file is no picture of 28x28 pixels.
        """
        for start in range(0, self.count, size):
            some = self.paths[start : start + size]
            images = np.stack([read_digit(path) for path in some])
            yield images, np.array([int(path.name[0]) for path in some], np.uint8)

    def hashes(self) -> dict[str, str]:
        """None: nothing is trained on pictures."""
        return {}


def open_pictures(folder: Path) -> PictureDigits:
    """Lists the pictures of a folder.

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
    return PictureDigits(tuple(paths), folder)


def read_digit(path: Path) -> np.ndarray:
    """Reads a picture of one digit as uint8 (28, 28), ink bright on 0.

    The ground is what most of the border shows; where it is light the picture is inverted.

    Raises:
        DigitsError: if it cannot be read or has another size.
    """
    image = read_picture(path, grey=True)
    if image.shape != idx.IMAGE_SHAPE:
        height, width = image.shape
        raise DigitsError(f"{path}: expected 28x28 pixels, found {width}x{height}")
    border = np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])
    return 255 - image if np.median(border) > 127 else image
