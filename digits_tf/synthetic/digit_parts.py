"""Parts of digits, scratched ones and pairs: no digits, unless they look like a 1 or a 0."""

import cv2
import numpy as np

from digits_tf.synthetic import Labels, Pixels
from digits_tf.synthetic.handwriting import LOOSE, write_strokes
from digits_tf.synthetic.pen import cut_to_ink

_INK = 60  # grey levels above which a digit's pixel is ink
_TALLEST = 1.6  # heights over widths of a half beyond which it is like a 1
# Halves that are still digits or like others: rings, bars, a 7 without its end.
_UPPER_LIKE, _LOWER_LIKE = (1, 7, 8, 9), (1, 4, 6, 7, 8, 9)
# Two rings one upon the other are an 8, and what stands on a bar goes on being what it is.
_RINGS, _BARS = (0, 6, 8, 9), (1, 7)
# Upper and lower halves of which no digit is made.
_MIXED = ((4, 2), (4, 3), (4, 5), (4, 8), (4, 0), (5, 2), (6, 2), (9, 2), (8, 2))
# One or two strokes make a 7 of a 7 and a 0 of a 0, and a 4 or a 7 of a 1.
_ONE_STROKE = (2, 3, 5, 6, 8, 9)
_SCRATCHED = 1.3  # ink afterwards over ink before, at least
_SCRATCHED_SIDE = 56

# A bar. Of all its ink: deviation across over deviation along it. A pen's bar has 0.2, a thick one
# 0.3. Degrees from the vertical.
_NARROW, _STEEP = 0.32, 45
# A ring. How much of its hull its outline covers, and its hull of the rectangle around it: a
# triangle covers 0.5 of that, an ellipse 0.785, a rectangle 1. Its hole as a share of its area.
_CONVEX, _ROUND, _HOLLOW = 0.92, (0.69, 0.89), 0.12


def digit_part(images: Pixels, labels: Labels, rng: np.random.Generator) -> Pixels | None:
    """Makes something of digits that is none.

    Args:
        images: uint8 (n, 28, 28), bright on 0.
        labels: (n,), 0 to 9.
        rng: decides what.

    Returns:
        uint8 (h, w), bright on 0; None if the digits that were drawn do not lend themselves to it.
    """
    makers = (_half, _beside, _above, _scratched, _mixed)
    make = makers[rng.choice(len(makers), p=(0.25, 0.36, 0.12, 0.24, 0.03))]
    chosen = rng.integers(len(images), size=3)
    return make(images[chosen], labels[chosen].tolist(), rng)


def is_bar_or_ring(crop: Pixels) -> bool:
    """Whether a picture, uint8 (28, 28), is a plain bar or ring: whoever drew it, a 1 or a 0."""
    return is_bar(crop) or is_ring(crop)


def is_bar(crop: Pixels) -> bool:
    """Whether a picture is a plain bar, more upright than lying.

    Args:
        crop: uint8 (28, 28), bright on 0.
    """
    moments = cv2.moments(crop)
    if not moments["m00"]:
        return False
    covariance = np.array([[moments["mu20"], moments["mu11"]], [moments["mu11"], moments["mu02"]]])
    values, axes = np.linalg.eigh(covariance)
    narrow = max(values[0], 0.0) < _NARROW**2 * values[1]
    steep = abs(axes[1, 1]) > np.cos(np.deg2rad(_STEEP))
    return bool(narrow and steep)


def is_ring(crop: Pixels) -> bool:
    """Whether a picture is a plain ring with nothing in it.

    Args:
        crop: uint8 (28, 28), bright on 0.
    """
    solid = cv2.threshold(crop, 80, 255, cv2.THRESH_BINARY)[1]
    outlines, levels = cv2.findContours(solid, cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE)
    # One outline and one hole.
    if len(outlines) != 2 or levels[0][0][2] < 0:
        return False
    outer, hole = cv2.contourArea(outlines[0]), cv2.contourArea(outlines[1])
    hull = cv2.convexHull(outlines[0])
    _, (a, b), _ = cv2.minAreaRect(hull)
    covered = cv2.contourArea(hull) / max(a * b, 1.0)
    return bool(
        outer > _CONVEX * cv2.contourArea(hull)
        and _ROUND[0] < covered < _ROUND[1]
        and hole > _HOLLOW * outer
    )


