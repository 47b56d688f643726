"""The background class: what is no digit, as a camera or a data set would give it."""

from collections.abc import Callable

import cv2
import numpy as np

from digits_tf.boxes import Box
from digits_tf.detection.crops import digit_crop, mnist_crop
from digits_tf.synthetic import Labels, Pixels, objects
from digits_tf.synthetic.digit_parts import digit_part, is_bar_or_ring
from digits_tf.synthetic.glyphs import symbol
from digits_tf.synthetic.handwriting import write_letter
from digits_tf.synthetic.pen import DRAWING_SIDE, drawing
from digits_tf.synthetic.scene import draw, empty
from digits_tf.synthetic.shapes import scribble, shape

# Shares. Those of the first are drawn, then photographed or not; the others are as they come.
_DRAWN = {
    "letter": 0.20,
    "symbol": 0.20,
    "shape": 0.14,
    "scribble": 0.10,
    "part": 0.12,
    "line": 0.05,
}
KINDS = {**_DRAWN, "clutter": 0.085, "surface": 0.005, "clothes": 0.07, "pattern": 0.03}
# Of what is drawn, so much is not photographed; of that, so much fills the picture.
_DIRECT, _FILLING = 0.22, 0.3
_LEAST_INK = 8  # pixels of a drawing
# Another number of a seed than those of other things that are made of it.
_STREAM = 7

_HEIGHTS = (64, 170)  # pixels of a photograph of a drawing
_PIECE = 0.2  # share of photographed drawings of which only a piece is cut out
# By how much a box of the detector differs from the ink's: deviation as a share of its sides.
_BOX_ERROR = 0.04

# Rows and columns of a piece of squared paper; columns alone would be ones.
_COUNTS = ("11", "11", "20", "30", "40", "12", "21", "22", "32", "23", "33")


def background_crops(
    images: Pixels, labels: Labels, count: int, seed: int, first: int = 0
) -> Pixels:
    """Makes pictures of what is no digit.

    Picture number n of a seed comes out the same whatever else is in the batch.

    Args:
        images: uint8 (n, 28, 28), digits bright on 0, of which halves and pairs are made.
        labels: (n,), 0 to 9.
        count: how many to make.
        seed: another seed is other pictures.
        first: the number of the first.

    Returns:
        uint8 (count, 28, 28), most of them cut out of synthetic photographs, as digits are.
    """
    made = np.zeros((count, 28, 28), np.uint8)
    kinds, shares = list(KINDS), list(KINDS.values())
    for index in range(count):
        rng = np.random.default_rng((seed, first + index, _STREAM))
        crop = None
        while crop is None:
            crop = background_crop(kinds[rng.choice(len(kinds), p=shares)], images, labels, rng)
        made[index] = crop
    return made


def background_crop(
    kind: str, images: Pixels, labels: Labels, rng: np.random.Generator
) -> Pixels | None:
    """Tries to make one picture of what is no digit.

    Args:
        kind: one of `KINDS`.
        images: see `background_crops`.
        labels: likewise.
        rng: decides everything else.

    Returns:
        uint8 (28, 28); None if nothing was found or it looks like a digit.
    """
    if kind == "clothes":
        return objects.clothes(rng)
    if kind == "pattern":
        return objects.pattern(rng)
    if kind == "clutter":
        return cut_anywhere(objects.photograph(rng), rng)
    if kind == "surface":
        height = int(rng.integers(64, 160))
        return cut_anywhere(empty(rng, (height, int(height * rng.uniform(0.8, 1.5)))), rng)
    drawn = digit_part(images, labels, rng) if kind == "part" else _DRAW[kind](rng)
    if drawn is None or np.count_nonzero(drawn > 127) < _LEAST_INK:
        return None
    if rng.random() >= _DIRECT:
        # What is left of two digits may be one.
        crop = photographed(drawn, rng, whole=kind == "part")
    else:
        crop = (_filling if rng.random() < _FILLING else _bare)(drawn, rng)
    return None if crop is None or is_bar_or_ring(crop) else crop


