"""Fetches fonts and pictures to draw scenes with: handwriting, print, photographs, stamps.

digits-tf scenes-fetch
digits-tf scenes-fetch --list

Fonts come through the npm client, pictures through apt-get (Debian, Ubuntu). All of it lies in the
cache, each package with its licence; what is there and whole is not fetched again.
"""

from collections.abc import Sequence
from typing import NoReturn

from absl import flags

from digits_tf.cli import command
from digits_tf.synthetic import fetch

_LIST = flags.DEFINE_boolean("list", False, "Fetch nothing; list what is there, with licences.")


def main(words: Sequence[str]) -> None:
    """Fetches, or lists."""
    fetch.fetch(_LIST.value)


def start() -> NoReturn:
    """Runs the command."""
    command.run(main, __doc__)
