"""Fonts and pictures to draw synthetic frames with, as `fetch` has left them in the cache."""

import dataclasses
import zlib
from pathlib import Path

from digits_tf.data.download import cache_folder

# Where each kind lies, and what its files end with.
PLACES = {
    "handwriting": ("fonts/handwriting", ".ttf"),
    "printed": ("fonts/printed", ".ttf"),
    "photographs": ("photographs", ".jpg"),
    "stamps": ("stamps", ".png"),
}
# What is said where nothing is fetched yet.
MISSING = (
    "NO FONTS AND PHOTOGRAPHS: digits-tf scenes-fetch gets them. Without, only MNIST's "
    "hands and drawn grounds are learned, and things are taken for digits."
)


@dataclasses.dataclass(frozen=True)
class Assets:
    """What there is to draw with, sorted by name.

    Attributes:
        handwriting: TrueType fonts whose digits look handwritten.
        printed: TrueType fonts of print.
        photographs: JPEG files without a digit, at most 1280 pixels long.
        stamps: PNG files of things on a transparent ground, at most 400 pixels long.
    """

    handwriting: tuple[Path, ...] = ()
    printed: tuple[Path, ...] = ()
    photographs: tuple[Path, ...] = ()
    stamps: tuple[Path, ...] = ()


def folder() -> Path:
    """Where all of it lies."""
    return cache_folder() / "world"


def load(held_out: bool = False) -> Assets | None:
    """What was fetched to draw with; None if nothing was.

    Args:
        held_out: give what is kept out of training, to measure with: about an eighth of each
            list, told by the names alone, so that what else is there does not change it.
    """
    # A name with a dot in front is a file that a broken-off fetch was writing.
    lists = {
        kind: sorted((folder() / place).glob(f"[!.]*{suffix}"))
        for kind, (place, suffix) in PLACES.items()
    }
    if not any(lists.values()):
        return None
    chosen = {
        kind: tuple(path for path in paths if _is_held_out(path) == held_out)
        for kind, paths in lists.items()
    }
    return Assets(**chosen)


def _is_held_out(path: Path) -> bool:
    return zlib.crc32(path.stem.encode()) % 8 == 3
