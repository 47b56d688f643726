"""A folder of 28x28 pictures whose names begin with their digit, as in 7_003.png."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from digits_tf.data.digits import Digits
from digits_tf.errors import DigitsError
from digits_tf.opencv import import_cv2

_SUFFIXES = {".bmp", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".gif"}


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
            images = np.stack([read_picture(path) for path in some])
            yield images, np.array([int(path.name[0]) for path in some], np.uint8)

    def hashes(self) -> dict[str, str]:
        """None: nothing is trained on pictures."""
        return {}


def open_pictures(folder: Path) -> PictureDigits:
    """Lists the pictures of a folder.

    Raises:
        DigitsError: if there are none, or a name does not begin with a digit.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise DigitsError(f"{folder}: expected pictures named like 7_003.png, found none")
    for path in paths:
        if not ("0" <= path.name[0] <= "9"):
            raise DigitsError(
                f"{path}: expected a name that begins with its digit, as in 7_003.png"
            )
    return PictureDigits(tuple(paths), folder)


def read_picture(path: Path) -> np.ndarray:
    """Reads a picture of one digit as uint8 (28, 28), ink bright on 0.

    The ground is what most of the border shows; where it is light the picture is inverted.

    Raises:
        DigitsError: if it cannot be read or has another size.
    """
    cv2 = import_cv2()
    # cv2.imread cannot open names outside the code page on Windows.
    content = np.frombuffer(path.read_bytes(), np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE) if len(content) else None
    if image is None:
        raise DigitsError(f"{path}: not a picture that OpenCV can read")
    if image.shape != (28, 28):
        height, width = image.shape
        raise DigitsError(f"{path}: expected 28x28 pixels, found {width}x{height}")
    border = np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])
    return 255 - image if np.median(border) > 127 else image
