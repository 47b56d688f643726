"""What a picture file says of itself, read from its bytes: its kind, which way up, if it is whole.

OpenCV does not name the kinds that it cannot read, its versions differ in which files they turn
upright, and those before 5 give the upper part of a cut JPEG file as if it were all.
"""

import re
import struct
from collections.abc import Iterator

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
