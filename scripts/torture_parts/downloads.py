"""Mirrors that are slow, cut, lie, redirect in a circle or never end: what the cache holds then."""

import collections
import concurrent.futures
import contextlib
import gzip
import hashlib
import io
import socket
import socketserver
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from digits_tf.data import download
from digits_tf.errors import DigitsError
from torture_parts import Trial

# Each thread's heap takes 64 MB of addresses.
COUNT, SECONDS, MEGABYTES = 300, 5.0, 4096

_NAME = "digits"
_RIGHT = np.random.default_rng(0).integers(0, 256, 50_000).astype(np.uint8).tobytes()
_LIMIT_S, _MOST_BYTES = 1.0, 1 << 20
# A mirror that never ends does so after this long, so that no thread is left.
_ENDLESS_S = 3 * _LIMIT_S

_Sender = Callable[[np.random.Generator, str], Iterator[bytes]]


class _Reset(Exception):
    """The connection is to be reset."""


def start(folder: Path) -> Trial:
    """Prepares the trials."""
    download.SHA256[_NAME] = hashlib.sha256(_RIGHT).hexdigest()
    download._MAX_BYTES = _MOST_BYTES
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mirror)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    cache = folder / "cache"
    path = cache / _NAME

    def trial(rng: np.random.Generator) -> tuple[str, str]:
        ways = [_way(rng) for _ in range(int(rng.integers(1, 4)))]
        seed = int(rng.integers(1 << 31))
        mirrors = [f"http://127.0.0.1:{port}/{seed}/{n}/{way}/" for n, way in enumerate(ways)]
        cache.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        before = [None, None, None, _RIGHT[:-1], _RIGHT][int(rng.integers(5))]
        if before is not None:
            path.write_bytes(before)
        together = 2 if rng.random() < 0.2 else 1
        with (
            contextlib.redirect_stderr(io.StringIO()),  # where a damaged file is named
            concurrent.futures.ThreadPoolExecutor(together) as pool,
        ):
            outcomes = list(pool.map(lambda _: _fetched(mirrors, cache), range(together)))
        for outcome in outcomes:
            _judge(outcome, ways, mirrors, path, before)
        if [each.name for each in cache.iterdir()] not in ([], [_NAME]):
            raise AssertionError(f"left in the cache: {sorted(cache.iterdir())}")
        is_read = isinstance(outcomes[0], Path)
        return f"first mirror: {ways[0]}", "read" if is_read else "refused"

    return trial


def _fetched(mirrors: list[str], cache: Path) -> Path | DigitsError:
    try:
        return download.fetch(_NAME, cache, mirrors, _LIMIT_S)
    except DigitsError as error:
        return error


def _judge(
    outcome: Path | DigitsError,
    ways: list[str],
    mirrors: list[str],
    path: Path,
    before: bytes | None,
) -> None:
    good = [way in _GOOD for way in ways]
    asked = [_Mirror.asked[urllib.parse.urlsplit(mirror).path] > 0 for mirror in mirrors]
    if before == _RIGHT:
        if outcome != path or any(asked):
            raise AssertionError(f"the cache has it, and {ways} gave {outcome}, asked: {asked}")
        return
    # Each in turn, up to the first that sends the file.
    until = good.index(True) if any(good) else len(ways) - 1
    if asked != [number <= until for number in range(len(ways))]:
        raise AssertionError(f"{ways} gave {outcome}, asked: {asked}")
    if any(good):
        if outcome != path or path.read_bytes() != _RIGHT:
            raise AssertionError(f"{ways} gave {outcome}")
        return
    message = str(outcome)
    if not isinstance(outcome, DigitsError) or not message.isprintable() or len(message) > 2000:
        raise AssertionError(f"{ways}: expected one line, found {message[:2000]!r}")
    for mirror in mirrors:
        reason = message.partition(f"{mirror}{_NAME}.gz: ")[2].partition("; http")[0]
        if len(reason.strip(" )")) < 3:
            raise AssertionError(f"{ways}: expected a reason of {mirror}, found {message!r}")
    if path.exists() and path.read_bytes() != before:
        raise AssertionError(f"{ways}: the cache was poisoned")


def _way(rng: np.random.Generator) -> str:
    ways = list(_GOOD if rng.random() < 0.25 else _BAD)
    return ways[int(rng.integers(len(ways)))]


class _Mirror(socketserver.StreamRequestHandler):
    """Answers in the way that the path names: /SEED/NUMBER/WAY/FILE."""

    asked: ClassVar[collections.Counter[str]] = collections.Counter()

    def handle(self) -> None:
        """Sends until the client has gone, or long enough."""
        address = self.rfile.readline(9999).decode().split(" ")[1]
        while self.rfile.readline(9999).strip():
            pass
        seed, number, way, *_ = address.strip("/").split("/")
        self.asked[f"/{seed}/{number}/{way}/"] += 1
        send = (_GOOD | _BAD | _INNER)[way]
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            try:
                for piece in send(np.random.default_rng(int(seed)), address):
                    self.wfile.write(piece)
                    if time.monotonic() - begin > _ENDLESS_S:
                        break
            except _Reset:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def _ok(content: bytes, *headers: str) -> bytes:
    named = [f"Content-Length: {len(content)}", *headers]
    return "\r\n".join(["HTTP/1.0 200 OK", *named, "\r\n"]).encode() + content


def _moved(to: str, more: str = "Content-Length: 0", code: int = 302) -> bytes:
    return f"HTTP/1.0 {code} Found\r\nLocation: {to}\r\n{more}\r\n\r\n".encode()


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


_PACKED = gzip.compress(_RIGHT, mtime=0)
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_PLAIN = b"HTTP/1.0 200 OK\r\n\r\n"


