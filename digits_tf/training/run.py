"""The run folder: it holds all output of a run, and all that a resumed run needs."""

import csv
import dataclasses
import datetime
import io
import platform
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from digits_tf import __version__, files, runtime
from digits_tf.errors import DigitsError
from digits_tf.training import checkpoint
from digits_tf.training.checkpoint import COLUMNS, Checkpoint, Row

_NUMBERED = re.compile(r"run-(\d+)")


@dataclasses.dataclass(frozen=True)
class Run:
    """A run folder.

    Attributes:
        folder: where everything lies.
    """

    folder: Path

    @property
    def config_file(self) -> Path:
        """What the run was started with."""
        return self.folder / "config.json"

    @property
    def best_file(self) -> Path:
        """The model of the best epoch."""
        return self.folder / "best.keras"

    @property
    def result_file(self) -> Path:
        """The figures on the test set; there when the run is finished."""
        return self.folder / "result.json"

    @property
    def curves_file(self) -> Path:
        """Loss and accuracy by epoch, drawn."""
        return self.folder / "curves.png"

    @property
    def checkpoints(self) -> Path:
        """The folder of the epochs' checkpoints."""
        return self.folder / "checkpoints"

    def config(self) -> dict[str, Any]:
        """Reads config.json.

        Raises:
            DigitsError: if it is missing or damaged.
        """
        return _read_json(self.config_file)

    def settings(self) -> dict[str, Any]:
        """Reads what decides what the run ends with: recipe, model, data and more.

        Raises:
            DigitsError: if config.json is missing or damaged.
        """
        found = self.config().get("settings")
        parts = ("recipe", "model", "data")
        if not isinstance(found, dict) or not all(isinstance(found.get(p), dict) for p in parts):
            raise DigitsError(f"{self.config_file}: damaged: expected settings, found others")
        return found

    def result(self) -> dict[str, Any]:
        """Reads result.json.

        Raises:
            DigitsError: if it is missing or damaged.
        """
        return _read_json(self.result_file)

    def begin(self, settings: dict[str, Any], device: str, **more: Any) -> None:
        """Makes the folder and writes config.json, with what the run is started with.

        Args:
            settings: all that decides what the run ends with; JSON's types alone.
            device: in words, where it trains.
            **more: what else the file is to keep, such as the command line.
        """
        import keras
        import numpy as np
        import tensorflow as tf

        config = {
            **more,
            "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "device": device,
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
        files.write_json(self.config_file, config)

    def resume(self) -> Checkpoint | None:
        """Deletes what a killed run has left half written; returns the newest whole checkpoint."""
        self.clear_parts()
        start = self.latest()
        self.drop_after(start.epoch if start else 0)
        return start

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint that is not damaged; damaged ones are named on standard error."""
        for path in checkpoint.listed(self.checkpoints):
            if found := self._load(path):
                return found
        return None

    def best(self, history: Sequence[Row]) -> Checkpoint | None:
        """The checkpoint of the best epoch of a history, or None if it is gone or damaged."""
        epoch = self.best_row(history)["epoch"]
        for path in checkpoint.listed(self.checkpoints):
            if checkpoint.epoch_of(path) == epoch:
                return self._load(path)
        return None

    def best_row(self, history: Sequence[Row]) -> Row:
        """The epoch with the smallest held-out loss, or the last if the recipe says so.

        Near the end, the accuracies of epochs differ by five or ten of 5,000 digits, which is
        chance. The loss varies less, as it counts how sure the model is of each digit.
        """
        if self.config_file.exists() and self.settings()["recipe"].get("last_epoch"):
            return history[-1]
        return min(history, key=lambda row: row["held_out_loss"])

    def drop_after(self, epoch: int) -> None:
        """Deletes the checkpoints of later epochs, which are damaged."""
        for path in checkpoint.listed(self.checkpoints):
            if checkpoint.epoch_of(path) > epoch:
                path.unlink()

    def clear_parts(self) -> None:
        """Deletes files that a killed run had begun to write."""
        for path in (*self.folder.glob(".part-*"), *self.checkpoints.glob(".part-*")):
            path.unlink()

    def write_log(self, history: Sequence[Row]) -> None:
        """Writes log.csv, one row an epoch."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in history:
            writer.writerow({key: _rounded(row[key]) for key in COLUMNS})
        files.write_bytes(self.folder / "log.csv", text.getvalue().encode())

    def _load(self, path: Path) -> Checkpoint | None:
        try:
            return checkpoint.load(path)
        except ValueError as error:
            print(f"{path}: {error}; taking the one before it", file=sys.stderr)
            return None


def choose_folder(path: Path | None, resume: bool, may_exist: bool = False) -> Path:
    """Chooses a run folder: the path, or the newest in runs/ to resume, or the next new one there.

    Args:
        path: the folder that was asked for.
        resume: whether to go on with a run.
        may_exist: whether the folder may hold a run though none is to be resumed.

    Raises:
        DigitsError: if there is no run to resume, or one that is not to be resumed, or a file.
    """
    runs = Path("runs")
    if resume:
        chosen = path or newest_folder(runs)
        if chosen is None or not (chosen / "config.json").is_file():
            raise DigitsError(
                f"{chosen or runs}: no run to resume: leave --resume out to begin one"
            )
        return chosen
    chosen = path or new_folder(runs)
    if chosen.exists() and not chosen.is_dir():
        raise DigitsError(f"{chosen}: expected a folder, found a file")
    if (chosen / "config.json").exists() and not may_exist:
        raise DigitsError(
            f"{chosen} holds a run already: add --resume to go on, or name another --run"
        )
    return chosen


def differences(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> list[str]:
    """Names each setting that differs, such as "recipe.epochs: 12, now 20"."""
    found = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key}: {str(old)[:80]}, now {new}")
    return found


def new_folder(runs: Path) -> Path:
    """The next free numbered folder."""
    numbers = [number for number, _ in _numbered(runs)]
    return runs / f"run-{max(numbers, default=0) + 1:03d}"


def newest_folder(runs: Path) -> Path | None:
    """The numbered folder with the greatest number."""
    return max(_numbered(runs), default=(0, None))[1]


def _numbered(runs: Path) -> Iterator[tuple[int, Path]]:
    for path in runs.glob("run-*"):
        if (match := _NUMBERED.fullmatch(path.name)) and (path / "config.json").is_file():
            yield int(match.group(1)), path


def _rounded(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return files.read_json(path)
    except FileNotFoundError:
        raise DigitsError(f"{path}: not there, so {path.parent} is no (finished) run") from None
