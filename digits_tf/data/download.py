"""Fetches MNIST's four files over HTTPS and checks their SHA-256."""

import hashlib
import http.client
import os
import queue
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from digits_tf import files, runtime
from digits_tf.errors import DigitsError

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)

# Of the decompressed files.
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

# The largest of the files is 9.9 MB; a mirror that sends more does not send MNIST.
_MAX_BYTES = 64 << 20
_SILENCE_SECONDS = 10
_MOST_REASON = 200  # letters
_CHUNK_BYTES = 1 << 16


def cache_folder() -> Path:
    """The folder for fetched data: $DIGITS_TF_CACHE, or the system's folder for caches."""
    if chosen := os.environ.get("DIGITS_TF_CACHE"):
        return Path(chosen)
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home()))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "digits_tf"


def cached(name: str, folder: Path) -> Path | None:
    """The cached file, decompressed and with the right SHA-256, or None."""
    path = folder / name
    if not path.is_file():
        return None
    if files.sha256(path) == SHA256[name]:
        return path
    print(f"{path}: damaged, fetching it again", file=sys.stderr)
    return None


def fetch(name: str, folder: Path, mirrors: Sequence[str] = MIRRORS, limit_s: float = 300) -> Path:
    """Downloads one file into `folder`, decompressed, unless it is there already.

    Args:
        name: one of the names in `SHA256`.
        folder: the cache. Only whole, checked files are put into it.
        mirrors: addresses that `name`.gz is appended to, tried in turn. They, and what they
            redirect to, begin with https://; on this machine also with http://.
        limit_s: seconds that a mirror may take to send the file.

    Returns:
        The decompressed file.

    Raises:
        DigitsError: if no mirror sent the file; the message gives each mirror's reason.
        OSError: if the cache cannot be written.
    """
    if path := cached(name, folder):
        return path
    reasons = []
    for mirror in mirrors:
        url = f"{mirror}{name}.gz"
        try:
            content = _within(limit_s, url)
            found = hashlib.sha256(content).hexdigest()
            if found != SHA256[name]:
                raise DigitsError(f"expected SHA-256 {SHA256[name][:12]}…, found {found[:12]}…")
        except (
            DigitsError,
            OSError,
            ValueError,
            zlib.error,
            http.client.HTTPException,
        ) as error:
            reason: object = error
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            elif isinstance(error, urllib.error.URLError):
                reason = error.reason
            reasons.append(f"{url}: {str(reason)[:_MOST_REASON]}")
            continue
        files.write_bytes(folder / name, content)
        return folder / name
    raise DigitsError(f"{name} could not be fetched ({'; '.join(reasons)})")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows ten redirects at most, and only to what may be fetched."""

    inf_msg = "redirects without end: "

    def redirect_request(self, *words: Any) -> urllib.request.Request | None:
        """Checks the new address."""
        _, answer, *_, url = words
        # The caller would read all of it, and it may have no end.
        answer.close()
        _check(url)
        return super().redirect_request(*words)


def _check(url: str) -> None:
    """Refuses all but https, and http on this machine."""
    parts = urllib.parse.urlsplit(url)
    is_here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not is_here:
        raise DigitsError(f"expected an address that begins with https://, found {url}")


def _within(limit_s: float, url: str) -> bytes:
    """`_download` in a thread, as looking up a name and reading a header know no limit in all."""
    outcome: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcome.put(_download(url, limit_s))
        except Exception as error:
            outcome.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        found = outcome.get(timeout=limit_s)
    except queue.Empty:
        raise DigitsError(f"still not done after {limit_s:.0f} s") from None
    if isinstance(found, Exception):
        raise found
    return found


def _download(url: str, limit_s: float) -> bytes:
    """The decompressed content of a .gz address."""
    end = time.monotonic() + limit_s
    _check(url)
    request = urllib.request.Request(url, headers={"User-Agent": "digits_tf"})  # noqa: S310
    received = bytearray()
    opener = urllib.request.build_opener(_Redirects)
    with opener.open(request, timeout=min(_SILENCE_SECONDS, limit_s)) as response:
        total = response.length
        with runtime.bar(total, url.rpartition("/")[2], unit="B") as bar:
            # read1 returns what has arrived, so that the time limit ends a trickle, too.
            while chunk := response.read1(_CHUNK_BYTES):
                received += chunk
                bar.update(len(chunk))
                if len(received) > _MAX_BYTES:
                    raise DigitsError(f"sends more than {_MAX_BYTES:,} bytes")
                if time.monotonic() > end:
                    raise DigitsError(f"still not done after {limit_s:.0f} s")
    if total and len(received) < total:
        raise DigitsError(f"ended after {len(received):,} of {total:,} bytes")
    return _gunzip(bytes(received))


def _gunzip(content: bytes) -> bytes:
    # 31 = 16 (a gzip header) + 15 (deflate's largest window).
    stream = zlib.decompressobj(31)
    plain = stream.decompress(content, _MAX_BYTES)
    if not stream.eof:
        raise DigitsError("sends a gzip stream that is cut short or too large")
    return plain
