"""Digits that are none any more: halves, two in one, scratched away."""

import cv2
import numpy as np

from digits_tf.synthetic.handwriting import LOOSE, write_strokes

_TALLEST = 1.6  # heights over widths of a half beyond which it is like a 1
# Halves that are still digits or like others: rings, bars, a 7 without its end.
_UPPER_LIKE, _LOWER_LIKE = (1, 7, 8, 9), (1, 4, 6, 7, 8, 9)
# Two rings one upon the other are an 8, and what stands on a bar goes on being what it is.
_RINGS, _BARS = (0, 6, 8, 9), (1, 7)
# Upper and lower halves of which no digit is made.
_CHIMERAS = ((4, 2), (4, 3), (4, 5), (4, 8), (4, 0), (5, 2), (6, 2), (9, 2), (8, 2))
# One or two strokes make a 7 of a 7 and a 0 of a 0, and a 4 or a 7 of a 1.
_ONE_STROKE = (2, 3, 5, 6, 8, 9)
_SCRATCHED = 1.3  # ink afterwards over ink before, at least
_SIDE = 56


def part(images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Makes something of digits that is none.

    Args:
        images: uint8 (n, 28, 28), bright on 0.
        labels: (n,), 0 to 9.
        rng: decides what.

    Returns:
        uint8 (h, w), bright on 0; without ink if the digits that were drawn do not lend themselves.
    """
    kinds = (_half, _beside, _above, _scratched, _chimera)
    kind = kinds[rng.choice(len(kinds), p=(0.25, 0.36, 0.12, 0.24, 0.03))]
    chosen = rng.integers(len(images), size=3)
    return kind(images[chosen], labels[chosen], rng)


def _nothing() -> np.ndarray:
    return np.zeros((1, 1), np.uint8)


def _tight(image: np.ndarray) -> np.ndarray:
    x, y, w, h = cv2.boundingRect(cv2.threshold(image, 60, 255, cv2.THRESH_TOZERO)[1])
    return image[y : y + h, x : x + w] if w and h else _nothing()


def _half(images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    tight = _tight(images[0])
    share = rng.uniform(0.3, 0.5)
    side = rng.integers(4)
    if (side == 0 and labels[0] in _UPPER_LIKE) or (side == 1 and labels[0] in _LOWER_LIKE):
        return _nothing()
    kept = max(2, round(share * tight.shape[side // 2]))
    kept = _tight((tight[:kept], tight[-kept:], tight[:, :kept], tight[:, -kept:])[side])
    return _nothing() if kept.shape[0] > _TALLEST * kept.shape[1] else kept


def _beside(images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two or three digits side by side that nearly touch or do."""
    count = 3 if rng.random() < 0.2 else 2
    parts = [_tight(image) for image in images[:count]]
    overlaps = rng.integers(-2, 4, count)
    height = max(len(each) for each in parts)
    row = np.zeros((height, 3 + sum(each.shape[1] + 2 for each in parts)), np.uint8)
    left = 0
    for each, overlap in zip(parts, overlaps, strict=True):
        left = max(0, left - overlap)
        top = rng.integers(height - len(each) + 1)
        place = np.s_[top : top + len(each), left : left + each.shape[1]]
        row[place] = np.maximum(row[place], each)
        left += each.shape[1]
    # As wide as it is, or squeezed into the place of one.
    row = _tight(row)
    squeeze = rng.uniform(0.7, 1.0)
    size = max(12, round(row.shape[1] * squeeze)), row.shape[0]
    return cv2.resize(row, size, interpolation=cv2.INTER_AREA)


def _above(images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One digit upon another."""
    first, second = labels[:2]
    if first in _BARS or second in _BARS or (first in _RINGS and second in _RINGS):
        return _nothing()
    return _stacked(_tight(images[0]), _tight(images[1]), int(rng.integers(-2, 3)))


def _chimera(images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The upper half of one digit on the lower half of another."""
    if tuple(int(each) for each in labels[:2]) not in _CHIMERAS:
        return _nothing()
    upper, lower = _tight(images[0]), _tight(images[1])
    return _stacked(_tight(upper[: len(upper) // 2]), _tight(lower[len(lower) // 2 :]), 0)


def _stacked(upper: np.ndarray, lower: np.ndarray, gap: int) -> np.ndarray:
    width = max(upper.shape[1], lower.shape[1])
    both = np.zeros((len(upper) + len(lower) + gap, width), np.uint8)
    x = (width - upper.shape[1]) // 2
    both[: len(upper), x : x + upper.shape[1]] = upper
    x = (width - lower.shape[1]) // 2
    below = both[-len(lower) :, x : x + lower.shape[1]]
    below[:] = np.maximum(below, lower)
    return both


def _scratched(images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A digit with strokes through it."""
    least = 1 if labels[0] in _ONE_STROKE else 3
    glyph = cv2.resize(images[0], (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    inked, width = np.count_nonzero(glyph > 127), int(rng.integers(2, 8))
    for _ in range(rng.integers(least, least + 3)):
        # Through the middle, rather lying than upright, beyond the digit at both ends.
        angle = np.deg2rad(rng.uniform(-60, 60))
        along = rng.uniform(0.45, 0.6) * np.array([np.cos(angle), np.sin(angle)])
        line = np.array([-along, rng.normal(0, 0.05, 2), along])
        if rng.random() < 0.25:
            line = np.concatenate([line, rng.uniform(-0.5, 0.5, (4, 2))])
        line = write_strokes([line, line[::-1]], rng, LOOSE)[0]
        points = line / np.abs(line).max() * 0.46 + 0.5 + rng.normal(0, 0.06, 2)
        points = np.round(_SIDE * points).astype(np.int32)
        cv2.polylines(glyph, [points], False, 255, width, cv2.LINE_AA)
    # Strokes along its own leave it what it is.
    return glyph if np.count_nonzero(glyph > 127) > _SCRATCHED * inked else _nothing()
