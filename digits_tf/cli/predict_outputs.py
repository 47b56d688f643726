"""Where the readings go: lines on standard output, a table, pictures, crops, idx files."""

import csv
import dataclasses
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digits_tf import files
from digits_tf.annotators import annotate
from digits_tf.cli import command
from digits_tf.data import idx
from digits_tf.errors import DigitsError, printable
from digits_tf.images import write_picture
from digits_tf.recognition import Digit, text
from digits_tf.recognition.digit import reading_as_json
from digits_tf.runtime import counted

# A table's columns. A slash separates lines of text; "confidence" is that of the least sure digit,
# 0 to 1; "unsure" counts the marks without a label.
COLUMNS = ("path", "text", "confidence", "unsure", "error")
# Annotated pictures keep these formats, in which OpenCV writes colours; others become PNG files.
_COLOUR_SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))


@dataclasses.dataclass(frozen=True, eq=False)
class Reading:
    """What was read in one picture.

    Attributes:
        name: the picture's path as the user typed it or as it was found.
        place: its path below an output folder.
        picture: uint8 (h, w, 3), BGR.
        digits: the digits in reading order.
        milliseconds: the time to decode the picture and to read it.
    """

    name: str
    place: Path
    picture: NDArray[np.uint8]
    digits: Sequence[Digit]
    milliseconds: float


class Output:
    """Takes the readings one by one."""

    def add(self, reading: Reading) -> None:
        """Takes one reading.

        Raises:
            DigitsError: if it cannot write this one.
            OSError: if it cannot write any.
        """
        raise NotImplementedError

    def fail(self, name: str, problem: str) -> None:
        """Takes the name of a picture that cannot be read, and why."""

    def close(self) -> None:
        """Writes what is held back; called after an interruption too."""

    def summary(self) -> str:
        """One line about what was written, for the end; empty: nothing to say."""
        return ""


class TextLines(Output):
    """Prints lines for people."""

    def add(self, reading: Reading) -> None:
        """Prints the path, the text and how sure the least sure digit is."""
        print(f"{printable(reading.name)}: {describe(reading.digits)}", flush=True)

    def fail(self, name: str, problem: str) -> None:
        """Prints the problem on standard error."""
        command.tell(f"error: {problem}")


class JSONLines(Output):
    """Prints a JSON object a line, for programs."""

    def add(self, reading: Reading) -> None:
        """Prints the reading; what is not ASCII is escaped."""
        row = {"path": reading.name, **reading_as_json(reading.digits, reading.milliseconds)}
        print(json.dumps(row), flush=True)

    def fail(self, name: str, problem: str) -> None:
        """Prints the path and the problem."""
        print(json.dumps({"path": name, "error": problem}), flush=True)


class Table(Output):
    """Writes a row a picture into a new CSV file, see `COLUMNS`. Each row is in it at once.

    Args:
        path: the file.

    Raises:
        DigitsError: if the file exists.
    """

    def __init__(self, path: Path):
        self._path, self._count = path, 0
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = path.open("x", 1, encoding="utf-8", newline="")
        except FileExistsError:
            raise DigitsError(
                f"--csv {path}: is there already: delete it or name another file"
            ) from None
        self._writer = csv.writer(self._file)
        self._writer.writerow(COLUMNS)

    def add(self, reading: Reading) -> None:
        """Writes the row of a reading."""
        confidences = [digit.confidence for digit in reading.digits if digit.label is not None]
        least = round(min(confidences), 4) if confidences else ""
        unsure = len(reading.digits) - len(confidences)
        self._write(printable(reading.name), _one_line(reading.digits), least, unsure, "")

    def fail(self, name: str, problem: str) -> None:
        """Writes a row with the problem."""
        self._write(printable(name), "", "", "", printable(problem))

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def summary(self) -> str:
        """How many rows the file has."""
        return f"{self._path}: {counted(self._count, 'row')} written"

    def _write(self, *row: str | float) -> None:
        self._writer.writerow(row)
        self._count += 1


class Names:
    """Gives each output file a name of its own.

    Args:
        inputs: files that must not be overwritten.
    """

    def __init__(self, inputs: Iterable[Path]):
        self._used = {_key(path): 1 for path in inputs}

    def unique(self, path: Path) -> Path:
        """The path itself, or if it is taken "photo-2.jpg", "photo-3.jpg" and so on."""
        chosen = path
        while (number := self._used.get(_key(chosen))) is not None:
            self._used[_key(path)] = number = max(number, self._used[_key(path)]) + 1
            chosen = path.with_name(f"{path.stem}-{number}{path.suffix}")
        self._used[_key(chosen)] = 1
        return chosen


