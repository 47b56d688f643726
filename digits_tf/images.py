"""Picture files: read as a person sees them, written whole, listed in natural order.

OpenCV decodes, because it is several times as fast as Pillow and keeps 16-bit colours. Pillow tells
what a file is, how it is to be turned and whether it is whole, and decodes what OpenCV cannot.
"""

import contextlib
import io
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digits_tf import files, runtime
from digits_tf.errors import DigitsError

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = NDArray[np.uint8]

# Files with these suffixes are taken for pictures wherever a folder is searched.
PICTURE_SUFFIXES = frozenset(
    (
        *(".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpeg", ".jpg", ".pbm"),
        *(".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"),
    )
)
# Pillow's names of the formats that are read. It opens others too, some with programs of their own.
_FORMATS = frozenset(
    ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP")
)
# The largest phone cameras make 200 million pixels. A file of a few kilobytes may announce
# billions, and OpenCV's own limit is four times as high.
_MOST_PIXELS = 1 << 28
MOST_BYTES = 1 << 30

_ORIENTATION_TAG = 0x0112  # of EXIF
_UPRIGHT = 1  # of EXIF's orientations 1 to 8

_SAMPLE = 10_000  # pixels that tell the grey levels of a picture
_INK_CONTRAST = 100  # grey levels; ink of one colour spans less

_SAVE = "save it as JPEG or PNG"
_UNKNOWN = "not a picture that can be read, or a cut one"
_HEIC = (
    "a HEIC picture, as iPhones take them, that cannot be read here: pip install "
    f"'digits_tf[heic]', or {_SAVE}"
)
_AVIF = f"an AVIF picture that cannot be read here: pip install --upgrade pillow, or {_SAVE}"
_VIDEO = "a video: python -m digits_tf.camera --source reads those"
_BRANDS = {
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), _HEIC
    ),
    **dict.fromkeys((b"avif", b"avis"), _AVIF),
}
_SIGNATURES = (
    (b"%PDF", f"a PDF document: {_SAVE}"),
    (b"\xff\x0a", f"a JPEG XL picture: {_SAVE}"),
    (b"\0\0\0\x0cJXL ", f"a JPEG XL picture: {_SAVE}"),
    (b"\x1a\x45\xdf\xa3", _VIDEO),
)
_SVG_START = 4096  # bytes; licences and document types come before an SVG's first tag


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


def read_picture(path: Path, *, grey: bool = False) -> Pixels:
    """Reads a picture file, see `decode_picture`.

    Raises:
        DigitsError: if it is no picture or is cut.
        OSError: if it cannot be read at all.
    """
    # Not cv2.imread, which finds no files with an accent in their names on Windows.
    with path.open("rb") as file:
        return decode_picture(file.read(MOST_BYTES + 1), str(path), grey=grey)


def decode_picture(
    content: bytes, name: str, *, grey: bool = False, most_pixels: int = _MOST_PIXELS
) -> Pixels:
    """Decodes a picture as a person would see it.

    It is turned upright as its file says. What is transparent becomes black or white, so that the
    ink shows. Grey levels of more than 8 bits are scaled down by the bits that are in use. Of
    several pages the first is taken.

    Args:
        content: a file's bytes, of the kinds in `PICTURE_SUFFIXES`; HEIC needs pillow-heif.
        name: in messages.
        grey: whether to drop the colours.
        most_pixels: larger pictures are refused before they are decoded.

    Returns:
        uint8 (h, w, 3), BGR, or (h, w) if `grey`.

    Raises:
        DigitsError: if it is no picture, or is cut or too large.
    """
    if not content:
        raise DigitsError(f"{name}: expected a picture, found an empty file")
    if len(content) > MOST_BYTES:
        raise DigitsError(f"{name}: expected a picture, found a file of more than 1 GiB")
    cv2 = import_cv2()
    try:
        with _own_limits(most_pixels):
            values = _decode(content, name)
        return _as_seen(values, name, grey)
    # Once a picture is decoded, all that OpenCV can lack is memory.
    except (MemoryError, cv2.error):
        raise DigitsError(f"{name}: too many pixels to work on: make it smaller") from None


