"""OpenCV: imported with a hint where it is missing, and its reader of picture files."""

import contextlib
from pathlib import Path
from types import ModuleType

import numpy as np

from digits_tf.errors import DigitsError

PICTURE_SUFFIXES = frozenset(
    (".bmp", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)


def import_cv2() -> ModuleType:
    """Imports cv2.

    Raises:
        DigitsError: if it is missing; it is in no install by default, because a Raspberry Pi has
            it from apt and nobody may have both of its wheels.
    """
    try:
        import cv2
    except ImportError as error:
        raise DigitsError(
            f"OpenCV is missing ({error}): pip install 'digits_tf[camera]', without a display "
            "'digits_tf[headless]'; on a Raspberry Pi: sudo apt install python3-opencv"
        ) from None
    return cv2


def read_picture(path: Path, *, grey: bool = False) -> np.ndarray:
    """Reads a picture file.

    Args:
        path: of any kind that OpenCV reads.
        grey: whether to drop the colours.

    Returns:
        uint8 (h, w, 3), BGR, or (h, w) if `grey`.

    Raises:
        DigitsError: if it is no picture or is cut.
        OSError: if it cannot be read at all.
    """
    cv2 = import_cv2()
    # Not cv2.imread, which finds no files with an accent in their names on Windows.
    content = path.read_bytes()
    # libpng would write about a cut file on standard error by itself.
    cut = content.startswith(b"\x89PNG") and b"IEND" not in content
    picture = None
    if content and not cut:
        mode = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR
        with contextlib.suppress(cv2.error):
            picture = cv2.imdecode(np.frombuffer(content, np.uint8), mode)
    if picture is None:
        raise DigitsError(f"{path}: not a picture that can be read, or a cut one")
    return picture
