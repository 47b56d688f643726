"""What is printed for a picture."""

import abc
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digits_tf import files
from digits_tf.annotators import annotate
from digits_tf.data import idx
from digits_tf.images import write_picture
from digits_tf.recognition import Digit, as_json, text
from digits_tf.runtime import counted, printable

# Of a spreadsheet: lines of text are parted by a slash, the confidence is that of the least sure
# digit, 0 to 1, and "unsure" counts the marks without a label.
COLUMNS = ("path", "text", "confidence", "unsure", "error")


def reading(name: str, digits: Sequence[Digit]) -> str:
    """A line for people: the path, what it reads, and how sure the least sure digit is.

    Lines of text are parted by a slash. A mark that has no label is only counted, unless there is
    nothing else.
    """
    return f"{printable(name)}: {_words(digits)}"


def reading_json(name: str, digits: Sequence[Digit], milliseconds: float) -> str:
    """A line for programs; escapes what is not ASCII."""
    row: dict[str, Any] = {
        "path": name,
        "text": text(digits),
        "digits": [as_json(digit) for digit in digits],
        "ms": round(milliseconds, 2),
    }
    return json.dumps(row)


def error_json(name: str, problem: str) -> str:
    """A line for programs about a picture that cannot be read."""
    return json.dumps({"path": name, "error": problem})


def reading_row(name: str, digits: Sequence[Digit]) -> list[str | float]:
    """A row for spreadsheets, see `COLUMNS`."""
    read = [digit.confidence for digit in digits if digit.label is not None]
    least = round(min(read), 4) if read else ""
    return [printable(name), _one_line(digits), least, len(digits) - len(read), ""]


def error_row(name: str, problem: str) -> list[str | float]:
    """A row for spreadsheets about a picture that cannot be read, see `COLUMNS`."""
    return [printable(name), "", "", "", printable(problem)]


def tell(line: str) -> None:
    """Prints what is beside the readings on standard error."""
    print(printable(line), file=sys.stderr)


def _words(digits: Sequence[Digit]) -> str:
    if not digits:
        return "nothing found"
    read = [digit for digit in digits if digit.label is not None]
    others = len(digits) - len(read)
    if not read:
        surest = max(digits, key=lambda digit: digit.confidence)
        more = f" and {others - 1} more" if others > 1 else ""
        likeliest = int(surest.probabilities.argmax())
        return f"not sure: {likeliest}? ({_percent(surest.confidence)}){more}"
    least = _percent(min(digit.confidence for digit in read))
    sure = least if len(read) == 1 else f"at least {least}"
    more = f", {others} more not sure" if others else ""
    return f"{_one_line(digits)} ({sure}){more}"


def _one_line(digits: Sequence[Digit]) -> str:
    return text(digits).replace("\n", " / ")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


# In which OpenCV writes colours; for other pictures PNG is taken.
_COLOUR_SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))


class Names:
    """Gives each output file a name of its own.

    Args:
        inputs: files that must not be written over.
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


class Output(abc.ABC):
    """Takes what was read in each picture."""

    @abc.abstractmethod
    def add(self, place: Path, picture: np.ndarray, digits: Sequence[Digit]) -> None:
        """Takes one picture.

        Args:
            place: its name below an output folder.
            picture: uint8 (h, w, 3), BGR.
            digits: found in it.

        Raises:
            DigitsError: if this one cannot be written.
            OSError: if none can.
        """

    def close(self) -> None:
        """Writes what is still held back, also after an interruption."""
        return

    def note(self) -> str:
        """What is to be said in the end, in one line; empty: nothing."""
        return ""


class _InFolder(Output):
    """Writes pictures.

    Args:
        folder: where to.
        names: shared by all outputs.
    """

    _noun: str

    def __init__(self, folder: Path, names: Names):
        self._folder, self._names = folder, names
        self._count = 0

    def note(self) -> str:
        """How many pictures were written, and where."""
        return f"{self._folder}: {counted(self._count, self._noun)} written"

    def _write(self, place: Path, picture: np.ndarray) -> None:
        write_picture(self._names.unique(self._folder / place), picture)
        self._count += 1


class Annotated(_InFolder):
    """The pictures with boxes and labels, under their own names."""

    _noun = "picture"

    def add(self, place: Path, picture: np.ndarray, digits: Sequence[Digit]) -> None:
        """Writes one picture, see `Output.add`."""
        if place.suffix.lower() not in _COLOUR_SUFFIXES:
            place = place.with_suffix(".png")
        self._write(place, annotate(picture, digits))


class Crops(_InFolder):
    """What the net saw: photo_00_7.png is the first mark in photo, read as a 7.

    A mark without a label gets an x: photo_01_x.png.
    """

    _noun = "crop"

    def add(self, place: Path, picture: np.ndarray, digits: Sequence[Digit]) -> None:
        """Writes the crops of one picture, see `Output.add`."""
        for number, digit in enumerate(digits):
            label = "x" if digit.label is None else digit.label
            name = place.with_name(f"{place.stem}_{number:02}_{label}.png")
            self._write(name, digit.crop)


class Idx(Output):
    """The crops that have a label as a pair of files in MNIST's format.

    Args:
        prefix: what their names begin with.

    """

    def __init__(self, prefix: str):
        self._paths = Path(f"{prefix}-images-idx3-ubyte"), Path(f"{prefix}-labels-idx1-ubyte")
        self._images, self._labels = bytearray(), bytearray()
        self._left_out = 0

    def add(self, place: Path, picture: np.ndarray, digits: Sequence[Digit]) -> None:
        """Keeps 784 bytes a digit, see `Output.add`."""
        for digit in digits:
            # The format has no sign for "none of the ten".
            if digit.label is None:
                self._left_out += 1
            else:
                self._images += digit.crop.tobytes()
                self._labels.append(digit.label)

    def close(self) -> None:
        """Writes both files, if there is a digit to write: an idx file cannot be empty."""
        if not self._labels:
            return
        images = np.frombuffer(self._images, np.uint8).reshape(-1, *idx.IMAGE_SHAPE)
        labels = np.frombuffer(self._labels, np.uint8)
        for path, array in zip(self._paths, (images, labels), strict=True):
            with files.replacing(path) as beside:
                idx.write_idx(beside, array)

    def note(self) -> str:
        """What was written and what was left out."""
        images, labels = self._paths
        if not self._labels:
            return f"{images}: not written, as no digit was read"
        left_out = f"; {self._left_out} left out that have no label" if self._left_out else ""
        return f"{images}, {labels.name}: {counted(len(self._labels), 'digit')}{left_out}"


def _key(path: Path) -> str:
    # Some file systems do not tell A.jpg from a.jpg.
    return os.path.realpath(path).casefold()