def as_frame(picture: "NDArray[Any] | Path | str | Image") -> NDArray[Any]:
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
    # Imported late: the camera hands over arrays alone, and is to start at once.
    from PIL import Image

    if isinstance(picture, Image.Image):
        return _as_seen(_pillow_pixels(picture), "the picture", grey=False)
    # What cv2.imread returns for a file that it cannot read.
    if picture is None:
        raise ValueError("no picture was read: is its path right? Received: None")
    hint = ": read the pictures one by one" if isinstance(picture, list | tuple) else ""
    raise ValueError(
        f"expected a NumPy array, a path or a picture of Pillow{hint}. Received: "
        f"{type(picture).__name__}"
    )


def write_picture(path: Path, picture: Pixels) -> None:
    """Writes a picture file, whole or not at all; the format is that of its suffix.

    Args:
        path: the file; its folder is made.
        picture: uint8 (h, w) or (h, w, 3), BGR.

    Raises:
        DigitsError: if OpenCV cannot write such a picture.
        OSError: if it cannot be written there.
    """
    cv2 = import_cv2()
    # OpenCV writes on standard error what the message below says.
    with runtime.standard_error():
        try:
            good, content = cv2.imencode(path.suffix, picture)
        except cv2.error:
            good = False
    if not good:
        size = "x".join(map(str, picture.shape[1::-1]))
        raise DigitsError(f"{path}: OpenCV cannot write {size} pixels as {path.suffix}")
    files.write_bytes(path, content.tobytes())


def is_picture(path: Path) -> bool:
    """Whether a file is a picture by its name."""
    return path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()


def natural(name: str | Path) -> tuple[list[str | int], str]:
    """The key by which names are sorted: photo 10 behind photo 9."""
    parts = re.split(r"(\d+)", str(name).casefold())
    return [int(part) if part.isdecimal() else part for part in parts], str(name)


@contextlib.contextmanager
def _own_limits(most_pixels: int) -> Iterator[None]:
    """Holds Pillow to so many pixels, and keeps back what it warns of."""
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    # It refuses twice as many, and would only warn below.
    Image.MAX_IMAGE_PIXELS = most_pixels // 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _decode(content: bytes, name: str) -> NDArray[Any]:
    """The pixels, upright: any type, (h, w) or (h, w, channels), BGR or BGRA."""
    cv2 = import_cv2()
    if image := _open(content, name):
        _check_whole(image, name)
        # The check has used it up.
        image = _open(content, name)
    values: NDArray[Any] | None = None
    # OpenCV's decoders write about damaged files on standard error by themselves.
    with runtime.standard_error(), contextlib.suppress(cv2.error):
        values = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        if values is None:
            raise DigitsError(f"{name}: {_UNKNOWN}")
        return values
    if values is None:
        return _decode_with_pillow(image, content, name)
    # OpenCV turns TIFF by itself. Pillow decodes a whole PNG file to look behind its pixels.
    if image.format == "TIFF" or (image.format == "PNG" and b"eXIf" not in content):
        return values
    return _turned(values, _orientation(image))


def _open(content: bytes, name: str) -> "Image | None":
    """Reads a file's header with Pillow; None: Pillow cannot, and perhaps OpenCV can.

    Raises:
        DigitsError: if it is something else than a picture, or one of a kind that is not read.
        MemoryError: if it announces too many pixels.
    """
    from PIL import Image

    if content[4:8] == b"ftyp":
        with contextlib.suppress(ImportError):
            import pillow_heif

            pillow_heif.register_heif_opener()
    try:
        image = Image.open(io.BytesIO(content))
    except Image.DecompressionBombError:
        raise MemoryError from None
    # Pillow's readers of damaged files raise whatever they stumble over.
    except Exception:
        if kind := _foreign_kind(content):
            raise DigitsError(f"{name}: {kind}") from None
        return None
    if image.format not in _FORMATS:
        kind = image.format_description or image.format
        raise DigitsError(f"{name}: a picture of another kind ({kind}): {_SAVE}")
    return image


