"""Crops of what is no digit: how many get no label, and how many digits are lost by that.

None of them takes part in training. Letters and symbols are of DejaVu's serif fonts, which come
with matplotlib; training's are sans-serif and TeX's, or of other packages.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
from sklearn.metrics import roc_auc_score

from digits_tf.detection.crops import mnist_crop
from digits_tf.recognition.classifier import THRESHOLD
from report_parts import figures
from report_parts.detection import LETTERS, LIKE_DIGITS, typed
from report_parts.models import Model, by_model

TITLE = "What is no digit"
PICTURE = "not_digits.png"
# Without bars and dots: scaled to a crop, those are strokes of a 1.
SYMBOLS = "?!&%#@$*+=<>~{}→←↑↓↔⇒⇔∞∑√∂∈≈≠±×÷∀∃∫§¶♥αβγδθλμπσφψωΓΔΛΞΠΣΦΨΩ"

_SEED = 70
_SIDE = 200
_FLOOR = 20  # grey levels; a drawing has no noise
_FONTS = ("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic")
# Frequencies of Lissajous curves. With a 1 among them they are a 0 or an 8.
_FREQUENCIES = ((2, 3), (3, 2), (3, 4), (4, 3), (3, 5), (5, 3), (2, 5), (5, 2), (4, 5), (5, 4))
# Digits of which a half is none: no ring, no bar, no 7.
_UPPER, _LOWER = (0, 2, 4, 5, 6), (0, 2, 3, 5)
# A narrower half is a stroke, and a stroke is a 1.
_LEAST_ASPECT = 0.6


def crops(digits: np.ndarray, labels: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """Sets of crops, uint8 (count, 28, 28) each, by their names; the same in each run.

    Args:
        digits: uint8 (n, 28, 28), test digits, for parts and pairs.
        labels: integers (n,).
        count: crops of each set.
    """
    makers: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
        "letters": lambda rng: sign(rng, LETTERS),
        "letters like digits": lambda rng: sign(rng, LIKE_DIGITS),
        "symbols": lambda rng: sign(rng, SYMBOLS),
        "scribbles": scribble,
        "halves of digits": lambda rng: half(rng, digits, labels),
        "pairs of digits": lambda rng: pair(rng, digits),
    }
    return {
        name: np.stack([make(np.random.default_rng((_SEED, each))) for each in range(count)])
        for name, make in makers.items()
    }


def sign(rng: np.random.Generator, characters: str) -> np.ndarray:
    """One of the characters in one of the fonts, slanted, turned and stretched a little.

    Args:
        rng: decides.
        characters: at least one.

    Returns:
        uint8 (28, 28), bright on 0, in MNIST's geometry.
    """
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    ink = typed(folder / f"{rng.choice(_FONTS)}.ttf", characters[rng.integers(len(characters))])
    angle = np.radians(rng.uniform(-10, 10))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[rng.uniform(0.85, 1.15), rng.uniform(-0.25, 0.25)], [0, 1]])
    # Twice as wide and high as the sign: whatever is turned or slanted stays inside.
    side = 2 * max(ink.shape)
    shift = side / 2 - matrix @ np.array(ink.shape[::-1]) / 2
    return _cropped(cv2.warpAffine(ink, np.column_stack([matrix, shift]), (side, side)))


def scribble(rng: np.random.Generator) -> np.ndarray:
    """A Lissajous curve, or a zigzag of a random walk, with a pen; uint8 (28, 28)."""
    if rng.random() < 0.5:
        time = np.linspace(0, 2 * np.pi, 300)
        across, down = _FREQUENCIES[rng.integers(len(_FREQUENCIES))]
        curve = np.stack([np.sin(across * time + rng.uniform(0.4, 1.2)), np.sin(down * time)], 1)
    else:
        curve = rng.normal(0, 1, (rng.integers(8, 20), 2)).cumsum(axis=0)
        # A narrow one would be a 1.
        curve *= [rng.uniform(0.7, 1.3), 1] / np.ptp(curve, axis=0)
    low, high = curve.min(axis=0), curve.max(axis=0)
    points = (curve - (low + high) / 2) * (0.8 * _SIDE / (high - low).max()) + _SIDE / 2
    picture = np.zeros((_SIDE, _SIDE), np.uint8)
    width = int(rng.integers(8, 20))
    cv2.polylines(picture, [np.round(points).astype(np.int32)], False, 255, width)
    return _cropped(picture)


def half(rng: np.random.Generator, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The upper or the lower half of a digit, uint8 (28, 28).

    Args:
        rng: decides.
        images: uint8 (n, 28, 28), digits, some of them wide enough.
        labels: integers (n,).
    """
    while True:
        index, upper = rng.integers(len(images)), rng.random() < 0.5
        if labels[index] not in (_UPPER if upper else _LOWER):
            continue
        ink = _tight(images[index])
        middle = len(ink) // 2
        kept = _tight(ink[:middle] if upper else ink[middle:])
        if kept.shape[1] > _LEAST_ASPECT * kept.shape[0]:
            return _cropped(np.pad(kept, 2))


