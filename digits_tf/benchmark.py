"""How fast the program reads on this machine, and what memory, time to start and disk that takes.

What needs OpenCV is imported by the functions: without it, the command still gives its help.
"""

import datetime
import importlib.metadata
import itertools
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import digits_tf
from digits_tf import runtime
from digits_tf.errors import DigitsError


class Size(NamedTuple):
    """Width and height of a frame in pixels."""

    width: int
    height: int


class BoardFrame(NamedTuple):
    """A frame, uint8 (height, width, 3), BGR, and what stands on it, line by line."""

    pixels: NDArray[np.uint8]
    text: str


class Budget(NamedTuple):
    """How often something is timed: so many times, or for so many seconds if that is less."""

    calls: int
    seconds: float


SIZES = {"480p": Size(640, 480), "720p": Size(1280, 720), "1080p": Size(1920, 1080)}
# By the digits in view: their height as a share of the frame's, and how many stand in a row.
SCENES = {0: (0.0, 1), 1: (0.463, 1), 4: (0.33, 2), 12: (0.241, 6)}
# Calls that are not counted: the first ones lay out memory and find the caches empty.
WARM_UP = 10
# Of the seconds of a budget, what the warm-up may take beside them on a slow machine.
_WARM_UP_SHARE = 0.25
_FPS = 30.0
# So many frames are drawn and read in turn: no cache holds them.
_FRAMES = 24
# Digits a call of the network; how many different ones; and that a network alone is timed more
# often than with a frame before it.
_BATCHES, _CROPS, _NETWORK_CALLS = (1, 12), 120, 10
# What memory is measured on, and the frames there: as many as a camera's reader holds.
_MEMORY_SIZE, _MEMORY_DIGITS, _MEMORY_FRAMES = "1080p", 12, 3
_START_SIZE, _START_DIGITS = "1080p", 1
_MB = 1e6
_REASON = 300  # letters of a failed program's last words
# A Raspberry Pi takes seconds, an emulated one a minute.
_LONGEST_S = 600.0
# What reading needs beside OpenCV, which has several names.
_REQUIREMENTS = ("numpy", "absl-py", "ai-edge-litert")
_BAR = "{percentage:3.0f}% |{bar}| {elapsed}, {remaining} left; {desc}"


def measure(model: str | None, threads: int, budget: Budget, starts: int) -> dict[str, Any]:
    """Measures everything, with a bar on standard error.

    Args:
        model: a .tflite file or the name of a shipped model; None: the default.
        threads: for LiteRT and OpenCV; memory and start are those of the camera program, which
            leaves OpenCV as many as it takes by itself.
        budget: of the frames of each kind.
        starts: of the program, from the shell to its first reading.

    Returns:
        "network" and "reading", a list of rows each; "memory", "start" and "size", see the
        functions; of "memory" and "start" "missing" alone, a reason, if they failed; "model",
        "threads" and "conditions".

    Raises:
        DigitsError: if the model cannot be timed.
    """
    from digits_tf.images import import_cv2

    import_cv2().setNumThreads(threads)
    from digits_tf import recognition

    path = recognition.find(model)
    if path.suffix != ".tflite":
        raise DigitsError(
            f"{path}: expected a .tflite file to time (python -m digits_tf.export makes one)"
        )
    recognizer = recognition.Recognizer.load(path, threads)
    result: dict[str, Any] = {
        "model": path.name,
        "threads": threads,
        "conditions": conditions(),
    }
    scenes = list(itertools.product(SIZES, SCENES))
    with runtime.bar(len(scenes) + 4, "", smoothing=0, bar_format=_BAR) as bar:
        bar.set_description_str("network")
        result["network"] = [measure_network(path, threads, batch, budget) for batch in _BATCHES]
        result["reading"] = []
        for size, digits in scenes:
            bar.update()
            bar.set_description_str(f"{size}, digits: {digits}")
            result["reading"].append(measure_reading(size, digits, recognizer, budget))
        bar.update()
        bar.set_description_str("memory, start, size")
        result["memory"] = _or_reason(lambda: measure_memory(path, threads, budget))
        bar.update()
        result["start"] = _or_reason(lambda: measure_start(path, starts, threads))
        bar.update()
        result["size"] = measure_size()
        bar.update()
    return result


