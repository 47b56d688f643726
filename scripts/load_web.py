"""Many viewers of one board in `digits-tf web`: what each of them gets, and the server's memory.

python scripts/load_web.py
python scripts/load_web.py --viewers=20 --minutes=5 --slow=2
python scripts/load_web.py --viewers=20 --readers=80 --misbehaving=100 --minutes=1 --slow=0

Each viewer follows /events and /video, as the page in a browser does. Of the slow ones, every
second takes nothing at all; the others take a frame a second. Readers send a picture again and
again. Those that misbehave send nothing, garbage, half a request, a body without an end, take
nothing of what they ask for, or break off. Prints a JSON object. Exit code: 0, or 1 if a viewer
that is not slow got less than half of the frames that the source showed, a reader got a wrong
answer, or a connection that misbehaved was not ended within half a minute.
"""

import asyncio
import collections
import dataclasses
import itertools
import json
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from serving import serving

from digits_tf.cli import command
from digits_tf.errors import DigitsError

_VIEWERS = flags.DEFINE_integer("viewers", 20, "Viewers at once.", lower_bound=1)
_MINUTES = flags.DEFINE_float("minutes", 5.0, "How long to measure.", lower_bound=0.01)
_SLOW = flags.DEFINE_integer("slow", 2, "How many more viewers are slow.", lower_bound=0)

_READERS = flags.DEFINE_integer("readers", 0, "How many more send pictures.", lower_bound=0)
_MISBEHAVING = flags.DEFINE_integer(
    "misbehaving", 0, "How many more do all that a server should not be asked.", lower_bound=0
)

# Until every viewer has begun, and what is made once has been made.
_SETTLE_S = 10.0
_SAMPLE_S = 1.0
_SLOW_S = 1.0  # between two frames that a slow viewer takes
# What the page follows, and where a part has the number of its frame.
_STREAMS = (
    ("/events?crops", "readings", re.compile(rb'"frame": (\d+)')),
    ("/video", "pictures", re.compile(rb"X-Frame: (\d+)")),
)
_STARVED = 0.5
_PICTURE = Path(__file__).resolve().parent.parent / "samples" / "row.jpg"
_TEXT = "4079 386"  # on it
_BAD_S = 30.0  # within which the server has to end a connection that misbehaves
_AGAIN_S = 1.0  # after an answer that says so


@dataclasses.dataclass
class Viewer:
    """What one viewer has got since the measurement began.

    Attributes:
        readings: numbers of the frames of /events.
        pictures: numbers of the frames of /video.
    """

    readings: list[int] = dataclasses.field(default_factory=list)
    pictures: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Answers:
    """What the readers got, and what became of those that misbehaved.

    Attributes:
        seconds: of each picture that was read, from the request to the answer.
        answers: how often each text came back; "503": how often a reader was told to try again.
        ended: how often the server has ended a connection, or a client has, by what was wrong.
        left: how often the server has not.
    """

    seconds: list[float] = dataclasses.field(default_factory=list)
    answers: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    ended: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    left: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        shares = [50, 95, 100]
        return {
            "answers": dict(self.answers),
            "seconds_median_95_percent_longest": [
                round(float(each), 2) for each in np.percentile(self.seconds or [np.nan], shares)
            ],
            "misbehaving_ended": dict(self.ended),
            "misbehaving_left": dict(self.left),
        }


def main(words: Sequence[str]) -> int:
    """Measures and prints; returns the exit code."""
    if not hasattr(os, "getloadavg"):
        raise DigitsError("expected Linux or macOS, found a system without load and ps")
    with serving() as (process, port):
        viewers, got, samples, streams = asyncio.run(_watch(process.pid, port))
    result = summary(viewers, 60 * _MINUTES.value) | {
        "readers": _READERS.value,
        "misbehaving": _MISBEHAVING.value,
        **got.as_dict(),
        "slow_viewers": _SLOW.value,
        "streams_at_the_end": streams,
        **_resources(samples),
        "load_average": [round(each, 2) for each in os.getloadavg()],
    }
    from digits_tf.benchmark import conditions

    print(json.dumps(result | {"conditions": conditions()}, indent=2))
    is_wrong = set(got.answers) - {_TEXT, "503"} or got.left
    return int(result["starved"] > 0 or bool(is_wrong))