def _foreign_kind(content: bytes) -> str | None:
    """What a file that Pillow cannot open is, and what to do; None: unknown."""
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], _VIDEO)
    if content[:4] == b"RIFF" and content[8:12] == b"AVI ":
        return _VIDEO
    start = content[:_SVG_START].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<") and b"<svg" in start:
        return f"an SVG drawing: {_SAVE}"
    return next((words for first, words in _SIGNATURES if content.startswith(first)), None)


def _check_whole(image: "Image", name: str) -> None:
    """Refuses a cut JPEG or PNG file: OpenCV before 5 makes up what is missing of them.

    Args:
        image: just opened; of no use afterwards.
        name: in messages.
    """
    try:
        if image.format in ("JPEG", "MPO"):
            # An eighth of the size takes a third of the time.
            image.draft("L", (max(1, image.width // 8), max(1, image.height // 8)))
            image.load()
        elif image.format == "PNG":
            image.verify()
    except MemoryError:
        raise
    except Exception:
        raise DigitsError(f"{name}: cut or damaged: the picture is not whole") from None


def _decode_with_pillow(image: "Image", content: bytes, name: str) -> NDArray[Any]:
    """As `_decode`, of what OpenCV, or an older one, cannot decode."""
    try:
        return _pillow_pixels(image)
    except MemoryError:
        raise
    except Exception:
        raise DigitsError(f"{name}: {_foreign_kind(content) or _UNKNOWN}") from None


def _pillow_pixels(image: "Image") -> NDArray[Any]:
    """A picture of Pillow as `_decode` has it."""
    cv2 = import_cv2()
    # Some kinds are turned upright by Pillow, when they are loaded.
    image.load()
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
    elif image.mode.upper() in ("LA", "PA", "RGBA") or "transparency" in image.info:
        values = cv2.cvtColor(np.asarray(image.convert("RGBA")), cv2.COLOR_RGBA2BGRA)
    else:
        values = cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)
    return _turned(values, _orientation(image))


def _orientation(image: "Image") -> int:
    """How a picture is to be turned, EXIF's 1 to 8."""
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG)
    # A damaged EXIF block is no reason to refuse the picture.
    except Exception:
        return _UPRIGHT
    return orientation if orientation in range(1, 9) else _UPRIGHT


def _turned(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turns and mirrors pixels by EXIF's 1 to 8."""
    if orientation > 4:
        values = values.swapaxes(0, 1)
    # 1 to 4 and 5 to 8 are alike: as it is, left for right, both, upside down.
    if orientation % 4 in (2, 3):
        values = values[:, ::-1]
    if orientation % 4 in (3, 0):
        values = values[::-1]
    return np.ascontiguousarray(values)


def _as_seen(values: NDArray[Any], name: str, grey: bool) -> Pixels:
    """Pixels of `_decode` as `decode_picture` returns them."""
    cv2 = import_cv2()
    channels = values.shape[2] if values.ndim == 3 else 1
    if channels not in (1, 3, 4):
        raise DigitsError(f"{name}: expected a grey or colour picture, found {channels} channels")
    picture = _eight_bits(values)
    if channels == 4:
        picture = _composited(picture)
    if (channels == 1) != grey:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY if grey else cv2.COLOR_GRAY2BGR)
    return picture


def _eight_bits(values: NDArray[Any]) -> Pixels:
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


def _composited(picture: Pixels) -> Pixels:
    """Lays a picture with alpha, uint8 (h, w, 4), on black or white.

    Ink alone is laid on what it shows on: light ink on black, dark ink on white. A picture that
    brings its own paper, as a photograph cut out of its surroundings, is laid on more of that.
    """
    cv2 = import_cv2()
    alpha: Pixels = picture[..., 3]
    colours: Pixels = cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR)
    if alpha.min() == 255:
        return colours
    visible = cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY)[alpha > 127]
    if not visible.size:
        visible = np.zeros(1, np.uint8)
    low, middle, high = np.percentile(visible[:: 1 + visible.size // _SAMPLE], (5, 50, 95))
    is_light, has_paper = middle > 127, high - low > _INK_CONTRAST
    cover = cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR)
    if is_light == has_paper:
        colours = cv2.bitwise_not(cv2.multiply(cv2.bitwise_not(colours), cover, scale=1 / 255))
    else:
        colours = cv2.multiply(colours, cover, scale=1 / 255)
    return colours
