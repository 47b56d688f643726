"""Frames of a camera that nobody took: digits and what stands around them, or none."""

import functools
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from digits_tf.synthetic import Field, Labels, Pixels, objects
from digits_tf.synthetic.assets import Assets
from digits_tf.synthetic.canvas import Box, Canvas, Frame, within
from digits_tf.synthetic.page import Page
from digits_tf.synthetic.textures import board, paper

_SIDES = (200, 420)  # pixels of a frame's shorter side
_NO_DIGIT = 0.4  # share of frames without a digit
_SCENERY = 0.52  # of these, the share without paper or a board
_LONE_SIGN, _TEXT = 0.22, 0.28  # of these, the shares with one sign, and with lines of words


def frame(
    rng: np.random.Generator,
    images: Pixels,
    labels: Labels,
    assets: Assets | None,
    only_words: bool = False,
) -> Frame:
    """Makes a frame.

    Args:
        rng: decides everything.
        images: uint8 (n, 28, 28), MNIST's training digits, bright on 0.
        labels: (n,), 0 to 9.
        assets: fonts and photographs; None: without.
        only_words: write lines of words and no digit.
    """
    shorter = int(rng.integers(*_SIDES))
    longer = int(shorter * rng.uniform(1.0, 1.9))
    shape = (shorter, longer) if rng.random() < 0.75 else (longer, shorter)
    without = rng.random() < _NO_DIGIT or only_words
    canvas = _ground(rng, shape, assets, without)
    page = Page(rng, canvas, images, labels, assets)
    if rng.random() < 0.15:
        page.traces()
    lone, kind = None, rng.random()
    if only_words or (without and kind < _TEXT):
        page.text()
    elif without and kind < _TEXT + _LONE_SIGN:
        lone = page.lone_sign()
    elif without:
        for _ in range(rng.integers(0, 4)):
            page.no_digits()
    else:
        page.digits()
    if rng.random() < 0.1:
        page.specks()
    if assets and assets.stamps and rng.random() < (0.35 if without else 0.08):
        for _ in range(rng.integers(1, 4)):
            canvas.paste(rng, _stamp(str(assets.stamps[int(rng.integers(len(assets.stamps)))])))
    if rng.random() < 0.12:
        canvas.intrude(rng)
    made = canvas.photographed(rng)
    large = made.boxes[(made.boxes[:, 2:].max(axis=1) > 60) & (made.labels >= 0)]
    if lone and rng.random() < 0.4:
        return _cut_around(rng, made, tuple(np.array(lone, np.float32)))
    if len(large) and rng.random() < 0.15:
        return _cut_around(rng, made, tuple(large[rng.integers(len(large))]))
    return made


def _cut_around(rng: np.random.Generator, made: Frame, box: Box) -> Frame:
    """A picture that somebody has cut around a box."""
    x, y, w, h = box
    margin = rng.uniform(0, 0.2, 4) * max(w, h)
    left, top = int(max(0, x - margin[0])), int(max(0, y - margin[1]))
    right, bottom = int(np.ceil(x + w + margin[2])), int(np.ceil(y + h + margin[3]))
    image = made.image[top:bottom, left:right]
    if not image.size:
        return made
    boxes, labels = within(made.boxes - [left, top, 0, 0], made.labels, image.shape)
    return Frame(image, boxes, labels)


