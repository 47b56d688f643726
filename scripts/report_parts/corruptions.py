"""Digits as bad cameras, bad light and hasty hands make them.

Eight kinds after the example of MNIST-C (Mu and Gilmer 2019, https://arxiv.org/abs/1906.02337); the
code and the strengths are this project's own. Training has changes of its own
(`digits_tf.training.augmentation`), some of them of these kinds; no code is shared.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from digits_tf.synthetic import textures
from report_parts import figures
from report_parts.models import Model, by_model

TITLE = "Corruptions"
PICTURE = "corruptions.png"

STRENGTHS = (1, 2, 3)
_SIDE = 28
_MIDDLE = (_SIDE - 1) / 2

# By strength.
_SIGMA = (25, 50, 90)  # grey levels
_BLUR = (0.8, 1.4, 2.0)  # pixels
_FOG = (0.2, 0.4, 0.6)  # share of the light that comes from the fog
_STRIPES = (1, 2, 3)
_SHEAR = (0.3, 0.6, 0.9)  # columns a row
_SCALE = (0.75, 0.6, 0.45)
_DEGREES = (20, 35, 50)
_SPECKS = (6, 14, 28)


def corrupt(kind: str, images: np.ndarray, strength: int, seed: int = 0) -> np.ndarray:
    """Spoils digits.

    Args:
        kind: a key of `KINDS`.
        images: uint8 (n, 28, 28), ink bright on 0.
        strength: 1 to 3.
        seed: decides what chance does; picture number n gets the same whatever else is there.

    Returns:
        uint8 (n, 28, 28).
    """
    spoil, index = KINDS[kind], strength - 1
    number = list(KINDS).index(kind)
    return np.stack(
        [
            spoil(image, index, np.random.default_rng((seed, number, place)))
            for place, image in enumerate(images)
        ]
    )


def noise(image: np.ndarray, index: int, rng: np.random.Generator) -> np.ndarray:
    """A sensor's noise: Gaussian, each pixel by itself."""
    return _pixels(image + rng.normal(0, _SIGMA[index], image.shape))


def blur(image: np.ndarray, index: int, rng: np.random.Generator) -> np.ndarray:
    """A lens out of focus: a Gaussian blur."""
    return cv2.GaussianBlur(image, (0, 0), _BLUR[index])


def fog(image: np.ndarray, index: int, rng: np.random.Generator) -> np.ndarray:
    """Clouds in front: contrast is lost and the ground is lit."""
    share = _FOG[index]
    cloud = np.clip(0.6 + 0.2 * textures.noise(rng, image.shape, 7.0), 0, 1)
    return _pixels(image * (1 - share) + 255 * share * cloud)


def stripes(image: np.ndarray, index: int, rng: np.random.Generator) -> np.ndarray:
    """Straight strokes across the picture, as bright as ink, about 1.5 pixels wide."""
    large = np.zeros((8 * _SIDE, 8 * _SIDE), np.uint8)
    for _ in range(_STRIPES[index]):
        angle = rng.uniform(0, np.pi)
        along = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]]) * rng.uniform(-8, 8)
        ends = np.array([_MIDDLE + across + way * 2 * _SIDE * along for way in (-1, 1)])
        cv2.polylines(large, [np.round(8 * ends).astype(np.int32)], False, 255, 12)
    return np.maximum(image, cv2.resize(large, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))


def shear(image: np.ndarray, index: int, rng: np.random.Generator) -> np.ndarray:
    """Writing that leans to the left or to the right."""
    return _warped(image, np.array([[1, rng.choice((-1, 1)) * _SHEAR[index]], [0, 1]]))


def scale(image: np.ndarray, index: int, rng: np.random.Generator) -> np.ndarray:
    """A smaller digit in the middle."""
    return _warped(image, _SCALE[index] * np.eye(2))


def rotation(image: np.ndarray, index: int, rng: np.random.Generator) -> np.ndarray:
    """A digit turned to the left or to the right."""
    angle = np.radians(rng.choice((-1, 1)) * _DEGREES[index])
    cosine, sine = np.cos(angle), np.sin(angle)
    return _warped(image, np.array([[cosine, -sine], [sine, cosine]]))


def specks(image: np.ndarray, index: int, rng: np.random.Generator) -> np.ndarray:
    """Drops and dust: bright spots of up to 2.5 pixels across."""
    large = np.zeros((8 * _SIDE, 8 * _SIDE), np.uint8)
    for _ in range(_SPECKS[index]):
        x, y = (int(each) for each in rng.integers(0, 8 * _SIDE, 2))
        cv2.circle(large, (x, y), int(rng.integers(4, 11)), int(rng.integers(150, 256)), -1)
    return np.maximum(image, cv2.resize(large, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))


KINDS = {
    each.__name__: each for each in (noise, blur, fog, stripes, shear, scale, rotation, specks)
}


def measure(models: Sequence[Model], images: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Accuracy for each kind and strength.

    Args:
        models: what is measured.
        images: uint8 (n, 28, 28), test digits.
        labels: integers (n,).
    """
    right: dict[Model, dict[str, list[float]]] = {model: {} for model in models}
    for kind in KINDS:
        for strength in STRENGTHS:
            spoilt = corrupt(kind, images, strength)
            for model in models:
                share = float((model.read(spoilt).argmax(axis=1) == labels).mean())
                right[model].setdefault(kind, []).append(share)

    def measured(model: Model) -> dict[str, Any]:
        clean = float((model.read(images).argmax(axis=1) == labels).mean())
        mean = float(np.mean(list(right[model].values())))
        return {"none": clean, "mean": mean, "kinds": right[model]}

    return {"n": len(labels), "figures": by_model(models, measured)}


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    rows: list[figures.Row] = [
        ("none", lambda each: figures.percent(each["none"])),
        *(_row(kind) for kind in KINDS),
        ("mean of the 24", lambda each: f"**{figures.percent(each['mean'])}**"),
    ]
    most = 100 * figures.standard_error(0.5, section["n"])
    return (
        f"Accuracy in % at the strengths 1 / 2 / 3, on {section['n']:,} MNIST test digits "
        f"(standard error at most {most:.1f}). After the example of "
        "[MNIST-C](https://arxiv.org/abs/1906.02337); code and strengths are the project's own. "
        "Training turns, bends, blurs and specks digits too, with other code.\n\n"
        f"![Each kind at its three strengths]({PICTURE})\n\n"
        + figures.side_by_side(section["figures"], names, rows)
    )


def _row(kind: str) -> figures.Row:
    return kind, lambda each: " / ".join(f"{100 * share:.1f}" for share in each["kinds"][kind])


def _warped(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The picture under a linear map, float (2, 2), about its middle."""
    middle = np.full(2, _MIDDLE)
    affine = np.column_stack([matrix, middle - matrix @ middle])
    return cv2.warpAffine(image, affine, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR)


def _pixels(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
