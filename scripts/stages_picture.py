"""Draws the steps from a made-up frame to what is read, for the documentation.

python scripts/stages_picture.py docs/images/stages.png
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf import files
from digits_tf.cli import command
from digits_tf.data import mnist
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2

_SEED = flags.DEFINE_integer("seed", 208, "Of the frame.", lower_bound=0)

_CROPS = 12  # in a row
_RED = "#e45756"


def main(words: Sequence[str]) -> None:
    """Draws the picture."""
    import_cv2()
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    from digits_tf.recognition import Recognizer, text
    from digits_tf.synthetic.frames import frame

    made = frame(np.random.default_rng(_SEED.value), *mnist.sample().train.read(), None)
    recognizer = Recognizer.load()
    digits = recognizer.read(made.image)
    if not digits:
        raise DigitsError("no digit is found in this frame: try another --seed")
    height, width = made.image.shape
    heat = {
        name.removeprefix("digits, "): picture
        for name, picture in recognizer.stages().items()
        if name.startswith("digits")
    }
    crops = [digit.crop for digit in digits]
    crops += [np.zeros((28, 28), np.uint8)] * (-len(crops) % _CROPS)
    sheet = np.vstack(
        [np.hstack(crops[start : start + _CROPS]) for start in range(0, len(crops), _CROPS)]
    )
    rows = [height / width * 12 / 2, height / width * 12 / len(heat), 12 * sheet.shape[0] / 336]
    whole = Figure(figsize=(12, sum(rows) + 1.2), layout="constrained")
    grid = whole.subfigures(3, 1, squeeze=False, height_ratios=[each + 0.4 for each in rows])
    parts = grid[:, 0]
    left, right = parts[0].subplots(1, 2)
    left.imshow(made.image, cmap="gray", vmin=0, vmax=255)
    left.set_title(f"A made-up frame, {width}x{height}")
    right.imshow(made.image, cmap="gray", vmin=0, vmax=255)
    right.set_title("Boxes, and what is read")
    for digit in digits:
        x, y, w, h = digit.box
        colour = _RED if digit.label is None else "#00a651"
        right.add_patch(Rectangle((x, y), w, h, fill=False, color=colour, linewidth=1.5))
        name = "?" if digit.label is None else str(digit.label)
        right.text(x + w / 2, y - 2, name, color=colour, ha="center", va="bottom", weight="bold")
    panels = np.atleast_1d(parts[1].subplots(1, len(heat)))
    for axes, (size, picture) in zip(panels, heat.items(), strict=True):
        axes.imshow(picture, cmap="inferno", vmin=0, vmax=255)
        axes.set_title(f"centres, {size}", fontsize=9)
    below = parts[2].subplots()
    below.imshow(255 - sheet, cmap="gray", vmin=0, vmax=255)
    below.set_title("Crops of 28x28, as the classifier gets them (here dark on light)")
    for axes in (left, right, *panels, below):
        axes.set_axis_off()
    with files.replacing(Path(words[0])) as beside:
        whole.savefig(beside, dpi=100, format="png")
    print(f"read {text(digits)!r}")


if __name__ == "__main__":
    command.run(main, __doc__, positional=(1, 1))
