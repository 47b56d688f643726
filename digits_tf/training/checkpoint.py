"""Checkpoints: everything that a run needs to go on, in one file that is whole or not there.

A checkpoint is an uncompressed .npz: numpy reads it without executing anything, and each array has
a CRC-32, which reveals damage.
"""

import dataclasses
import json
import re
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from digits_tf import files

# An epoch's figures, by `COLUMNS`.
Row: TypeAlias = dict[str, Any]

# Of a row, and of log.csv. Accuracies are 0..1, seconds count the whole epoch.
COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "held_out_loss",
    "held_out_accuracy",
    "learning_rate",
    "seconds",
)

_NAME = re.compile(r"epoch_(\d+)_.*\.npz")
_META = "meta"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """The state of a run after an epoch.

    Attributes:
        epoch: finished epochs.
        history: one row an epoch.
        model: the model's variables, in its order.
        optimizer: the optimizer's variables, in its order.
        average: the averaged values of the model's variables; empty: there are none.
    """

    epoch: int
    history: list[Row]
    model: list[NDArray[Any]]
    optimizer: list[NDArray[Any]]
    average: list[NDArray[Any]]

    @property
    def weights(self) -> list[NDArray[Any]]:
        """The weights to use: the averaged ones if there are any."""
        return self.average or self.model


def file_name(row: Row) -> str:
    """A name that sorts by epoch and tells how good the model is."""
    return (
        f"epoch_{row['epoch']:04d}_loss_{row['loss']:.4f}_train_{row['accuracy']:.4f}"
        f"_held_out_{row['held_out_accuracy']:.4f}.npz"
    )


def save(checkpoint: Checkpoint, folder: Path) -> Path:
    """Writes a checkpoint beside the others of its run; returns its path."""
    path = folder / file_name(checkpoint.history[-1])
    meta = json.dumps({"epoch": checkpoint.epoch, "history": checkpoint.history})
    arrays: dict[str, Any] = {_META: np.frombuffer(meta.encode(), np.uint8)}
    for part in ("model", "optimizer", "average"):
        for index, array in enumerate(getattr(checkpoint, part)):
            arrays[f"{part}_{index:04d}"] = array
    with files.replacing(path) as beside:
        np.savez(beside, allow_pickle=False, **arrays)
    return path


def load(path: Path) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        ValueError: if the file is damaged.
    """
    try:
        # Opened here, as numpy leaves a damaged file open.
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays.pop(_META).tobytes())
        _check(meta, epoch_of(path))
        parts: dict[str, list[NDArray[Any]]] = {"model": [], "optimizer": [], "average": []}
        for name in sorted(arrays):
            parts[name.partition("_")[0]].append(arrays[name])
        if parts["average"] and [*map(np.shape, parts["average"])] != [
            *map(np.shape, parts["model"])
        ]:
            raise ValueError("an average of other weights")
        return Checkpoint(meta["epoch"], meta["history"], **parts)
    except (
        *(EOFError, KeyError, MemoryError, OSError, RecursionError, TypeError, ValueError),
        zipfile.BadZipFile,
    ) as error:
        raise ValueError(f"damaged ({error})") from error


def _check(meta: Any, epoch: int) -> None:
    """Refuses a history that is none of `epoch` epochs."""
    if meta["epoch"] != epoch or [row["epoch"] for row in meta["history"]] != [
        *range(1, epoch + 1)
    ]:
        raise ValueError(f"expected a history of {epoch} epochs")
    if not all(isinstance(row[key], (int, float)) for row in meta["history"] for key in COLUMNS):
        raise ValueError("expected numbers in its history")


def listed(folder: Path) -> list[Path]:
    """The checkpoints in a folder, newest first."""
    found = [path for path in folder.glob("epoch_*.npz") if _NAME.fullmatch(path.name)]
    return sorted(found, key=epoch_of, reverse=True)


def epoch_of(path: Path) -> int:
    """The number of epochs that a checkpoint's name says are finished."""
    match = _NAME.fullmatch(path.name)
    if not match:
        raise ValueError(f"Expected a checkpoint's name. Received: path={path}")
    return int(match.group(1))


def prune(folder: Path, keep: int, best_epoch: int) -> None:
    """Deletes all but the `keep` newest checkpoints and the best one; 0 keeps all."""
    for path in listed(folder)[keep:] if keep else []:
        if epoch_of(path) != best_epoch:
            path.unlink()
