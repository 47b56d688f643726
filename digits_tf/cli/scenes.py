"""Makes training digits: MNIST's own, and such as people photograph on paper and boards.

digits-tf scenes-fetch    # first: handwriting fonts and photographs to draw with
digits-tf scenes --out runs/scenes
python -m digits_tf.train --data_dir runs/scenes --recipe=tiny

The folder gets idx files. Training: MNIST's training digits as they are; digits that the detector
cuts out of made-up frames, in many handwritings; and some of both as small scanned collections keep
them. Held out: 5,000 of MNIST's training digits as they are, of which nothing is made. Others: what
is no digit; some of it is what the detector takes for digits in the frames. The test digits are
MNIST's.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from digits_tf import files
from digits_tf.cli import data_flags
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2

_OUT = flags.DEFINE_string("out", None, "Folder for the idx files.")
_FRAMES = flags.DEFINE_integer(
    "frames", 10_000, "Number of frames to make; each gives up to 12 digits.", lower_bound=0
)
_COARSE = flags.DEFINE_integer(
    "coarse",
    16_000,
    "Number of digits to make as small scanned collections keep them.",
    lower_bound=0,
)
_OTHERS = flags.DEFINE_integer(
    "others",
    30_000,
    "Number of pictures of what is no digit to make: letters, scribbles, lines, things.",
    lower_bound=0,
)
_SEED = flags.DEFINE_integer(
    "seed", 1, "Seed of the random numbers; another one makes other pictures.", lower_bound=0
)
flags.adopt_module_key_flags(data_flags)


def main(words: Sequence[str]) -> None:
    """Writes the folder."""
    if not _OUT.value:
        raise DigitsError("expected a folder to write to: --out runs/scenes")
    import_cv2()
    from digits_tf.synthetic import dataset

    folder = Path(_OUT.value)
    files.make_folder(folder)
    digits = data_flags.find(data_flags.selection())
    made = dataset.write(folder, digits, _FRAMES.value, _COARSE.value, _OTHERS.value, _SEED.value)
    print(
        f"{folder}: to train {made.plain:,} digits as they are, {made.framed:,} cut out of frames, "
        f"{made.coarse:,} coarse, {made.others:,} others ({made.framed_others:,} of them cut out "
        f"of frames); {made.held_out:,} held out"
    )
