"""The flags of a training run, and what they decide. All trainings share them."""

import contextlib
import importlib.util
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from digits_tf import files
from digits_tf.cli import command, data_flags
from digits_tf.errors import DigitsError, describe

if TYPE_CHECKING:
    import keras

    from digits_tf.training.checkpoint import Checkpoint
    from digits_tf.training.device import Device
    from digits_tf.training.run import Run
    from digits_tf.training.trainer import Limits

SEED = flags.DEFINE_integer(
    "seed",
    0,
    "Seed of the random numbers: first weights, order of the digits, augmentation.",
    0,
    2**31 - 1,
)
PRECISION = flags.DEFINE_enum(
    "precision",
    "auto",
    ["auto", "float32", "mixed_float16", "mixed_bfloat16"],
    "Keras' dtype policy. auto: mixed_float16 on a GPU with tensor cores, mixed_bfloat16 on a TPU, "
    "float32 elsewhere.",
)
RUN = flags.DEFINE_string(
    "run", None, "The run folder. Default: the next of runs/run-001, runs/run-002, ..."
)
RESUME = flags.DEFINE_boolean(
    "resume",
    False,
    "Go on after the last finished epoch of --run, or of the newest run in runs/. The run keeps "
    "the flags that it was started with.",
)
EXACT = flags.DEFINE_boolean(
    "exact",
    None,
    "Whether a resumed run must end with the same weights, to the bit, as one that was never "
    "interrupted. On a CPU this can take twice as long. Default: yes; for the detector no.",
)
STEPS = flags.DEFINE_integer(
    "steps_per_epoch", None, "Take at most this many steps an epoch, for a short run.", 1
)
MINUTES = flags.DEFINE_float(
    "minutes", None, "Begin no epoch that would end after this many minutes.", lower_bound=0
)
KEEP = flags.DEFINE_integer(
    "keep", 3, "Number of checkpoints to keep besides the best; 0 keeps all.", lower_bound=0
)
TENSORBOARD = flags.DEFINE_boolean(
    "tensorboard", False, "Also write TensorBoard logs into the run folder."
)

_LOCK = ".lock"
# These do not change what a run ends with.
_FREE = frozenset(flag.name for flag in (RUN, RESUME, EXACT, MINUTES, KEEP, TENSORBOARD))


def folder(preview: bool = False) -> Path:
    """The run folder that the flags mean: --run, the newest one to resume, or a new one.

    A resumed run gives its own values to the flags that the command line leaves out.

    Args:
        preview: whether nothing is to be trained.

    Raises:
        DigitsError: see `choose_folder`; or if config.json is damaged, or TensorBoard is missing.
    """
    from digits_tf.training.run import Run, choose_folder

    path = Path(RUN.value) if RUN.value else None
    chosen = choose_folder(path, RESUME.value, may_exist=preview)
    if RESUME.value:
        run = Run(chosen)
        _restore(_flags_of(run), run.config_file)
    if TENSORBOARD.value and not importlib.util.find_spec("tensorboard"):
        raise DigitsError("--tensorboard needs pip install 'digits_tf[tensorboard]'")
    return chosen


@contextlib.contextmanager
def opened(run: "Run", settings: dict[str, Any], device: "Device") -> "Iterator[Checkpoint | None]":
    """Begins the run, or finds the checkpoint to go on from; says how to go on if it is broken off.

    Args:
        run: its folder.
        settings: all that decides what the run ends with.
        device: where it trains.

    Yields:
        The checkpoint; None: no epoch is finished.

    Raises:
        DigitsError: if the folder holds a run with other settings, or another training uses it.
        OSError: if the folder cannot be written.
    """
    with locked(run.folder):
        start = _begin_or_resume(run, settings, device)
        with _resumable(run):
            yield start


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Makes a run folder and keeps other trainings out of it.

    Raises:
        DigitsError: if another training uses it.
        OSError: if it cannot be written.
    """
    files.make_folder(folder)
    busy = (
        f"{folder}: another training writes into this folder: wait for its end, or give "
        "another --run"
    )
    with files.locked(folder / _LOCK, busy=busy):
        yield


def _begin_or_resume(run: "Run", settings: dict[str, Any], device: "Device") -> "Checkpoint | None":
    from digits_tf.training.run import differences

    if not run.config_file.exists():
        typed = " ".join([command.program(), *sys.argv[1:]])
        run.begin(settings, str(device), command=typed, flags=given())
        return None
    if different := differences(run.settings(), settings):
        before = _flags_of(run)
        wrong = [
            f"--{name}"
            for name, value in given().items()
            if name not in _FREE and value != before.get(name)
        ]
        hint = f"leave out {' '.join(wrong)}" if wrong else "the data or the program is another"
        raise DigitsError(
            f"{run.folder} was started otherwise ({'; '.join(different)}): {hint}, or give another "
            "--run"
        )
    return run.resume()


def limits(exact: bool = True) -> "Limits":
    """What the run may take; `exact` is the default of --exact."""
    from digits_tf.training.trainer import Limits

    chosen = exact if EXACT.value is None else EXACT.value
    return Limits(STEPS.value, MINUTES.value, KEEP.value, chosen)


def callbacks(run: "Run") -> "list[keras.callbacks.Callback]":
    """The callback that --tensorboard asks for."""
    if not TENSORBOARD.value:
        return []
    import keras

    return [keras.callbacks.TensorBoard(str(run.folder / "tensorboard"))]


@contextlib.contextmanager
def _resumable(run: "Run") -> Iterator[None]:
    """Says how to go on with a run that Ctrl-C or a full disk ends."""
    hint = f"go on with: {command.program()} --run={shlex.quote(run.folder.as_posix())} --resume"
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(hint) from None
    except OSError as error:
        raise DigitsError(f"{describe(error)}; then: {hint}") from None


def given() -> dict[str, Any]:
    """The values of the flags that were given on the command line, with absolute paths of data."""
    data = data_flags.selection()
    return {
        name: data.get(name, flags.FLAGS[name].value)
        for name in flags.FLAGS
        if flags.FLAGS[name].present
    }


def _flags_of(run: "Run") -> dict[str, Any]:
    """The values of the flags that a run was started with."""
    settings = run.settings()
    try:
        # "auto" might choose another precision on another machine.
        precision = {PRECISION.name: settings["policy"]}
        selection = settings["data"].get("selection", {})
        before: dict[str, Any] = run.config()["flags"] | selection | precision
    except (KeyError, TypeError):
        raise DigitsError(f"{run.config_file}: damaged: give another --run") from None
    return before


def _restore(before: dict[str, Any], origin: Path) -> None:
    """Gives the flags the values of `before` where the command line does not give them."""
    typed = given()
    # A preview is no run: a file that asks for one would have it written anywhere.
    kept_out = {RUN.name, RESUME.name, "preview", *typed}
    # All digits come from one place: a new one replaces all that was given before.
    if not data_flags.NAMES.isdisjoint(typed):
        kept_out |= data_flags.NAMES
    kept = {name: value for name, value in before.items() if name not in kept_out}
    command.restore(kept, origin)
