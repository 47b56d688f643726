"""What was read in many pictures, in a folder that grows part by part: a broken run goes on."""

import contextlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from digits_tf import files, stores
from digits_tf.errors import DigitsError, describe
from digits_tf.recognition.digit import reading_as_json
from digits_tf.recognition.recognizer import Recognizer

# A kill costs what was read since the last part was written: at most so many pictures or seconds.
_PART_ROWS, _PART_S = 1000, 60.0
# What programs that read a whole folder, as Arrow and Spark do, pass over.
_SETTINGS, _LOCK = "_settings.json", ".lock"

Row = dict[str, Any]


def read_row(recognizer: Recognizer, name: str) -> Row:
    """Reads a picture, whatever is wrong with it.

    Args:
        recognizer: reads it.
        name: a path or an address, see `stores.read`.

    Returns:
        path, and what `reading_as_json` gives, or "error".
    """
    start = time.perf_counter()
    try:
        digits = recognizer.read(stores.read(name))
    except DigitsError as error:
        return {"path": name, "error": str(error)}
    except OSError as error:
        return {"path": name, "error": describe(error)}
    # One picture in a million that no test has foreseen must not end the reading of all others.
    except Exception as error:
        return {"path": name, "error": f"{name}: {type(error).__name__}: {error}"}
    return {"path": name, **reading_as_json(digits, 1000 * (time.perf_counter() - start))}


@contextlib.contextmanager
def open_results(folder: Path, settings: Mapping[str, Any]) -> "Iterator[Results]":
    """Opens a folder with a row for each picture, which no other run writes into meanwhile.

    Rows are JSON lines, or Parquet if the folder's name ends in .parquet.

    Args:
        folder: is made if it is not there. Else new rows are added.
        settings: what the readings depend on, for JSON: those in the folder must be the same.

    Yields:
        The results.

    Raises:
        DigitsError: if another run writes into the folder, its settings differ, a part in it is
            damaged, or Parquet is asked for and pyarrow is missing.
        OSError: if it cannot be read or written.
    """
    suffix = ".parquet" if folder.suffix == ".parquet" else ".jsonl"
    if suffix == ".parquet":
        _import_arrow()
    files.make_folder(folder)
    busy = f"{folder}: another run writes into this folder: wait for its end, or name another"
    with files.locked(folder / _LOCK, busy=busy):
        _check_settings(folder, dict(settings))
        yield Results(folder, suffix)


class Results:
    """Rows in parts: each is a file that is whole or not there. Opened by `open_results`.

    Args:
        folder: has the parts.
        suffix: of the parts, ".jsonl" or ".parquet".

    Attributes:
        done: the paths that have a row.

    Raises:
        DigitsError: if a part is damaged.
    """

    def __init__(self, folder: Path, suffix: str):
        self._folder, self._suffix = folder, suffix
        parts = sorted(folder.glob(f"part-*{suffix}"))
        self.done = {path for part in parts for path in _paths(part)}
        numbers = (part.stem.removeprefix("part-") for part in parts)
        self._number = 1 + max((int(each) for each in numbers if each.isdecimal()), default=0)
        self._rows: list[Row] = []
        self._begun = time.monotonic()

    def missing(self, names: Iterable[str]) -> list[str]:
        """Which of these pictures have no row yet, each once, in their order."""
        return [name for name in dict.fromkeys(names) if _storable(name) not in self.done]

    def add(self, row: Row) -> None:
        """Takes a row of `read_row`.

        Raises:
            OSError: if a part cannot be written.
        """
        row = row | {"path": _storable(row["path"])}
        if "error" in row:
            row["error"] = _storable(row["error"])
        self.done.add(row["path"])
        self._rows.append(row)
        if len(self._rows) >= _PART_ROWS or time.monotonic() - self._begun >= _PART_S:
            self.flush()

    def flush(self) -> None:
        """Writes the rows that are held back.

        Raises:
            OSError: if they cannot be written.
        """
        self._begun = time.monotonic()
        if not self._rows:
            return
        path = self._folder / f"part-{self._number:06}{self._suffix}"
        with files.replacing(path) as beside:
            if self._suffix == ".parquet":
                _write_parquet(beside, self._rows)
            else:
                beside.write_text("".join(json.dumps(row) + "\n" for row in self._rows))
        self._number += 1
        self._rows = []


def _check_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Refuses settings that are not those of the rows that are there."""
    path = folder / _SETTINGS
    if not path.exists():
        files.write_json(path, settings)
        return
    try:
        before = files.read_json(path)
    except DigitsError as error:
        raise DigitsError(f"{error}: name another folder") from None
    for key in {**before, **settings}:
        old, new = before.get(key), settings.get(key)
        if old != new:
            same = " of the same name, trained anew" if key.endswith("_sha256") else ""
            raise DigitsError(
                f"{folder}: holds what was read with {key} {old}, found {key} {new}{same}: name "
                "another folder"
            )


def _storable(words: str) -> str:
    """Text that UTF-8 can hold: a name on Linux may have bytes that are no letters."""
    return words.encode(errors="backslashreplace").decode()


def _paths(part: Path) -> list[str]:
    """The paths in a part."""
    try:
        if part.suffix == ".parquet":
            from pyarrow import parquet

            paths: list[str] = parquet.read_table(part, columns=["path"])["path"].to_pylist()
        else:
            with part.open(encoding="utf-8") as lines:
                paths = [json.loads(line)["path"] for line in lines]
        if not all(isinstance(path, str) for path in paths):
            raise ValueError("a path that is no text")
        return paths
    # pyarrow's errors of damaged files are of many kinds.
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        raise DigitsError(
            f"{part}: expected the rows of a run, found something else ({error}): delete it, and "
            "its pictures are read again"
        ) from None


def _import_arrow() -> None:
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise DigitsError(
            "Parquet needs pyarrow: pip install 'digits_tf[ray]', or name a folder without "
            ".parquet for JSON lines"
        ) from None


def _write_parquet(path: Path, rows: Sequence[Row]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    digit = {
        "label": pa.int8(),
        "confidence": pa.float64(),
        "box": pa.list_(pa.int32()),
        "probabilities": pa.list_(pa.float64()),
    }
    columns = {
        "path": pa.string(),
        "text": pa.string(),
        "digits": pa.list_(pa.struct(digit)),
        "ms": pa.float64(),
        "error": pa.string(),
    }
    parquet.write_table(pa.Table.from_pylist(rows, pa.schema(columns)), path)
