"""Digits drawn by the tests themselves: any size, pen, colour and ground, with the truth beside."""

import dataclasses

import cv2
import numpy as np

from digits_tf.synthetic import handwriting

_SHIFT = 4  # bits after the point in OpenCV's coordinates


def rng(seed=0):
    return np.random.default_rng(seed)


def stroke_ink(shape, strokes, centre, tall, pen):
    """How much ink covers each pixel, float32 (h, w), 0..1, of strokes in a box of height 1."""
    ink = np.zeros(shape, np.uint8)
    # The pen's own width belongs to the digit's height.
    scale = max(1.0, tall - pen)
    lines = [
        np.round((np.asarray(stroke) * scale + centre) * (1 << _SHIFT)).astype(np.int32)
        for stroke in strokes
    ]
    cv2.polylines(ink, lines, False, 255, max(1, round(pen)), cv2.LINE_AA, _SHIFT)
    return ink.astype(np.float32) / 255


@dataclasses.dataclass
class Drawing:
    """Ink of several digits.

    Attributes:
        shape: of the frame.
        ink: float32 (h, w), 0..1.
        digits: in the order of drawing.
        boxes: x, y, w, h of each.
    """

    shape: tuple[int, int]
    ink: np.ndarray = None
    digits: list = dataclasses.field(default_factory=list)
    boxes: list = dataclasses.field(default_factory=list)

    def __post_init__(self):
        self.ink = np.zeros(self.shape, np.float32)

    def write(self, digit, generator, centre, tall, pen=None, strokes=None):
        """Writes one digit about `centre` (x, y); the pen is a tenth of its height unless told."""
        strokes = handwriting.write(digit, generator) if strokes is None else strokes
        ink = stroke_ink(self.shape, strokes, np.array(centre), tall, pen or max(1.0, tall / 10))
        self.ink = np.maximum(self.ink, ink)
        self.digits.append(digit)
        self.boxes.append(cv2.boundingRect((ink > 0.5).astype(np.uint8)))
        return self

    def on(self, ground, colour=40):
        """The frame: ink of a colour over a ground, a number or float (h, w) or (h, w, 3)."""
        ground, cover = np.asarray(ground, np.float32), self.ink
        if ground.ndim == 3 or np.ndim(colour):
            ground, cover = np.atleast_3d(ground), cover[..., None]
        frame = ground * (1 - cover) + np.float32(colour) * cover
        return np.clip(np.round(frame), 0, 255).astype(np.uint8)

    @property
    def text(self):
        return "".join(map(str, self.digits))


def one(digit, generator, shape=(480, 640), share=0.4, pen=None):
    """One digit somewhere in a frame, `share` of its height tall."""
    height, width = shape
    tall = share * height
    # Half its height and a little more from every edge.
    x = generator.uniform(0.6 * tall, max(0.61 * tall, width - 0.6 * tall))
    y = generator.uniform(0.53 * tall, max(0.54 * tall, height - 0.53 * tall))
    if 1.2 * tall > width:
        x = width / 2
    return Drawing(shape).write(digit, generator, (x, y), tall, pen and pen * tall)


def row(digits, generator, shape=(480, 640), tall=60, pen=None, left=None, y=None, rise=0.0):
    """Digits side by side, the middle of the first at height `y`, going up by `rise` a pixel."""
    drawing = Drawing(shape)
    x = tall if left is None else left
    y = shape[0] / 2 if y is None else y
    for digit in digits:
        drawing.write(digit, generator, (x, y - rise * x), tall, pen)
        x += tall * generator.uniform(0.85, 1.1)
    return drawing


def overlap(one, other):
    """Intersection over union of two boxes."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(0, width) * max(0, height)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