def summary(viewers: Sequence[Viewer], seconds: float) -> dict[str, Any]:
    """What viewers that are not slow got.

    Args:
        viewers: at least one.
        seconds: how long they were watched.

    Returns:
        "viewers", "frames" that the source showed, and of "readings" and "pictures" the "fps" and
        the frames "missed", smallest, median and largest of the viewers; "starved", how many got
        less than half.
    """
    streams = {name: [getattr(each, name) for each in viewers] for name in ("readings", "pictures")}
    numbers = {number for lists in streams.values() for each in lists for number in each}
    shown = max(numbers) - min(numbers) + 1 if numbers else 0

    def of(lists: list[list[int]]) -> dict[str, list[float]]:
        fps = [round(len(set(each)) / seconds, 2) for each in lists]
        # Between its first and its last: a viewer may begin or end a frame before another.
        missed = [each[-1] - each[0] + 1 - len(set(each)) if each else shown for each in lists]
        return {
            name: [min(each), statistics.median(each), max(each)]
            for name, each in (("fps", fps), ("missed", missed))
        }

    least = max(1.0, _STARVED * shown)
    starved = [
        min(len(set(viewer.readings)), len(set(viewer.pictures))) < least for viewer in viewers
    ]
    return {
        "viewers": len(viewers),
        "seconds": seconds,
        "frames": shown,
        **{name: of(lists) for name, lists in streams.items()},
        "starved": sum(starved),
    }


async def _watch(process: int, port: int) -> tuple[list[Viewer], Answers, list[list[float]], int]:
    """Runs all viewers.

    Returns:
        The viewers that are not slow; what the others got; samples of seconds, memory in MB and
        processor seconds of the server and of this process; the streams that the server has at the
        end.
    """
    viewers = [Viewer() for _ in range(_VIEWERS.value)]
    tasks = [
        asyncio.create_task(_follow(port, viewer, *stream))
        for viewer in viewers
        for stream in _STREAMS
    ]
    tasks += [asyncio.create_task(_slow(port, number % 2 == 1)) for number in range(_SLOW.value)]
    answers = Answers()
    kinds = itertools.islice(itertools.cycle(_BAD), _MISBEHAVING.value)
    others = [asyncio.create_task(_read(port, answers)) for _ in range(_READERS.value)]
    others += [asyncio.create_task(_misbehave(port, kind, answers)) for kind in kinds]
    seconds = 60 * _MINUTES.value
    try:
        await asyncio.sleep(min(_SETTLE_S, seconds))
        for viewer in viewers:
            viewer.readings, viewer.pictures = [], []
        start, samples = time.monotonic(), []
        while (now := time.monotonic() - start) < seconds:
            samples.append([now, *_usage(process), time.process_time()])
            await asyncio.sleep(min(_SAMPLE_S, seconds - now))
        # The viewers go on.
        got = [Viewer([*viewer.readings], [*viewer.pictures]) for viewer in viewers]
        samples.append([now, *_usage(process), time.process_time()])
        reader, writer = await _open(port, "/health", "Connection: close\r\n")
        streams = json.loads((await reader.read()).partition(b"\r\n\r\n")[2])["viewers"]
        writer.close()
        for task in filter(asyncio.Task.done, others):
            task.result()  # raises what ended it
    finally:
        for task in (*tasks, *others):
            task.cancel()
        await asyncio.gather(*tasks, *others, return_exceptions=True)
    return got, answers, samples, streams


async def _follow(
    port: int, viewer: Viewer, path: str, name: str, number: re.Pattern[bytes]
) -> None:
    reader, _ = await _open(port, path)
    while chunk := await _chunk(reader):
        if found := number.search(chunk):
            getattr(viewer, name).append(int(found[1]))


async def _slow(port: int, takes_nothing: bool) -> None:
    reader, _ = await _open(port, "/video")
    while not takes_nothing and await _chunk(reader):
        await asyncio.sleep(_SLOW_S)
    await asyncio.Event().wait()


