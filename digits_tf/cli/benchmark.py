"""Measures how fast this machine reads digits, and what that takes: memory, start, disk.

python -m digits_tf.benchmark
python -m digits_tf.benchmark --quick
python -m digits_tf.benchmark --model=resnet --json > figures.json

Needs neither TensorFlow nor a camera. The program draws the frames itself: a chalk board seen by a
shaking, noisy camera. Beside the times stands the share of frames that are read without a mistake.

Each figure comes from --frames readings, or from as many as four seconds allow. LiteRT and OpenCV
get --threads threads each. Memory and start are measured on the camera program, in which OpenCV
takes as many threads as it likes.
"""

import json
from collections.abc import Sequence

from absl import flags

from digits_tf.cli import command
from digits_tf.cli.reading_flags import MODEL, THREADS

# Frames of each kind, the most seconds for a figure (a Raspberry Pi needs them all), starts.
_FULL, _ROUGH = (300, 4.0, 5), (12, 1.0, 2)

_FRAMES = flags.DEFINE_integer(
    "frames",
    None,
    f"Number of frames of each kind. Default: {_FULL[0]}, with --quick {_ROUGH[0]}.",
    lower_bound=1,
)
_QUICK = flags.DEFINE_boolean("quick", False, "Take a fraction of the time, for rough figures.")
_JSON = flags.DEFINE_boolean("json", False, "Print one JSON object instead of tables.")
flags.declare_key_flag("model")
flags.declare_key_flag("threads")


def main(words: Sequence[str]) -> int:
    """Measures everything and prints it; returns the exit code."""
    from digits_tf import benchmark

    frames, seconds, starts = _ROUGH if _QUICK.value else _FULL
    budget = benchmark.Budget(_FRAMES.value or frames, seconds)
    result = benchmark.measure(MODEL.value, THREADS.value, budget, starts)
    print(json.dumps(result) if _JSON.value else benchmark.page(result))
    failed = any("missing" in result[section] for section in ("memory", "start"))
    return command.EXIT_FAILED if failed else 0
