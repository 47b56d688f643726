"""The command line's flags for a run, and what they decide: the same for every kind of training."""

import contextlib
import datetime
import importlib.util
import platform
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from digits_tf import __version__, files, runtime
from digits_tf.cli import command
from digits_tf.cli import data_flags as data_flags
from digits_tf.errors import DigitsError, describe

if TYPE_CHECKING:
    from digits_tf.training.checkpoint import Checkpoint
    from digits_tf.training.device import Device
    from digits_tf.training.run import Run
    from digits_tf.training.trainer import Limits

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
    "Go on from the last finished epoch of --run, or of the newest run in runs/, as it was "
    "started: no other flag is needed.",
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

# They do not change what a run ends with.
_FREE = frozenset(flag.name for flag in (RUN, RESUME, EXACT, MINUTES, KEEP, TENSORBOARD))


def folder(preview: bool = False) -> Path:
    """The run folder that is meant: --run, the newest to resume, or a new one.

    The flags of a run that is resumed get the values that it was started with, where the command
    line does not give them. What cannot become a run folder is refused before anything takes time.

    Args:
        preview: whether nothing is to be trained.

    Raises:
        DigitsError: if it holds a run and --resume is not given, or the other way round, or is a
            file.
    """
    from digits_tf.training import run

    runs = Path("runs")
    chosen = Path(RUN.value) if RUN.value else None
    if RESUME.value:
        chosen = chosen or run.newest_folder(runs)
        if chosen is None or not (chosen / "config.json").is_file():
            raise DigitsError(
                f"{chosen or runs}: no run to resume: leave --resume out to begin one"
            )
        found = run.Run(chosen)
        try:
            _restore(_before(found.config()))
        except (KeyError, TypeError, AttributeError):
            raise DigitsError(f"{found.config_file}: damaged: give another --run") from None
    chosen = chosen or run.new_folder(runs)
    if TENSORBOARD.value and not importlib.util.find_spec("tensorboard"):
        raise DigitsError("--tensorboard needs pip install 'digits_tf[tensorboard]'")
    if chosen.exists() and not chosen.is_dir():
        raise DigitsError(f"{chosen}: expected a folder, found a file")
    if (chosen / "config.json").exists() and not (RESUME.value or preview):
        raise DigitsError(
            f"{chosen} holds a run already: add --resume to go on, or name another --run"
        )
    return chosen


def _given() -> dict[str, Any]:
    """The values of the flags that were given on the command line, with absolute paths of data."""
    data = data_flags.selection()
    return {
        name: data.get(name, flags.FLAGS[name].value)
        for name in flags.FLAGS
        if flags.FLAGS[name].present
    }


def _before(config: dict[str, Any]) -> dict[str, Any]:
    """The values of flags that a run was started with."""
    settings = config["settings"]
    # Of "auto", another machine might make another precision.
    chosen = {PRECISION.name: settings["policy"]}
    return config["flags"] | settings["data"].get("selection", {}) | chosen


def _restore(before: dict[str, Any]) -> None:
    """Gives flags the values of before where the command line does not give them."""
    given = _given()
    # Digits come from one place: if that is given, what was given before does not count.
    kept_out = {RUN.name, RESUME.name, *given}
    if not data_flags.NAMES.isdisjoint(given):
        kept_out |= data_flags.NAMES
    for name, value in before.items():
        if name in flags.FLAGS and name not in kept_out:
            flags.FLAGS[name].value = value


def limits(exact: bool = True) -> "Limits":
    """What the run may take; `exact` if the flag does not say."""
    from digits_tf.training.trainer import Limits

    chosen = exact if EXACT.value is None else EXACT.value
    return Limits(STEPS.value, MINUTES.value, KEEP.value, chosen)


def open_run(run: "Run", settings: dict[str, Any], device: "Device") -> "Checkpoint | None":
    """Makes the run folder, or finds where to go on.

    Args:
        run: the folder.
        settings: all that decides what the run ends with.
        device: where it trains.

    Raises:
        DigitsError: if the folder holds a run that was started otherwise.
    """
    if run.config_file.exists():
        config = run.config()
        if different := _differences(config["settings"], settings):
            began = _before(config)
            wrong = [
                f"--{name}"
                for name, value in _given().items()
                if name not in _FREE and value != began.get(name)
            ]
            hint = f"leave out {' '.join(wrong)}" if wrong else "the data or the program is another"
            raise DigitsError(
                f"{run.folder} was started otherwise ({'; '.join(different)}): {hint}, or give "
                "another --run"
            )
        run.clear_parts()
        start = run.latest()
        run.drop_after(start.epoch if start else 0)
        return start
    import keras
    import numpy as np
    import tensorflow as tf

    config = {
        "command": " ".join([command.program(), *sys.argv[1:]]),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "flags": _given(),
        "device": str(device),
        "settings": settings,
        "machine": runtime.describe(),
        "versions": {
            "digits_tf": __version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
    }
    files.write_json(run.config_file, config)
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
def resumable(run: "Run") -> Iterator[None]:
    """Tells how to go on with a run that is broken off, by a key or a full disk."""
    hint = f"go on with: {command.program()} --run={shlex.quote(run.folder.as_posix())} --resume"
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(hint) from None
    except OSError as error:
        raise DigitsError(f"{describe(error)}; then: {hint}") from None
