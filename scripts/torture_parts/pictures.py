"""Damaged and misleading picture files of every kind that is read."""

import contextlib
import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from digits_tf.errors import DigitsError
from digits_tf.images import PICTURE_SUFFIXES, read_picture
from torture_parts import Trial, check_refusal, pick
from torture_parts.mutations import mutated

# A picture may have 2^28 pixels by its header, whatever the file's size.
COUNT, SECONDS, MEGABYTES = 60_000, 20.0, 6000

_NAMES = ("7", "größe 7", "line\nend", "\x1b[2J", "７", "a" * 200, "-", "*?[", "\udcff")


def start(folder: Path) -> Trial:
    """Prepares the trials."""
    files = _files()
    kinds = tuple(files)
    said = os.open(folder / "said", os.O_CREAT | os.O_RDWR)
    # What libraries write there by themselves goes to nobody's terminal.
    os.dup2(said, 2)

    def trial(rng: np.random.Generator) -> tuple[str, str]:
        for old in folder.iterdir():
            if old.name != "said":
                old.unlink()
        kind = pick(rng, *kinds)
        _, content = mutated(rng, files[kind], files[pick(rng, *kinds)])
        suffix = pick(rng, *sorted(PICTURE_SUFFIXES))
        path = folder / f"{_NAMES[int(rng.integers(len(_NAMES)))]}{suffix}"
        path.write_bytes(content)
        happened = _read(path, grey=rng.random() < 0.3)
        if os.fstat(said).st_size:
            words = os.pread(said, 1000, 0)
            os.ftruncate(said, 0)
            raise AssertionError(f"standard error says {words!r}")
        return kind, happened

    return trial


def _read(path: Path, *, grey: bool) -> str:
    try:
        picture = read_picture(path, grey=grey)
    except DigitsError as error:
        # Control characters in names are escaped.
        shown = str(DigitsError(str(path)))
        return check_refusal(error, shown)
    if picture.ndim != (2 if grey else 3) or picture.dtype != np.uint8 or not picture.size:
        raise AssertionError(f"read {picture.dtype} {picture.shape}")
    return "read"


def _files() -> dict[str, bytes]:
    """Small whole pictures."""
    files = dict(_with_opencv())
    files |= dict(_with_pillow())
    files["colour key png"] = _png(3, 24, 18, [struct.pack(">HHH", 9, 9, 9)])
    files["netpbm ascii"] = b"P2\n# seven\n4 3\n255\n" + b"7 " * 12
    files["empty"] = b""
    files["text"] = b"seven\n" * 30
    return files


def _with_opencv() -> Iterator[tuple[str, bytes]]:
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (40, 48, 3)).astype(np.uint8)
    colours[8:30, 20:26] = 0
    alpha = np.dstack([colours, colours[..., 0]])
    wide = colours.astype(np.uint16) * 257
    for suffix in (".png", ".jpg", ".bmp", ".webp", ".tiff", ".jp2", ".ppm"):
        yield f"colour {suffix[1:]}", _encoded(suffix, colours)
    for suffix in (".png", ".bmp", ".tiff", ".pgm"):
        yield f"grey {suffix[1:]}", _encoded(suffix, colours[..., 0])
    for suffix in (".png", ".webp", ".tiff"):
        yield f"alpha {suffix[1:]}", _encoded(suffix, alpha)
    for suffix in (".png", ".tiff", ".ppm"):
        yield f"16-bit {suffix[1:]}", _encoded(suffix, wide)
    yield "float tiff", _encoded(".tiff", colours.astype(np.float32))


def _encoded(suffix: str, picture: np.ndarray[Any, Any]) -> bytes:
    good, content = cv2.imencode(suffix, picture)
    if not good:
        raise AssertionError(suffix)
    return content.tobytes()


def _with_pillow() -> Iterator[tuple[str, bytes]]:
    rng = np.random.default_rng(1)
    image = Image.fromarray(rng.integers(0, 256, (40, 48, 3)).astype(np.uint8))
    palette, bilevel = image.quantize(7), image.convert("1")
    exif = Image.Exif()
    exif[0x0112] = 6
    saved: tuple[tuple[str, Image.Image, str, dict[str, Any]], ...] = (
        ("turned jpg", image, "JPEG", {"exif": exif.tobytes(), "progressive": True}),
        ("cmyk jpg", image.convert("CMYK"), "JPEG", {}),
        ("turned png", image, "PNG", {"exif": exif.tobytes()}),
        ("palette png", palette, "PNG", {"transparency": 0}),
        ("bilevel png", bilevel, "PNG", {}),
        ("gif", palette, "GIF", {"save_all": True, "append_images": [palette.rotate(90)]}),
        ("lzw tiff", image, "TIFF", {"compression": "tiff_lzw"}),
        ("fax tiff", bilevel, "TIFF", {"compression": "group4"}),
        ("jpeg tiff", image, "TIFF", {"compression": "jpeg"}),
        ("pages tiff", image, "TIFF", {"save_all": True, "append_images": [image]}),
        ("avif", image, "AVIF", {"exif": exif.tobytes()}),
        ("heic", image, "HEIF", {}),
        ("icon", image, "ICO", {}),
    )
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    for name, each, kind, options in saved:
        file = io.BytesIO()
        # Where this Pillow lacks a kind, or pillow-heif is missing.
        with contextlib.suppress(KeyError, OSError, ValueError):
            each.save(file, kind, **options)
            yield name, file.getvalue()


def _png(colour_type: int, width: int, height: int, keys: list[bytes]) -> bytes:
    """A PNG file with a palette and with colours that count as transparent."""
    rows = b"".join(b"\0" + bytes(width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"PLTE", bytes(range(30))), *((b"tRNS", key) for key in keys)]
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
