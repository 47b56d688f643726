"""Digits of your own, collected one by one in the files that `--data_dir` takes."""

import csv
import dataclasses
import datetime
import io
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digits_tf import files
from digits_tf.data import idx
from digits_tf.data.digits import BACKGROUND
from digits_tf.errors import DigitsError
from digits_tf.runtime import printable

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
OTHERS = "others-images-idx3-ubyte"
LIST = "collection.csv"
_COLUMNS = ("label", "time", "source")
_LOCK = ".lock"
# 8 MB; without a limit, whoever reaches the page could fill the disk.
MOST = 10_000


@dataclasses.dataclass(frozen=True)
class Entry:
    """A picture of a collection.

    Attributes:
        label: 0 to 9; `BACKGROUND`: no digit.
        time: when it was added, ISO 8601; empty if nobody knows.
        source: where it comes from, in words.
    """

    label: int
    time: str = ""
    source: str = ""

    @property
    def name(self) -> str:
        """The label as people write it: 0 to 9, or x for no digit."""
        return name_of(self.label)


class Collection:
    """28x28 pictures with their labels in a folder, which grows by one picture at a time.

    Digits are in `IMAGES` and `LABELS`, what is no digit in `OTHERS`. `LIST` has a row for each
    picture in the order in which they were added. A picture is written behind the others before the
    file's header counts it; so a program that is killed leaves whole files and loses at most the
    last picture. What it leaves undone is put in order when the collection is used again. Several
    programs may use one collection at the same time.

    Args:
        folder: need not exist: it is made with the first picture.

    Raises:
        DigitsError: if the folder is a file, or its files do not belong together.
    """

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise DigitsError(f"{self.folder}: expected a folder for your digits, found a file")
        self.entries()

    def add(self, crop: NDArray[np.uint8], label: int, source: str = "") -> bool:
        """Adds a picture. A digit that is there already gets the new label.

        Args:
            crop: uint8 (28, 28), ink bright on 0, as `Digit.crop`.
            label: 0 to 9, or `BACKGROUND`.
            source: where it comes from.

        Returns:
            Whether anything changed: False if this picture is there with this label.

        Raises:
            DigitsError: if the collection is full, or has the picture as a digit where this is
                none, or the other way round.
            ValueError: if the crop or the label is none.
        """
        if crop.shape != idx.IMAGE_SHAPE or crop.dtype != np.uint8:
            raise ValueError(f"Expected a uint8 crop (28, 28). Received: {crop.dtype} {crop.shape}")
        if not 0 <= label <= BACKGROUND:
            raise ValueError(f"Expected a label from 0 to {BACKGROUND}. Received: {label}")
        files.make_folder(self.folder)
        with files.locked(self.folder / _LOCK):
            entries = self._mended()
            images, _ = self._read(entries)
            same = np.flatnonzero((images == crop).all(axis=(1, 2)))
            if len(same):
                return self._relabel(entries, int(same[0]), label)
            if len(entries) >= MOST:
                raise DigitsError(f"{self.folder}: holds {MOST:,} pictures, and takes no more")
            if label == BACKGROUND:
                _append(self.folder / OTHERS, crop)
            else:
                _append(self.folder / IMAGES, crop)
                _append(self.folder / LABELS, np.array(label, np.uint8))
            now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
            self._write([*entries, Entry(label, now, printable(source))])
        return True

    def undo(self) -> Entry | None:
        """Takes the newest picture out again, and returns what it was; None: there is none."""
        if not self.folder.is_dir():
            return None
        with files.locked(self.folder / _LOCK):
            entries = self._mended()
            if not entries:
                return None
            if entries[-1].label == BACKGROUND:
                _drop_last(self.folder / OTHERS)
            else:
                # In this order, what a kill leaves is an image without a label.
                _drop_last(self.folder / LABELS)
                _drop_last(self.folder / IMAGES)
            self._write(entries[:-1])
            return entries[-1]

    def entries(self) -> list[Entry]:
        """What is in it, the oldest first."""
        if not self.folder.is_dir():
            return []
        with files.locked(self.folder / _LOCK):
            return self._mended()

    def version(self) -> object:
        """Another value after each change, by any program."""
        try:
            found = (self.folder / LIST).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def read(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Reads all pictures in the order of `entries`.

        Returns:
            images uint8 (n, 28, 28), labels uint8 (n,) with `BACKGROUND` for no digit.
        """
        if not self.folder.is_dir():
            return np.zeros((0, *idx.IMAGE_SHAPE), np.uint8), np.zeros(0, np.uint8)
        with files.locked(self.folder / _LOCK):
            return self._read(self._mended())

    def _read(self, entries: Sequence[Entry]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        labels = np.array([entry.label for entry in entries], np.uint8)
        images = np.zeros((len(entries), *idx.IMAGE_SHAPE), np.uint8)
        for name, chosen in ((IMAGES, labels != BACKGROUND), (OTHERS, labels == BACKGROUND)):
            if chosen.any():
                images[chosen] = idx.open_images(self.folder / name).read()
        return images, labels

    def _relabel(self, entries: list[Entry], place: int, label: int) -> bool:
        before = entries[place].label
        if before == label:
            return False
        if BACKGROUND in (before, label):
            raise DigitsError(
                f"{self.folder}: has this picture as {entries[place].name}, number {place + 1}"
            )
        digit = sum(entry.label != BACKGROUND for entry in entries[:place])
        path = self.folder / LABELS
        with path.open("r+b") as file:
            file.seek(idx.open_idx(path).header_bytes + digit)
            file.write(bytes([label]))
            _flush(file)
        entries[place] = dataclasses.replace(entries[place], label=label)
        self._write(entries)
        return True

    def _mended(self) -> list[Entry]:
        """Ends what a killed program has begun; returns the entries."""
        for name in (IMAGES, LABELS, OTHERS):
            _cut_tail(self.folder / name)
        images, labels = _count(self.folder / IMAGES), _count(self.folder / LABELS)
        if images == labels + 1:
            _drop_last(self.folder / IMAGES)
        elif images != labels:
            raise DigitsError(
                f"{self.folder}: expected as many labels as images, found {images:,} images in "
                f"{IMAGES} and {labels:,} labels in {LABELS}"
            )
        found = idx.open_labels(self.folder / LABELS).read().tolist() if labels else []
        listed = list(self._listed())
        entries = _reconciled(listed, found, _count(self.folder / OTHERS))
        if entries != listed:
            self._write(entries)
        return entries

    def _listed(self) -> Iterator[Entry]:
        """The rows of the list; those that are damaged are left out."""
        path = self.folder / LIST
        if not path.is_file():
            return
        content = io.StringIO(path.read_bytes().decode("utf-8", "replace"), newline="")
        for row in list(csv.reader(content))[1:]:
            if len(row) == len(_COLUMNS) and row[0] in _LABELS:
                yield Entry(_LABELS[row[0]], row[1], row[2])

    def _write(self, entries: Sequence[Entry]) -> None:
        content = io.StringIO(newline="")
        writer = csv.writer(content)
        writer.writerow(_COLUMNS)
        writer.writerows((entry.name, entry.time, entry.source) for entry in entries)
        files.write_bytes(self.folder / LIST, content.getvalue().encode())


def name_of(label: int) -> str:
    """A label as people write it: 0 to 9, or x for no digit."""
    return "x" if label == BACKGROUND else str(label)


def label_of(name: str) -> int | None:
    """The label that a name means, see `name_of`; None: it is no label."""
    return _LABELS.get(name)


_LABELS = {name_of(label): label for label in range(BACKGROUND + 1)}


def _reconciled(listed: Sequence[Entry], labels: Sequence[int], others: int) -> list[Entry]:
    """The list as the idx files have it, which are right where they differ."""
    entries: list[Entry] = []
    digits = 0
    for entry in listed:
        if entry.label == BACKGROUND and others:
            others -= 1
            entries.append(entry)
        elif entry.label != BACKGROUND and digits < len(labels):
            entries.append(dataclasses.replace(entry, label=labels[digits]))
            digits += 1
    return [*entries, *map(Entry, labels[digits:]), *[Entry(BACKGROUND)] * others]


def _append(path: Path, record: NDArray[np.uint8]) -> None:
    """Adds a record to a raw idx file of unsigned bytes, or makes the file."""
    if not path.exists():
        with files.replacing(path) as beside:
            idx.write_idx(beside, record[None])
        return
    found = idx.open_idx(path)
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(record.tobytes())
        _flush(file)
        # It is in the file once the header counts it.
        _write_count(file, found.shape[0] + 1)


def _drop_last(path: Path) -> None:
    found = idx.open_idx(path)
    if found.shape[0] == 1:  # an idx file cannot be empty
        path.unlink()
        files.sync(path.parent)
        return
    with path.open("r+b") as file:
        _write_count(file, found.shape[0] - 1)
    _cut_tail(path)


def _cut_tail(path: Path) -> None:
    """Cuts off what stands behind the last record that the header counts."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        head = file.read(16)
        if len(head) < 8 or head[:3] != b"\0\0\x08" or not 1 <= head[3] <= 3:
            idx.open_idx(path)  # says what is wrong
            raise DigitsError(f"{path}: expected raw unsigned bytes: unpack it first")
        sizes = struct.unpack(f">{head[3]}I", head[4 : 4 + 4 * head[3]])
        record = int(np.prod(sizes[1:], dtype=np.int64))
        end = 4 + 4 * head[3] + sizes[0] * record
        more = file.seek(0, os.SEEK_END) - end
        # An append that was broken off leaves no more than its record.
        if 0 < more <= record:
            file.truncate(end)
            _flush(file)
    idx.open_idx(path)


def _count(path: Path) -> int:
    return idx.open_idx(path).shape[0] if path.exists() else 0


def _write_count(file: io.BufferedRandom, count: int) -> None:
    file.seek(4)
    file.write(struct.pack(">I", count))
    _flush(file)


def _flush(file: io.BufferedRandom) -> None:
    file.flush()
    os.fsync(file.fileno())
