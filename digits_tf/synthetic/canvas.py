"""A synthetic picture in work, what a camera makes of it, and where its digits are."""

import dataclasses

import cv2
import numpy as np

from digits_tf.synthetic import Field, Labels, Pixels, Points
from digits_tf.synthetic.textures import light, noise

# A digit of which less is in the frame is none; of which so much is, has to be found.
GONE, WHOLE = 0.35, 0.7
# A box's label where what it holds may be a digit or not: nothing is to be learned from it.
UNSURE = -1
# Of a digit that is covered.
_COVERED = -2
# Grey levels between a digit's ink and its ground that a person sees.
_VISIBLE = 9
# Pixels of the longer side of ink; what is larger is left out.
_LARGEST = 2500
# Of 255 where a pixel is ink: strong enough to be in the box, and where nothing is.
_INK, _FAINT_INK = 60, 15


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """A synthetic frame.

    Attributes:
        image: uint8 (h, w), grey.
        boxes: float32 (n, 4), x, y, width, height of each digit's ink in pixels.
        labels: int8 (n,), 0 to 9, or `UNSURE`.
    """

    image: Pixels
    boxes: Field
    labels: Labels


Box = tuple[float, float, float, float]


def within(boxes: Field, labels: Labels, shape: tuple[int, ...]) -> tuple[Field, Labels]:
    """What of digits is in a picture of a shape: its border cuts as a frame's does.

    Args:
        boxes: float (n, 4), x, y, w, h; they may lie partly or wholly outside.
        labels: (n,).
        shape: height and width.

    Returns:
        Boxes, float32, and labels of those that are not `GONE`, `UNSURE` if they are not `WHOLE`.
    """
    size = np.array([shape[1], shape[0]])
    low = np.clip(boxes[:, :2], 0, size)
    high = np.clip(boxes[:, :2] + boxes[:, 2:], 0, size)
    share = (high - low).prod(axis=1) / np.maximum(boxes[:, 2:].prod(axis=1), 1e-6)
    kept = share > GONE
    labels = np.where(share < WHOLE, UNSURE, labels)
    return np.concatenate([low, high - low], axis=1)[kept].astype(np.float32), labels[kept]