def _half(images: Pixels, labels: list[int], rng: np.random.Generator) -> Pixels | None:
    digit = cut_to_ink(images[0], _INK)
    share = rng.uniform(0.3, 0.5)
    side = rng.integers(4)
    if (side == 0 and labels[0] in _UPPER_LIKE) or (side == 1 and labels[0] in _LOWER_LIKE):
        return None
    kept = max(2, round(share * digit.shape[side // 2]))
    half = (digit[:kept], digit[-kept:], digit[:, :kept], digit[:, -kept:])[side]
    half = cut_to_ink(half, _INK)
    return None if half.shape[0] > _TALLEST * half.shape[1] else half


def _beside(images: Pixels, labels: list[int], rng: np.random.Generator) -> Pixels:
    """Two or three digits side by side that nearly touch or do."""
    count = 3 if rng.random() < 0.2 else 2
    parts = [cut_to_ink(image, _INK) for image in images[:count]]
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
    row = cut_to_ink(row, _INK)
    squeeze = rng.uniform(0.7, 1.0)
    size = max(12, round(row.shape[1] * squeeze)), row.shape[0]
    squeezed: Pixels = cv2.resize(row, size, interpolation=cv2.INTER_AREA)
    return squeezed


def _above(images: Pixels, labels: list[int], rng: np.random.Generator) -> Pixels | None:
    """One digit upon another."""
    first, second = labels[:2]
    if first in _BARS or second in _BARS or (first in _RINGS and second in _RINGS):
        return None
    upper, lower = (cut_to_ink(image, _INK) for image in images[:2])
    return _stacked(upper, lower, int(rng.integers(-2, 3)))


def _mixed(images: Pixels, labels: list[int], rng: np.random.Generator) -> Pixels | None:
    """The upper half of one digit on the lower half of another."""
    if (labels[0], labels[1]) not in _MIXED:
        return None
    upper, lower = (cut_to_ink(image, _INK) for image in images[:2])
    upper, lower = upper[: len(upper) // 2], lower[len(lower) // 2 :]
    return _stacked(cut_to_ink(upper, _INK), cut_to_ink(lower, _INK), 0)


def _stacked(upper: Pixels, lower: Pixels, gap: int) -> Pixels:
    width = max(upper.shape[1], lower.shape[1])
    both = np.zeros((len(upper) + len(lower) + gap, width), np.uint8)
    x = (width - upper.shape[1]) // 2
    both[: len(upper), x : x + upper.shape[1]] = upper
    x = (width - lower.shape[1]) // 2
    below = both[-len(lower) :, x : x + lower.shape[1]]
    below[:] = np.maximum(below, lower)
    return both


def _scratched(images: Pixels, labels: list[int], rng: np.random.Generator) -> Pixels | None:
    """A digit with strokes through it."""
    side = _SCRATCHED_SIDE
    least = 1 if labels[0] in _ONE_STROKE else 3
    digit: Pixels = cv2.resize(images[0], (side, side), interpolation=cv2.INTER_CUBIC)
    inked, width = np.count_nonzero(digit > 127), int(rng.integers(2, 8))
    for _ in range(rng.integers(least, least + 3)):
        # Through the middle, rather lying than upright, beyond the digit at both ends.
        angle = np.deg2rad(rng.uniform(-60, 60))
        along = rng.uniform(0.45, 0.6) * np.array([np.cos(angle), np.sin(angle)])
        line = np.array([-along, rng.normal(0, 0.05, 2), along])
        if rng.random() < 0.25:
            line = np.concatenate([line, rng.uniform(-0.5, 0.5, (4, 2))])
        line = write_strokes([line, line[::-1]], rng, LOOSE)[0]
        points = line / np.abs(line).max() * 0.46 + 0.5 + rng.normal(0, 0.06, 2)
        points = np.round(side * points).astype(np.int32)
        cv2.polylines(digit, [points], False, 255, width, cv2.LINE_AA)
    # Strokes along its own leave it what it is.
    return digit if np.count_nonzero(digit > 127) > _SCRATCHED * inked else None
