"""The idx format: http://yann.lecun.com/exdb/mnist/, raw or gzipped, whatever the file's name.

The size that a header promises is compared with the real size of the file before any memory is
allocated for it. Files are streamed, so they may be larger than memory.
"""

import contextlib
import dataclasses
import gzip
import hashlib
import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from digits_tf.errors import DigitsError

IMAGE_SHAPE = (28, 28)
CLASSES = 10

_GZIP_MAGIC = b"\x1f\x8b"
# Deflate cannot shrink data by more than this factor (https://zlib.net/zlib_tech.html). A header
# that promises more is refused without decompressing the file.
_MAX_GZIP_RATIO = 1032
_CHUNK_BYTES = 1 << 20
_MOST_DIMENSIONS = 32  # of an array of NumPy 1; 2 has 64, an idx file up to 255
_TYPES: dict[int, tuple[str, np.dtype[Any]]] = {
    0x08: ("unsigned byte", np.dtype(np.uint8)),
    0x09: ("signed byte", np.dtype(np.int8)),
    0x0B: ("16-bit integer", np.dtype(">i2")),
    0x0C: ("32-bit integer", np.dtype(">i4")),
    0x0D: ("32-bit float", np.dtype(">f4")),
    0x0E: ("64-bit float", np.dtype(">f8")),
}


