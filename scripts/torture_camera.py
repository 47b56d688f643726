"""Proves that the camera program outlives cameras, senders, full disks and kills.

python scripts/torture_camera.py
python scripts/torture_camera.py --proofs=kill --proofs=disk --times=5

garbage    a fake camera that freezes, fails, raises, sends what is no picture, comes back
senders    MJPEG over HTTP, and RTSP where Python's gi and GStreamer's rtsp-server are there: the
           sender is killed and started again; and HTTP servers that send something else
endurance  the demo as fast as possible for --minutes: is memory flat, is latency?
kill       SIGKILL and SIGTERM during a recording: how much of it plays
disk       a recording on a disk that fills up (as root on Linux: a small tmpfs)

Prints JSON. Exit code: 0 all held, 1 something did not.
"""

import contextlib
import http.server
import io
import itertools
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from absl import flags

# FFmpeg reports each video that is cut.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf.cli import command
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2

ROOT = Path(__file__).resolve().parent.parent

_PROOFS = ("garbage", "senders", "endurance", "kill", "disk")
# What is read in the pictures that senders send.
_TEXT_FRAME = 60
# Seconds: to start the program, and until a sender that is back must be read again. A lost device
# is opened again after at most 10 s.
_START_S, _BACK_S = 60.0, 20.0
# What a program may take to end; see live._RELEASE_S.
_END_S = 5.0
# Frames of a killed recording that may be missing: FFmpeg writes 256 KiB at a time.
_MOST_LOST = 60
# Frames of one fragment of an mp4; see recording.py.
_FRAGMENT = 12
# Growth of memory and of the work for a frame that is more than chance.
_MOST_GROWTH_MIB, _MOST_MORE_WORK = 8.0, 1.5
_BLOCK = 10_000  # frames
_WARM_S, _SAMPLE_S = 60.0, 5.0


def main(words: Sequence[str]) -> int:
    """Runs the proofs and prints what happened."""
    from digits_tf import benchmark

    rng, times = random.Random(0), flags.FLAGS.times  # noqa: S311  # no secret
    proofs: dict[str, Callable[[], dict[str, Any]]] = {
        "garbage": lambda: garbage(10 * times, rng),
        "senders": lambda: senders(times, rng),
        "endurance": lambda: endurance(60 * flags.FLAGS.minutes),
        "kill": lambda: kill(times, rng),
        "disk": disk,
    }
    results = {}
    for name in flags.FLAGS.proofs:
        start = time.monotonic()
        found = proofs[name]()
        results[name] = found | {"seconds": round(time.monotonic() - start, 1)}
    print(json.dumps({"proofs": results, "conditions": benchmark.conditions()}, indent=2))
    return int(any(result["violations"] for result in results.values()))


