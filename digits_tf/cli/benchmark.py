"""Measures how fast this machine reads digits, and what that takes: memory, start, disk.

python -m digits_tf.benchmark
python -m digits_tf.benchmark --quick
python -m digits_tf.benchmark --model=resnet --json > figures.json

Needs neither TensorFlow nor a camera: the frames are drawn by the program, a chalked board seen by
a shaking, noisy camera, and how many are read without a mistake stands beside the times. Each
figure is of --frames readings, or of as many as four seconds allow. LiteRT and OpenCV get one
thread each, or --threads; memory and start are those of the camera program, which leaves OpenCV as
many as it takes by itself.
"""

import json
from collections.abc import Sequence
from typing import NoReturn

from absl import flags

from digits_tf.cli import command
from digits_tf.cli.reading_flags import MODEL, THREADS

# Frames of each kind, seconds of each figure at most (a Raspberry Pi needs them all), starts.
_FULL, _ROUGH = (300, 4.0, 5), (12, 1.0, 2)

_FRAMES = flags.DEFINE_integer(
    "frames",
    None,
    f"Frames of each kind; default: {_FULL[0]}, with --quick {_ROUGH[0]}.",
    lower_bound=1,
)
_QUICK = flags.DEFINE_boolean("quick", False, "Rough figures in a fraction of the time.")
_JSON = flags.DEFINE_boolean("json", False, "Print one JSON object instead of tables.")
flags.declare_key_flag("model")
flags.declare_key_flag("threads")

_EXIT_SOME_FAILED = 1


def main(words: Sequence[str]) -> int:
    """Measures everything and prints it; returns the exit code."""
    from digits_tf import benchmark

    frames, seconds, starts = _ROUGH if _QUICK.value else _FULL
    budget = benchmark.Budget(_FRAMES.value or frames, seconds)
    result = benchmark.measure(MODEL.value, THREADS.value, budget, starts)
    print(json.dumps(result) if _JSON.value else benchmark.page(result))
    failed = any("missing" in result[section] for section in ("memory", "start"))
    return _EXIT_SOME_FAILED if failed else 0


def start() -> NoReturn:
    """Runs the command."""
    command.run(main, __doc__)
