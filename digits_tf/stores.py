"""Pictures in object stores: s3://bucket/scans, gs://..., and what else Apache Arrow opens."""

import functools
import re
import urllib.parse
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits_tf.errors import DigitsError
from digits_tf.images import MOST_BYTES, decode_picture, read_picture

# Two letters at least: C:// is a drive.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")

# Google's library tries for a quarter of an hour, deaf to Ctrl-C.
_GOOGLE_LIMIT = "retry_limit_seconds"


def is_address(name: str) -> bool:
    """Whether a name is an address in a store, and no path on this machine."""
    return _ADDRESS.match(name) is not None


def read(name: str) -> NDArray[np.uint8]:
    """Decodes a picture, uint8 (h, w, 3), BGR.

    Args:
        name: a path or an address.

    Raises:
        DigitsError: if it is no picture or is cut, or there is no such store.
        OSError: if it cannot be read at all.
    """
    if not is_address(name):
        return read_picture(Path(name))
    files, path = _opened(name)
    with files.open_input_file(path) as file:
        return decode_picture(file.read(min(file.size(), MOST_BYTES + 1)), name)


def find(address: str) -> list[tuple[str, PurePosixPath]]:
    """Lists a folder and the folders in it, without what is hidden, or a single file.

    Returns:
        The files' addresses, and their paths below the folder; empty if there is nothing.

    Raises:
        DigitsError: if there is no such store.
        OSError: if it cannot be read.
    """
    files, path = _opened(address)
    from pyarrow import fs

    info = files.get_file_info(path)
    if info.is_file:
        return [(address, PurePosixPath(PurePosixPath(path).name))]
    # A bucket's folders are not there themselves, if nobody made them.
    listed = files.get_file_info(fs.FileSelector(path, allow_not_found=True, recursive=True))
    found = []
    for each in listed:
        below = PurePosixPath(each.path).relative_to(path)
        if each.is_file and not any(part.startswith(".") for part in below.parts):
            found.append((_below(address, below), below))
    return found


def _below(address: str, path: PurePosixPath) -> str:
    parts = _split(address)
    joined = f"{parts.path.rstrip('/')}/{urllib.parse.quote(str(path))}"
    return parts._replace(path=joined).geturl()


def _opened(address: str) -> tuple[Any, str]:
    """The store that an address begins with, and the path in it."""
    parts = _split(address)
    if parts.password:
        raise DigitsError(
            f"expected an address without a password, found one in {parts.scheme}://...: set the "
            "store's own variables, such as AWS_SECRET_ACCESS_KEY"
        )
    query = parts.query
    if parts.scheme in ("gs", "gcs") and _GOOGLE_LIMIT not in query:
        query = "&".join(filter(None, (query, f"{_GOOGLE_LIMIT}=30")))
    files, root = _store(parts._replace(path="/", query=query).geturl())
    return files, root.rstrip("/") + urllib.parse.unquote(parts.path).rstrip("/")


def _split(address: str) -> urllib.parse.SplitResult:
    # A key may have a #.
    return urllib.parse.urlsplit(address, allow_fragments=False)


@functools.cache
def _store(address: str) -> tuple[Any, str]:
    # Kept open: each asks the network where its bucket is.
    try:
        from pyarrow import ArrowException, fs
    except ImportError:
        raise DigitsError(f"{address}: a store needs pip install 'digits_tf[ray]'") from None
    try:
        files, root = fs.FileSystem.from_uri(address)
    except (ArrowException, ValueError, ImportError) as error:
        raise DigitsError(f"{address}: expected a store such as s3:// or gs:// ({error})") from None
    return files, root
