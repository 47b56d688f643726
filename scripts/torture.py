"""Tries to break digits_tf: damaged files, wild frames, foreign models, lying mirrors, many times.

    python scripts/torture.py idx --count=10000
    python scripts/torture.py pictures frames
    python scripts/torture.py            # all parts, in about half an hour: make torture

Parts: PARTS. Prints a JSON object for each: what was tried, how often, and what came of it. The
first failure ends it with exit code 1; the JSON then names the trial's own seed and a folder with
its files. To try that again alone: --seed=THAT_SEED --count=1.

Each part runs in a process of its own, so that a crash, a hang, or memory that grows without end
are failures like others. Limits of memory need Linux.
"""

import collections
import contextlib
import importlib
import importlib.metadata
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from digits_tf import runtime
from digits_tf.cli import command
from digits_tf.errors import DigitsError

PARTS = ("idx", "collection", "pictures", "frames", "models", "downloads")
__doc__ = __doc__.replace("PARTS", ", ".join(PARTS))

_COUNT = flags.DEFINE_integer(
    "count", None, "Trials of each part. Default: the part's own, for minutes.", lower_bound=1
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the first trial; each next one has the next.", 0)

# A part whose trial goes on for so long hangs. Processor time has limits of its own.
_HANG_S = 120.0
_MEMORY_DISK = Path("/dev/shm")  # noqa: S108  # only as the parent of a folder of one's own
_VERSIONS = ("numpy", "opencv-python", "opencv-python-headless", "pillow", "ai-edge-litert")


def main(words: Sequence[str]) -> int:
    """Runs the parts; returns the exit code."""
    if wrong := [word for word in words if word not in PARTS]:
        raise DigitsError(f"expected parts out of {', '.join(PARTS)}, found {', '.join(wrong)}")
    for part in words or PARTS:
        found = _tried(part, _COUNT.value, _SEED.value)
        print(json.dumps(found), flush=True)
        if "violation" in found:
            return command.EXIT_FAILED
    return 0


def _tried(part: str, count: int | None, seed: int) -> dict[str, Any]:
    """Runs a part in a process of its own, and returns its figures."""
    begin = time.monotonic()
    context = multiprocessing.get_context("spawn")
    number = context.Value("q", -1, lock=False)
    receiver, sender = context.Pipe(duplex=False)
    disk = _MEMORY_DISK if os.access(_MEMORY_DISK, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix=f"torture-{part}-", dir=disk) as folder:
        process = context.Process(target=_work, args=(part, count, seed, folder, number, sender))
        process.start()
        sender.close()
        found = _watched(process, number, receiver)
        if "violation" in found:
            kept = tempfile.mkdtemp(prefix=f"torture-{part}-")
            shutil.copytree(folder, kept, dirs_exist_ok=True, symlinks=True)
            found["violation"] |= {"seed": seed + number.value, "files": kept}
    return {
        "part": part,
        "seed": seed,
        **found,
        "seconds": round(time.monotonic() - begin, 1),
        "machine": runtime.describe(),
        "versions": _versions(),
    }


def _watched(process: Any, number: Any, receiver: "Connection") -> dict[str, Any]:
    """Waits for a part's figures, or for what hinders it."""
    trial, since = number.value, time.monotonic()
    while not receiver.poll(0.5):
        if number.value != trial:
            trial, since = number.value, time.monotonic()
        elif time.monotonic() - since > _HANG_S:
            process.kill()
            process.join()
            return {"violation": {"what": f"no end after {_HANG_S:.0f} s"}}
    try:
        found: dict[str, Any] = receiver.recv()
    except EOFError:
        process.join()
        return {"violation": {"what": f"the process ended with {process.exitcode}"}}
    process.join()
    return found


def _work(
    part: str, count: int | None, seed: int, folder: str, number: Any, sender: "Connection"
) -> None:
    """What the process of a part does."""
    module = importlib.import_module(f"torture_parts.{part}")
    trial = module.start(Path(folder))
    # What is imported or laid out late counts for no trial.
    for warm_up in range(3):
        with contextlib.suppress(Exception):
            trial(np.random.default_rng(warm_up))
    # A division by zero, or a number that is none, of NumPy.
    warnings.simplefilter("error", RuntimeWarning)
    before = _limit_memory(module.MEGABYTES)
    happened: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    slowest, slowest_seed, violation = 0.0, seed, ""
    for number.value in range(count or module.COUNT):
        own_seed = seed + number.value
        begin = time.process_time()
        try:
            tried, outcome = trial(np.random.default_rng(own_seed))
        except Exception:
            violation = "".join(traceback.format_exc(limit=-4))
            break
        taken = time.process_time() - begin
        happened[tried][outcome] += 1
        if taken > slowest:
            slowest, slowest_seed = taken, own_seed
        if taken > module.SECONDS:
            violation = f"{tried}: took {taken:.2f} s, allowed are {module.SECONDS} s"
            break
    sender.send(
        {
            "trials": sum(sum(each.values()) for each in happened.values()),
            "happened": {key: dict(happened[key]) for key in sorted(happened)},
            "slowest_ms": round(1000 * slowest, 1),
            "slowest_seed": slowest_seed,
            "grown_mb": _grown(before),
            **({"violation": {"what": violation}} if violation else {}),
        }
    )


def _limit_memory(megabytes: int | None) -> int:
    """Lets the process grow by so much; returns the most memory that it has taken up to now."""
    if sys.platform != "linux":
        return 0
    import resource

    if megabytes is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + (megabytes << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _grown(before: int) -> int | None:
    """By how many MB the process has grown at most; None: nobody knows."""
    if sys.platform != "linux":
        return None
    import resource

    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10


def _versions() -> dict[str, str]:
    versions = {}
    for name in (*_VERSIONS, "tensorflow", "keras"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


if __name__ == "__main__":
    command.run(main, __doc__, (0, None))