class _PictureFiles(Output):
    """Writes pictures into a folder.

    Args:
        folder: gets the files.
        names: shared by all outputs.
    """

    _noun: str

    def __init__(self, folder: Path, names: Names):
        self._folder, self._names = folder, names
        self._count = 0

    def summary(self) -> str:
        """How many pictures were written, and where."""
        return f"{self._folder}: {counted(self._count, self._noun)} written"

    def _write(self, place: Path, picture: NDArray[np.uint8]) -> None:
        write_picture(self._names.unique(self._folder / place), picture)
        self._count += 1


class Annotated(_PictureFiles):
    """Writes the pictures with boxes and labels, under their own names."""

    _noun = "picture"

    def add(self, reading: Reading) -> None:
        """Writes one picture."""
        place = reading.place
        if place.suffix.lower() not in _COLOUR_SUFFIXES:
            place = place.with_suffix(".png")
        self._write(place, annotate(reading.picture, reading.digits))


class Crops(_PictureFiles):
    """Writes what the network saw: photo_00_7.png is the first mark in photo, read as a 7.

    A mark without a label gets an x: photo_01_x.png.
    """

    _noun = "crop"

    def add(self, reading: Reading) -> None:
        """Writes the crops of one picture."""
        for number, digit in enumerate(reading.digits):
            label = "x" if digit.label is None else digit.label
            name = f"{reading.place.stem}_{number:02}_{label}.png"
            self._write(reading.place.with_name(name), digit.crop)


class Idx(Output):
    """Writes the crops that have a label as a pair of files in MNIST's format.

    Args:
        prefix: how their names begin.
    """

    def __init__(self, prefix: str):
        self._paths = Path(f"{prefix}-images-idx3-ubyte"), Path(f"{prefix}-labels-idx1-ubyte")
        self._images, self._labels = bytearray(), bytearray()
        self._left_out = 0

    def add(self, reading: Reading) -> None:
        """Keeps 784 bytes a digit until the end."""
        for digit in reading.digits:
            # The format has no label for "not a digit".
            if digit.label is None:
                self._left_out += 1
            else:
                self._images += digit.crop.tobytes()
                self._labels.append(digit.label)

    def close(self) -> None:
        """Writes both files if there is a digit to write: an idx file cannot be empty."""
        if not self._labels:
            return
        images = np.frombuffer(self._images, np.uint8).reshape(-1, *idx.IMAGE_SHAPE)
        labels = np.frombuffer(self._labels, np.uint8)
        for path, array in zip(self._paths, (images, labels), strict=True):
            with files.replacing(path) as beside:
                idx.write_idx(beside, array)

    def summary(self) -> str:
        """How many digits were written, and how many left out."""
        images, labels = self._paths
        if not self._labels:
            return f"{images}: not written, as no digit was read"
        left_out = f"; {self._left_out} left out that have no label" if self._left_out else ""
        return f"{images}, {labels.name}: {counted(len(self._labels), 'digit')}{left_out}"


def describe(digits: Sequence[Digit]) -> str:
    """The text for people, and how sure the least sure digit is.

    A slash separates lines of text. Marks without a label are only counted, unless there is nothing
    else.
    """
    if not digits:
        return "nothing found"
    read = [digit for digit in digits if digit.label is not None]
    unsure = len(digits) - len(read)
    if not read:
        surest = max(digits, key=lambda digit: digit.confidence)
        more = f" and {unsure - 1} more" if unsure > 1 else ""
        likeliest = int(surest.probabilities.argmax())
        return f"not sure: {likeliest}? ({_percent(surest.confidence)}){more}"
    least = _percent(min(digit.confidence for digit in read))
    sure = least if len(read) == 1 else f"at least {least}"
    more = f", {unsure} more not sure" if unsure else ""
    return f"{_one_line(digits)} ({sure}){more}"


def _one_line(digits: Sequence[Digit]) -> str:
    return text(digits).replace("\n", " / ")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _key(path: Path) -> str:
    # Some file systems do not distinguish A.jpg from a.jpg.
    return os.path.realpath(path).casefold()
