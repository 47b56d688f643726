"""OpenCV: imported with a hint where it is missing, and pictures as it has them."""

import contextlib
import io
import os
import re
import warnings
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from digits_tf import picture_file, quiet, storage
from digits_tf.errors import DigitsError

if TYPE_CHECKING:
    from PIL.Image import Image

# Of files that are taken for pictures wherever a folder is looked through.
PICTURE_SUFFIXES = frozenset(
    (
        *(".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpeg", ".jpg", ".pbm"),
        *(".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"),
    )
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


def one_thread() -> None:
    """Keeps OpenCV to one thread, where there is a process a core already."""
    import_cv2().setNumThreads(1)


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

    It is turned upright as its file says. What is transparent becomes the ground that the
    ink shows on. Grey levels of more than 8 bits are scaled down by the bits that are in use. Of
    several pages the first is taken.

    Args:
        content: a file's bytes, of any kind that OpenCV reads, or Pillow where it is installed;
            HEIC needs pillow-heif.
        name: in messages.
        grey: whether to drop the colours.

    Returns:
        uint8 (h, w, 3), BGR, or (h, w) if `grey`.

    Raises:
        DigitsError: if it is no picture, or is cut or too large.
    """
    cv2 = import_cv2()
    try:
        return _as_seen(_decode(content, name), name, grey)
    # With pixels at hand, all that OpenCV can lack is memory.
    except (MemoryError, cv2.error):
        raise DigitsError(f"{name}: too many pixels to work on: make it smaller") from None


def as_frame(picture: "np.ndarray | Path | str | Image") -> np.ndarray:
    """A picture in whatever form, as OpenCV has it.

    Args:
        picture: an array, which stays as it is; the path of a picture file; or a picture of Pillow,
            which is turned upright as it says.

    Returns:
        uint8 (h, w, 3), BGR; or the array.

    Raises:
        DigitsError: if a file is no picture or is cut.
        OSError: if a file cannot be read at all.
        ValueError: if it is none of these.
    """
    if isinstance(picture, np.ndarray):
        return picture
    if isinstance(picture, str | os.PathLike):
        return read_picture(Path(picture))
    # Known by what it can do: Pillow is not needed, nor imported.
    if all(hasattr(picture, name) for name in ("__array_interface__", "mode", "getexif")):
        return _as_seen(_pillow_pixels(picture), "the picture", grey=False)
    # What cv2.imread returns for a file that it cannot read.
    if picture is None:
        raise ValueError("no picture was read: is its path right? Received: None")
    hint = ": read the pictures one by one" if isinstance(picture, list | tuple) else ""
    raise ValueError(
        f"expected a NumPy array, a path or a picture of Pillow{hint}. Received: "
        f"{type(picture).__name__}"
    )


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


def natural(name: str | Path) -> tuple[list[str | int], str]:
    """The key by which names are sorted: photo 10 behind photo 9."""
    parts = re.split(r"(\d+)", str(name).casefold())
    return [int(part) if part.isdecimal() else part for part in parts], str(name)


def _decode(content: bytes, name: str) -> np.ndarray:
    """The pixels, upright: any type, (h, w) or (h, w, channels), BGR or BGRA."""
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
        return _upright(picture, picture_file.orientation(content))
    if "CV_IO_MAX_IMAGE" in reason or "Insufficient memory" in reason:
        raise MemoryError
    hint = picture_file.foreign_kind(content)
    if hint and (picture := _decode_with_pillow(content)) is not None:
        return picture
    raise DigitsError(f"{name}: {hint or 'not a picture that can be read, or a cut one'}")


def _decode_with_pillow(content: bytes) -> np.ndarray | None:
    """The same of kinds that OpenCV, or an older one, lacks; None: Pillow lacks them too."""
    try:
        from PIL import Image
    except ImportError:
        return None
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    try:
        with warnings.catch_warnings():
            # It warns of large pictures that are below our limit, too.
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content))
            if picture.width * picture.height > _MOST_PIXELS:
                raise MemoryError
            return _pillow_pixels(picture)
    except (MemoryError, Image.DecompressionBombError):
        raise MemoryError from None
    # Its readers of damaged files raise whatever they stumble over.
    except Exception:
        return None


def _pillow_pixels(picture: "Image") -> np.ndarray:
    """A picture of Pillow as `_decode` has it."""
    cv2 = import_cv2()
    # Some files are turned upright when they are read.
    picture.load()
    orientation = picture.getexif().get(picture_file.EXIF_ORIENTATION, picture_file.UPRIGHT)
    if picture.mode.startswith(("I", "F")):
        pixels = np.asarray(picture)
    elif picture.mode.upper() in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        pixels = cv2.cvtColor(np.asarray(picture.convert("RGBA")), cv2.COLOR_RGBA2BGRA)
    else:
        pixels = cv2.cvtColor(np.asarray(picture.convert("RGB")), cv2.COLOR_RGB2BGR)
    return _upright(pixels, orientation if orientation in range(1, 9) else picture_file.UPRIGHT)


def _as_seen(picture: np.ndarray, name: str, grey: bool) -> np.ndarray:
    """Pixels of `_decode` as `decode_picture` returns them."""
    cv2 = import_cv2()
    channels = picture.shape[2] if picture.ndim == 3 else 1
    if channels not in (1, 3, 4):
        raise DigitsError(f"{name}: expected a grey or colour picture, found {channels} planes")
    picture = _eight_bits(picture)
    if channels == 4:
        picture = _on_ground(picture)
    if (channels == 1) == grey:
        return picture
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY if grey else cv2.COLOR_GRAY2BGR)


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
