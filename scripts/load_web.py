"""Many viewers of one demo board in `digits-tf web`: what each of them gets, and the server's memory.

python scripts/load_web.py
python scripts/load_web.py --viewers=20 --minutes=5 --slow=2

Each viewer follows /events and /video, as the page in a browser does. Of the slow ones, every
second takes nothing at all; the others take a frame a second. Prints a JSON object. Exit code: 0, or
1 if a viewer that is not slow got less than half of the frames that the source showed.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

# A clone need not be installed.
_ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_ROOT))

from digits_tf.cli import command
from digits_tf.errors import DigitsError

_VIEWERS = flags.DEFINE_integer("viewers", 20, "Viewers at once.", lower_bound=1)
_MINUTES = flags.DEFINE_float("minutes", 5.0, "How long to measure.", lower_bound=0.01)
_SLOW = flags.DEFINE_integer("slow", 2, "How many more viewers are slow.", lower_bound=0)

# Until every viewer has begun, and what is made once has been made.
_SETTLE_S = 10.0
_SAMPLE_S = 1.0
_SLOW_S = 1.0  # between two frames that a slow viewer takes
_FRAME = re.compile(rb'"frame": (\d+)')
_STARVED = 0.5


@dataclasses.dataclass
class Viewer:
    """What one viewer has got since the measurement began.

    Attributes:
        numbers: of the frames whose readings it got.
        pictures: how many frames of the video it got.
    """

    numbers: list[int] = dataclasses.field(default_factory=list)
    pictures: int = 0

    def forget(self) -> None:
        """Begins anew."""
        self.numbers, self.pictures = [], 0


def main(words: Sequence[str]) -> int:
    """Measures and prints; returns the exit code."""
    if not hasattr(os, "getloadavg"):
        raise DigitsError("expected Linux or macOS, found a system without load and ps")
    with _server() as (process, port):
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
    numbers = [number for viewer in viewers for number in viewer.numbers]
    shown = max(numbers) - min(numbers) + 1 if numbers else 0
    readings = [len(set(viewer.numbers)) for viewer in viewers]
    pictures = [viewer.pictures for viewer in viewers]

    def of(counts: list[int]) -> dict[str, list[float]]:
        fps = [round(count / seconds, 2) for count in counts]
        # A viewer may begin or end a frame before another.
        missed = [max(0, shown - count) for count in counts]
        return {
            name: [min(each), statistics.median(each), max(each)]
            for name, each in (("fps", fps), ("missed", missed))
        }

    least = max(1.0, _STARVED * shown)
    return {
        "viewers": len(viewers),
        "seconds": seconds,
        "frames": shown,
        "readings": of(readings),
        "pictures": of(pictures),
        "starved": sum(min(pair) < least for pair in zip(readings, pictures, strict=True)),
    }


@contextlib.contextmanager
def _server() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program in a process of its own; gives it and its port."""
    code = [sys.executable, "-m", "digits_tf.web", "--port=0", "--source=demo"]
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    # Elsewhere, so that a developer's own digits change nothing.
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            code, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment
        ) as process,
    ):
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not (found := re.search(r":(\d+) ", line)):
                raise DigitsError(f"expected the server's address, found {line.strip()!r}")
            yield process, int(found[1])
        finally:
            process.terminate()


async def _watch(process: int, port: int) -> tuple[list[Viewer], list[list[float]], int]:
    """Runs all viewers.

    Returns:
        The viewers that are not slow; samples of seconds, memory in MB and processor seconds of the
        server and of this process; the streams that the server has at the end.
    """
    viewers = [Viewer() for _ in range(_VIEWERS.value)]
    tasks = [
        asyncio.create_task(follow(port, viewer))
        for viewer in viewers
        for follow in (_follow_events, _follow_video)
    ]
    tasks += [asyncio.create_task(_slow(port, number % 2 == 1)) for number in range(_SLOW.value)]
    seconds = 60 * _MINUTES.value
    try:
        await asyncio.sleep(min(_SETTLE_S, seconds))
        for viewer in viewers:
            viewer.forget()
        start, samples = time.monotonic(), []
        while (now := time.monotonic() - start) < seconds:
            samples.append([now, *_usage(process), time.process_time()])
            await asyncio.sleep(min(_SAMPLE_S, seconds - now))
        got = [dataclasses.replace(viewer) for viewer in viewers]
        samples.append([now, *_usage(process), time.process_time()])
        reader, writer = await _open(port, "/health", "Connection: close\r\n")
        streams = json.loads((await reader.read()).partition(b"\r\n\r\n")[2])["viewers"]
        writer.close()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return got, samples, streams


async def _follow_events(port: int, viewer: Viewer) -> None:
    reader, _ = await _open(port, "/events?crops")
    while chunk := await _chunk(reader):
        if found := _FRAME.search(chunk):
            viewer.numbers.append(int(found[1]))


async def _follow_video(port: int, viewer: Viewer) -> None:
    reader, _ = await _open(port, "/video")
    while await _chunk(reader):
        viewer.pictures += 1


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
    seconds = sum(float(part) * unit for part, unit in zip(parts, (1, 60, 3600, 86400)))
    return int(found[0]) * 1024 / 1e6, seconds


def _resources(samples: list[list[float]]) -> dict[str, Any]:
    table = np.array(samples)
    times, memory = table[:, 0], table[:, 1]
    shares = (table[-1, 2:] - table[0, 2:]) / (times[-1] - times[0])
    return {
        "memory_mb": {
            "start": round(memory[0], 1),
            "end": round(memory[-1], 1),
            "largest": round(memory.max(), 1),
            "slope_per_minute": round(60 * np.polyfit(times, memory, 1)[0], 3),
        },
        "cores_of_the_server": round(shares[0], 2),
        "cores_of_the_viewers": round(shares[1], 2),
    }


if __name__ == "__main__":
    command.run(main, __doc__)