def _ground(
    rng: np.random.Generator, shape: tuple[int, int], assets: Assets | None, without: bool
) -> Canvas:
    """What is written on, or without a digit what a camera sees where nobody writes."""
    region = (0, 0, shape[1], shape[0])
    photographs = assets.photographs if assets else ()
    kind = rng.random()
    if without and kind < _SCENERY:
        if photographs and rng.random() < 0.85:
            return Canvas(_scenery(rng, shape, photographs), bool(rng.random() < 0.5), region)
        picture = cv2.cvtColor(objects.photograph(rng), cv2.COLOR_BGR2GRAY)
        picture = cv2.resize(picture, shape[::-1], interpolation=cv2.INTER_LINEAR)
        return Canvas(picture.astype(np.float32) / 255, False, region)
    if kind < 0.1:  # a screen, a scan
        level = rng.choice([0.0, 1.0, rng.uniform(0, 1)])
        flat = np.full(shape, level, np.float32)
        return Canvas(flat, bool(level < rng.uniform(0.3, 0.7)), region)
    if photographs and kind < 0.22:  # a wall, a table, cloth
        scene = _scenery(rng, shape, photographs)
        mean = float(scene.mean())
        scene = mean + rng.uniform(0.1, 0.5) * (scene - mean)
        return Canvas(scene.astype(np.float32), bool(mean < rng.uniform(0.3, 0.7)), region)
    surface = (board if rng.random() < 0.3 else paper)(rng, shape)
    sheet = surface.reflectance @ np.array([0.114, 0.587, 0.299], np.float32)
    sheet = np.ascontiguousarray(sheet, np.float32)
    if photographs and rng.random() <= 0.35:
        sheet, region = _lying(rng, sheet, _scenery(rng, shape, photographs))
    return Canvas(sheet, surface.light_ink, region)


def _lying(
    rng: np.random.Generator, sheet: Field, behind: Field
) -> tuple[Field, tuple[int, int, int, int]]:
    """A sheet or board that lies somewhere: the picture, and x, y, w, h where one can write."""
    size = np.array(sheet.shape[::-1])
    extent = size * rng.uniform(0.45, 0.95, 2)
    corner = size * rng.uniform(-0.05, 0.9, 2)
    corner = np.minimum(corner, size * 1.02 - extent)
    quad = corner + extent * np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    quad = quad + rng.normal(0, 0.02 * size[0], (4, 2))
    mask = np.zeros(sheet.shape, np.uint8)
    cv2.fillPoly(mask, [np.round(quad).astype(np.int32)], 255, cv2.LINE_AA)
    alpha = mask.astype(np.float32) / 255
    x, y = (int(each) for each in corner)
    inner = (x + 4, y + 4, max(30, int(extent[0]) - 8), max(30, int(extent[1]) - 8))
    return behind + alpha * (sheet - behind), inner


def _scenery(
    rng: np.random.Generator, shape: tuple[int, int], photographs: Sequence[Path]
) -> Field:
    """A part of a photograph, float (h, w), 0..1."""
    picture = _photograph(str(photographs[int(rng.integers(len(photographs)))]))
    height, width = picture.shape
    fit = min(height / shape[0], width / shape[1])
    zoom = fit * 10 ** rng.uniform(-0.7, 0.0)
    h, w = max(8, int(shape[0] * zoom)), max(8, int(shape[1] * zoom))
    top, left = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    part = picture[top : top + h, left : left + w]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    if rng.random() < 0.15:
        part = np.rot90(part)
    way = cv2.INTER_AREA if zoom > 1 else cv2.INTER_CUBIC
    part = cv2.resize(np.ascontiguousarray(part), shape[::-1], interpolation=way)
    scene = part.astype(np.float32) / 255
    if rng.random() < 0.1:
        scene = 1 - scene
    return np.asarray(np.clip(scene * rng.uniform(0.5, 1.3) + rng.uniform(-0.1, 0.1), 0, 1))


@functools.lru_cache(maxsize=400)
def _photograph(path: str) -> Pixels:
    picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    return np.full((64, 64), 128, np.uint8) if picture is None else picture


@functools.lru_cache(maxsize=1200)
def _stamp(path: str) -> Pixels:
    picture = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
        return np.zeros((8, 8, 2), np.uint8)
    grey = cv2.cvtColor(picture[..., :3], cv2.COLOR_BGR2GRAY)
    return np.dstack([grey, picture[..., 3]])
