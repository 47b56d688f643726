"""Measures what one's own digits bring: the vote of the nearest, finetuning, and both.

    digits-tf scenes-fetch
    python scripts/own_digits.py --data_dir FOLDER

Each handwriting font whose digits tiny misreads is a writer, who teaches some pictures of each
digit that is misread; other pictures of all ten digits are then read, and MNIST's held-out digits
and what is no digit, to see what is lost. Prints JSON. Some minutes.
"""

import json
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from absl import flags
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digits_tf import recognition
from digits_tf.boxes import Box
from digits_tf.cli import command, data_flags
from digits_tf.data.collection import Collection
from digits_tf.data.digits import BACKGROUND
from digits_tf.detection.crops import digit_crop
from digits_tf.errors import DigitsError
from digits_tf.recognition.classifier import THRESHOLD, Classifier
from digits_tf.recognition.neighbours import NeighbourClassifier
from digits_tf.recognition.registry import shipped_saved_model
from digits_tf.synthetic import assets
from digits_tf.synthetic.background import background_crops
from digits_tf.training import finetune

_TAUGHT = flags.DEFINE_list("taught", ["3", "6"], "Pictures of each misread digit to teach.")
flags.adopt_module_key_flags(data_flags)

# The writers that the numbers in `neighbours` were chosen on; all others are measured alone.
_CHOSEN_ON = frozenset(
    (
        *("finger-paint", "kristi", "poor-story", "mansalva", "gochi-hand", "caveat", "pangolin"),
        *("sue-ellen-francisco", "just-another-hand", "kalam", "playpen-sans", "single-day"),
    )
)
_LEARN, _READ, _LEAST_MISREAD = 12, 40, 0.02

Pictures = tuple[NDArray[np.uint8], NDArray[np.uint8]]


