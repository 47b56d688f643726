"""Clothes and shoes that fill the picture, as Fashion-MNIST has them."""

import functools

import cv2
import numpy as np

from digits_tf.synthetic.textures import noise

_SIDE, _ENLARGED = 28, 4
# The right half of what is alike on both sides, from the top down: x from the middle, y, hundredths
# of the height. One gap apart.
_HALVES = {
    "t-shirt": "0905 2004 4818 3834 2628 2660 2698 0099",
    "pullover": "0804 1804 3014 4480 3486 2640 2698 0099",
    "trousers": "0001 1801 2030 2499 0899 0225",
    "dress": "0804 1402 1826 1242 2070 2899 0099",
    "coat": "0602 1803 3014 4078 3080 2640 2899 0299",
    "shirt": "0502 1604 3416 4060 3262 2630 2499 0099",
    "bag": "1430 1808 2630 4232 4890 4099 0099",
}
# The others, x from the left.
_OUTLINES = {
    "sandal": "0270 2055 3562 5572 8058 9840 9885 8876 6090 0290",
    "sneaker": "0264 2056 3438 4846 7066 9672 9888 0488",
    "boot": "2004 6004 6258 9272 9696 2096 1850",
    "heel": "0240 1834 4060 8078 9886 9892 6092 2870 1896 1096",
}


def silhouette(rng: np.random.Generator) -> np.ndarray:
    """Draws a piece of clothing of some cloth, uint8 (28, 28), bright on 0."""
    names = (*_HALVES, *_OUTLINES)
    outline = _outline(names[rng.integers(len(names))])
    side = _SIDE * _ENLARGED
    outline = outline * np.exp(rng.normal(0, 0.08, 2)) + rng.normal(0, 0.012, outline.shape)
    if rng.random() < 0.5:
        outline = outline * [-1.0, 1.0]
    low, high = outline.min(axis=0), outline.max(axis=0)
    scale = rng.uniform(0.88, 1.0) * side / (high - low).max()
    points = np.round((outline - (low + high) / 2) * scale + side / 2).astype(np.int32)
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [points], 255)
    # Seams and hems are round.
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1.0, 4.0))
    mask = cv2.threshold(mask, 127, 255, cv2.THRESH_BINARY)[1]
    cover = cv2.resize(mask, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) / 255.0
    return np.round(cover * _cloth(rng)).astype(np.uint8)


def _cloth(rng: np.random.Generator) -> np.ndarray:
    """Grey levels, float (28, 28), 20..255."""
    shape = _SIDE, _SIDE
    cloth = rng.uniform(50, 240) + rng.uniform(3, 25) * noise(rng, shape, rng.uniform(0.4, 4.0))
    y, x = np.mgrid[:_SIDE, :_SIDE]
    if rng.random() < 0.35:
        place = (x, y, x + y)[rng.integers(3)] / rng.uniform(1.5, 6)
        cloth += rng.uniform(15, 70) * np.sign(np.sin(place * np.pi + rng.uniform(0, 6)))
    if rng.random() < 0.3:
        top, left = rng.integers(6, 14, 2)
        cloth[top : top + rng.integers(3, 10), left : left + rng.integers(3, 10)] += rng.normal(
            0, 80
        )
    if rng.random() < 0.3:
        middle = 14 + int(rng.integers(-1, 2))
        cloth[:, middle : middle + 1] -= rng.uniform(30, 120)  # buttons, a zip
    return np.clip(cloth, 20, 255)


@functools.cache
def _outline(name: str) -> np.ndarray:
    words = (_HALVES.get(name) or _OUTLINES[name]).split()
    points = np.array([(int(word[:2]), int(word[2:])) for word in words]) / 100
    if name in _HALVES:
        points = np.concatenate([points, points[::-1] * [-1.0, 1.0]])
    return points
