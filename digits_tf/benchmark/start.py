"""How long it takes from the shell to the first reading."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from digits_tf.benchmark import board
from digits_tf.benchmark.child import Child
from digits_tf.errors import DigitsError
from digits_tf.images import write_picture

SIZE, DIGITS = "1080p", 1


def measure(model: Path, starts: int, threads: int = 1) -> dict[str, Any]:
    """Starts the camera program on a picture of a board, again and again.

    Args:
        model: a .tflite file.
        starts: how often; one more comes before, so that the system's caches are warm.
        threads: for LiteRT; OpenCV has its own default.

    Returns:
        "n", "median_s" and "most_s", from the start of the process to its first line; and
        "read_right", a share of the starts.

    Raises:
        DigitsError: if it fails.
    """
    seconds, right = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "board.png"
        frame = next(board.frames(board.SIZES[SIZE], DIGITS))
        write_picture(path, frame.pixels)
        for _ in range(1 + starts):
            taken, text = _first_reading(path, model, threads)
            seconds.append(taken)
            right.append(text == frame.text)
    return {
        "size": SIZE,
        "digits": DIGITS,
        "n": starts,
        "median_s": float(np.median(seconds[1:])),
        "most_s": max(seconds[1:]),
        "read_right": float(np.mean(right)),
    }


def _first_reading(picture: Path, model: Path, threads: int) -> tuple[float, str]:
    """Seconds to the first line of `python -m digits_tf.camera`, and what it has read."""
    words = ["--headless", "--frames=1", f"--source={picture}", f"--threads={threads}"]
    words.append(f"--model={model.resolve()}")
    start = time.perf_counter()
    with Child("digits_tf.camera", *words) as child:
        line = child.line()
        seconds = time.perf_counter() - start
        child.end()
    try:
        return seconds, json.loads(line)["text"]
    except (ValueError, KeyError):
        raise DigitsError(f"digits_tf.camera: expected JSON, found {line.strip()!r}") from None
