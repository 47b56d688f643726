"""The command line's flags for a run, and what they decide: the same for every kind of training."""

import contextlib
import datetime
import importlib.util
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from digits_tf import __version__, command, machine, storage
from digits_tf.errors import DigitsError

if TYPE_CHECKING:
    from digits_tf.train.checkpoint import Checkpoint
    from digits_tf.train.device import Device
    from digits_tf.train.run import Run
    from digits_tf.train.trainer import Limits

SEED = flags.DEFINE_integer(
    "seed", 0, "Of the first weights, the order and the augmentation.", 0, 2**31 - 1
)
PRECISION = flags.DEFINE_enum(
    "precision",
    "auto",
    ["auto", "float32", "mixed_float16", "mixed_bfloat16"],
    "auto: mixed_float16 on a GPU with tensor cores, mixed_bfloat16 where that is native, float32 "
    "on a CPU.",
)
RUN = flags.DEFINE_string(
    "run", None, "The run folder. Default: the next of runs/run-001, runs/run-002, ..."
)
RESUME = flags.DEFINE_boolean(
    "resume",
    False,
    "Go on from the last finished epoch of --run, or of the newest run in runs/.",
)
EXACT = flags.DEFINE_boolean(
    "exact",
    None,
    "Whether a resumed run ends with the very same weights as one that was not broken off. It "
    "takes up to twice as long on a CPU. Default: yes; for the detector no.",
)
STEPS = flags.DEFINE_integer(
    "steps_per_epoch", None, "At most this many steps an epoch, for a short run.", lower_bound=1
)
MINUTES = flags.DEFINE_float(
    "minutes", None, "Begin no epoch that would end after this many minutes.", lower_bound=0
)
KEEP = flags.DEFINE_integer(
    "keep", 3, "How many checkpoints to keep besides the best; 0: all.", lower_bound=0
)
TENSORBOARD = flags.DEFINE_boolean(
    "tensorboard", False, "Also write TensorBoard logs into the run folder."
)


def folder() -> Path:
    """The run folder that is meant: --run, the newest to resume, or a new one."""
    from digits_tf.train import run

    runs = Path("runs")
    if RUN.value:
        return Path(RUN.value)
    newest = run.newest_folder(runs)
    return newest if RESUME.value and newest else run.new_folder(runs)


def check_folder(folder: Path, preview: bool = False) -> None:
    """Refuses what cannot become a run folder, before anything takes time.

    Args:
        folder: the run folder.
        preview: whether nothing is to be trained.

    Raises:
        DigitsError: if it holds a run and --resume is not given, or is a file.
    """
    if TENSORBOARD.value and not importlib.util.find_spec("tensorboard"):
        raise DigitsError("--tensorboard needs pip install 'digits_tf[tensorboard]'")
    if folder.exists() and not folder.is_dir():
        raise DigitsError(f"{folder}: expected a folder, found a file")
    if (folder / "config.json").exists() and not (RESUME.value or preview):
        raise DigitsError(
            f"{folder} holds a run already: add --resume to go on, or name another --run"
        )


def _given() -> dict[str, Any]:
    """The values of the flags that were given on the command line."""
    return {name: flags.FLAGS[name].value for name in flags.FLAGS if flags.FLAGS[name].present}


def limits(exact: bool = True) -> "Limits":
    """What the run may take; `exact` if the flag does not say."""
    from digits_tf.train.trainer import Limits

    chosen = exact if EXACT.value is None else EXACT.value
    return Limits(STEPS.value, MINUTES.value, KEEP.value, chosen)


def open_run(
    run: "Run", module: str, settings: dict[str, Any], device: "Device"
) -> "Checkpoint | None":
    """Makes the run folder, or finds where to go on.

    Args:
        run: the folder.
        module: what is run, as `python -m` is told.
        settings: all that decides what the run ends with.
        device: where it trains.

    Raises:
        DigitsError: if the folder holds a run that was started otherwise.
    """
    if run.config_file.exists():
        before = run.config()["settings"]
        if different := _differences(before, settings):
            raise DigitsError(
                f"{run.folder} was started otherwise ({'; '.join(different)}): resume it with the "
                "flags it was started with, or give another --run"
            )
        run.clear_parts()
        start = run.latest()
        run.drop_after(start.epoch if start else 0)
        return start
    import keras
    import numpy as np
    import tensorflow as tf

    config = {
        "command": " ".join([f"python -m {module}", *sys.argv[1:]]),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "flags": _given(),
        "device": str(device),
        "settings": settings,
        "machine": machine.describe(),
        "versions": {
            "digits_tf": __version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
    }
    storage.write_json(run.config_file, config)
    return None


def _differences(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differences(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key}: {old}, now {new}")
    return found


def tensorboard(run: "Run") -> list[Any]:
    """The callback that --tensorboard asks for."""
    if not TENSORBOARD.value:
        return []
    import keras

    return [keras.callbacks.TensorBoard(str(run.folder / "tensorboard"))]


@contextlib.contextmanager
def resumable(run: "Run", module: str) -> Iterator[None]:
    """Tells how to go on with a run that is broken off, by a key or a full disk."""
    given = [word for word in sys.argv[1:] if word not in ("--resume", "--resume=true")]
    if not RUN.value:
        given.append(f"--run={run.folder}")
    hint = f"go on with: {' '.join([f'python -m {module}', *given, '--resume'])}"
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(hint) from None
    except OSError as error:
        raise DigitsError(f"{command.describe(error)}; then: {hint}") from None
