"""The whole way from a frame to its reading, as the camera program goes it without a window."""

import itertools
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from digits_tf.annotators import Overlay
from digits_tf.benchmark import board
from digits_tf.benchmark.film import Film
from digits_tf.benchmark.log import Entry, Log
from digits_tf.benchmark.timing import WARM_UP, WARM_UP_SHARE, Budget, summary
from digits_tf.camera.display import StatusLine
from digits_tf.camera.loop import Loop
from digits_tf.camera.smoother import Smoother
from digits_tf.recognition import Classifier, Recognizer
from digits_tf.recognition.classifier import THRESHOLD

# So many are drawn and read in turn: no cache holds them.
_FRAMES = 24


def run(
    pictures: Sequence[np.ndarray], model: Classifier, budget: Budget
) -> tuple[float, list[Entry]]:
    """Runs the camera's loop on frames from memory, after a warm-up.

    Args:
        pictures: uint8 (h, w, 3), BGR, each; at least one.
        model: reads crops.
        budget: of frames.

    Returns:
        The time.perf_counter() at which it began, and an entry a frame.
    """
    log = Log()
    loop = Loop(
        Film(pictures),
        Recognizer(model),
        log,
        StatusLine(),
        Smoother(THRESHOLD),
        Overlay(),
        paced=False,
    )
    loop.run(WARM_UP, WARM_UP_SHARE * budget.seconds)
    # The loop counts on.
    warm = len(log.entries)
    start = time.perf_counter()
    loop.run(warm + budget.calls, budget.seconds)
    return start, log.entries[warm:]


def measure(name: str, digits: int, model: Classifier, budget: Budget) -> dict[str, Any]:
    """Times the loop on a board; drawing it is not timed.

    Args:
        name: of the size, one of `board.SIZES`.
        digits: in view, one of `board.SCENES`.
        model: reads crops.
        budget: of frames.

    Returns:
        "find" (detector and crops), "net" and "loop" (all, from one reading to the next) as
        `timing.summary` has them; "fps", the frames by the seconds they took together; and
        "read_right", the share of frames that were read without a mistake.
    """
    source = board.frames(board.SIZES[name], digits)
    drawn = list(itertools.islice(source, min(_FRAMES, budget.calls)))
    start, entries = run([each.pixels for each in drawn], model, budget)
    instants = [start, *(each.instant for each in entries)]
    return {
        "size": name,
        "digits": digits,
        **{
            stage: summary([each.milliseconds[stage] for each in entries])
            for stage in ("find", "net")
        },
        "loop": summary([1000 * each for each in np.diff(instants)]),
        "fps": len(entries) / (instants[-1] - start),
        "read_right": float(np.mean([each.text == drawn[0].text for each in entries])),
    }
