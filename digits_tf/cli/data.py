"""Fetches MNIST, checks it, and shows what is in it.

python -m digits_tf.data
python -m digits_tf.data --data_dir FOLDER --sheet digits.png
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags

from digits_tf.cli import data_flags
from digits_tf.data import download
from digits_tf.data.digits import Digits

_SHEET = flags.DEFINE_string(
    "sheet", None, "Also draw a contact sheet of training digits into this PNG file."
)
flags.adopt_module_key_flags(data_flags)


def main(words: Sequence[str]) -> None:
    """Prints how many digits of each kind there are."""
    digits = data_flags.find(data_flags.selection())
    for name, part in (("training", digits.train), ("test", digits.test)):
        _describe(name, part)
    if _SHEET.value:
        from digits_tf import files, plots

        # Not all of them: a data set may be larger than memory.
        images, labels = next(digits.train.batches(10_000))
        with files.replacing(Path(_SHEET.value)) as beside:
            plots.contact_sheet(images, labels, beside)
        print(f"contact sheet: {_SHEET.value}")


def _describe(name: str, part: Digits) -> None:
    counts = np.bincount(part.labels(), minlength=10)
    print(f"{name}: {part.count:,} digits of 28x28 pixels, 0..255, from {part.origin}")
    print("  digit " + " ".join(f"{digit:>7}" for digit in range(10)))
    print("  count " + " ".join(f"{count:>7,}" for count in counts))
    for kind, digest in part.hashes().items():
        known = " (MNIST's own)" if digest in download.SHA256.values() else ""
        print(f"  sha256 of the {kind} {digest}{known}")
