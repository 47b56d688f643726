"""Makes what scripts/arm64_check.sh has read on each processor: the same files for all.

python scripts/arm64_inputs.py FOLDER

Made-up photographs as PNG and JPEG, of one digit and of rows, and crops.npy: digits and what is
none as the network gets them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags

from digits_tf.cli import command
from digits_tf.images import import_cv2, write_picture

CROPS, PICTURES = "crops.npy", "pictures"

_SEED = flags.DEFINE_integer("seed", 0, "Another seed is other pictures and crops.", lower_bound=0)
# Digits in each picture, and its height and width.
_PICTURES = [
    *[(1, (480, 640))] * 5,
    *[(each, (480, 960)) for each in (2, 3, 4, 5, 5, 6)],
    (4, (1080, 1920)),
]
_EACH_DIGIT, _OTHERS = 8, 16


def main(words: Sequence[str]) -> None:
    """Writes the folder."""
    import_cv2()
    from digits_tf.synthetic import scene
    from digits_tf.synthetic.background import background_crops
    from digits_tf.synthetic.pen import pen_digit

    folder, rng = Path(words[0]), np.random.default_rng(_SEED.value)
    for number, (count, shape) in enumerate(_PICTURES):
        text = rng.integers(0, 10, count).tolist()
        glyphs = [pen_digit(digit, rng) for digit in text]
        suffix = ".jpg" if number % 2 else ".png"
        name = f"{number:02}_{''.join(map(str, text))}{suffix}"
        write_picture(folder / PICTURES / name, scene.draw(rng, glyphs, shape).frame)
    labels = np.tile(np.arange(10), _EACH_DIGIT)
    digits = np.stack([pen_digit(int(digit), rng) for digit in labels])
    others = background_crops(digits, labels, _OTHERS, _SEED.value)
    np.save(folder / CROPS, np.concatenate([digits, others]))


if __name__ == "__main__":
    command.run(main, __doc__, positional=(1, 1))
