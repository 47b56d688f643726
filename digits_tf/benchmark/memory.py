"""How much memory reading takes: in a process of its own, which loads no more than it needs."""

import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from digits_tf.benchmark.child import Child
from digits_tf.benchmark.timing import Budget
from digits_tf.errors import DigitsError

SIZE, DIGITS = "1080p", 12
# As many as a camera's reader holds.
PICTURES = 3
_MODULE = "digits_tf.benchmark.memory"
_MB = 1e6


def measure(model: Path, threads: int, budget: Budget) -> dict[str, Any]:
    """Runs the camera's loop in a process of its own that does nothing else.

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
    from digits_tf.benchmark import board

    source = board.frames(board.SIZES[SIZE], DIGITS)
    drawn = list(itertools.islice(source, PICTURES))
    with tempfile.TemporaryDirectory() as folder:
        # Drawn here: drawing takes more memory than reading.
        path = Path(folder) / "frames.npy"
        np.save(path, np.stack([each.pixels for each in drawn]))
        words = [path, drawn[0].text, model.resolve(), threads, *budget]
        with Child(_MODULE, *map(str, words)) as child:
            line = child.line()
            child.end()
    try:
        found = json.loads(line)
    except ValueError:
        raise DigitsError(f"{_MODULE}: expected JSON, found {line.strip()!r}") from None
    return {"size": SIZE, "digits": DIGITS, **found}


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


def _peak_mb() -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / _MB


def main(path: str, text: str, model: str, threads: str, count: str, seconds: str) -> None:
    """What runs in the process of its own: reads, then prints a JSON object."""
    from digits_tf import recognition
    from digits_tf.benchmark.loop import run

    pictures = np.load(path)
    _, entries = run(
        list(pictures), recognition.load(model, int(threads)), Budget(int(count), float(seconds))
    )
    peak, now = resident_mb()
    right = float(np.mean([each.text == text for each in entries]))
    print(json.dumps({"n": len(entries), "peak_mb": peak, "end_mb": now, "read_right": right}))


if __name__ == "__main__":
    main(*sys.argv[1:])
