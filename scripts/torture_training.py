"""Kills, starves and misleads trainings and downloads, and ends every command by signals.

    python scripts/torture_training.py
    python scripts/torture_training.py --parts=kill --count=1000 --seed=7

Parts: signals (two quick Ctrl-C or SIGTERM in every command, at random instants).
Prints what was tried, how often, and what happened as JSON. The first violation ends it with the
exit code 1, the seed, and what was seen; its files are left.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf.cli import command
from digits_tf.data import idx, mnist
from digits_tf.data.collection import Collection
from digits_tf.errors import DigitsError

ROOT = Path(__file__).resolve().parent.parent
_PARTS = flags.DEFINE_list("parts", ["signals"], "What to try.")
_COUNT = flags.DEFINE_integer("count", None, "How often. Default: each part's own.", 1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the random numbers.")

_END_S = 2.0
_MARK = "DIGITS_TF_TORTURE"


class ViolationError(Exception):
    """A promise that was not kept."""


def main(words: Sequence[str]) -> int:
    """Tries all parts."""
    # A shell starts its background jobs deaf to Ctrl-C, and they stay so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parts: dict[str, Callable[[Path, random.Random], dict[str, Any]]] = {"signals": signals}
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    for name in _PARTS.value:
        if name not in parts:
            raise DigitsError(f"expected --parts out of {','.join(parts)}, found {name!r}")
    for name in _PARTS.value:
        start = time.monotonic()
        place = folder / name
        place.mkdir()
        try:
            found = parts[name](place, random.Random(_SEED.value))  # noqa: S311
        except ViolationError as error:
            print(json.dumps({"part": name, "seed": _SEED.value, "violation": str(error)}))
            print(f"files: {place}", file=sys.stderr)
            return command.EXIT_FAILED
        seconds = round(time.monotonic() - start)
        print(json.dumps({"part": name, "seed": _SEED.value, "seconds": seconds, **found}))
    shutil.rmtree(folder)
    return 0


def check(is_kept: bool, violation: str) -> None:
    """Ends the part unless a promise is kept."""
    if not is_kept:
        raise ViolationError(violation)


# Signals


def signals(folder: Path, rng: random.Random) -> dict[str, Any]:
    """Two quick Ctrl-C, or SIGTERM, in every command, at random instants."""
    commands = _commands(folder)
    found: dict[str, Any] = {}
    for name, (words, span) in commands.items():
        slowest, ended = 0.0, 0
        for number in range(_COUNT.value or 6):
            to_all = bool(number % 2)
            instant = rng.uniform(0, span)
            with tempfile.TemporaryDirectory(dir=folder) as place:
                took, said, code = _signalled(words, Path(place), instant, to_all, folder)
            what = f"{name}, {'Ctrl-C' if to_all else 'SIGTERM'} after {instant:.2f} s"
            print(what, f"{took:.2f}", code, file=sys.stderr)
            check(took < _END_S, f"{what}: ended after {took:.1f} s: {said}")
            for word in ("Traceback", "Exception", "Error", "Fatal", "terminate called"):
                check(word not in said, f"{what}: {said}")
            check(code in (0, 130), f"{what}: exit code {code}: {said}")
            slowest = max(slowest, took)
            ended += took == 0
        found[name] = {"slowest_s": round(slowest, 2), "had_ended": ended}
    return {"signals": found}


def _commands(folder: Path) -> dict[str, tuple[list[str], float]]:
    """The words of each command, with what they need in `folder`, and seconds to signal within."""
    made = mnist.sample().test.read()
    digits(folder / "data", *made)
    own = Collection(folder / "own")
    for number in range(8):
        own.add(made[0][120 * number], number)
    (folder / "bin").mkdir()
    for name in ("npm", "apt-get"):
        path = folder / "bin" / name
        path.write_text("#!/bin/sh\n(trap '' INT; sleep 30) & sleep 30\n")
        path.chmod(0o755)
    data, pictures = f"--data_dir={folder / 'data'}", [str(ROOT / "samples")] * 20
    trained = str(folder / "trained")
    words = ["train", data, "--architecture=tiny", "--epochs=1", f"--run={trained}"]
    subprocess.run([sys.executable, "-m", "digits_tf", *words], cwd=ROOT, check=True)
    run = ["train", data, "--architecture=tiny", "--batch_size=20", "--epochs=500"]
    board = str(ROOT / "samples" / "board.mp4")
    drawn = ["--sample", "--frames=400", "--steps_per_epoch=2", "--batch_size=4"]
    return {
        "camera": (["camera", "--headless", "--source=demo", "--record=out.mp4"], 4),
        "web": (["web", "--port=0", f"--source={board}"], 4),
        "predict": (["predict", *pictures, "--csv=out.csv"], 3),
        "teach": (["teach", *pictures, "--label=7"], 3),
        "train": ([*run, "--run=run"], 20),
        "train --stream": ([*run, "--run=run", "--stream"], 20),
        "train --finetune": (["train", "--finetune=tiny", f"--data_dir={own.folder}"], 30),
        "evaluate": (["evaluate", data, f"--model={trained}"], 10),
        "export": (["export", trained, data, "--out=out"], 20),
        "data": (["data", "--sample", "--sheet=sheet.png"], 5),
        "data, fetched": (["data"], 5),
        "scenes": (["scenes", "--sample", "--frames=9000", "--out=out"], 8),
        "scenes-fetch": (["scenes-fetch"], 3),
        "train-detector": (["train-detector", *drawn, "--frames_dir=frames"], 30),
        "benchmark": (["benchmark", "--quick"], 10),
        "model": (["model", "--plot=net.png"], 8),
    }


def _signalled(
    words: Sequence[str], place: Path, instant: float, to_all: bool, folder: Path
) -> tuple[float, str, int]:
    """Starts a command in a session of its own and signals it twice.

    Returns:
        Seconds from the second signal until all its processes had ended (0: it had ended before),
        what it said, and its exit code.
    """
    mark = uuid.uuid4().hex
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    cache = str(place / "cache")
    environment = {**os.environ, _MARK: mark, "PATH": path, "DIGITS_TF_CACHE": cache}
    environment["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "digits_tf", *words],
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        try:
            while process.poll() is None and not _catches(process.pid, signal.SIGTERM):
                time.sleep(0.005)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(instant)
            had_ended = process.poll() is not None
            for _ in range(2):
                with contextlib.suppress(ProcessLookupError):
                    if to_all:
                        os.killpg(process.pid, signal.SIGINT)
                    else:
                        os.kill(process.pid, signal.SIGTERM)
                sent = time.monotonic()
                time.sleep(0.05)
            while _marked(mark) and time.monotonic() - sent < 5 * _END_S:
                time.sleep(0.02)
                process.poll()
            took = time.monotonic() - sent
        finally:
            for each in _marked(mark):
                os.kill(each, signal.SIGKILL)
            code = process.wait()
        said.seek(0)
        return 0.0 if had_ended else took, said.read().decode(errors="replace"), code


def _catches(process: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next((line for line in lines if line.startswith("SigCgt:")), "SigCgt: 0")
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def _marked(mark: str) -> list[int]:
    """The processes that have the mark in their environment and have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{_MARK}={mark}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue  # it has just ended, or is another user's
    return found


def digits(folder: Path, images: Any, labels: Any) -> None:
    """Writes digits as idx files, a fifth of them to test."""
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(0).permutation(len(images))
    cut = len(images) * 4 // 5
    for name, chosen in (("train", order[:cut]), ("t10k", order[cut:])):
        idx.write_idx(folder / f"{name}-images-idx3-ubyte", images[chosen])
        idx.write_idx(folder / f"{name}-labels-idx1-ubyte", labels[chosen])


if __name__ == "__main__":
    command.run(main, __doc__)
