"""Damaged collections of one's own digits: read or refused, and nothing readable is destroyed."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits_tf.data import collection, idx
from digits_tf.data.collection import Collection
from digits_tf.data.digits import BACKGROUND
from digits_tf.errors import DigitsError
from torture_parts import Trial, pick
from torture_parts.mutations import mutated

COUNT, SECONDS, MEGABYTES = 40_000, 1.0, 64

_IDX = {
    collection.IMAGES: idx.open_images,
    collection.LABELS: idx.open_labels,
    collection.OTHERS: idx.open_images,
}
_FILES = (*_IDX, collection.LIST)


def start(folder: Path) -> Trial:
    """Prepares the trials."""
    whole = [_whole(folder / f"whole-{labels}", labels) for labels in ("1", "37x", "x4x0019x5")]

    def trial(rng: np.random.Generator) -> tuple[str, str]:
        own = folder / "own"
        own.mkdir(exist_ok=True)
        files = dict(whole[int(rng.integers(len(whole)))])
        name = pick(rng, *files)
        if rng.random() < 0.1:
            way, damaged = "lost", None
        else:
            other = files[pick(rng, *files)]
            way, damaged = mutated(rng, files[name], other)
        if damaged is None:
            del files[name]
        else:
            files[name] = damaged
        for each in _FILES:
            (own / each).unlink(missing_ok=True)
            if each in files:
                (own / each).write_bytes(files[each])
        kind = "the list" if name == collection.LIST else "an idx file"
        return f"{kind} {way}", _opened(own, files)

    return trial


def _opened(own: Path, files: dict[str, bytes]) -> str:
    before = {name: _read(own / name) for name in _IDX}
    try:
        entries = Collection(own).entries()
        images, labels = Collection(own).read()
    except DigitsError as error:
        if not str(error).isprintable() or not str(error).startswith(str(own)):
            raise AssertionError(f"expected a line about {own}, found {error}") from None
        now = {name: (own / name).read_bytes() for name in _FILES if (own / name).exists()}
        if now != files:
            raise AssertionError("what was refused was changed") from None
        return "refused"
    if [entry.label for entry in entries] != labels.tolist() or len(images) != len(labels):
        raise AssertionError(f"{entries} are not of {labels}")
    digits = labels != BACKGROUND
    after = {
        collection.IMAGES: images[digits],
        collection.LABELS: labels[digits],
        collection.OTHERS: images[~digits],
    }
    lost = 0
    for name, array in before.items():
        kept = after[name][: len(array)]
        if len(kept) and not np.array_equal(kept, array[: len(kept)]):
            raise AssertionError(f"{name} has other records than before")
        lost = max(lost, len(array) - len(kept))
    # Only the image whose label was not yet written.
    if lost > 1 or (lost and len(before[collection.LABELS]) >= len(before[collection.IMAGES])):
        raise AssertionError(f"{lost} records were lost")
    return "read" if not lost else "read but for the last"


def _read(path: Path) -> NDArray[Any]:
    """The records of a file that is readable, else none."""
    try:
        return _IDX[path.name](path).read()
    except DigitsError:
        return np.zeros(0, np.uint8)


def _whole(own: Path, labels: str) -> dict[str, bytes]:
    """The files of a collection with these labels."""
    rng = np.random.default_rng(0)
    made = Collection(own)
    for label in labels:
        crop = rng.integers(0, 256, (28, 28)).astype(np.uint8)
        made.add(crop, collection.label_of(label) or 0, 'photo, of a "7".jpg')
    return {path.name: path.read_bytes() for path in own.iterdir() if path.name in _FILES}
