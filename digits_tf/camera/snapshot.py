"""Saves a frame with its reading, under a name of its own."""

import itertools
import time
from pathlib import Path

from digits_tf import storage
from digits_tf.camera.view import View
from digits_tf.opencv import write_picture


def save(view: View, folder: Path) -> Path:
    """Writes the frame without drawings, and beside it its reading as JSON.

    Args:
        view: what to save.
        folder: where to.

    Returns:
        The PNG file's path; the JSON file's differs in its suffix.

    Raises:
        OSError: if it cannot be written there.
    """
    path = unused_path(folder, ".png")
    write_picture(path, view.frame.shown)
    storage.write_json(path.with_suffix(".json"), view.as_json())
    return path


def unused_path(folder: Path, suffix: str) -> Path:
    """A path of the form digits-20261122-181530.png, with a number behind it if that is taken."""
    stem = time.strftime("digits-%Y%m%d-%H%M%S")
    for number in itertools.count(1):
        name = stem if number == 1 else f"{stem}-{number}"
        if not any(folder.glob(f"{name}.*")):
            break
    return folder / f"{name}{suffix}"