def board_frames(size: Size, digits: int) -> Iterator[BoardFrame]:
    """A chalked board under moving light as a shaking, noisy camera sees it, for ever.

    Args:
        size: of the frames.
        digits: how many stand on it, one of `SCENES`.
    """
    from digits_tf.camera.demo import SHAKE_MARGIN, Board, CameraEffects
    from digits_tf.synthetic import handwriting

    rng = np.random.default_rng(digits)
    share, a_row = SCENES[digits]
    # In narrow frames a row's digits would touch.
    height = min(share * size.height, size.width / a_row)
    board = Board(rng, size.width + 2 * SHAKE_MARGIN, size.height + 2 * SHAKE_MARGIN)
    written = [(7 * place + 3) % 10 for place in range(digits)]
    rows = [written[start : start + a_row] for start in range(0, digits, a_row)]
    for y, row in enumerate(rows):
        for x, digit in enumerate(row):
            cell = np.array([(x + 0.5) / len(row), (y + 0.5) / len(rows)])
            strokes = handwriting.write(digit, rng)
            pairs = [np.stack([stroke[:-1], stroke[1:]], axis=1) for stroke in strokes]
            board.draw(np.concatenate(pairs) * height + cell * size + SHAKE_MARGIN, height)
    text = "\n".join("".join(map(str, row)) for row in rows)
    effects = CameraEffects(rng, *size, _FPS)
    for index in itertools.count():
        yield BoardFrame(effects.apply(board.picture, index), text)


# Times.


def repeat(call: Callable[[int], object], budget: Budget) -> list[float]:
    """Milliseconds of each call after a warm-up.

    Args:
        call: is given the number of the call, from 0, and called at least once beside the warm-up.
        budget: of the calls that are counted.
    """
    _times(call, Budget(WARM_UP, _WARM_UP_SHARE * budget.seconds))
    return _times(call, budget)


def summary(milliseconds: Sequence[float]) -> dict[str, Any]:
    """How many there are, their median and their 95th percentile."""
    return {
        "n": len(milliseconds),
        "median_ms": float(np.median(milliseconds)),
        "p95_ms": float(np.percentile(milliseconds, 95)),
    }


def measure_network(path: Path, threads: int, batch: int, budget: Budget) -> dict[str, Any]:
    """Times a model on crops, as the program calls it.

    Args:
        path: a .tflite file.
        threads: for LiteRT.
        batch: digits a call.
        budget: of frames; the network alone is called ten times as often, in a quarter of the time.

    Returns:
        "batch", and milliseconds a digit as `summary` has them.

    Raises:
        DigitsError: if it is no such model.
    """
    from digits_tf import recognition
    from digits_tf.synthetic.pen import pen_digit

    model = recognition.load(path, threads)
    rng = np.random.default_rng(0)
    crops = np.stack([pen_digit(number % 10, rng) for number in range(_CROPS)])

    def read(number: int) -> None:
        start = number * batch % _CROPS
        model.probabilities(crops[start : start + batch])

    times = repeat(read, Budget(_NETWORK_CALLS * budget.calls, budget.seconds / 4))
    return {"batch": batch, **summary([each / batch for each in times])}


def measure_reading(size: str, digits: int, recognizer: Any, budget: Budget) -> dict[str, Any]:
    """Times reading a board as a camera's frames are read; drawing it is not timed.

    Args:
        size: one of `SIZES`.
        digits: in view, one of `SCENES`.
        recognizer: a `recognition.Recognizer`.
        budget: of frames.

    Returns:
        "find" (detector and crops), "net" and "total" as `summary` has them; "fps", the frames by
        the seconds they took together; and "read_right", the share of frames that were read
        without a mistake.
    """
    frames = list(itertools.islice(board_frames(SIZES[size], digits), min(_FRAMES, budget.calls)))
    pictures = [frame.pixels for frame in frames]
    return {"size": size, "digits": digits, **_read(pictures, frames[0].text, recognizer, budget)}