class Program:
    """The camera program without a window, and what it prints.

    Args:
        *words: its flags.
        folder: where it is started.

    Attributes:
        readings: for each frame when its line came, its text, and its milliseconds.
        messages: the lines on standard error.
    """

    def __init__(self, *words: str, folder: Path):
        self.readings: list[tuple[float, str, float]] = []
        self.messages: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "digits_tf.camera", "--headless", "--every_frame", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._threads = [threading.Thread(target=each) for each in (self._listen, self._hear)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "Program":
        """Gives itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Ends it, however it is."""
        self.process.kill()
        self.ended(None)

    def read_since(self, when: float, text: str, seconds: float) -> float | None:
        """Waits for a reading after an instant; returns how many seconds it took, if it came."""
        number, end = 0, time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            for came, found, _ in self.readings[number:]:
                number += 1
                if came > when and text in (found, ""):
                    return came - when
            time.sleep(0.005)
        return None

    def ended(self, seconds: float | None) -> float | None:
        """Waits for the end and all that was printed; None: it did not end in time."""
        start = time.monotonic()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        for thread in self._threads:
            thread.join()
        return time.monotonic() - start

    def flaws(self) -> list[str]:
        """What no program of this package may print or end with."""
        text, code = "\n".join(self.messages), self.process.returncode
        flaws = ["a traceback"] if "Traceback" in text else []
        errors = sum(line.startswith("error: ") for line in self.messages)
        if code not in (0, 2, -signal.SIGKILL) or errors != (code == 2):
            flaws.append(f"exit code {code}, {errors} errors: {text[-300:]}")
        return flaws

    def _listen(self) -> None:
        assert self.process.stdout  # noqa: S101  # it was asked for
        with self.process.stdout as lines:
            for line in lines:
                reading = json.loads(line)
                self.readings.append((time.monotonic(), reading["text"], reading["ms"]))

    def _hear(self) -> None:
        assert self.process.stderr  # noqa: S101  # it was asked for
        with self.process.stderr as lines:
            self.messages += map(str.rstrip, lines)


# A fake camera


class MadCapture:
    """Stands in for cv2.VideoCapture: a camera that does what it likes.

    Args:
        rng: decides what it does.
        sound: whether it behaves.
    """

    PICTURE = np.full((48, 64, 3), 90, np.uint8)

    def __init__(self, rng: random.Random, sound: bool):
        self._rng, self._sound, self._left = rng, sound, rng.randrange(12)

    def isOpened(self) -> bool:
        """Whether it opens."""
        self._may_raise()
        return self._sound or self._rng.random() < 0.8

    def set(self, name: int, value: float) -> bool:
        """Takes a setting."""
        return True

    def get(self, name: int) -> float:
        """Gives a setting."""
        self._may_raise()
        return 30.0 if self._sound else self._rng.choice([30.0, 0.0, -1.0, float("nan"), 1e99])

    def read(self, spare: Any = None) -> tuple[bool, Any]:
        """Gives a picture, or whatever."""
        time.sleep(0.002)
        if self._sound:
            return True, self.PICTURE
        self._may_raise()
        self._left -= 1
        if self._left < 0:  # frozen, or gone
            time.sleep(self._rng.choice([0.0, 0.0, 0.3]))
            return False, None
        return self._rng.random() < 0.9, self._given()

    def release(self) -> None:
        """Lets go of it."""
        self._may_raise()

    def _may_raise(self) -> None:
        if not self._sound and self._rng.random() < 0.03:
            kinds = [import_cv2().error("mad"), RuntimeError("mad\ncamera"), MemoryError()]
            raise self._rng.choice(kinds)

    def _given(self) -> Any:
        rng = self._rng
        sides = rng.choice([(48, 64), (1, 1), (1, 900), (900, 1), (0, 5), (480, 640), (63, 65)])
        channels = rng.choice([(3,), (3,), (3,), (), (1,), (4,), (2,), (3, 1)])
        types = [np.uint8, np.uint8, np.uint8, np.uint16, np.float32, bool]
        noise = np.random.default_rng(rng.randrange(99)).integers(0, 256, (*sides, *channels))
        return rng.choice([None, [1, 2], "x", *9 * [noise.astype(rng.choice(types))]])


def garbage(episodes: int, rng: random.Random) -> dict[str, Any]:
    """Opens fake cameras that go mad at random and come back at last."""
    from digits_tf.camera.sources import live
    from digits_tf.recognition import Recognizer

    # A tenth of the real limits.
    limits = {name: getattr(live, name) / 10 for name in dir(live) if name.endswith("_S")}
    recognizer = Recognizer.load("tiny")
    violations, ends = [], {"read to the end": 0, "refused at the start": 0}
    threads = threading.active_count()
    with mock.patch.multiple(live, **limits), tempfile.TemporaryDirectory() as folder:
        for number in range(episodes):
            path = Path(folder) / f"{number}.mp4"
            try:
                flaws = _episode(rng, recognizer, path)
                ends["read to the end"] += 1
            except DigitsError as error:
                flaws = [f"{error}"] if "\n" in " ".join(str(error).split()) else []
                ends["refused at the start"] += 1
            except Exception as error:
                flaws = [f"{type(error).__name__}: {error}"]
            violations += [f"camera {number}: {flaw}" for flaw in flaws]
        time.sleep(0.5)
    left = threading.active_count() - threads
    if left > 0:
        violations.append(f"{left} threads go on")
    return {"cameras": episodes, **ends, "violations": violations}


def _episode(rng: random.Random, recognizer: Any, path: Path) -> list[str]:
    """A camera of many lives, of which the last is sound; half of them are recorded."""
    from digits_tf.annotators import Overlay
    from digits_tf.camera.display import Lines, StatusLine
    from digits_tf.camera.loop import Loop
    from digits_tf.camera.smoother import Smoother
    from digits_tf.camera.sources import CameraSettings, open_source

    cv2 = import_cv2()
    real, lives, flaws, shown = cv2.VideoCapture, rng.randrange(1, 4), [], []

    def capture(where: Any, *rest: Any) -> Any:
        if where != 0:
            return real(where, *rest)
        nonlocal lives
        lives -= 1
        return MadCapture(rng, sound=lives < 0)

    messages = io.StringIO()
    with (
        mock.patch.object(cv2, "VideoCapture", capture),
        contextlib.redirect_stderr(messages),
        contextlib.ExitStack() as stack,
    ):
        status = StatusLine()
        source = open_source("0", CameraSettings(rotate=rng.choice([0, 90])), status.notify)
        stack.callback(source.release)
        display = mock.create_autospec(Lines(False), instance=True, draws=rng.random() < 0.5)
        display.show.side_effect = lambda result, picture: shown.append(result)
        display.wait.side_effect = time.sleep
        loop = Loop(source, recognizer, display, status, Smoother(0.5), Overlay())
        if rng.random() < 0.5:
            loop.record(path)
        start, sound = time.monotonic(), False
        # Each life may end in a pause that is twice as long as the one before.
        while not sound and time.monotonic() < start + 10:
            loop.run(seconds=0.2)
            sound = lives < 0 and (shown[-1].frame.picture == 90).all()
        if not sound:
            flaws.append("it did not come back")
        loop.close()
    for result in shown:
        height, width = result.frame.picture.shape[:2]
        for x, y, w, h in (digit.box for digit in result.digits):
            if not (0 <= x < x + w <= width and 0 <= y < y + h <= height):
                flaws.append(f"a box outside the frame: {x, y, w, h}")
    if "Traceback" in messages.getvalue():
        flaws.append(messages.getvalue())
    return flaws


# Senders


class Mjpeg(http.server.BaseHTTPRequestHandler):
    """Sends a picture again and again; at other paths than / something else."""

    jpeg = b""

    def do_GET(self) -> None:
        """Answers until the other side hangs up."""
        with contextlib.suppress(OSError):
            getattr(self, f"_{self.path[1:] or 'pictures'}")()

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""

    def _begin(self, kind: str, code: int = 200, **headers: str) -> None:
        self.send_response(code)
        for name, value in {"Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, jpegs: Iterator[bytes]) -> None:
        self._begin("multipart/x-mixed-replace; boundary=frame")
        for jpeg in jpegs:
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            time.sleep(1 / 15)

    def _pictures(self) -> None:
        self._send(itertools.repeat(self.jpeg))

    def _sizes(self) -> None:
        self._send(encoded(np.full((40 * n, 60 * n, 3), 80, np.uint8)) for n in _cycle(2, 9))

    def _cut(self) -> None:
        self._send(self.jpeg[: len(self.jpeg) // n] for n in _cycle(1, 5))

    def _noise(self) -> None:
        self._send(os.urandom(9000) for _ in itertools.count())

    def _end(self) -> None:
        self._send(itertools.repeat(self.jpeg, 3))

    def _silence(self) -> None:
        time.sleep(60)

    def _missing(self) -> None:
        self._begin("text/html", 404)

    def _page(self) -> None:
        self._begin("text/html")
        self.wfile.write(b"<html>no camera</html>" * 99)

    def _circle(self) -> None:
        self._begin("text/html", 302, Location="/circle")

    def _drip(self) -> None:
        for byte in itertools.cycle(b"HTTP/1.0 200 OK "):
            self.wfile.write(bytes([byte]))
            time.sleep(0.2)


_PATHS = ("sizes", "cut", "noise", "end", "silence", "missing", "page", "circle", "drip")


def serve(port: int, picture: str) -> None:
    """Serves MJPEG on this machine without end."""
    Mjpeg.jpeg = Path(picture).read_bytes()
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Mjpeg).serve_forever()


# For a Python that has gi, such as Debian's own.
_RTSP = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
if len(sys.argv) > 1:
    Gst.init(None)
    server = GstRtspServer.RTSPServer(service=sys.argv[1])
    factory = GstRtspServer.RTSPMediaFactory(shared=True)
    factory.set_launch(
        f'( multifilesrc location="{sys.argv[2]}" loop=true caps=image/jpeg,framerate=15/1'
        " ! jpegdec ! videoconvert ! video/x-raw,format=I420 ! jpegenc ! rtpjpegpay name=pay0 )")
    server.get_mount_points().add_factory("/", factory)
    server.attach(None)
    GLib.MainLoop().run()
"""


def senders(times: int, rng: random.Random, kinds: Sequence[str] = ("MJPEG", "RTSP")) -> Any:
    """Kills each sender and starts it again; then tries servers that are no senders."""
    result: dict[str, Any] = {}
    violations: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = _write_picture(folder / "board.jpg")
        for kind in kinds:
            port = _free_port()
            start = _sender(kind, port, folder / "board.jpg")
            if start is None:
                result[kind] = "not tried: no Python with gi and GStreamer's rtsp-server"
                continue
            scheme = "http" if kind == "MJPEG" else "rtsp"
            address = f"{scheme}://127.0.0.1:{port}/"
            result[kind], flaws = _interrupted(start, address, port, text, times, rng, folder)
            violations += [f"{kind}: {flaw}" for flaw in flaws]
        port = _free_port()
        start = _sender("MJPEG", port, folder / "board.jpg")
        assert start  # noqa: S101  # it needs nothing else
        with _sending(start, port):
            result["others"] = {}
            for path in _PATHS:
                outcome, flaws = _other(f"http://127.0.0.1:{port}/{path}", folder)
                result["others"][path] = outcome
                violations += [f"{path}: {flaw}" for flaw in flaws]
    return {**result, "violations": violations}


def _interrupted(
    start: Callable[[], "subprocess.Popen[bytes]"],
    address: str,
    port: int,
    text: str,
    times: int,
    rng: random.Random,
    folder: Path,
) -> tuple[dict[str, Any], list[str]]:
    """Kills a sender so often; how long each return took."""
    flaws, outages, back = [], [], []
    with contextlib.ExitStack() as stack:
        sending = stack.enter_context(contextlib.ExitStack())
        sending.enter_context(_sending(start, port))
        program = stack.enter_context(Program("--source", address, folder=folder))
        if program.read_since(0.0, text, _START_S) is None:
            return {}, [f"never read: {program.messages}"]
        for _ in range(times):
            sending.close()
            outages.append(rng.uniform(1, 8))
            time.sleep(outages[-1])
            sending.enter_context(_sending(start, port))
            took = program.read_since(time.monotonic(), text, _BACK_S)
            if took is None:
                flaws.append(f"not back {_BACK_S:.0f} s after an outage of {outages[-1]:.1f} s")
            else:
                back.append(took)
        program.process.terminate()
        if program.ended(_END_S) is None:
            flaws.append("it does not end")
    flaws += program.flaws()
    counts = {
        word: sum(word in line for line in program.messages) for word in ("connected?", "is back")
    }
    if set(counts.values()) != {times}:
        flaws.append(f"messages of {times} outages: {counts}")
    figures = {"restarts": times, "outage_s": _range(outages), "back_after_s": _range(back)}
    return figures, flaws


def _other(address: str, folder: Path) -> tuple[str, list[str]]:
    """What the program makes of a server that is no proper sender."""
    with Program("--source", address, "--seconds", "6", folder=folder) as program:
        took = program.ended(_START_S)
    flaws = program.flaws() if took is not None else ["it does not end"]
    said = [line for line in program.messages if not line.startswith("--headless")]
    return f"{len(program.readings)} frames; {said[-1] if said else ''}", flaws


def _write_picture(path: Path) -> str:
    """Writes a picture of the demo and returns what it says."""
    from digits_tf.camera import demo

    frame = next(itertools.islice(demo.frames(), _TEXT_FRAME, None))
    path.write_bytes(encoded(frame.picture))
    return frame.text or ""


def encoded(picture: Any) -> bytes:
    """A picture as JPEG."""
    content: bytes = import_cv2().imencode(".jpg", picture)[1].tobytes()
    return content


def _cycle(first: int, last: int) -> Iterator[int]:
    return itertools.cycle(range(first, last))


def _sender(kind: str, port: int, picture: Path) -> "Callable[[], subprocess.Popen[bytes]] | None":
    """What starts a sender; None: it is not installed."""
    words = [str(port), str(picture)]
    code = f"import torture_camera; torture_camera.serve({port}, {str(picture)!r})"
    python: str | None = sys.executable
    if kind == "RTSP":
        code = _RTSP
        python = next(filter(_has_rtsp, (sys.executable, "/usr/bin/python3")), None)
    if python is None:
        return None
    start = [python, "-c", code, *words]
    path = {"PYTHONPATH": str(Path(__file__).parent)} if kind == "MJPEG" else {}
    return lambda: subprocess.Popen(
        start, env={**os.environ, **path}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _has_rtsp(python: str) -> bool:
    try:
        found = subprocess.run([python, "-c", _RTSP], capture_output=True, check=False)
    except OSError:
        return False
    return found.returncode == 0


@contextlib.contextmanager
def _sending(start: "Callable[[], subprocess.Popen[bytes]]", port: int) -> Iterator[None]:
    """Starts a sender, waits until it listens, and kills it at the end."""
    with start() as process:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                time.sleep(0.05)
            yield
        finally:
            process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


# Endurance


class Sample(NamedTuple):
    """What the program has used so far.

    Attributes:
        seconds: since the first frame.
        mib: of memory, resident.
        processor_s: seconds of processor time.
        frames: that were read.
    """

    seconds: float
    mib: float
    processor_s: float
    frames: int


def endurance(seconds: float) -> dict[str, Any]:
    """Reads the demo as fast as possible."""
    samples = []
    with tempfile.TemporaryDirectory() as folder:
        words = ["--frames", str(10**9), "--seconds", str(seconds)]
        with Program(*words, folder=Path(folder)) as program:
            program.read_since(0.0, "", _START_S)
            start = time.monotonic()
            while used := _used(program.process.pid):
                samples.append(Sample(time.monotonic() - start, *used, len(program.readings)))
                program.ended(_SAMPLE_S)
        flaws = program.flaws()
    latency = [ms for _, _, ms in program.readings]
    figures, more = flatness(samples, latency)
    rate = len(latency) / seconds
    counts = {"frames": len(latency), "per_second": round(rate, 1)}
    return {**counts, **figures, "violations": [*flaws, *more]}


def flatness(samples: list[Sample], latency: list[float]) -> tuple[dict[str, Any], list[str]]:
    """Whether memory and the work for a frame stay as they are.

    The work is processor time, as latency also grows where other programs want the processor.

    Args:
        samples: in the order of time.
        latency: of each frame, milliseconds.
    """
    warm = [each for each in samples if each.seconds >= _WARM_S] or samples
    hours, mib = np.array([(each.seconds / 3600, each.mib) for each in warm]).T
    slope = float(np.polyfit(hours, mib, 1)[0]) if len(warm) > 1 else 0.0
    growth, third = warm[-1].mib - warm[0].mib, len(warm) // 3
    work = [
        1000 * (last.processor_s - first.processor_s) / max(1, last.frames - first.frames)
        for first, last in ((warm[0], warm[third]), (warm[-1 - third], warm[-1]))
    ]
    violations = []
    if growth > _MOST_GROWTH_MIB:
        violations.append(f"memory grew by {growth:.1f} MiB")
    if work[1] > _MOST_MORE_WORK * work[0]:
        violations.append(f"a frame took {work[0]:.1f} ms of a processor, then {work[1]:.1f}")
    blocks = range(0, len(latency), _BLOCK)
    medians = [round(statistics.median(latency[at : at + _BLOCK]), 2) for at in blocks]
    figures = {
        "mib_after_a_minute": round(warm[0].mib, 1),
        "mib_at_the_end": round(warm[-1].mib, 1),
        "mib_per_hour": round(slope, 2),
        "processor_ms_a_frame_in_first_and_last_third": [round(each, 2) for each in work],
        f"median_ms_of_each_{_BLOCK}": medians,
    }
    return figures, violations


def _used(process: int) -> tuple[float, float] | None:
    """MiB of memory and seconds of processor time; None: it has ended. Windows has no ps."""
    words = ["ps", "-o", "rss=,time=,stat=", "-p", str(process)]
    shown = subprocess.run(words, capture_output=True, text=True, check=False).stdout.split()
    if not shown or shown[-1].startswith("Z"):
        return None
    spent = 0.0
    for weight, part in zip((1, 60, 3600, 86400), re.split("[-:]", shown[1])[::-1], strict=False):
        spent += weight * float(part)
    return int(shown[0]) / 1024, spent


# Recordings


def kill(times: int, rng: random.Random) -> dict[str, Any]:
    """Ends the program during a recording by each signal, at random instants."""
    result: dict[str, Any] = {}
    violations: list[str] = []
    for number in (signal.SIGKILL, signal.SIGTERM):
        lost, ends = [], []
        for _ in range(times):
            with tempfile.TemporaryDirectory() as folder:
                missing, took, flaws = _killed(number, rng.uniform(0, 6), Path(folder))
            lost.append(missing)
            ends.append(took)
            violations += [f"{number.name}: {flaw}" for flaw in flaws]
        result[number.name] = {"times": times, "frames_lost": _range(lost), "end_s": _range(ends)}
    return {**result, "violations": violations}


def _killed(number: signal.Signals, after: float, folder: Path) -> tuple[int, float, list[str]]:
    """Returns how many frames are missing from a recording, when the program ended, and flaws."""
    with Program("--record", "out.mp4", folder=folder) as program:
        if program.read_since(0.0, "", _START_S) is None:
            return 0, 0.0, [f"never read: {program.messages}"]
        time.sleep(after)
        program.process.send_signal(number)
        took = program.ended(_END_S)
        flaws = [*program.flaws(), *([] if took is not None else ["it does not end"])]
    path = folder / "out.mp4"
    if number == signal.SIGKILL:
        path = folder / "out-recovered.mp4"
        with Program("--frames", "1", folder=folder) as second:
            second.ended(_START_S)
        flaws += second.flaws()
        if not second.messages[0].startswith(("recovered out-recovered.mp4", "out.mp4: nothing")):
            flaws.append(f"the next start says {second.messages[0]!r}")
    missing = len(program.readings) - frames_of(path)
    if missing > (_MOST_LOST if number == signal.SIGKILL else 0):
        flaws.append(f"{missing} of {len(program.readings)} frames are missing")
    if left := [each.name for each in folder.iterdir() if each.name.startswith(".")]:
        flaws.append(f"it left {left}")
    return max(0, missing), took or 0.0, flaws


def disk() -> dict[str, Any]:
    """Records onto a disk that is small, and onto one that another program fills."""
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if not mount or not unmount or not hasattr(os, "geteuid") or os.geteuid():
        return {"full": "not tried: to mount a small disk needs root", "violations": []}
    result: dict[str, Any] = {}
    violations: list[str] = []
    for name, ballast in (("small", 0), ("filled by another", 1 << 30)):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([mount, "-t", "tmpfs", "-o", "size=44m", "none", folder], check=True)
            try:
                result[name], flaws = _filled(Path(folder), ballast)
            finally:
                subprocess.run([unmount, "--lazy", folder], check=True)
        violations += [f"{name}: {flaw}" for flaw in flaws]
    return {**result, "violations": violations}


def _filled(folder: Path, ballast: int) -> tuple[dict[str, Any], list[str]]:
    words = ["--frames", "1500", "--record", "out.mp4"]
    with Program(*words, folder=folder) as program:
        if ballast:
            program.read_since(0.0, "", _START_S)
            time.sleep(1.0)
            with contextlib.suppress(OSError), (folder / "ballast").open("wb", 0) as file:
                for _ in range(0, ballast, 1 << 20):
                    file.write(bytes(1 << 20))
        program.ended(10 * _START_S)
    flaws, read = program.flaws(), len(program.readings)
    recorded = frames_of(folder / "out.mp4")
    if read != 1500:
        flaws.append(f"read {read} of 1500 frames")
    if not 0 < recorded < 1500:
        flaws.append(f"recorded {recorded} frames")
    said = re.search(r"recorded out\.mp4: (\d+) frame", "\n".join(program.messages))
    # Of a fragment that was cut, FFmpeg counts all frames.
    if not said or not recorded <= int(said[1]) <= recorded + _FRAGMENT:
        flaws.append(f"recorded {recorded} frames, and it says: {program.messages}")
    full = sum("the disk is full" in line for line in program.messages)
    if program.process.returncode != 2 or full != 2:
        flaws.append(f"exit code {program.process.returncode}: {program.messages}")
    return {"frames_read": read, "frames_recorded": recorded}, flaws


def frames_of(path: Path) -> int:
    """How many frames of a video can be read."""
    if not path.exists():
        return 0
    capture, count = import_cv2().VideoCapture(str(path)), 0
    while capture.read()[0]:
        count += 1
    capture.release()
    return count


def _range(values: Sequence[float]) -> dict[str, float]:
    """Their number, median and extremes."""
    if not values:
        return {"n": 0}
    middle = statistics.median(values)
    low, high = min(values), max(values)
    return {"n": len(values), "min": round(low, 2), "median": round(middle, 2)} | {
        "max": round(high, 2)
    }


if __name__ == "__main__":
    # Not above, as the tests import this module, and others with such flags.
    flags.DEFINE_multi_enum("proofs", _PROOFS, _PROOFS, "Which to try.")
    flags.DEFINE_integer(
        "times", 20, "Restarts of each sender, kills by each signal, tenths of fake cameras.", 1
    )
    flags.DEFINE_float("minutes", 20.0, "How long endurance takes.", 0.1)
    command.run(main, __doc__)