def _always(answer: bytes) -> _Sender:
    return lambda rng, address: iter([answer])


def _endless(begin: bytes, piece: bytes, pause_s: float = 0.0) -> _Sender:
    def send(rng: np.random.Generator, address: str) -> Iterator[bytes]:
        yield begin
        while True:
            yield piece
            time.sleep(pause_s)

    return send


def _cut(answer: bytes, is_reset: bool = False) -> _Sender:
    def send(rng: np.random.Generator, address: str) -> Iterator[bytes]:
        yield answer[: int(rng.integers(1, len(answer) - 10))]
        if is_reset:
            raise _Reset

    return send


def _flipped(rng: np.random.Generator, address: str) -> Iterator[bytes]:
    content = bytearray(_PACKED)
    # Not in headers: some of their bits mean nothing.
    content[int(rng.integers(100, 9000))] ^= 1 << int(rng.integers(8))
    yield _ok(bytes(content))


def _garbage(rng: np.random.Generator, address: str) -> Iterator[bytes]:
    yield rng.integers(0, 256, int(rng.integers(1, 70_000))).astype(np.uint8).tobytes()


def _in_pieces(rng: np.random.Generator, address: str) -> Iterator[bytes]:
    answer = _ok(_PACKED)
    cuts = np.sort(rng.integers(0, len(answer), 20))
    for begin, end in zip([0, *cuts], [*cuts, len(answer)], strict=True):
        yield answer[begin:end]
        time.sleep(0.005)


def _elsewhere(way: str, code: int = 302) -> _Sender:
    """Redirects to another way of this server."""

    def send(rng: np.random.Generator, address: str) -> Iterator[bytes]:
        seed, number, *_ = address.strip("/").split("/")
        yield _moved(f"/{seed}/{number}/{way}/there", code=code)

    return send


def _deeper(rng: np.random.Generator, address: str) -> Iterator[bytes]:
    yield _moved(f"{address}/deeper")


_GOOD: dict[str, _Sender] = {
    "good": _always(_ok(_PACKED)),
    "in-pieces": _in_pieces,
    "chunked": _always(_CHUNKED + _chunk(_PACKED[:99]) + _chunk(_PACKED[99:]) + _chunk(b"")),
    "no-length": _always(_PLAIN + _PACKED),
    "moved": _elsewhere("good"),
    "moved-for-good": _elsewhere("good", 308),
    "moved-endlessly": _endless(_moved("/0/0/good/there", "X: y"), bytes(1 << 16)),
    "more-after-the-gzip": _always(_ok(_PACKED + b"more")),
}
# Only redirected to.
_INNER: dict[str, _Sender] = {
    "circle-back": _elsewhere("circle"),
}
_BAD: dict[str, _Sender] = {
    "circle": _elsewhere("circle-back"),
    "to-itself": _elsewhere("to-itself"),
    "ever-deeper": _deeper,
    "to-a-file": _always(_moved("file:///etc/passwd")),
    "to-ftp": _always(_moved("ftp://127.0.0.1/digits.gz")),
    "to-http": _always(_moved("http://127.0.0.2:9/digits.gz")),
    "to-data": _always(_moved("data:,digits")),
    "to-nowhere": _always(_moved("http://[")),
    "to-control-characters": _always(_moved("http://127.0.0.1:9/\x1b[2J\x07")),
    "nothing-there": _always(b"HTTP/1.0 404 \r\n\r\n"),
    "error-with-controls": _always(b"HTTP/1.0 500 \x1b[31mred\x07\r\n\r\n"),
    "endless-error": _endless(b"HTTP/1.0 503 Busy\r\n\r\n", bytes(1 << 16)),
    "empty": _always(_ok(b"")),
    "closed": _always(b""),
    "reset": _cut(_ok(_PACKED), is_reset=True),
    "cut": _cut(_ok(_PACKED)),
    "cut-chunked": _cut(_CHUNKED + _chunk(_PACKED) + _chunk(b"")),
    "cut-without-length": _always(_PLAIN + _PACKED[:-9]),
    "longer-than-said": _always(_ok(_PACKED)[:-20] + b"\r\n" * 10),
    "length-too-small": _always(b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\n" + _PACKED),
    "huge-length": _always(b"HTTP/1.0 200 OK\r\nContent-Length: 1" + b"0" * 18 + b"\r\n\r\nabc"),
    "length-of-5000-digits": _always(
        b"HTTP/1.0 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nabc"
    ),
    "silent": _endless(b"", b"", 0.1),
    "silent-after-the-header": _endless(_ok(_PACKED)[:200], b"", 0.1),
    "trickle": _endless(_ok(_PACKED)[:200], b"x", 0.05),
    "trickling-header": _endless(b"HTTP/1.0 200 OK\r\nX: ", b"x", 0.05),
    "trickling-chunks": _endless(_CHUNKED, _chunk(b"x"), 0.02),
    "endless": _endless(_PLAIN, bytes(1 << 16)),
    "endless-header": _endless(b"HTTP/1.0 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
    "endless-headers": _endless(b"HTTP/1.0 200 OK\r\n", b"X: y\r\n"),
    "endless-status": _endless(b"", b"x" * 9999),
    "endless-hints": _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless-chunk-size": _endless(_CHUNKED, b"0"),
    "negative-chunk": _always(_CHUNKED + b"-5\r\n" + _PACKED),
    "flipped": _flipped,
    "another-file": _always(_ok(gzip.compress(_RIGHT[::-1], mtime=0))),
    "no-gzip": _always(_ok(_RIGHT)),
    "a-page": _always(_ok(b"<html>Log in to this network</html>")),
    "bomb": _always(_ok(gzip.compress(bytes(50 * _MOST_BYTES), 1, mtime=0))),
    "garbage": _garbage,
}