# Memory, start, size.


def measure_memory(model: Path, threads: int, budget: Budget) -> dict[str, Any]:
    """Reads frames in a process of its own that does nothing else.

    Counted is all that the process has of the machine's memory: Python, the libraries with the
    pages that other programs share, the model, and three frames of 6.2 MB each. A camera's driver
    or a video's decoder would come on top.

    Args:
        model: a .tflite file.
        threads: for LiteRT; OpenCV has its own default, as in the camera program.
        budget: of frames.

    Returns:
        "peak_mb" and "end_mb", its greatest and its last resident set in 10^6 bytes, None where
        the system does not tell; "size", "digits" and "n" frames; "read_right", a share of them.

    Raises:
        DigitsError: if it fails.
    """
    frames = board_frames(SIZES[_MEMORY_SIZE], _MEMORY_DIGITS)
    drawn = list(itertools.islice(frames, _MEMORY_FRAMES))
    with tempfile.TemporaryDirectory() as folder:
        # Drawn here: drawing takes more memory than reading.
        path = Path(folder) / "frames.npy"
        np.save(path, np.stack([each.pixels for each in drawn]))
        words = (str(path), drawn[0].text, str(model.resolve()), threads, tuple(budget))
        code = f"from digits_tf import benchmark; benchmark._print_memory(*{words!r})"
        line, _ = _first_line("-c", code)
    return {"size": _MEMORY_SIZE, "digits": _MEMORY_DIGITS, **_parsed(line)}


def _print_memory(
    frames: str, text: str, model: str, threads: int, budget: tuple[int, float]
) -> None:
    """What the process of `measure_memory` does: reads frames, then prints a JSON object.

    Args:
        frames: a .npy file, uint8 (n, h, w, 3).
        text: what stands on each.
        model: a .tflite file.
        threads: for LiteRT.
        budget: of frames: calls, seconds.
    """
    from digits_tf import recognition

    recognizer = recognition.Recognizer.load(model, threads)
    found = _read(list(np.load(frames, allow_pickle=False)), text, recognizer, Budget(*budget))
    peak, now = resident_mb()
    count, share = found["total"]["n"], found["read_right"]
    print(json.dumps({"n": count, "peak_mb": peak, "end_mb": now, "read_right": share}))


