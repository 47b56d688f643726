"""Checkpoints: everything a run needs to go on, in one file that is whole or not there.

A checkpoint is an uncompressed .npz: numpy reads it without executing anything, and each array
carries a CRC-32, so that damage is noticed.
"""

import dataclasses
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from digits_tf import files

_NAME = re.compile(r"epoch_(\d+)_.*\.npz")
_META = "meta"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """The state of a run after an epoch.

    Attributes:
        epoch: finished epochs.
        history: one row an epoch, see `run.COLUMNS`.
        model: the model's variables, in its order.
        optimizer: the optimizer's variables, in its order.
        average: the averaged weights, as many as the model's variables, or none.
    """

    epoch: int
    history: list[dict[str, Any]]
    model: list[np.ndarray]
    optimizer: list[np.ndarray]
    average: list[np.ndarray]

    @property
    def weights(self) -> list[np.ndarray]:
        """The weights to use: averaged where there are such."""
        return self.average or self.model


def file_name(row: dict[str, Any]) -> str:
    """A name that sorts by epoch and says how good it is."""
    return (
        f"epoch_{row['epoch']:04d}_loss_{row['loss']:.4f}_train_{row['accuracy']:.4f}"
        f"_held_out_{row['held_out_accuracy']:.4f}.npz"
    )


def save(checkpoint: Checkpoint, folder: Path) -> Path:
    """Writes a checkpoint beside the others of its run; returns its path."""
    path = folder / file_name(checkpoint.history[-1])
    meta = json.dumps({"epoch": checkpoint.epoch, "history": checkpoint.history})
    arrays = {_META: np.frombuffer(meta.encode(), np.uint8)}
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
        parts: dict[str, list[np.ndarray]] = {"model": [], "optimizer": [], "average": []}
        for name in sorted(arrays):
            parts[name.partition("_")[0]].append(arrays[name])
        return Checkpoint(meta["epoch"], meta["history"], **parts)
    except (OSError, KeyError, EOFError, zipfile.BadZipFile, ValueError) as error:
        raise ValueError(f"damaged ({error})") from error


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
