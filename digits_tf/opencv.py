"""OpenCV: imported with a hint where it is missing, and its picture files."""

import os
from pathlib import Path
from types import ModuleType

import numpy as np

from digits_tf import picture_file, quiet, storage
from digits_tf.errors import DigitsError

PICTURE_SUFFIXES = frozenset(
    (".bmp", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)

# The largest phone cameras make 200 million. OpenCV's own limit of 2^30 would let a file of a few
# kilobytes ask for gigabytes.
_MOST_PIXELS = 1 << 28
_MOST_BYTES = 1 << 30
_SAMPLE = 10_000
_CONTRAST = 100  # grey levels that ink of one colour does not span


def import_cv2() -> ModuleType:
    """Imports cv2.

    Raises:
        DigitsError: if it is missing; it is in no install by default, because a Raspberry Pi has
            it from apt and nobody may have both of its wheels.
    """
    # Counts only if it is set before the first import.
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(_MOST_PIXELS))
    try:
        import cv2
    except ImportError as error:
        raise DigitsError(
            f"OpenCV is missing ({error}): pip install 'digits_tf[camera]', without a display "
            "'digits_tf[headless]'; on a Raspberry Pi: sudo apt install python3-opencv"
        ) from None
    return cv2


def read_picture(path: Path, *, grey: bool = False) -> np.ndarray:
    """Reads a picture file, see `decode_picture`.

    Raises:
        DigitsError: if it is no picture or is cut.
        OSError: if it cannot be read at all.
    """
    # Not cv2.imread, which finds no files with an accent in their names on Windows.
    with path.open("rb") as file:
        return decode_picture(file.read(_MOST_BYTES + 1), str(path), grey=grey)


def decode_picture(content: bytes, name: str, *, grey: bool = False) -> np.ndarray:
    """Decodes a picture as a person would see it.

    It is turned upright as its EXIF block says. What is transparent becomes the ground that the
    ink shows on. Grey levels of more than 8 bits are scaled down by the bits that are in use. Of
    several pages the first is taken.

    Args:
        content: a file's bytes, of any kind that OpenCV reads.
        name: in messages.
        grey: whether to drop the colours.

    Returns:
        uint8 (h, w, 3), BGR, or (h, w) if `grey`.

    Raises:
        DigitsError: if it is no picture, or is cut or too large.
    """
    cv2 = import_cv2()
    try:
        picture = _upright(_decode(content, name), picture_file.orientation(content))
        channels = picture.shape[2] if picture.ndim == 3 else 1
        if channels not in (1, 3, 4):
            raise DigitsError(f"{name}: expected a grey or colour picture, found {channels} planes")
        picture = _eight_bits(picture)
        if channels == 4:
            picture = _on_ground(picture)
        if (channels == 1) == grey:
            return picture
        return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY if grey else cv2.COLOR_GRAY2BGR)
    # With pixels at hand, all that OpenCV can lack is memory.
    except (MemoryError, cv2.error):
        raise DigitsError(f"{name}: too many pixels to work on: make it smaller") from None


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Writes a picture file, whole or not at all; the format is that of its suffix.

    Args:
        path: the file; its folder is made.
        picture: uint8 (h, w) or (h, w, 3), BGR.

    Raises:
        DigitsError: if OpenCV cannot write such a picture.
        OSError: if it cannot be written there.
    """
    cv2 = import_cv2()
    # OpenCV says on standard error what is said here.
    with quiet.standard_error():
        try:
            good, content = cv2.imencode(path.suffix, picture)
        except cv2.error:
            good = False
    if not good:
        size = "x".join(map(str, picture.shape[1::-1]))
        raise DigitsError(f"{path}: OpenCV cannot write {size} pixels as {path.suffix}")
    storage.write_bytes(path, content.tobytes())


def is_picture(path: Path) -> bool:
    """Whether a file is a picture by its name."""
    return path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()


def _decode(content: bytes, name: str) -> np.ndarray:
    """The pixels as they are stored: any type, (h, w) or (h, w, channels), BGR or BGRA."""
    cv2 = import_cv2()
    if not content:
        raise DigitsError(f"{name}: expected a picture, found an empty file")
    if len(content) > _MOST_BYTES:
        raise DigitsError(f"{name}: expected a picture, found a file of more than 1 GiB")
    if picture_file.is_cut(content):
        raise DigitsError(f"{name}: cut: the file ends before its picture does")
    picture, reason = None, ""
    # Its decoders write about damaged files on standard error by themselves.
    with quiet.standard_error():
        try:
            picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error as error:
            reason = str(error)
    if picture is not None:
        return picture
    if "CV_IO_MAX_IMAGE" in reason or "Insufficient memory" in reason:
        raise MemoryError
    hint = picture_file.foreign_kind(content) or "not a picture that can be read, or a cut one"
    raise DigitsError(f"{name}: {hint}")


def _upright(picture: np.ndarray, orientation: int) -> np.ndarray:
    """Turns and mirrors a picture by EXIF's 1 to 8."""
    cv2 = import_cv2()
    if orientation > 4:
        picture = cv2.transpose(picture)
    # 0: upside down, 1: left for right, -1: both; 1 to 4 and 5 to 8 are alike.
    code = (None, 1, -1, 0)[(orientation - 1) % 4]
    return picture if code is None else cv2.flip(picture, code)


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Grey levels of any type as uint8 of the same shape."""
    if values.dtype == np.uint8:
        return values
    if np.issubdtype(values.dtype, np.unsignedinteger):
        # Cameras and microscopes keep 10 or 12 bits in 16.
        bits = max(8, int(values.max()).bit_length())
        return (values >> (bits - 8)).astype(np.uint8)
    finite = np.where(np.isfinite(values), values, 0).astype(np.float64)
    low, high = finite.min(), finite.max()
    if low < 0 or high > 255:
        finite = (finite - low) * (255 / max(high - low, 1e-9))
    elif high <= 1:
        finite *= 255
    return np.round(finite).astype(np.uint8)


def _on_ground(picture: np.ndarray) -> np.ndarray:
    """Lays a picture, uint8 (h, w, 4), on black or white.

    Ink alone gets the ground that it shows on: light ink black, dark ink white. A picture that
    brings its own ground, as a photograph cut out of its surroundings, gets more of that.
    """
    cv2 = import_cv2()
    alpha, colours = picture[..., 3], cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR)
    if alpha.min() == 255:
        return colours
    seen = cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY)[alpha > 127]
    if not seen.size:
        seen = np.zeros(1, np.uint8)
    # A few thousand pixels tell as much as millions.
    low, middle, high = np.percentile(seen[:: 1 + seen.size // _SAMPLE], (5, 50, 95))
    is_light, has_ground = middle > 127, high - low > _CONTRAST
    cover = cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR)
    if is_light == has_ground:
        return cv2.bitwise_not(cv2.multiply(cv2.bitwise_not(colours), cover, scale=1 / 255))
    return cv2.multiply(colours, cover, scale=1 / 255)
