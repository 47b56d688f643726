r"""Keeps digits of your own with their right labels, to make a model of your own from them.

    digits-tf teach photo.jpg --label 7       all marks in this picture are sevens
    digits-tf teach hand.jpg --label x        what is found in this picture is no digit
    digits-tf teach crops/                    folders 0/ to 9/ and x/, or files as predict --crops
                                              names them, such as photo_00_7.png
    digits-tf teach --list
    digits-tf teach --sheet own.png           a picture of all of them
    digits-tf teach --undo                    takes the newest out again

They go into the folder own/ as idx files. When you have some of each digit that is misread:
digits-tf train --finetune=tiny --data_dir=own. Needs no TensorFlow.
"""

import collections
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from absl import flags
from numpy.typing import NDArray

from digits_tf.cli import command, reading_flags
from digits_tf.data import collection, idx
from digits_tf.data.collection import Collection
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2
from digits_tf.runtime import counted, printable

if TYPE_CHECKING:
    from digits_tf.cli.predict_inputs import Input
    from digits_tf.recognition import Recognizer

_LABEL = flags.DEFINE_string(
    "label",
    None,
    "What the pictures show: 0 to 9, or x for no digit. Default: what their folder or their name "
    "says.",
)
_UNDO = flags.DEFINE_boolean("undo", False, "Take the newest picture out again.")
_LIST = flags.DEFINE_boolean("list", False, "List what has been collected, the oldest first.")
_SHEET = flags.DEFINE_string("sheet", None, "Draw all pictures into this file, row by row.")
flags.adopt_module_key_flags(reading_flags)

POSITIONAL = (0, None)

# As predict --crops names them, and as in 7_003.png.
_NAMES = re.compile(r".*_\d+_([0-9x])"), re.compile(r"([0-9x])(?![0-9]).*")


def main(words: Sequence[str]) -> int:
    """Adds pictures, or shows what is there; returns the exit code."""
    if bool(words) + _UNDO.value + _LIST.value + (_SHEET.value is not None) != 1:
        raise DigitsError(
            "expected pictures with their --label, or one of --undo, --list and --sheet "
            "(digits-tf teach --help shows how)"
        )
    if not reading_flags.COLLECTION.value:
        raise DigitsError("expected a folder as --collection, found ''")
    own = Collection(reading_flags.COLLECTION.value)
    if words:
        return _add(own, words)
    if _UNDO.value:
        entry = own.undo()
        command.tell(_undone(own, entry.name) if entry else f"{own.folder}: holds no digits yet")
    elif _LIST.value:
        for number, entry in enumerate(own.entries(), start=1):
            print(f"{number:5} {entry.name} {entry.time} {printable(entry.source)}".rstrip())
        command.tell(_summary(own))
    else:
        _draw(own, Path(_SHEET.value or ""))
    return 0


def _add(own: Collection, words: Sequence[str]) -> int:
    if _LABEL.value is not None and collection.label_of(_LABEL.value) is None:
        raise DigitsError(f"expected --label 0 to 9, or x for no digit, found {_LABEL.value!r}")
    import_cv2()
    from digits_tf.cli.predict_inputs import find

    pictures = find(words)
    recognizer: Recognizer | None = None
    added = known = 0
    failed = False
    for each in pictures:
        try:
            label = _label(each)
            picture = each.read()
            if picture.shape[:2] != idx.IMAGE_SHAPE and recognizer is None:
                recognizer = reading_flags.load_recognizer()
            for crop in _crops(each, picture, recognizer):
                is_new = own.add(crop, label, each.name)
                added, known = added + is_new, known + (not is_new)
        except DigitsError as error:
            failed = True
            command.tell(f"error: {error}")
    there = f", {known} were there already" if known else ""
    command.tell(f"{counted(added, 'picture')} added{there}; {_summary(own)}")
    return command.EXIT_FAILED if failed else 0


def _label(picture: "Input") -> int:
    """What a picture shows, by --label, its folder's name or its own."""
    if picture.problem:
        raise DigitsError(picture.problem)
    path = Path(picture.name)
    names = [_LABEL.value] if _LABEL.value is not None else [path.absolute().parent.name]
    if _LABEL.value is None:
        names += [found[1] for each in _NAMES if (found := each.fullmatch(path.stem))]
    for name in names:
        label = collection.label_of(name)
        if label is not None:
            return label
    raise DigitsError(f"{picture.name}: say what it shows: --label 0 to 9, or x for no digit")


def _crops(
    each: "Input", picture: NDArray[np.uint8], recognizer: "Recognizer | None"
) -> Iterator[NDArray[np.uint8]]:
    """What the network sees of a picture: all of one of 28x28 pixels, else what is found in it."""
    from digits_tf.data.digits import bright_on_dark

    if recognizer is None or picture.shape[:2] == idx.IMAGE_SHAPE:
        yield bright_on_dark(import_cv2().cvtColor(picture, import_cv2().COLOR_BGR2GRAY))
        return
    digits = recognizer.read(picture)
    if not digits:
        raise DigitsError(
            f"{each.name}: nothing found: write larger, or take the photo from nearer"
        )
    for digit in digits:
        yield digit.crop


def _draw(own: Collection, path: Path) -> None:
    import_cv2()
    from digits_tf.annotators import contact_sheet
    from digits_tf.images import write_picture

    images, labels = own.read()
    if not len(images):
        raise DigitsError(f"{own.folder}: holds no digits yet")
    write_picture(path, contact_sheet(images, [collection.name_of(each) for each in labels]))
    command.tell(f"{path}: {counted(len(images), 'picture')} drawn")


def _undone(own: Collection, name: str) -> str:
    return f"the newest, {name}, is out again; {_summary(own)}"


def _summary(own: Collection) -> str:
    counts = collections.Counter(entry.name for entry in own.entries())
    each = ", ".join(f"{count} of {name}" for name, count in sorted(counts.items()))
    return f"{own.folder}: {counted(counts.total(), 'picture')}" + (f" ({each})" if each else "")