class Tuned(Classifier):
    """A Keras model as a classifier."""

    def __init__(self, model: Any):
        self._model = model

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Classifier.probabilities`."""
        return finetune.probabilities(self._model, images)


def main(words: Sequence[str]) -> None:
    """Measures every writer."""
    fonts = [font for out in (True, False) for font in _fonts(out)]
    if not fonts:
        raise DigitsError("no fonts to write with: digits-tf scenes-fetch gets them")
    tiny = recognition.load()
    images, labels = data_flags.find(data_flags.selection()).train.read()
    made = background_crops(images, labels, finetune.BACKGROUNDS, 0)
    train, held_out = finetune.split(finetune.Rehearsal(images, labels, made))
    kept = {
        "mnist_held_out": (held_out.images, held_out.labels),
        "no_digit": (held_out.background, np.full(len(held_out.background), BACKGROUND, np.uint8)),
    }
    tuner = finetune.Tuner(finetune.open_base(shipped_saved_model("tiny"))[0], train, 0)
    rows = []
    for font in fonts:
        learn, read = _written(font, _LEARN, 1), _written(font, _READ, 2)
        misread = [digit for digit in range(10) if not _right(tiny, _only(learn, digit)).all()]
        if 1 - _right(tiny, read).mean() < _LEAST_MISREAD or not misread:
            continue
        for count in map(int, _TAUGHT.value):
            parts = [_only(learn, digit) for digit in misread]
            own = [np.concatenate([part[k][:count] for part in parts]) for k in (0, 1)]
            rows.append(
                {
                    "writer": font.stem,
                    "chosen_on": font.stem in _CHOSEN_ON,
                    "taught": count,
                    "misread": misread,
                    **_measured(tiny, tuner, (own[0], own[1]), {"own": read, **kept}),
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    for chosen_on in (True, False):
        for count in map(int, _TAUGHT.value):
            print(json.dumps(_mean(rows, chosen_on, count)), flush=True)


def _measured(
    tiny: Classifier, tuner: finetune.Tuner, own: Pictures, read: dict[str, Pictures]
) -> dict[str, dict[str, float]]:
    """Shares read right, 0 to 1, before, with the vote, with a tuned model, and with both."""
    tuner.tune(*own)
    tuned = Tuned(tuner.model)
    with tempfile.TemporaryDirectory() as folder:
        collection = Collection(folder)
        for crop, label in zip(*own, strict=True):
            collection.add(crop, int(label))
        models = {
            "before": tiny,
            "vote": NeighbourClassifier(tiny, collection),
            "tuned": tuned,
            "both": NeighbourClassifier(tuned, collection),
        }
        return {
            name: {part: float(_right(model, each).mean()) for part, each in read.items()}
            for name, model in models.items()
        }


def _mean(rows: list[dict[str, Any]], chosen_on: bool, count: int) -> dict[str, Any]:
    some = [row for row in rows if row["chosen_on"] == chosen_on and row["taught"] == count]
    result: dict[str, Any] = {"chosen_on": chosen_on, "taught": count, "writers": len(some)}
    for name in ("before", "vote", "tuned", "both"):
        for part in ("own", "mnist_held_out", "no_digit"):
            shares = [row[name][part] for row in some]
            result[f"{name}_{part}"] = round(float(np.mean(shares)), 4) if some else None
        result[f"{name}_own_deviation"] = round(float(np.std(shares, ddof=1)), 4) if some else None
    return result


def _right(model: Classifier, pictures: Pictures) -> NDArray[np.bool_]:
    rows = model.probabilities(pictures[0])
    read = np.where(rows.max(axis=1) > THRESHOLD, rows.argmax(axis=1), BACKGROUND)
    right: NDArray[np.bool_] = read == pictures[1]
    return right


def _only(pictures: Pictures, digit: int) -> Pictures:
    chosen = pictures[1] == digit
    return pictures[0][chosen], pictures[1][chosen]


def _fonts(held_out: bool) -> Sequence[Path]:
    found = assets.load(held_out)
    return found.handwriting if found else ()


def _written(font: Path, count: int, seed: int) -> Pictures:
    """Digits of a font as a hand varies them, cut out of a photograph of paper."""
    rng = np.random.default_rng((seed, zlib.crc32(font.stem.encode())))
    loaded = ImageFont.truetype(str(font), 150)
    crops, labels = [], []
    for digit in np.repeat(np.arange(10), count):
        picture = Image.new("L", (360, 360))
        ImageDraw.Draw(picture).text((180, 180), str(digit), 255, font=loaded, anchor="mm")
        crop = _photographed(np.asarray(picture), rng)
        if crop is not None:
            crops.append(crop)
            labels.append(digit)
    return np.array(crops), np.array(labels, np.uint8)


def _photographed(ink: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8] | None:
    turn, slant, wide = rng.normal(0, (np.deg2rad(4), 0.06, 0.06))
    matrix = np.array(
        [[np.cos(turn) * np.exp(wide), slant - np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    )
    middle = np.array(ink.shape) / 2
    ink = cv2.warpAffine(ink, np.column_stack([matrix, middle - matrix @ middle]), ink.shape)
    waves = [cv2.GaussianBlur(rng.normal(0, 1, ink.shape), (0, 0), 18) for _ in range(2)]
    x, y = np.meshgrid(*[np.arange(side, dtype=np.float32) for side in ink.shape])
    strength = rng.uniform(0, 3) / waves[0].std()
    moved = [
        (axis + strength * wave).astype(np.float32)
        for axis, wave in zip((x, y), waves, strict=True)
    ]
    ink = cv2.remap(ink, moved[0], moved[1], cv2.INTER_LINEAR)
    pen = int(rng.integers(1, 5))
    ink = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pen, pen)))
    scale = rng.uniform(0.4, 0.95)
    ink = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    paper, dark = rng.uniform(170, 240), rng.uniform(20, 90)
    frame = paper - (paper - dark) * ink / 255.0 + rng.normal(0, 3, ink.shape)
    x, y, w, h = cv2.boundingRect((ink > 100).astype(np.uint8))
    box = np.array([x, y, w, h]) + rng.normal(0, 0.03, 4) * (w, h, w, h)
    return digit_crop(np.clip(frame, 0, 255).astype(np.uint8), Box(*box))


if __name__ == "__main__":
    command.run(main, __doc__)