def photographed(drawn: Pixels, rng: np.random.Generator, *, whole: bool) -> Pixels | None:
    """Photographs a drawing and cuts it out.

    Args:
        drawn: uint8 (h, w), bright on 0.
        rng: decides the photograph and how exact the box is.
        whole: whether a piece of it may look like a digit, so that only all of it is wanted.

    Returns:
        uint8 (28, 28), or None if there is no ink or a piece that looks like a digit.
    """
    height = int(np.exp(rng.uniform(*np.log(_HEIGHTS))))
    scene = draw(rng, [drawn], (height, int(height * rng.uniform(0.8, 1.5))))
    x, y, w, h = map(float, scene.boxes[0])
    if takes_piece := not whole and rng.random() < _PIECE:
        share = rng.uniform(0.4, 0.8, 2)
        x, y = x + rng.random() * (1 - share[0]) * w, y + rng.random() * (1 - share[1]) * h
        w, h = w * share[0], h * share[1]
    error = rng.normal(0, _BOX_ERROR, 4) * (w, h, w, h)
    box = Box(x + error[0], y + error[1], max(2.0, w + error[2]), max(2.0, h + error[3]))
    crop = digit_crop(scene.frame, box)
    return None if crop is None or (takes_piece and is_bar_or_ring(crop)) else crop


def cut_anywhere(frame: Pixels, rng: np.random.Generator) -> Pixels | None:
    """Cuts out any place of a frame without digits.

    Args:
        frame: uint8 (h, w) or (h, w, 3), BGR.
        rng: chooses.

    Returns:
        uint8 (28, 28), or None if nothing is there or it looks like a digit.
    """
    height, width = frame.shape[:2]
    tall = height * 10 ** rng.uniform(-1.0, -0.1)
    wide = tall * rng.uniform(0.3, 1.0)
    box = Box(rng.random() * (width - wide), rng.random() * (height - tall), wide, tall)
    crop = digit_crop(frame, box)
    return None if crop is None or is_bar_or_ring(crop) else crop


def _bare(drawn: Pixels, rng: np.random.Generator) -> Pixels | None:
    """A drawing in MNIST's geometry, sharp or soft; None if there is no ink."""
    crop = mnist_crop(drawn, np.full_like(drawn, 255), 10.0)
    if crop is None:
        return None
    return _softened(crop, rng) if rng.random() < 0.3 else crop


def _filling(drawn: Pixels, rng: np.random.Generator) -> Pixels:
    """A drawing that fills most of the picture or all of it, at times stretched to a square."""
    x, y, w, h = cv2.boundingRect(drawn)
    side = int(rng.integers(22, 29))
    scale = side / max(w, h)
    size = (side, side) if rng.random() < 0.2 else (max(2, int(w * scale)), max(2, int(h * scale)))
    ink = cv2.resize(drawn[y : y + h, x : x + w], size, interpolation=cv2.INTER_AREA)
    picture = np.zeros((28, 28), np.uint8)
    left, top = (28 - size[0]) // 2, (28 - size[1]) // 2
    picture[top : top + size[1], left : left + size[0]] = ink
    return _softened(picture, rng) if rng.random() < 0.4 else picture


def _softened(picture: Pixels, rng: np.random.Generator) -> Pixels:
    soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.0))
    brightened: Pixels = cv2.convertScaleAbs(soft, alpha=255 / max(1, int(soft.max())))
    return brightened


def _letter(rng: np.random.Generator) -> Pixels:
    return drawing(write_letter(rng), rng)


def _lines(rng: np.random.Generator) -> Pixels:
    """A piece of ruled or squared paper, uint8 (56, 56), bright on 0."""
    side = DRAWING_SIDE
    drawn = np.zeros((side, side), np.uint8)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.normal(0, 6), 1.0)
    rows, columns = (int(count) for count in _COUNTS[rng.integers(len(_COUNTS))])
    pitch = rng.uniform(8, 20)
    width = int(rng.integers(1, 6))
    far = (6, side - 6)
    for count, is_row in ((rows, True), (columns, False)):
        places = (np.arange(count) - (count - 1) / 2) * pitch + side / 2
        places = np.clip(places, 3, side - 4)
        # One alone may run along the end of the others: a corner or a T. Not above, as in a 7.
        if count == 1 and rng.random() < 0.5:
            places = np.array([far[1 if is_row else rng.integers(2)]])
        for place in places:
            ends = np.array([(far[0], place), (far[1], place)])[:, :: 1 if is_row else -1]
            start, end = np.round(cv2.transform(ends[None], turn)[0]).astype(int).tolist()
            cv2.line(drawn, start, end, 255, width, cv2.LINE_AA)
    return drawn


_DRAW: dict[str, Callable[[np.random.Generator], Pixels]] = {
    "letter": _letter,
    "symbol": symbol,
    "shape": shape,
    "scribble": scribble,
    "line": _lines,
}