class Canvas:
    """A picture in work: reflectance and the boxes on it.

    Args:
        reflectance: float32 (h, w), 0..1; it is drawn on.
        light_ink: whether ink is lighter than what it is on.
        region: x, y, w, h where there is paper.

    Attributes:
        image: float32 (h, w), 0..1.
        light_ink: see above.
        region: see above.
        boxes: x, y, w, h of each digit's ink, as far as it is in the picture.
        labels: of each digit: 0 to 9, `UNSURE`, or -2 if it is covered.
        texture: float (h, w), 0..1, how much ink stays on what it is on: uneven of chalk, pencil.
    """

    def __init__(self, reflectance: Field, light_ink: bool, region: tuple[int, int, int, int]):
        self.image = reflectance
        self.light_ink = light_ink
        self.region = region
        self.boxes: list[Box] = []
        self.labels: list[int] = []
        self.texture: Field | None = None

    def ink(self, glyph: Pixels, matrix: Points, level: float) -> Box | None:
        """Lays ink on.

        Args:
            glyph: uint8 (h, w), 255 is ink.
            matrix: float (2, 3), from the glyph's pixels to the picture's.
            level: reflectance of the ink, 0..1.

        Returns:
            x, y, w, h of the ink's box as if the picture were larger; None if it is of no size.
        """
        glyph, matrix = _reduced(glyph, matrix)
        h, w = glyph.shape
        corners = np.array([[0, 0, 1], [w, 0, 1], [0, h, 1], [w, h, 1]]) @ matrix.T
        low = np.floor(corners.min(0)).astype(int) - 1
        size = np.ceil(corners.max(0)).astype(int) + 2 - low
        if size.max() > _LARGEST:
            return None
        moved = matrix.copy()
        moved[:, 2] -= low
        patch = cv2.warpAffine(glyph, moved, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR)
        x, y, bw, bh = cv2.boundingRect((patch > _INK).astype(np.uint8))
        if not bw:
            x, y, bw, bh = cv2.boundingRect((patch > _FAINT_INK).astype(np.uint8))
        self.cover(patch, (int(low[0]), int(low[1])), level)
        return (low[0] + x, low[1] + y, bw, bh) if bw else None

    def cover(self, patch: Pixels, corner: tuple[int, int], level: float) -> None:
        """Lays a patch of ink, uint8 (h, w), on the picture with its corner at x, y."""
        top, left = max(0, corner[1]), max(0, corner[0])
        bottom = min(self.image.shape[0], corner[1] + patch.shape[0])
        right = min(self.image.shape[1], corner[0] + patch.shape[1])
        if bottom <= top or right <= left:
            return
        part = patch[top - corner[1] : bottom - corner[1], left - corner[0] : right - corner[0]]
        alpha = part.astype(np.float32) / 255
        if self.texture is not None:
            alpha = alpha * self.texture[top:bottom, left:right]
        below = self.image[top:bottom, left:right]
        below += alpha * (level - below)

    def line(self, ends: Points, width: float, level: float, opacity: float = 1.0) -> None:
        """Draws a polyline; float (n, 2) x and y in pixels, its width in pixels."""
        pad = int(width) + 3
        low = np.maximum(np.floor(ends.min(axis=0)).astype(int) - pad, -pad)
        shape = np.array(self.image.shape[::-1])
        high = np.minimum(np.ceil(ends.max(axis=0)).astype(int) + pad, shape + pad)
        if (high <= low).any():
            return
        # Lines thinner than a pixel are drawn a pixel wide and fainter.
        strength = 255 * opacity * min(1.0, width)
        patch = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        points = np.round((ends - low) * 16).astype(np.int32)
        thickness = max(1, round(width))
        cv2.polylines(patch, [points], False, strength, thickness, cv2.LINE_AA, 4)
        self.cover(patch, (int(low[0]), int(low[1])), level)

    def paste(self, rng: np.random.Generator, stamp: Pixels) -> None:
        """Puts a thing, uint8 (h, w, 2) of grey and alpha, anywhere."""
        height, width = self.image.shape
        tall = max(8, int(height * 10 ** rng.uniform(-1.0, 0.1)))
        wide = max(8, int(tall * stamp.shape[1] / stamp.shape[0] * rng.uniform(0.8, 1.25)))
        thing = cv2.resize(stamp, (wide, tall), interpolation=cv2.INTER_AREA)
        if rng.random() < 0.5:
            thing = thing[:, ::-1]
        x, y = int(rng.uniform(-wide / 2, width - wide / 2)), int(rng.uniform(-tall / 2, height))
        top, left, bottom, right = max(0, y), max(0, x), min(height, y + tall), min(width, x + wide)
        if bottom <= top or right <= left:
            return
        part = thing[top - y : bottom - y, left - x : right - x].astype(np.float32) / 255
        below = self.image[top:bottom, left:right]
        below += part[..., 1] * (part[..., 0] - below)
        self._hide(part[..., 1], left, top)

    def intrude(self, rng: np.random.Generator) -> None:
        """A finger, a pen, a sleeve from beyond the border."""
        height, width = self.image.shape
        edge = rng.integers(4)
        along = rng.uniform(0, 1)
        start = np.array(
            [(along * width, -9), (along * width, height + 9), (-9, along * height),
             (width + 9, along * height)][edge]
        )  # fmt: skip
        tip = np.array([width, height]) * rng.uniform(0.15, 0.85, 2)
        thick = min(height, width) * 10 ** rng.uniform(-1.7, -0.7)
        patch = np.zeros((height, width), np.uint8)
        for _ in range(rng.integers(1, 4)):
            shift = rng.normal(0, thick, 2)
            ends = np.round(np.stack([start + shift, tip + shift])).astype(np.int32)
            cv2.line(
                patch, ends[0].tolist(), ends[1].tolist(), 255, max(2, int(thick)), cv2.LINE_AA
            )
        shade = rng.uniform(0.1, 0.8)
        alpha = patch.astype(np.float32) / 255
        body = shade * (1 + 0.15 * noise(rng, (height, width), thick))
        self.image += alpha * (body.astype(np.float32) - self.image)
        self._hide(alpha, 0, 0)

    def _hide(self, alpha: Field, left: int, top: int) -> None:
        """What is covered is no digit any more; what is partly covered may be one."""
        for index, (x, y, w, h) in enumerate(self.boxes):
            x0, y0 = max(0, int(x) - left), max(0, int(y) - top)
            part = alpha[y0 : max(0, int(y + h) - top), x0 : max(0, int(x + w) - left)]
            hidden = float(part.sum()) / max(w * h, 1)
            if hidden > 0.7:
                self.labels[index] = _COVERED
            elif hidden > 0.02:
                self.labels[index] = UNSURE

    def add(self, box: Box | None, label: int) -> None:
        """Notes a digit."""
        if box is None:
            return
        height, width = self.image.shape
        x, y, w, h = box
        left, top, right, bottom = max(0, x), max(0, y), min(width, x + w), min(height, y + h)
        seen = max(0, right - left) * max(0, bottom - top) / max(1, w * h)
        if seen > GONE:
            self.boxes.append((left, top, right - left, bottom - top))
            self.labels.append(label if seen >= WHOLE else UNSURE)

    def photographed(self, rng: np.random.Generator) -> Frame:
        """What a camera makes of it."""
        image, clean, grain = _photographed(rng, self.image)
        for index, (x, y, w, h) in enumerate(self.boxes):
            part = clean[int(y) : int(y + h) + 1, int(x) : int(x + w) + 1]
            # What no person could see shall not be found.
            if not part.size or float(part.max() - part.min()) < max(_VISIBLE, 1.5 * grain):
                self.labels[index] = min(self.labels[index], UNSURE)
        kept = [number for number, label in enumerate(self.labels) if label >= UNSURE]
        boxes = np.array([self.boxes[number] for number in kept], np.float32).reshape(-1, 4)
        return Frame(image, boxes, np.array([self.labels[number] for number in kept], np.int8))


