"""How much is read of made-up photographs: single digits, rows of five, nothing at all.

python scripts/read_scenes.py --data_dir FOLDER --count 300

Photograph number n is the same on every machine. The digits are training digits, so the figures are
for comparing ways of finding digits, not for comparing networks.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf import command
from digits_tf.classifier.flags import MODEL
from digits_tf.data import flags as data_flags
from digits_tf.opencv import import_cv2

_COUNT = flags.DEFINE_integer("count", 300, "Photographs of each kind.", lower_bound=1)
flags.declare_key_flag("model")
flags.adopt_module_key_flags(data_flags)


def main(words: Sequence[str]) -> None:
    """Reads the photographs and prints a line for each kind."""
    import_cv2()
    from digits_tf.recognizer import Recognizer, text
    from digits_tf.scenes import scene

    images, labels = data_flags.find(data_flags.selection()).train.read()
    recognizer = Recognizer.load(MODEL.value)
    for kind, digits in (("single digits", 1), ("rows of five", 5)):
        right = 0
        for number in range(_COUNT.value):
            rng = np.random.default_rng((digits, number))
            chosen = rng.integers(0, len(images), digits)
            frame = scene.draw(rng, list(images[chosen])).frame
            right += text(recognizer.read(frame)) == "".join(map(str, labels[chosen]))
        print(f"{kind}: {right} of {_COUNT.value} read, {100 * right / _COUNT.value:.1f} %")
    frames = (scene.empty(np.random.default_rng((0, each))) for each in range(_COUNT.value))
    something = sum(bool(text(recognizer.read(frame))) for frame in frames)
    print(f"nothing on them: something read on {something} of {_COUNT.value}")


if __name__ == "__main__":
    command.run(main, __doc__)