def pair(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Two digits side by side in one crop, uint8 (28, 28).

    Args:
        rng: decides.
        images: uint8 (n, 28, 28), digits.
    """
    one, other = (images[each] for each in rng.integers(0, len(images), 2))
    left, right = (np.flatnonzero(each.any(axis=0)) for each in (one, other))
    gap = np.zeros((28, int(rng.integers(0, 4))), np.uint8)
    row = [one[:, left[0] : left[-1] + 1], gap, other[:, right[0] : right[-1] + 1]]
    return _cropped(np.pad(np.hstack(row), 2))


def measure(
    models: Sequence[Model], sets: Mapping[str, np.ndarray], read: Mapping[Model, np.ndarray]
) -> dict[str, Any]:
    """Reads crops without a digit.

    Args:
        models: what is measured.
        sets: by name, uint8 (n, 28, 28).
        read: each model's probabilities of real digits, float32 (m, 10).
    """
    digits = {model: read[model].max(axis=1) for model in models}
    found = {}
    for name, images in sets.items():
        others = {model: model.read(images).max(axis=1) for model in models}

        def measured(model: Model, others: Any = others) -> dict[str, float]:
            scores = np.concatenate([digits[model], others[model]])
            are_digits = np.arange(len(scores)) < len(digits[model])
            rejected = float((others[model] <= THRESHOLD).mean())
            return {"rejected": rejected, "auroc": float(roc_auc_score(are_digits, scores))}

        found[name] = {"n": len(images), "figures": by_model(models, measured)}
    lost = by_model(models, lambda model: float((digits[model] <= THRESHOLD).mean()))
    return {"sets": found, "lost": lost, "digits": len(next(iter(digits.values())))}


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    sets = section["sets"]
    by_set: figures.Figures = {
        model: {
            kind: {
                "lost": lost,
                **{name: each["figures"][model][kind] for name, each in sets.items()},
            }
            for kind, lost in formats.items()
        }
        for model, formats in section["lost"].items()
    }
    rows = [_row(name, each["n"]) for name, each in sets.items()]
    words = f"**MNIST's test digits ({section['digits']:,})**"
    rows.append((words, lambda each: figures.percent(each["lost"], 2)))
    most = figures.percent(figures.standard_error(0.5, min(each["n"] for each in sets.values())))
    return (
        f"Crops on which no digit's probability is above {THRESHOLD}, so that they get no label: "
        "the more the better, but of real digits, in the last row. Behind it, of what is no digit, "
        "the area under the ROC curve: how often a digit's greatest probability is above that of "
        "what is none (0.5 is chance, 1 is perfect). The int8 file's probabilities have 256 steps; "
        f"a tie counts half. Standard error of a share: at most {most}.\n\n"
        "No crop was trained on. Letters and symbols are of serif fonts that training lacks; "
        f"those like digits are {' '.join(LIKE_DIGITS)}. Halves and pairs are of test "
        f"digits.\n\n![Some crops of each set]({PICTURE})\n\n"
        + figures.side_by_side(by_set, names, rows)
    )


def _row(name: str, count: int) -> figures.Row:
    def cell(each: dict[str, Any]) -> str:
        found = each[name]
        return f"{figures.percent(found['rejected'])}, {figures.decimal(found['auroc'], 3)}"

    return f"{name} ({count:,})", cell


def _cropped(picture: np.ndarray) -> np.ndarray:
    """Puts a drawing into MNIST's geometry with the program's own code; all 0 without ink."""
    crop = mnist_crop(picture, np.full(picture.shape, 255, np.uint8), _FLOOR)
    return np.zeros((28, 28), np.uint8) if crop is None else crop


def _tight(image: np.ndarray) -> np.ndarray:
    x, y, w, h = cv2.boundingRect(image)
    return image[y : y + h, x : x + w]
