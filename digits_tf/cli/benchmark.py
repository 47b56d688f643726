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
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from digits_tf import runtime
from digits_tf.cli import command
from digits_tf.cli.reading_flags import MODEL, THREADS
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2

if TYPE_CHECKING:
    from digits_tf.benchmark.plan import Part

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

_BAR = "{percentage:3.0f}% |{bar}| {elapsed}, {remaining} left; {desc}"


def main(words: Sequence[str]) -> int:
    """Measures everything and prints it; returns the exit code."""
    cv2 = import_cv2()
    from digits_tf.benchmark import conditions, models
    from digits_tf.benchmark.goals import goals
    from digits_tf.benchmark.page import busy, page
    from digits_tf.benchmark.plan import parts
    from digits_tf.benchmark.timing import Budget

    load = conditions.load()
    if warning := busy(load):
        print(warning, file=sys.stderr)
    cv2.setNumThreads(THREADS.value)
    reader = models.reader(MODEL.value)
    frames, seconds, starts = _ROUGH if _QUICK.value else _FULL
    budget = Budget(_FRAMES.value or frames, seconds)
    plan = list(parts(models.timed(MODEL.value), reader, THREADS.value, budget, starts))
    result: dict[str, Any] = {
        "conditions": conditions.describe(),
        "load": load,
        "reader": reader.name,
        "threads": THREADS.value,
        **_measured(plan),
        # Asked at the end, as the measurements themselves may heat the processor.
        "throttled": conditions.throttled(),
    }
    result["goals"] = [goal.as_json() for goal in goals(result)]
    print(json.dumps(result) if _JSON.value else page(result))
    failed = any("missing" in result[section] for section in ("memory", "start"))
    return command.EXIT_FAILED if failed else 0


def _measured(plan: Sequence["Part"]) -> dict[str, Any]:
    """The figures of each section; where one could not be measured, "missing" says why."""
    result: dict[str, Any] = {}
    total = sum(part.weight for part in plan)
    with runtime.bar(total, "", smoothing=0, bar_format=_BAR) as bar:
        for part in plan:
            bar.set_description_str(part.name)
            if part.repeated:
                result.setdefault(part.section, []).append(part.measure())
            else:
                try:
                    result[part.section] = part.measure()
                except DigitsError as error:
                    result[part.section] = {"missing": str(error)}
            bar.update(part.weight)
    return result