async def _read(port: int, got: Answers) -> None:
    """Sends a picture again and again, each on a connection of its own."""
    picture = _PICTURE.read_bytes()
    while True:
        start = time.monotonic()
        try:
            reader, writer = await _send(port, _request("POST", "/read", len(picture)) + picture)
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
        except ConnectionError as error:
            got.answers[type(error).__name__] += 1
            continue
        status = head[9:12].decode()
        if status == "200":
            got.answers[json.loads(body)["text"]] += 1
            got.seconds.append(time.monotonic() - start)
        else:
            got.answers[status] += 1
            await asyncio.sleep(_AGAIN_S)


async def _misbehave(port: int, kind: str, got: Answers) -> None:
    """Does it again and again."""
    while True:
        reader, writer = await _send(port, _BAD[kind])
        try:
            async with asyncio.timeout(_BAD_S):
                if kind == "breaks off":
                    await asyncio.sleep(0.1)
                    _reset(writer)
                elif kind == "a body without an end":
                    while not reader.at_eof():
                        writer.write(bytes(1 << 16))
                        await writer.drain()
                        await asyncio.sleep(0.01)
                elif kind == "takes nothing":
                    await _deaf(writer)
                else:
                    if kind == "half of a second request":
                        await asyncio.sleep(_AGAIN_S)
                        writer.write(b"GET /hea")
                    await reader.read()
            got.ended[kind] += 1
        except ConnectionError:
            got.ended[kind] += 1
        except TimeoutError:
            got.left[kind] += 1
        finally:
            writer.transport.abort()
        await asyncio.sleep(_BAD_PAUSE_S)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection so that the other end gets an error."""
    now = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
    writer.transport.abort()


async def _deaf(writer: asyncio.StreamWriter) -> None:
    """Returns when the other end has cut a connection from which nothing is taken."""
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    while True:
        # Until the other end has gone, nobody minds an empty line between two requests.
        writer.write(b"\r\n")
        await writer.drain()
        await asyncio.sleep(_AGAIN_S)


def _request(method: str, path: str, count: int = 0) -> bytes:
    """The head of a request, behind which a body of `count` bytes comes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    return "\r\n".join([*lines, f"Content-Length: {count}", "\r\n"]).encode()


# What those that misbehave send first.
_BAD = {
    "sends nothing": b"",
    "sends garbage": bytes(range(256)) * 8,
    "half a request": _request("POST", "/read", 1000) + b"half",
    "half of a second request": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a body without an end": _request("POST", "/read", 10**10),
    "takes nothing": b"GET /video HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "breaks off": _request("POST", "/read", 1000) + b"half",
}
_BAD_PAUSE_S = 0.1


async def _send(port: int, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    return reader, writer


async def _open(
    port: int, path: str, headers: str = ""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n".encode())
    if not headers:
        await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    """The next part of an endless answer, which holds one reading or one picture; b"": its end."""
    size = int(await reader.readline() or b"0", 16)
    return (await reader.readexactly(size + 2))[:size] if size else b""


def _usage(process: int) -> tuple[float, float]:
    """A process' memory in MB and its processor time in seconds."""
    words = ["ps", "-o", "rss=,time=", "-p", str(process)]
    found = subprocess.run(words, capture_output=True, text=True, check=False).stdout.split()
    if len(found) != 2:
        raise DigitsError("the server has ended: see above")
    parts = reversed(found[1].replace("-", ":").split(":"))
    seconds = sum(
        float(part) * unit for part, unit in zip(parts, (1, 60, 3600, 86400), strict=False)
    )
    return int(found[0]) * 1024 / 1e6, seconds


def _resources(samples: list[list[float]]) -> dict[str, Any]:
    table = np.array(samples)
    times, memory = table[:, 0], table[:, 1]
    # What is made once is made in the first minute.
    late = times >= times[-1] / 2
    slope = np.polyfit(times[late], memory[late], 1)[0] if late.sum() > 1 else 0.0
    shares = (table[-1, 2:] - table[0, 2:]) / (times[-1] - times[0])
    return {
        "memory_mb": {
            "start": round(memory[0], 1),
            "end": round(memory[-1], 1),
            "largest": round(memory.max(), 1),
            "each_minute": [round(each, 1) for each in memory[:: round(60 / _SAMPLE_S)]],
            "slope_per_minute_of_the_second_half": round(60 * slope, 3),
        },
        "cores_of_the_server": round(shares[0], 2),
        "cores_of_the_viewers": round(shares[1], 2),
    }


if __name__ == "__main__":
    command.run(main, __doc__)
