"""Fetches fonts and pictures to draw scenes with: handwriting, print, photographs, stamps.

digits-tf scenes-fetch
digits-tf scenes-fetch --list

Fonts come through the npm client, pictures through apt-get (on Debian and Ubuntu). All of them go
into the cache, each package with its licence. Whole packages are not fetched again.
"""

from collections.abc import Sequence

from absl import flags

from digits_tf.synthetic import fetch

_LIST = flags.DEFINE_boolean(
    "list", False, "Fetch nothing; list the packages in the cache with their licences."
)


def main(words: Sequence[str]) -> None:
    """Fetches, or lists."""
    fetch.fetch(_LIST.value)