def _reduced(glyph: Pixels, matrix: Points) -> tuple[Pixels, Points]:
    """A glyph that is to be shrunk much, shrunk by a whole number already, and its matrix."""
    height, width = glyph.shape
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    step = 1
    while scale * step < 0.6 and min(glyph.shape) // (2 * step) >= 2:
        step *= 2
    if step == 1:
        return glyph, matrix
    size = max(1, width // step), max(1, height // step)
    matrix = matrix.copy()
    matrix[:, 0] *= width / size[0]
    matrix[:, 1] *= height / size[1]
    return cv2.resize(glyph, size, interpolation=cv2.INTER_AREA), matrix


def _photographed(rng: np.random.Generator, reflectance: Field) -> tuple[Pixels, Field, float]:
    """Light, focus, motion, noise, compression.

    Returns:
        The picture, uint8 (h, w); the same before noise, float (h, w); the noise's deviation.
    """
    shape = reflectance.shape[0], reflectance.shape[1]
    field: Field = reflectance
    if rng.random() < 0.7:
        field = field * light(rng, shape) * rng.uniform(0.45, 1.1)
    if rng.random() < 0.08:  # glare
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        spot = rng.uniform(0, 1, 2) * shape
        reach = max(shape) * rng.uniform(0.05, 0.3)
        field = field + rng.uniform(0.3, 1.0) * np.exp(
            -((y - spot[0]) ** 2 + (x - spot[1]) ** 2) / reach**2
        )
    blur = rng.random()
    if blur < 0.45:
        field = cv2.GaussianBlur(field, (0, 0), rng.uniform(0.3, 1.2))
    elif blur < 0.53:
        field = cv2.GaussianBlur(field, (0, 0), rng.uniform(1.0, 2.2))
    if rng.random() < 0.08:  # the hand moved
        length = int(rng.integers(2, 6))
        kernel = np.zeros((length, length), np.float32)
        if rng.random() < 0.5:
            kernel[length // 2] = 1 / length
        else:
            kernel[:, length // 2] = 1 / length
        field = cv2.filter2D(field, -1, kernel)
    if rng.random() < 0.3:
        field = np.clip(field, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.35)))
    sigma = 10 ** rng.uniform(-0.5, 1.0)
    clean = 255 * np.clip(field, 0, 1)
    frame = clean + sigma * noise(rng, shape, rng.uniform(0.3, 0.8))
    image = np.clip(frame, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 96))]
        content = cv2.imencode(".jpg", image, quality)[1]
        image = np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE))
    return image, clean, sigma
