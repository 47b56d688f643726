"""Frames of a camera that nobody took: digits, what stands around them, and the world without."""

import functools
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from digits_tf.synthetic import ground
from digits_tf.synthetic.background import clutter
from digits_tf.synthetic.canvas import Canvas, Frame, within
from digits_tf.synthetic.writer import Sources, Writer

_SIDES = (200, 420)  # pixels of a frame's shorter side
_NO_DIGIT = 0.36  # share of frames without a digit


def frame(
    rng: np.random.Generator,
    images: np.ndarray,
    labels: np.ndarray,
    world: Sources | None,
) -> Frame:
    """Makes a frame.

    Args:
        rng: decides everything.
        images: uint8 (n, 28, 28), MNIST's training digits, bright on 0.
        labels: (n,), 0 to 9.
        world: fonts and photographs; None: without.
    """
    shorter = int(rng.integers(*_SIDES))
    longer = int(shorter * rng.uniform(1.0, 1.9))
    shape = (shorter, longer) if rng.random() < 0.75 else (longer, shorter)
    without = rng.random() < _NO_DIGIT
    canvas = _ground(rng, shape, world, without)
    writer = Writer(rng, canvas, images, labels, world)
    if rng.random() < 0.15:
        writer.traces()
    lone = None
    if without and rng.random() < 0.25:
        lone = writer.lone()
    elif without:
        for _ in range(rng.integers(0, 4)):
            writer.nonsense()
    else:
        writer.page()
    if rng.random() < 0.1:
        writer.specks()
    if world and world.stamps and rng.random() < (0.35 if without else 0.08):
        for _ in range(rng.integers(1, 4)):
            canvas.paste(rng, _stamp(str(world.stamps[int(rng.integers(len(world.stamps)))])))
    if rng.random() < 0.12:
        canvas.intrude(rng)
    made = canvas.photographed(rng)
    large = made.boxes[(made.boxes[:, 2:].max(axis=1) > 60) & (made.labels >= 0)]
    if lone and rng.random() < 0.4:
        return _closed_in(rng, made, np.array(lone, np.float32))
    if len(large) and rng.random() < 0.15:
        return _closed_in(rng, made, large[rng.integers(len(large))])
    return made


def _closed_in(rng: np.random.Generator, made: Frame, around: np.ndarray) -> Frame:
    """A picture that somebody has cut around a box: x, y, w, h."""
    x, y, w, h = around
    margin = rng.uniform(0, 0.2, 4) * max(w, h)
    left, top = int(max(0, x - margin[0])), int(max(0, y - margin[1]))
    right, bottom = int(np.ceil(x + w + margin[2])), int(np.ceil(y + h + margin[3]))
    image = made.image[top:bottom, left:right]
    if not image.size:
        return made
    return Frame(image, *within(made.boxes - [left, top, 0, 0], made.labels, image.shape))


def _ground(
    rng: np.random.Generator, shape: tuple[int, int], world: Sources | None, without: bool
) -> Canvas:
    height, width = shape
    region = (0, 0, width, height)
    photographs = world.photographs if world else ()
    kind = rng.random()
    if without and kind < 0.58:
        if photographs and rng.random() < 0.85:
            return Canvas(_scenery(rng, shape, photographs), bool(rng.random() < 0.5), region)
        picture = cv2.cvtColor(clutter.frame(rng), cv2.COLOR_BGR2GRAY)
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
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
    surface = (ground.board if rng.random() < 0.3 else ground.paper)(rng, shape)
    sheet = surface.reflectance @ np.array([0.114, 0.587, 0.299], np.float32)
    sheet = np.ascontiguousarray(sheet, np.float32)
    if not photographs or rng.random() > 0.35:
        return Canvas(sheet, surface.light_ink, region)
    # A sheet or board that lies in the world.
    behind = _scenery(rng, shape, photographs)
    size = np.array([width, height]) * rng.uniform(0.45, 0.95, 2)
    corner = np.array([width, height]) * rng.uniform(-0.05, 0.9, 2)
    corner = np.minimum(corner, np.array([width, height]) * 1.02 - size)
    quad = (
        corner
        + size * np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
        + rng.normal(0, 0.02 * width, (4, 2))
    )
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(quad).astype(np.int32)], 255, cv2.LINE_AA)
    alpha = mask.astype(np.float32) / 255
    x, y = (int(each) for each in corner)
    inner = (x + 4, y + 4, max(30, int(size[0]) - 8), max(30, int(size[1]) - 8))
    return Canvas(behind + alpha * (sheet - behind), surface.light_ink, inner)


def _scenery(
    rng: np.random.Generator, shape: tuple[int, int], photographs: Sequence[Path]
) -> np.ndarray:
    """A part of a photograph, float32 (h, w), 0..1."""
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
    return np.clip(scene * rng.uniform(0.5, 1.3) + rng.uniform(-0.1, 0.1), 0, 1)


@functools.lru_cache(maxsize=400)
def _photograph(path: str) -> np.ndarray:
    picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    return np.full((64, 64), 128, np.uint8) if picture is None else picture


@functools.lru_cache(maxsize=1200)
def _stamp(path: str) -> np.ndarray:
    picture = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
        return np.zeros((8, 8, 2), np.uint8)
    grey = cv2.cvtColor(picture[..., :3], cv2.COLOR_BGR2GRAY)
    return np.dstack([grey, picture[..., 3]])
