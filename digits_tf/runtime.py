"""The machine, TensorFlow's import, progress bars, and words for people."""

import contextlib
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from digits_tf.errors import DigitsError


def describe() -> str:
    """Describes the machine in one line: processor, usable cores, system, Python."""
    return (
        f"{processor()}, {cores()} cores, {platform.system()}, Python {platform.python_version()}"
    )


def processor() -> str:
    """The processor's name: its maker's, where the system knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        # x86 has "model name"; a Raspberry Pi has "Model" at the end.
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """The number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def import_tensorflow() -> ModuleType:
    """Imports TensorFlow and looks for its devices.

    Holds back its notices (oneDNN, a missing CUDA driver), which no log level silences.

    Returns:
        The module tensorflow.

    Raises:
        DigitsError: if it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    notices = ""
    try:
        with standard_error() as written:
            try:
                import tensorflow as tf

                tf.config.list_physical_devices()
            except BaseException:
                notices = written()
                raise
    except ModuleNotFoundError as error:
        if error.name not in ("tensorflow", "keras"):
            raise
        raise DigitsError("this needs TensorFlow: pip install 'digits_tf[train]'") from None
    except Exception:
        print(notices, file=sys.stderr)
        raise
    module: ModuleType = tf
    return module


def bar(total: int | None, description: str, unit: str = "it", **options: Any) -> Any:
    """Opens a tqdm bar on standard error; it shows nothing where that is no terminal.

    Args:
        total: the number of units; None: unknown.
        description: the words before the bar.
        unit: what the bar counts; it shows "B" in kB and MB.
        **options: passed on to tqdm.
    """
    # Every install has tqdm, as LiteRT needs it. Imported here because the camera shows no bar.
    from tqdm import tqdm

    options.setdefault("disable", not sys.stderr.isatty())
    options.setdefault("dynamic_ncols", True)
    made = tqdm(
        total=total,
        desc=description,
        unit=unit,
        unit_scale=unit == "B",
        file=sys.stderr,
        **options,
    )
    # The clock that tqdm reads may be set back meanwhile.
    made._time = time.monotonic
    made.start_t = made.last_print_t = time.monotonic()
    return made


@contextlib.contextmanager
def standard_error() -> Iterator[Callable[[], str]]:
    """Holds back what the process writes to file descriptor 2, Python's own lines too.

    Yields:
        A function that returns what has been written so far.
    """
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all, as under pythonw
        yield lambda: ""
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:

        def written() -> str:
            held.seek(0)
            return held.read().decode(errors="replace")

        os.dup2(held.fileno(), 2)
        try:
            yield written
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


def counted(number: int, noun: str) -> str:
    """A number and its noun: "1 frame", "2 frames"."""
    return f"{number} {noun}{'s' if number != 1 else ''}"
