"""Draws the steps from a made-up photograph to what the network sees, for the documentation.

python scripts/stages_picture.py docs/images/stages.png
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf import command
from digits_tf.opencv import import_cv2, write_picture

_SEED = flags.DEFINE_integer("seed", 4, "Of the photographs.", lower_bound=0)

_ROWS, _HEIGHT, _WIDTH, _GAP = 4, 110, 190, 6  # pixels


def main(words: Sequence[str]) -> None:
    """Draws the picture."""
    import_cv2()
    from digits_tf.recognizer import Recognizer, text
    from digits_tf.scenes.pen import pen_digit
    from digits_tf.scenes.scene import draw

    recognizer = Recognizer.load()
    rows = []
    for number in range(_ROWS):
        rng = np.random.default_rng((_SEED.value, number))
        digits = rng.integers(0, 10, 3)
        glyphs = [pen_digit(int(digit), rng) for digit in digits]
        scene = draw(rng, glyphs, (480, 832))
        read = recognizer.read(scene.frame)
        stages = recognizer.stages()
        crops = np.hstack([digit.crop for digit in read] or [np.zeros((28, 28), np.uint8)])
        pictures = [scene.frame, *stages.values(), crops]
        rows.append(np.hstack([_tile(each) for each in pictures]))
        print(f"written {''.join(map(str, digits))}, read {text(read)!r}")
    write_picture(Path(words[0]), np.vstack(rows))


def _tile(picture: np.ndarray) -> np.ndarray:
    """A picture on a white tile, uint8 (116, 196, 3)."""
    import cv2

    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    height, width = picture.shape[:2]
    scale = min(_HEIGHT / height, _WIDTH / width)
    size = round(width * scale), round(height * scale)
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    tile = np.full((_HEIGHT + _GAP, _WIDTH + _GAP, 3), 255, np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=kind)
    return tile


if __name__ == "__main__":
    command.run(main, __doc__, positional=(1, 1))
