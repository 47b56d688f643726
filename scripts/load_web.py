"""Many viewers of one board in `digits-tf web`: what each of them gets, and the server's memory.

python scripts/load_web.py
python scripts/load_web.py --viewers=20 --minutes=5 --slow=2

Each viewer follows /events and /video, as the page in a browser does. Of the slow ones, every
second takes nothing at all; the others take a frame a second. Prints a JSON object. Exit code: 0,
or 1 if a viewer that is not slow got less than half of the frames that the source showed.
"""

import asyncio
import dataclasses
import json
import os
import re
import statistics
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


@dataclasses.dataclass
class Viewer:
    """What one viewer has got since the measurement began.

    Attributes:
        readings: numbers of the frames of /events.
        pictures: numbers of the frames of /video.
    """

    readings: list[int] = dataclasses.field(default_factory=list)
    pictures: list[int] = dataclasses.field(default_factory=list)


def main(words: Sequence[str]) -> int:
    """Measures and prints; returns the exit code."""
    if not hasattr(os, "getloadavg"):
        raise DigitsError("expected Linux or macOS, found a system without load and ps")
    with serving() as (process, port):
        viewers, samples, streams = asyncio.run(_watch(process.pid, port))
    result = summary(viewers, 60 * _MINUTES.value) | {
        "slow_viewers": _SLOW.value,
        "streams_at_the_end": streams,
        **_resources(samples),
        "load_average": [round(each, 2) for each in os.getloadavg()],
    }
    from digits_tf.benchmark import conditions

    print(json.dumps(result | {"conditions": conditions()}, indent=2))
    return int(result["starved"] > 0)


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


async def _watch(process: int, port: int) -> tuple[list[Viewer], list[list[float]], int]:
    """Runs all viewers.

    Returns:
        The viewers that are not slow; samples of seconds, memory in MB and processor seconds of the
        server and of this process; the streams that the server has at the end.
    """
    viewers = [Viewer() for _ in range(_VIEWERS.value)]
    tasks = [
        asyncio.create_task(_follow(port, viewer, *stream))
        for viewer in viewers
        for stream in _STREAMS
    ]
    tasks += [asyncio.create_task(_slow(port, number % 2 == 1)) for number in range(_SLOW.value)]
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
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return got, samples, streams


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