@dataclasses.dataclass(frozen=True)
class IdxFile:
    """An idx file whose header fits its size.

    Attributes:
        path: the file.
        dtype: element type as stored (big-endian).
        shape: all dimensions; the first counts the records.
        gzipped: whether the file is gzip-compressed.
        header_bytes: bytes before the first record.
    """

    path: Path
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    gzipped: bool
    header_bytes: int

    @property
    def record_bytes(self) -> int:
        """The size of one record in bytes."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    def batches(self, size: int) -> Iterator[NDArray[Any]]:
        """Yields arrays of at most `size` records, (n, *shape[1:]), in order.

        Raises:
            DigitsError: if the file has changed since it was opened.
        """
        left = self.shape[0]
        with _open(self.path, self.gzipped) as stream:
            stream.read(self.header_bytes)
            while left:
                count = min(size, left)
                content = stream.read(count * self.record_bytes)
                if len(content) < count * self.record_bytes:
                    raise DigitsError(f"{self.path}: the file became shorter while it was read")
                yield np.frombuffer(content, self.dtype).reshape((count, *self.shape[1:]))
                left -= count

    def sha256(self) -> str:
        """The SHA-256 of the decompressed file: the same for a raw and a gzipped one."""
        with _open(self.path, self.gzipped) as stream:
            # Files of gzip have all that file_digest needs, but not by their type.
            return hashlib.file_digest(cast(Any, stream), "sha256").hexdigest()

    def read(self) -> NDArray[Any]:
        """The whole file as one array of `shape`."""
        return next(self.batches(self.shape[0]))


def open_idx(path: Path | str) -> IdxFile:
    """Checks an idx file's header against its real, decompressed size.

    Raises:
        DigitsError: if it is no idx file, is empty, cut short, longer than its header says, or a
            broken gzip stream.
    """
    path = Path(path)
    if path.is_dir():
        raise DigitsError(f"{path}: expected an idx file, found a folder")
    if not path.exists():
        raise DigitsError(f"{path}: no such file")
    if not path.is_file():
        raise DigitsError(f"{path}: expected an idx file, found a device or a pipe")
    size = path.stat().st_size
    with path.open("rb") as file:
        gzipped = file.read(2) == _GZIP_MAGIC
    with _open(path, gzipped) as stream:
        header = stream.read(4)
        if len(header) < 4:
            raise DigitsError(
                f"{path}: expected an idx file of at least 5 bytes, found {len(header)} bytes"
            )
        dtype, rank = _parse_magic(header, path)
        dimensions = stream.read(4 * rank)
        header_bytes = 4 + 4 * rank
        if len(dimensions) < 4 * rank:
            raise DigitsError(f"{path}: cut short inside its header of {header_bytes} bytes")
        shape = struct.unpack(f">{rank}I", dimensions)
        idx = IdxFile(path, dtype, shape, gzipped, header_bytes)
        _check_size(idx, stream, size)
    return idx


def open_images(path: Path | str) -> IdxFile:
    """Opens an idx file of 28x28 pictures, stored as (n, 28, 28) or as rows of 784 pixels.

    Raises:
        DigitsError: if it is no such file.
    """
    return as_images(open_idx(path))


def as_images(idx: IdxFile) -> IdxFile:
    """Checks that an idx file has pictures, see `open_images`."""
    path = idx.path
    if idx.shape[1:] == (math.prod(IMAGE_SHAPE),):
        idx = dataclasses.replace(idx, shape=(idx.shape[0], *IMAGE_SHAPE))
    if len(idx.shape) != 3 or idx.dtype != np.uint8:
        hint = " (are images and labels swapped?)" if len(idx.shape) < 3 else ""
        raise DigitsError(
            f"{path}: expected images (idx3, unsigned bytes), found {_name_kind(idx)}{hint}"
        )
    if idx.shape[1:] != IMAGE_SHAPE:
        raise DigitsError(
            f"{path}: expected images of 28x28 pixels, found {idx.shape[1]}x{idx.shape[2]}"
        )
    return idx


def open_labels(path: Path | str) -> IdxFile:
    """Opens an idx file of labels 0..9: one byte each, or QMNIST's rows of 32-bit integers.

    QMNIST (https://github.com/facebookresearch/qmnist) stores eight columns a digit; the first is
    its class.

    Raises:
        DigitsError: if it is no such file or a label is not 0..9.
    """
    return as_labels(open_idx(path))


def as_labels(idx: IdxFile) -> IdxFile:
    """Checks that an idx file has labels, see `open_labels`."""
    path = idx.path
    plain = len(idx.shape) == 1 and idx.dtype == np.uint8
    qmnist = len(idx.shape) == 2 and idx.dtype == np.dtype(">i4")
    if not plain and not qmnist:
        hint = " (are images and labels swapped?)" if len(idx.shape) == 3 else ""
        raise DigitsError(
            f"{path}: expected labels (idx1, unsigned bytes), found {_name_kind(idx)}{hint}"
        )
    first = 0
    for labels in label_batches(idx, _CHUNK_BYTES):
        wrong = np.flatnonzero((labels < 0) | (labels >= CLASSES))
        if len(wrong):
            raise DigitsError(
                f"{path}: expected labels 0..9, found {labels[wrong[0]]} at index "
                f"{first + wrong[0]}"
            )
        first += len(labels)
    return idx


def label_batches(idx: IdxFile, size: int) -> Iterator[NDArray[Any]]:
    """Yields the classes of a label file, integers (n,), at most `size` at a time."""
    for labels in idx.batches(size):
        yield labels[:, 0] if labels.ndim == 2 else labels


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    """Writes unsigned bytes as an idx file: gzipped if the name ends in .gz, else raw.

    Args:
        path: the file.
        array: uint8 of any shape.
    """
    header = bytes((0, 0, 0x08, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    content = header + np.ascontiguousarray(array, np.uint8).tobytes()
    # No time stamp, so that equal arrays make equal files.
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


@contextlib.contextmanager
def _open(path: Path, gzipped: bool) -> Iterator[IO[bytes]]:
    """The decompressed stream of a file; a broken gzip stream is a DigitsError."""
    try:
        with cast(IO[bytes], gzip.open(path, "rb") if gzipped else path.open("rb")) as stream:
            yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DigitsError(f"{path}: expected a gzip stream, found a broken one ({error})") from None


def _parse_magic(magic: bytes, path: Path) -> tuple[np.dtype[Any], int]:
    zero, code, rank = struct.unpack(">HBB", magic)
    if zero != 0 or code not in _TYPES or not 0 < rank <= _MOST_DIMENSIONS:
        raise DigitsError(
            f"{path}: expected an idx file (magic 00 00 08 01 or 00 00 08 03), found "
            f"{_name_magic(magic)}"
        )
    return _TYPES[code][1], rank


def _name_magic(magic: bytes) -> str:
    known = {b"PK\x03\x04": "a zip archive: unpack it first", b"\x89PNG": "a PNG picture"}
    if magic in known:
        return known[magic]
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in magic):
        return f"text that begins with {magic.decode()!r}"
    return f"bytes {magic.hex(' ')}"


def _check_size(idx: IdxFile, stream: IO[bytes], file_bytes: int) -> None:
    """Compares the size that the header promises with the rest of `stream`, read up to there."""
    path, shape = idx.path, idx.shape
    if 0 in shape:
        raise DigitsError(f"{path}: expected at least one record, found {_sizes(shape)}")
    expected = shape[0] * idx.record_bytes
    if idx.gzipped:
        if expected > file_bytes * _MAX_GZIP_RATIO:
            raise DigitsError(
                f"{path}: its header promises {_sizes(shape)} ({expected:,} bytes), more than "
                f"{file_bytes:,} gzipped bytes can hold"
            )
        found = _count(stream, expected + 1)
    else:
        found = file_bytes - idx.header_bytes
    if found < expected:
        raise DigitsError(
            f"{path}: cut short: its header promises {_sizes(shape)} ({expected:,} bytes), found "
            f"{found:,} bytes"
        )
    if found > expected:
        more = "more" if idx.gzipped else f"{found - expected:,} more"
        raise DigitsError(
            f"{path}: expected {expected:,} bytes for {_sizes(shape)}, found {more} at the end"
        )


def _count(stream: IO[bytes], most: int) -> int:
    """Counts the bytes left in a stream, and stops at `most`."""
    count = 0
    while count < most and (chunk := stream.read(min(_CHUNK_BYTES, most - count))):
        count += len(chunk)
    return count


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in shape)


def _name_kind(idx: IdxFile) -> str:
    names = {dtype: name for name, dtype in _TYPES.values()}
    return f"idx{len(idx.shape)} of {_sizes(idx.shape)}, {names[idx.dtype]}"
