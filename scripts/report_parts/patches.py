"""Pieces of real pictures: those that come with matplotlib, a portrait among them."""

import gzip
from pathlib import Path

import cv2
import matplotlib
import numpy as np

from digits_tf.images import read_picture

# A portrait, a drawing of a parcel, a scan of a head, a map of mountains.
_PICTURES = ("grace_hopper.jpg", "Minduka_Present_Blue_Pack.png")
_SCAN, _SCAN_SHAPE = "s1045.ima.gz", (256, 256)
_MAP = "jacksboro_fault_dem.npz"


def pictures() -> list[np.ndarray]:
    """The pictures that the installed matplotlib has, uint8 (h, w, 3), BGR; may be none."""
    folder = Path(matplotlib.get_data_path()) / "sample_data"
    found = [read_picture(folder / name) for name in _PICTURES if (folder / name).is_file()]
    if (folder / _SCAN).is_file():
        with gzip.open(folder / _SCAN) as file:
            found.append(_grey(np.frombuffer(file.read(), ">u2").reshape(_SCAN_SHAPE)))
    if (folder / _MAP).is_file():
        with np.load(folder / _MAP) as arrays:
            found.append(_grey(arrays["elevation"]))
    return found


def patch(rng: np.random.Generator, source: list[np.ndarray]) -> np.ndarray:
    """A square piece of one of the pictures, uint8 (side, side, 3), BGR.

    Args:
        rng: decides; larger pictures more often.
        source: at least one picture, see `pictures`.
    """
    sizes = np.array([each.shape[0] * each.shape[1] for each in source], float)
    picture = source[rng.choice(len(source), p=sizes / sizes.sum())]
    most = min(picture.shape[:2])
    side = int(rng.uniform(0.15, 1.0) * most)
    top, left = (int(rng.integers(0, length - side + 1)) for length in picture.shape[:2])
    return picture[top : top + side, left : left + side]


def crop(rng: np.random.Generator, source: list[np.ndarray]) -> np.ndarray:
    """A piece in grey, its contrast stretched, either way round, uint8 (28, 28); see `patch`."""
    grey = cv2.cvtColor(patch(rng, source), cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (28, 28), interpolation=cv2.INTER_AREA)
    stretched = cv2.normalize(small, None, 0, 255, cv2.NORM_MINMAX)
    return 255 - stretched if rng.random() < 0.5 else stretched


def _grey(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    scaled = 255 * (values.astype(float) - low) / max(high - low, 1.0)
    return cv2.cvtColor(scaled.astype(np.uint8), cv2.COLOR_GRAY2BGR)