def resident_mb() -> tuple[float | None, float | None]:
    """The greatest and the present resident set of this process, in 10^6 bytes; None: unknown."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return _peak_mb(), None
    found = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}
    # The kernel's kB are 1024 bytes. Not getrusage: on Linux its peak begins with the parent's.
    peak, now = (
        int(found[name][0]) * 1024 / _MB if name in found else None for name in ("VmHWM", "VmRSS")
    )
    return peak, now


def measure_start(model: Path, starts: int, threads: int = 1) -> dict[str, Any]:
    """Starts the camera program on a picture of a board, again and again.

    Args:
        model: a .tflite file.
        starts: how often; one more comes before, so that the system's caches are warm.
        threads: for LiteRT; OpenCV has its own default.

    Returns:
        "size", "digits" and "n" starts; "median_s" and "most_s", from the start of the process to
        its first line; and "read_right", a share of the starts.

    Raises:
        DigitsError: if it fails.
    """
    from digits_tf.images import write_picture

    seconds, right = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "board.png"
        frame = next(board_frames(SIZES[_START_SIZE], _START_DIGITS))
        write_picture(path, frame.pixels)
        command = ["-m", "digits_tf.camera", "--headless", "--frames=1", f"--source={path}"]
        command += [f"--threads={threads}", f"--model={model.resolve()}"]
        for _ in range(1 + starts):
            line, taken = _first_line(*command)
            seconds.append(taken)
            right.append(_is_right(str(_parsed(line).get("text")), frame.text))
    return {
        "size": _START_SIZE,
        "digits": _START_DIGITS,
        "n": starts,
        "median_s": float(np.median(seconds[1:])),
        "most_s": max(seconds[1:]),
        "read_right": float(np.mean(right)),
    }


def measure_size() -> dict[str, Any]:
    """The room on the disk of the package, of what it needs to read, and of what that needs.

    Requirements that hold only for some systems or extras are left out.

    Returns:
        "mb": 10^6 bytes by distribution, the largest first, None of one that comes with the
        system; "total_mb", of the others.
    """
    sizes: dict[str, float | None] = {"digits_tf": _size_mb(_own_files())}
    wanted = list(_REQUIREMENTS)
    if opencv := importlib.metadata.packages_distributions().get("cv2"):
        wanted += opencv
    else:
        # apt's has no metadata, and its libraries are everywhere.
        sizes["opencv"] = None
    while wanted:
        try:
            distribution = importlib.metadata.distribution(wanted.pop())
        except importlib.metadata.PackageNotFoundError:
            continue
        name = distribution.metadata["Name"]
        if name not in sizes:
            files = [Path(str(distribution.locate_file(each))) for each in distribution.files or ()]
            # Only what pip has installed says which files are its own.
            sizes[name] = _size_mb(files) if distribution.read_text("RECORD") else None
            requirements = [each for each in distribution.requires or () if ";" not in each]
            # The name at the start of such as "numpy>=1.23".
            wanted += [re.split(r"[^\w.-]", each, maxsplit=1)[0] for each in requirements]
    ordered = sorted(sizes.items(), key=lambda item: -(item[1] or 0.0))
    return {"mb": dict(ordered), "total_mb": sum(size or 0.0 for size in sizes.values())}


def conditions() -> dict[str, Any]:
    """What figures depend on: "machine", "versions" of the program and its libraries, "date"."""
    from digits_tf.images import import_cv2

    return {
        "machine": runtime.describe(),
        "versions": {
            "digits_tf": digits_tf.__version__,
            "opencv": import_cv2().__version__,
            "ai-edge-litert": importlib.metadata.version("ai-edge-litert"),
            "numpy": np.__version__,
        },
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


# Tables.


def page(result: dict[str, Any]) -> str:
    """What `measure` has found, for people; tables are Markdown's, with columns of one width."""
    machine = result["conditions"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    threads = runtime.counted(result["threads"], "thread")
    network = [[str(row["batch"]), _cell(row, 3), str(row["n"])] for row in result["network"]]
    reading = [
        [
            row["size"],
            str(row["digits"] or "none"),
            *(_cell(row[stage], 2) for stage in ("find", "net", "total")),
            f"{row['fps']:.0f}",
            str(row["total"]["n"]),
            f"{row['read_right']:.0%}",
        ]
        for row in result["reading"]
    ]
    head = ["size", "digits", "finding", "network", "all", "frames/s", "n", "read right"]
    return "\n\n".join(
        (
            f"{machine['machine']}\n{versions}; {machine['date']}",
            f"{result['model']}, LiteRT and OpenCV with {threads}; ms, median (95th percentile).",
            "The network:",
            _table(["digits a call", "ms a digit", "n"], network),
            "From a frame in memory to its reading:",
            _table(head, reading),
            _table(["memory, start, disk", ""], list(_memory_start_size(result))),
        )
    )


def _memory_start_size(result: dict[str, Any]) -> Iterator[list[str]]:
    memory, start = result["memory"], result["start"]
    if "missing" in memory:
        yield ["memory", f"not measured ({memory['missing']})"]
    else:
        on = f"{runtime.counted(memory['n'], 'frame')} of {memory['size']}"
        yield [f"resident memory at most, {on}", _megabytes(memory["peak_mb"])]
        yield ["at the end", _megabytes(memory["end_mb"])]
    if "missing" in start:
        yield ["start", f"not measured ({start['missing']})"]
    else:
        name = f"start to the first reading, median of {start['n']}"
        yield [name, f"{start['median_s']:.2f} s"]
        yield ["at most", f"{start['most_s']:.2f} s"]
    for name, size in result["size"]["mb"].items():
        yield [f"on the disk: {name}", "of the system" if size is None else _megabytes(size)]
    yield ["on the disk: all", _megabytes(result["size"]["total_mb"])]


def _megabytes(size: float | None) -> str:
    return "unknown" if size is None else f"{size:.1f} MB"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(3, *map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(f"| {' | '.join(map(str.ljust, line, widths))} |" for line in lines)


def _cell(times: dict[str, Any], decimals: int) -> str:
    return f"{times['median_ms']:.{decimals}f} ({times['p95_ms']:.{decimals}f})"


# Pieces.


def _times(call: Callable[[int], object], budget: Budget) -> list[float]:
    times: list[float] = []
    end = time.perf_counter() + budget.seconds
    while not times or (len(times) < budget.calls and time.perf_counter() < end):
        start = time.perf_counter()
        call(len(times))
        times.append(1000 * (time.perf_counter() - start))
    return times


def _read(
    pictures: Sequence[NDArray[np.uint8]], written: str, recognizer: Any, budget: Budget
) -> dict[str, Any]:
    """Reads pictures in turn; see `measure_reading`."""
    from digits_tf.recognition import text

    stages: list[dict[str, float]] = []
    right: list[bool] = []

    def read(number: int) -> None:
        found = recognizer.read(pictures[number % len(pictures)], live=True)
        stages.append(recognizer.milliseconds)
        right.append(_is_right(text(found), written))

    times = repeat(read, budget)
    # Without the warm-up.
    stages, right = stages[-len(times) :], right[-len(times) :]
    return {
        **{stage: summary([each[stage] for each in stages]) for stage in ("find", "net")},
        "total": summary(times),
        "fps": 1000 * len(times) / sum(times),
        "read_right": float(np.mean(right)),
    }


def _is_right(read: str, written: str) -> bool:
    """Whether a board was read; on a wide frame its digits stand as far apart as numbers do."""
    return read.replace(" ", "") == written


def _or_reason(measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a measurement finds; "missing" is why it could not."""
    try:
        return measure()
    except DigitsError as error:
        return {"missing": str(error)}


def _first_line(*words: str) -> tuple[str, float]:
    """Runs Python in a process of its own until it ends.

    Args:
        *words: its command line, such as "-m", "digits_tf.camera".

    Returns:
        Its first line on standard output, and the seconds until that came.

    Raises:
        DigitsError: if it fails or takes far too long.
    """
    name = words[1].partition(";")[0]
    # A file, which never fills up as a pipe does that nobody reads.
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        try:
            process = subprocess.Popen(
                [sys.executable, *words],
                # A clone need not be installed.
                cwd=Path(digits_tf.__file__).resolve().parent.parent,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
            )
        except OSError as error:
            raise DigitsError(f"{name} cannot be started ({error.strerror or error})") from None
        timer = threading.Timer(_LONGEST_S, process.kill)
        timer.start()
        try:
            with process:
                try:
                    lines = iter(process.stdout or ())
                    line = next(lines, "")
                    seconds = time.perf_counter() - start
                    for _ in lines:
                        pass
                except BaseException:
                    # Leaving `with` waits for its end.
                    process.kill()
                    raise
        finally:
            timer.cancel()
            process.kill()
        if process.returncode:
            errors.seek(0)
            reason = errors.read().decode(errors="replace").strip()[-_REASON:]
            raise DigitsError(f"{name} failed: {reason or f'ended with {process.returncode}'}")
    return line, seconds


def _parsed(line: str) -> dict[str, Any]:
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError):
        raise DigitsError(f"expected a JSON object, found {line.strip()!r}") from None


def _peak_mb() -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / _MB


def _size_mb(paths: Sequence[Path]) -> float:
    """Of files, without those that have gone."""
    return sum(path.stat().st_size for path in paths if path.is_file()) / _MB


def _own_files() -> list[Path]:
    """The package's own, where an install for development lists but a link to them."""
    from digits_tf import recognition

    package = Path(digits_tf.__file__).resolve().parent
    # In a clone the models lie beside the package.
    models = recognition.shipped_model().resolve().parent.glob("*.*")
    code = (each for each in package.rglob("*") if "__pycache__" not in each.parts)
    return list({*code, *models})


if __name__ == "__main__":
    from digits_tf.cli import command

    command.start("benchmark")
