"""Which pictures the words of a command line mean."""

import collections
import dataclasses
import glob
import itertools
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digits_tf import stores
from digits_tf.cli import command
from digits_tf.errors import DigitsError, describe
from digits_tf.images import (
    MOST_BYTES,
    PICTURE_SUFFIXES,
    decode_picture,
    is_picture,
    natural,
)

STANDARD_INPUT = "-"
_ANY_DEPTH = "**"
# Of the files in a folder that are no pictures, at most so many are named.
_MOST_NAMED = 5


@dataclasses.dataclass(frozen=True)
class Input:
    """A picture to read, or a word that means none.

    Attributes:
        name: its path or address as the user typed it or as it was found; "-" for standard input.
        place: its path below an output folder, such as "kitchen/photo.jpg".
        problem: in one line, why there is nothing to read; empty if there is a picture.
    """

    name: str
    place: Path
    problem: str = ""

    def read(self) -> NDArray[np.uint8]:
        """Decodes the picture, uint8 (h, w, 3), BGR.

        Raises:
            DigitsError: if there is none, it is no picture or cannot be read.
        """
        if self.problem:
            raise DigitsError(self.problem)
        try:
            if self.name == STANDARD_INPUT:
                return decode_picture(sys.stdin.buffer.read(MOST_BYTES + 1), "standard input")
            return stores.read(self.name)
        except OSError as error:
            raise DigitsError(describe(error)) from None


def find(words: Iterable[str], outputs: Iterable[Path] = ()) -> Iterator[Input]:
    """Finds the pictures in the order of the words, those of a folder in natural order.

    One line on standard error names the other files in a folder.

    Args:
        words: files, folders, patterns, addresses of stores (see `stores`) and "-".
        outputs: folders that this program fills; they are left out where they lie inside a folder.

    Yields:
        At least one for each word.
    """
    own = {os.path.realpath(folder) for folder in outputs}
    return (found for word in words for found in _meant(word, own))


def _meant(word: str, own: Collection[str]) -> Iterator[Input]:
    if word == STANDARD_INPUT:
        yield Input(word, Path("stdin.png"))
    elif not word:
        yield Input(word, Path(), "expected a path, found ''")
    elif os.path.lexists(word):
        yield from _file_or_folder(word, Path(word).parent, own)
    elif stores.is_address(word):
        yield from _stored(word)
    elif glob.has_magic(word):
        yield from _matches(word, own)
    else:
        yield _no_picture(word, "no such file or folder")


def _matches(pattern: str, own: Collection[str]) -> Iterator[Input]:
    """What a shell would make of the pattern. Windows' shell leaves that to the program."""
    paths = sorted(_expand(pattern), key=natural)
    if _ANY_DEPTH in Path(pattern).parts:
        # ** finds the files in a folder, and the folder as well.
        paths = [path for path in paths if not Path(path).is_dir()]
    if not paths:
        yield _no_picture(pattern, "no file fits this pattern")
    fixed = itertools.takewhile(lambda part: not glob.has_magic(part), Path(pattern).parts)
    root = Path(*fixed)
    for path in paths:
        yield from _file_or_folder(path, root, own)


def _expand(pattern: str) -> set[str]:
    """The paths that fit a pattern; `**` stands for a folder and all that are in it.

    `glob` goes round in folders that link to each other, twice as often with each turn.
    """
    parts = Path(pattern).parts
    if _ANY_DEPTH not in parts:
        # Path.glob takes no absolute pattern and finds hidden files.
        return set(glob.glob(pattern))  # noqa: PTH207
    place = parts.index(_ANY_DEPTH)
    rest = itertools.dropwhile(lambda part: part == _ANY_DEPTH, parts[place:])
    inner = Path(*rest).parts or ("*",)
    return {
        path
        for top in _expand(str(Path(*parts[:place])))
        for folder in _folders(top)
        for path in _expand(str(Path(glob.escape(folder), *inner)))
    }


def _folders(top: str) -> Iterator[str]:
    """A folder and those in it that are not hidden, each once, however many links lead to it."""
    seen: set[str] = set()
    waiting = collections.deque([top])
    while waiting:
        # os.walk does not enter links: they wait until all folders have been there.
        for folder, folders, _ in os.walk(waiting.popleft()):
            real = os.path.realpath(folder)
            folders[:] = [] if real in seen else [path.name for path in _shown(folder, folders)]
            if real not in seen:
                seen.add(real)
                yield folder
            waiting += [str(path) for path in _shown(folder, folders) if path.is_symlink()]


def _file_or_folder(path: str, root: Path, own: Collection[str]) -> Iterator[Input]:
    if Path(path).is_dir():
        yield from _folder(path, own)
    else:
        yield Input(path, Path(path).relative_to(root))


def _folder(top: str, own: Collection[str]) -> Iterator[Input]:
    errors: list[OSError] = []
    others: list[str] = []
    is_empty = True
    for folder, folders, files in os.walk(top, onerror=errors.append):
        # os.walk enters the folders that this list still holds, in its order.
        folders[:] = [
            path.name for path in _shown(folder, folders) if os.path.realpath(path) not in own
        ]
        for path in _shown(folder, files):
            # A pipe with a picture's name would never end.
            if is_picture(path):
                is_empty = False
                yield Input(str(path), path.relative_to(top))
            else:
                others.append(str(path.relative_to(top)))
    _tell_left_out(top, others)
    for error in errors:
        yield Input(str(error.filename), Path(), describe(error))
    if is_empty and not errors:
        yield _no_pictures(top)


def _stored(address: str) -> Iterator[Input]:
    """The pictures at an address, or below it."""
    try:
        files = stores.find(address)
    except DigitsError as error:
        yield Input(address, Path(), str(error))
        return
    except OSError as error:
        yield _no_picture(address, describe(error))
        return
    others: list[str] = []
    is_empty = True
    for name, path in sorted(files, key=lambda file: natural(str(file[1]))):
        if path.suffix.lower() in PICTURE_SUFFIXES or name == address:
            is_empty = False
            yield Input(name, Path(path))
        else:
            others.append(str(path))
    _tell_left_out(address, others)
    if is_empty:
        yield _no_pictures(address)


def _tell_left_out(top: str, others: Sequence[str]) -> None:
    if others:
        more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
        command.tell(
            f"{top}: left out, no pictures by name: {', '.join(others[:_MOST_NAMED])}{more}"
        )


def _no_pictures(top: str) -> Input:
    kinds = " ".join(sorted(PICTURE_SUFFIXES))
    return _no_picture(top, f"expected pictures in this folder ({kinds}), found none")


def _shown(folder: str, names: Iterable[str]) -> Iterator[Path]:
    """The paths of files that are not hidden, in natural order."""
    return (Path(folder, name) for name in sorted(names, key=natural) if name[0] != ".")


def _no_picture(word: str, problem: str) -> Input:
    return Input(word, Path(), f"{word}: {problem}")
