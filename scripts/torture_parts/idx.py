"""Damaged idx files, raw and gzipped."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits_tf.data import idx
from digits_tf.errors import DigitsError
from torture_parts import Trial, check_refusal
from torture_parts.mutations import mutated

COUNT, SECONDS, MEGABYTES = 1_000_000, 1.0, 64


def start(folder: Path) -> Trial:
    """Prepares the trials."""
    path = folder / "digits"
    plain = _files()

    def trial(rng: np.random.Generator) -> tuple[str, str]:
        first, second = (plain[int(rng.integers(len(plain)))] for _ in range(2))
        kind = int(rng.integers(3))
        if kind == 0:
            name, content = mutated(rng, first, second)
            tried = f"raw, {name}"
        elif kind == 1:
            name, content = mutated(rng, _gzipped(rng, first), _gzipped(rng, second))
            tried = f"gzipped, then {name}"
        else:
            name, content = mutated(rng, first, second)
            tried, content = f"{name}, then gzipped", _gzipped(rng, content)
        path.write_bytes(content)
        return tried, _read(path)

    return trial


def _read(path: Path) -> str:
    try:
        found = idx.open_idx(path)
        array = found.read()
    except DigitsError as error:
        return check_refusal(error, path)
    if array.shape != found.shape or array.dtype != found.dtype:
        raise AssertionError(f"expected {found}, read {array.dtype} {array.shape}")
    for kind, check in (("images", idx.as_images), ("labels", idx.as_labels)):
        try:
            _check(kind, check(found).read())
        except DigitsError as error:
            check_refusal(error, path)
    return "read"


def _check(kind: str, array: NDArray[Any]) -> None:
    if kind == "images" and (array.shape[1:] != (28, 28) or array.dtype != np.uint8):
        raise AssertionError(f"expected images, read {array.dtype} {array.shape}")
    if kind == "labels" and not 0 <= array.reshape(len(array), -1)[:, 0].max() <= 9:
        raise AssertionError(f"expected labels 0 to 9, read {array}")


def _files() -> list[bytes]:
    """Whole idx files of a few kilobytes at most, of all types and ranks."""
    rng = np.random.default_rng(0)
    files = []
    for code, dtype, shape in (
        (0x08, ">u1", (5, 28, 28)),
        (0x08, ">u1", (1, 28, 28)),
        (0x08, ">u1", (2, 784)),
        (0x08, ">u1", (40,)),
        (0x0C, ">i4", (6, 8)),
        (0x09, ">i1", (3, 2, 2, 2)),
        (0x0B, ">i2", (9, 3)),
        (0x0D, ">f4", (4, 5)),
        (0x0E, ">f8", (7,)),
    ):
        header = struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape)
        files.append(header + rng.integers(0, 10, shape).astype(dtype).tobytes())
    return files


def _gzipped(rng: np.random.Generator, content: bytes) -> bytes:
    packed = gzip.compress(content, int(rng.integers(10)), mtime=0)
    if rng.random() < 0.2:  # in two members, as `cat a.gz b.gz` makes them
        cut = len(content) // 2
        packed = gzip.compress(content[:cut]) + gzip.compress(content[cut:])
    return packed
