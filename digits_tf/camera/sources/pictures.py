"""Picture files as frames."""

import glob
from collections.abc import Callable
from pathlib import Path

from digits_tf.camera.sources.source import Frame, Source
from digits_tf.errors import DigitsError
from digits_tf.opencv import PICTURE_SUFFIXES, is_picture, natural, read_picture


class Pictures(Source):
    """Picture files, each once.

    Args:
        paths: in the order to be shown, at least one. If it is the only one, it must be readable;
            of several, those that are not are told of and left out.
        description: what they are.
        tell: takes a line for the user.
    """

    still = True

    def __init__(self, paths: list[Path], description: str, tell: Callable[[str], None]):
        self._paths, self.description, self._tell = paths, description, tell
        self._next = self._readable = 0

    def read(self, timeout: float) -> Frame | None:
        """The next picture that can be read."""
        while self._next < len(self._paths):
            path = self._paths[self._next]
            self._next += 1
            try:
                picture = read_picture(path)
            except (DigitsError, OSError) as error:
                if len(self._paths) == 1:
                    raise
                self._tell(f"left out: {error}")
                continue
            self._readable += 1
            return Frame(picture, 0.0, str(path))
        if not self._readable:
            raise DigitsError(f"{self.description}, but none of them can be read")
        self.ended = True
        return None


def list_pictures(where: str) -> list[Path]:
    """The pictures of a folder or a pattern such as photos/*.jpg, photo 10 behind photo 9.

    Raises:
        DigitsError: if there are none.
    """
    folder = Path(where)
    # Not Path.glob, which takes no absolute patterns.
    candidates = folder.iterdir() if folder.is_dir() else map(Path, glob.glob(where))  # noqa: PTH207
    paths = sorted((path for path in candidates if is_picture(path)), key=natural)
    if not paths:
        kinds = " ".join(sorted(PICTURE_SUFFIXES))
        raise DigitsError(f"{where}: expected pictures there ({kinds}), found none")
    return paths
