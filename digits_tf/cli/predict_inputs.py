"""Which pictures the words of a command line mean."""

import dataclasses
import glob
import itertools
import os
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import numpy as np

from digits_tf.cli import predict_outputs
from digits_tf.errors import DigitsError, describe
from digits_tf.images import PICTURE_SUFFIXES, decode_picture, is_picture, natural, read_picture

STANDARD_INPUT = "-"
# Files of a folder that are named if they are no pictures.
_NAMED = 5


@dataclasses.dataclass(frozen=True)
class Input:
    """A picture to read, or a word that means none.

    Attributes:
        name: its path as it was typed or found; "-" for standard input.
        place: where it stands below an output folder, such as "kitchen/photo.jpg".
        problem: why there is nothing to read, in one line; empty: there is.
    """

    name: str
    place: Path
    problem: str = ""

    def read(self) -> np.ndarray:
        """Decodes the picture, uint8 (h, w, 3), BGR.

        Raises:
            DigitsError: if there is none, it is no picture or cannot be read.
        """
        if self.problem:
            raise DigitsError(self.problem)
        try:
            if self.name == STANDARD_INPUT:
                return decode_picture(sys.stdin.buffer.read(), "standard input")
            return read_picture(Path(self.name))
        except OSError as error:
            raise DigitsError(describe(error)) from None


def find(words: Collection[str], outputs: Collection[Path] = ()) -> list[Input]:
    """Lists the pictures in the order of the words, those of a folder in natural order.

    What else a folder holds is told of in one line on standard error.

    Args:
        words: files, folders, globs and "-".
        outputs: folders left out where they lie inside another one, as this program fills them.

    Returns:
        At least one a word.
    """
    own = {os.path.realpath(folder) for folder in outputs}
    return [found for word in words for found in _one_word(word, own)]


def _one_word(word: str, own: set[str]) -> Iterator[Input]:
    if word == STANDARD_INPUT:
        yield Input(word, Path("stdin.png"))
    elif word and os.path.lexists(word):
        yield from _existing(word, Path(Path(word).name), own)
    elif glob.has_magic(word):
        yield from _pattern(word, own)
    else:
        yield _nothing(word, "no such file or folder" if word else "expected a path, found ''")


def _existing(word: str, place: Path, own: set[str]) -> Iterator[Input]:
    if Path(word).is_dir():
        yield from _folder(word, own)
    else:
        yield Input(word, place)


def _pattern(word: str, own: set[str]) -> Iterator[Input]:
    """What a shell would make of it; Windows' shell leaves it to the program."""
    # Path.glob knows no absolute pattern and shows hidden files.
    matches = sorted(glob.glob(word, recursive=True), key=natural)  # noqa: PTH207
    fixed = itertools.takewhile(lambda part: not glob.has_magic(part), Path(word).parts)
    root = Path(*fixed)
    count = 0
    for match in matches:
        # ** names the files in a folder beside the folder.
        if "**" in word and Path(match).is_dir():
            continue
        count += 1
        yield from _existing(match, Path(match).relative_to(root), own)
    if not count:
        yield _nothing(word, "no file fits this pattern")


def _folder(top: str, own: set[str]) -> Iterator[Input]:
    errors: list[OSError] = []
    others: list[str] = []
    count = 0
    for folder, folders, files in os.walk(top, onerror=errors.append):
        # os.walk goes into those that are left in this list, in its order.
        folders[:] = [
            path.name for path in _shown(folder, folders) if os.path.realpath(path) not in own
        ]
        for path in _shown(folder, files):
            # A pipe with a picture's name would never end.
            if is_picture(path):
                count += 1
                yield Input(str(path), path.relative_to(top))
            else:
                others.append(str(path.relative_to(top)))
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        predict_outputs.tell(
            f"{top}: left out, no pictures by name: {', '.join(others[:_NAMED])}{more}"
        )
    for error in errors:
        yield Input(str(error.filename), Path(), describe(error))
    if not count and not errors:
        kinds = " ".join(sorted(PICTURE_SUFFIXES))
        yield _nothing(top, f"expected pictures in this folder ({kinds}), found none")


def _shown(folder: str, names: Iterable[str]) -> list[Path]:
    """What is not hidden, in natural order."""
    return [Path(folder, name) for name in sorted(names, key=natural) if name[0] != "."]


def _nothing(word: str, problem: str) -> Input:
    return Input(word, Path(), f"{word}: {problem}" if word else problem)
