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

from digits_tf import files, runtime
from digits_tf.errors import DigitsError

if TYPE_CHECKING:
    from PIL.Image import Image
import struct
from collections.abc import Iterator

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


def _decode(content: bytes, name: str) -> np.ndarray:
    """The pixels, upright: any type, (h, w) or (h, w, channels), BGR or BGRA."""
    cv2 = import_cv2()
    if not content:
        raise DigitsError(f"{name}: expected a picture, found an empty file")
    if len(content) > _MOST_BYTES:
        raise DigitsError(f"{name}: expected a picture, found a file of more than 1 GiB")
    if is_cut(content):
        raise DigitsError(f"{name}: cut: the file ends before its picture does")
    picture, reason = None, ""
    # Its decoders write about damaged files on standard error by themselves.
    with runtime.standard_error():
        try:
            picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error as error:
            reason = str(error)
    if picture is not None:
        return _upright(picture, orientation(content))
    if "CV_IO_MAX_IMAGE" in reason or "Insufficient memory" in reason:
        raise MemoryError
    hint = foreign_kind(content)
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
    orientation = picture.getexif().get(EXIF_ORIENTATION, UPRIGHT)
    if picture.mode.startswith(("I", "F")):
        pixels = np.asarray(picture)
    elif picture.mode.upper() in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        pixels = cv2.cvtColor(np.asarray(picture.convert("RGBA")), cv2.COLOR_RGBA2BGRA)
    else:
        pixels = cv2.cvtColor(np.asarray(picture.convert("RGB")), cv2.COLOR_RGB2BGR)
    return _upright(pixels, orientation if orientation in range(1, 9) else UPRIGHT)


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


EXIF_ORIENTATION = 0x0112
UPRIGHT = 1  # of EXIF's orientations 1 to 8

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_EXIF = b"Exif\0\0"
_JPEG_EXIF, _JPEG_SCAN, _JPEG_END = 0xE1, 0xDA, 0xD9
# Inside a scan, FF 00 is a pixel's byte FF and FF D0 to FF D7 only part the scan.
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")

_SAVE = "save it as JPEG or PNG"
_HEIC = (
    "a HEIC picture, as iPhones take them, that cannot be read here: pip install "
    f"'digits_tf[heic]', or {_SAVE}"
)
_AVIF = f"an AVIF picture that cannot be read here: {_SAVE}"
_JPEG_XL = f"a JPEG XL picture: {_SAVE}"
_WEBP = f"an animated or a cut WebP picture: {_SAVE}"
_VIDEO = "a video: python -m digits_tf.camera --source reads those"
_BRANDS = {
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), _HEIC
    ),
    **dict.fromkeys((b"avif", b"avis"), _AVIF),
}
_MAGICS = (
    (b"GIF8", f"a GIF picture that cannot be read here: {_SAVE}"),
    (b"%PDF", f"a PDF document: {_SAVE}"),
    (b"8BPS", f"a Photoshop picture: {_SAVE}"),
    (b"\xff\x0a", _JPEG_XL),
    (b"\0\0\0\x0cJXL ", _JPEG_XL),
    (b"\0\0\0\x0cjP  ", f"a JPEG 2000 picture that cannot be read here: {_SAVE}"),
    (b"\x1a\x45\xdf\xa3", _VIDEO),
)
# AVIF's quarter turns against the clock, then its mirroring: 0 upside down, 1 left for right. What
# EXIF says for 0 to 3 turns and each mirroring.
_AVIF_TURNED = re.compile(rb"\0\0\0\x09irot([\0-\3])", re.DOTALL)
_AVIF_MIRRORED = re.compile(rb"\0\0\0\x09imir([\0\1])", re.DOTALL)
_AVIF_ORIENTATIONS = {None: (1, 8, 3, 6), 0: (4, 5, 2, 7), 1: (2, 7, 4, 5)}
_AVIF_START = 1 << 16  # bytes; what the file says of its picture comes before its pixels
_SVG_START = 4096  # bytes; licences and document types come before its first tag


def foreign_kind(content: bytes) -> str | None:
    """What a file that OpenCV, or an older one, cannot read is, and what to do; None: unknown."""
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], _VIDEO)
    if content[:4] == b"RIFF":
        return {b"AVI ": _VIDEO, b"WEBP": _WEBP}.get(content[8:12])
    start = content[:_SVG_START].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<") and b"<svg" in start:
        return f"an SVG drawing: {_SAVE}"
    return next((words for magic, words in _MAGICS if content.startswith(magic)), None)


def is_cut(content: bytes) -> bool:
    """Whether a JPEG or PNG file has no end; False for other kinds, which OpenCV checks itself."""
    if content.startswith(_JPEG):
        return all(marker != _JPEG_END for marker, _ in _jpeg_segments(content))
    return content.startswith(_PNG) and all(name != b"IEND" for name, _ in _png_chunks(content))


def orientation(content: bytes) -> int:
    """How a JPEG, PNG, WebP or AVIF picture is to be turned: EXIF's 1 to 8.

    1 too for other kinds: OpenCV turns TIFF by itself, and the rest cannot say.
    """
    if content[4:8] == b"ftyp":
        start = content[:_AVIF_START]
        turned, mirrored = _AVIF_TURNED.search(start), _AVIF_MIRRORED.search(start)
        return _AVIF_ORIENTATIONS[mirrored and mirrored[1][0]][turned[1][0] if turned else 0]
    try:
        return _exif_orientation(_exif(content))
    except struct.error:  # a damaged EXIF block is no reason to refuse the picture
        return UPRIGHT


def _exif(content: bytes) -> bytes:
    """The EXIF block, from its byte order mark on; empty where there is none."""
    if content.startswith(_JPEG):
        for marker, start in _jpeg_segments(content):
            if marker == _JPEG_EXIF and content.startswith(_EXIF, start):
                return content[start + len(_EXIF) :]
            if marker == _JPEG_SCAN:
                break
    elif content.startswith(_PNG):
        blocks = (content[at:] for name, at in _png_chunks(content) if name == b"eXIf")
        return next(blocks, b"")
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        for name, at in _webp_chunks(content):
            if name == b"EXIF":
                # Some programs write JPEG's prefix here too.
                return content[at:].removeprefix(_EXIF)
    return b""


def _exif_orientation(exif: bytes) -> int:
    if exif[:4] not in (b"II*\0", b"MM\0*"):
        return UPRIGHT
    order = "<" if exif.startswith(b"II") else ">"
    (first,) = struct.unpack_from(order + "I", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, first)
    for at in range(first + 2, first + 2 + 12 * count, 12):
        tag, _, _, value = struct.unpack_from(order + "HHIH", exif, at)
        if tag == EXIF_ORIENTATION:
            return value if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, int]]:
    """Markers and where their contents begin, up to the end of the picture or of the file."""
    at = 2
    while found := _JPEG_MARKER.search(content, at):
        marker, at = content[found.end() - 1], found.end()
        if marker == _JPEG_END:
            yield marker, at
            return
        if at + 2 > len(content):
            return
        yield marker, at + 2
        at += int.from_bytes(content[at : at + 2], "big")


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Names of chunks and where their contents begin."""
    at = len(_PNG)
    while at + 8 <= len(content):
        yield content[at + 4 : at + 8], at + 8
        at += 12 + int.from_bytes(content[at : at + 4], "big")


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Names of chunks and where their contents begin."""
    at = 12
    while at + 8 <= len(content):
        yield content[at : at + 4], at + 8
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
