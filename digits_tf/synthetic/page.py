"""What people write digits in, such as rows, grids and sheets; and what they write else."""

import dataclasses

import cv2
import numpy as np

from digits_tf.synthetic import Labels, Pixels, Points
from digits_tf.synthetic.assets import Assets
from digits_tf.synthetic.canvas import UNSURE, Box, Canvas
from digits_tf.synthetic.glyphs import Glyph, Hand
from digits_tf.synthetic.handwriting import rotation
from digits_tf.synthetic.lines import SEPARATORS, SLASH, Lines
from digits_tf.synthetic.textures import noise

_HEIGHTS = (9.0, 220.0)  # pixels of a digit's height


class Page:
    """Writes on a canvas with one ink.

    Args:
        rng: decides everything.
        canvas: is written on.
        images: uint8 (n, 28, 28), MNIST's training digits, bright on 0.
        labels: (n,), 0 to 9.
        assets: fonts; None: without.

    Attributes:
        lines: the ink, and the lines that are drawn with it.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        canvas: Canvas,
        images: Pixels,
        labels: Labels,
        assets: Assets | None,
    ):
        self._rng, self._canvas = rng, canvas
        self._digits = images, labels
        self._fonts = (assets.handwriting, assets.printed) if assets else ((), ())
        x, y, w, h = canvas.region
        part = canvas.image[max(0, y) : y + h, max(0, x) : x + w]
        paper = float(part.mean()) if part.size else 0.5
        # Faint pencil differs from its paper by a tenth, ink by nearly all.
        strength = 1 - 0.9 * rng.random() ** 2
        level = paper + ((1.05 - paper) if canvas.light_ink else -paper) * strength
        self._turn = np.deg2rad(rng.normal(0, 6) if rng.random() < 0.8 else rng.uniform(-30, 30))
        self.lines = Lines(rng, canvas, level, self._turn)
        if rng.random() < 0.4:
            grain = noise(rng, canvas.image.shape, rng.uniform(0.6, 2.0))
            canvas.texture = np.clip(1 - rng.uniform(0.0, 0.3) * (1 + grain), 0, 1)

    def digits(self) -> None:
        """Writes any of the things that people write digits in."""
        kinds = (self._single, self._row, self._rows, self._grid, self._sheet, self._beside)
        kinds[self._rng.choice(len(kinds), p=(0.33, 0.22, 0.12, 0.13, 0.12, 0.08))]()

    def no_digits(self) -> None:
        """Writes what is no digit: a word, a letter, a mark, areas, a table."""
        rng = self._rng
        height = self._height(7, 120)
        point = self._point()
        kind = rng.random()
        if kind < 0.3:
            self._word(point, height)
        elif kind < 0.57:
            hand = self._hand()
            self._place(hand.letter(), point, height * rng.uniform(1, 2.5))
        elif kind < 0.77:
            self._place(self._hand().mark(), point, height * rng.uniform(0.5, 3))
        elif kind < 0.9:
            self.lines.areas(point, height)
        else:
            rows, columns = rng.integers(1, 8, 2).tolist()
            self.lines.lattice(point, _column(self._turn), height, rows, columns)

    def text(self) -> None:
        """Writes lines of words: letters like digits are none where they stand among others."""
        self._lines_of(words=1.0)

    def lone_sign(self) -> Box | None:
        """Writes one letter or mark as large as a lone digit; returns x, y, w, h of its ink."""
        rng, hand = self._rng, self._hand()
        _, _, w, h = self._canvas.region
        height = _limited(min(w, h) * rng.uniform(0.2, 0.98))
        glyph = hand.letter() if rng.random() < 0.75 else hand.mark()
        return self._place(glyph, self._point(-0.5, height), height)

    def specks(self) -> None:
        """Scatters dust, blots, grains: round and filled."""
        rng = self._rng
        for _ in range(int(rng.integers(3, 60))):
            point, radius = self._point(), 0.4 * 20 ** rng.random() ** 1.5
            ends = np.stack([point, point + rng.normal(0, radius, 2)])
            self._canvas.line(ends, radius, self.lines.level)

    def traces(self) -> None:
        """Writes what was wiped off a board, or shows through a sheet: faint and soft.

        Its digits may be found or not.
        """
        rng, image = self._rng, self._canvas.image
        ink, paper = self.lines.level, float(image.mean())
        self.lines.level = paper + (ink - paper) * rng.uniform(0.08, 0.35)
        mirrored = rng.random() < 0.5
        for _ in range(int(rng.integers(1, 10))):
            hand, kind, digit = self._hand(), rng.random(), int(rng.integers(10))
            label = None
            if kind < 0.5:
                glyph = hand.digit(digit)
                # A 0, a 1 and an 8 are digits from behind, too.
                label = None if mirrored and digit not in (0, 1, 8) else UNSURE
            else:
                glyph = hand.letter() if kind < 0.7 else hand.mark()
            if mirrored:
                glyph = dataclasses.replace(glyph, ink=np.ascontiguousarray(glyph.ink[:, ::-1]))
            self._place(glyph, self._point(), self._height(9, 150), label)
        if rng.random() < 0.7:
            image[:] = cv2.blur(image, (int(rng.integers(1, 8)), int(rng.integers(1, 8))))
        self.lines.level = ink

    # What digits are written in.

    def _single(self) -> None:
        rng = self._rng
        _, _, w, h = self._canvas.region
        height = _limited(min(w, h) * rng.uniform(0.2, 0.98))
        hand = self._hand()
        # At times it ends beyond the border.
        point = self._point(0.15 if rng.random() < 0.15 else -0.5, height)
        # A lone bar is a 1 here and part of the world elsewhere; a 4 has the most forms.
        label = int(rng.choice([1, 4]) if rng.random() < 0.15 else rng.integers(10))
        self._place(hand.digit(label), point, height, label)
        self.lines.around(point, height, rng.uniform(0.6, 2))

    def _row(self) -> None:
        rng = self._rng
        count = int(rng.integers(2, 15)) if rng.random() < 0.6 else int(rng.integers(2, 7))
        x, _, w, h = self._canvas.region
        height = _limited(min(0.8 * h, 1.3 * w / count) * rng.uniform(0.25, 1.0))
        free = max(0.0, w - count * 0.8 * height)
        left = x + rng.uniform(-0.03, 0.1) * w + free * rng.random()
        self._line(np.array([left, self._point(-0.3)[1]]), height, count)

    def _rows(self) -> None:
        rng = self._rng
        x, y, w, h = self._canvas.region
        rows = int(rng.integers(2, 9))
        height = _limited(h / rows * rng.uniform(0.3, 0.75))
        columns = int(rng.integers(1, 4))
        pitch = height * rng.uniform(1.15, 2.2)
        hand = self._hand()
        for column in range(columns):
            left = x + w * (column + rng.uniform(0.02, 0.2)) / columns
            top = y + rng.uniform(0.4, 1.0) * pitch
            for row in range(rows):
                count = max(1, int(w / columns / height * rng.uniform(0.3, 1.1)))
                point = np.array([left, top + row * pitch]) + rng.normal(0, 0.06 * height, 2)
                if rng.random() < 0.8:
                    self._line(point, height, min(count, 12), hand)
                else:
                    self._word(point, height)

    def _grid(self) -> None:
        """Digits in the cells of a sudoku, a form, squared paper."""
        rng = self._rng
        x, y, w, h = self._canvas.region
        rows, columns = (9, 9) if rng.random() < 0.5 else rng.integers(1, 9, 2).tolist()
        cell = min(w / columns, h / rows) * rng.uniform(0.5, 0.98)
        cell = max(cell, 14.0)
        tall = rng.uniform(0.4, 0.95)
        left = x + rng.uniform(0, max(1, w - cell * columns))
        start = np.array([left, y + rng.uniform(0, max(1, h - cell * rows))])
        turn = _column(self._turn * 0.5)
        gap = 0.0 if rng.random() < 0.7 else rng.uniform(0.05, 0.3)
        self.lines.lattice(start, turn, cell, rows, columns, gap)
        hands = [self._hand(), self._hand(printed=1.0)]
        fill, print_share = rng.uniform(0.4, 1.0), rng.choice([0.0, 0.0, 0.4])
        levels = [self.lines.level, self.lines.level * rng.uniform(0.5, 1.2)]
        for row in range(rows):
            for column in range(columns):
                if rng.random() > fill:
                    continue
                point = np.array([column + 0.5, row + 0.5]) * cell + rng.normal(0, 0.05 * cell, 2)
                which = int(rng.random() < print_share)
                label = int(rng.integers(10))
                glyph, level = hands[which].digit(label), levels[which]
                self._place(glyph, start + turn @ point, tall * cell, label, 0.12, level)

    def _sheet(self) -> None:
        """Numbers among text, sums, dates."""
        self._lines_of(words=0.5)

    def _lines_of(self, words: float) -> None:
        """Lines of numbers and words, of which words are a share."""
        rng = self._rng
        x, y, w, h = self._canvas.region
        height = _limited(h * 10 ** rng.uniform(-1.5, -0.6 if words < 1 else -0.3))
        pitch = height * rng.uniform(1.4, 2.6)
        top = y + pitch * rng.uniform(0.2, 0.8)
        if rng.random() < 0.3:
            self.lines.ruled(top + 0.5 * height, pitch)
        while top < y + h:
            left = x + w * rng.uniform(-0.02, 0.3)
            while left < x + 0.9 * w and rng.random() < 0.85:
                point = np.array([left, top])
                if rng.random() < words:
                    left = self._word(point, height)
                else:
                    left = self._line(point, height, int(rng.integers(1, 7)))
                left += height * rng.uniform(0.5, 3)
            top += pitch

    def _beside(self) -> None:
        """Small digits beside a large one."""
        rng = self._rng
        self._single()
        for _ in range(rng.integers(1, 4)):
            height = _limited(self._canvas.region[3] * rng.uniform(0.05, 0.15))
            self._line(self._point(), height, int(rng.integers(1, 8)))

    # Pieces.

    def _hand(self, printed: float = 0.12) -> Hand:
        return Hand(self._rng, *self._digits, *self._fonts, printed)

    def _line(self, start: Points, height: float, count: int, hand: Hand | None = None) -> float:
        """Writes digits from a point on, the middle of the line's left end; returns its end's x."""
        rng = self._rng
        hand = hand or self._hand()
        gaps = [rng.uniform(-0.12, 0.06), rng.uniform(0.05, 0.35), rng.uniform(0.3, 1.3)]
        gap = rng.choice(gaps, p=[0.2, 0.55, 0.25])
        uneven = rng.choice([0.03, 0.08, 0.2])
        climb = rng.choice([0.03, 0.08, 0.3], p=[0.6, 0.3, 0.1])
        separators, date = rng.random() < 0.3, rng.random() < 0.12
        turn = _column(self._turn)
        along = 0.0
        for place in range(count):
            tall = height * np.clip(rng.normal(1, uneven), 0.5, 1.3)
            label = int(rng.integers(10))
            glyph = hand.digit(label)
            wide = glyph.ink.shape[1] / glyph.ink.shape[0] * tall * glyph.tall
            across = rng.normal(0, climb * height) + 0.5 * (height - tall) * rng.choice([1, 1, 0])
            middle = start + turn @ np.array([along + wide / 2, across])
            if middle[0] > self._canvas.image.shape[1] + height:
                break
            self._place(glyph, middle, tall, label)
            along += wide + gap * height * rng.uniform(0.6, 1.4)
            if place + 1 < count and ((date and place % 2) or (separators and rng.random() < 0.5)):
                number = SLASH if date else int(rng.integers(len(SEPARATORS)))
                along += self.lines.separator(number, start, turn, along, height)
        end = start + turn @ np.array([along, 0.0])
        self.lines.around((start + end) / 2, height, max(1.0, along / height))
        return float(end[0])

    def _word(self, start: Points, height: float) -> float:
        """Writes letters from a point on, see `_line`."""
        rng = self._rng
        hand = self._hand(printed=0.5)
        turn = _column(self._turn)
        along = 0.0
        for glyph in hand.word():
            wide = glyph.ink.shape[1] / glyph.ink.shape[0] * height * glyph.tall
            middle = start + turn @ np.array([along + wide / 2, 0.0])
            if middle[0] - wide / 2 > self._canvas.image.shape[1]:
                break
            self._place(glyph, middle, height)
            along += wide + height * rng.uniform(0.02, 0.2)
        return float((start + turn @ np.array([along, 0.0]))[0])

    def _place(
        self,
        glyph: Glyph,
        middle: Points,
        height: float,
        label: int | None = None,
        jitter: float = 0.06,
        level: float | None = None,
    ) -> Box | None:
        """Draws a glyph and notes it if it is a digit.

        Args:
            glyph: what is drawn.
            middle: of its line there, x and y in pixels.
            height: of a digit in its line, in pixels.
            label: 0 to 9 or `UNSURE`; None: it is no digit.
            jitter: deviation of its turn from the page's, in radians.
            level: reflectance of the ink; None: the page's.

        Returns:
            x, y, w, h of its ink; None if it is too small.
        """
        rng = self._rng
        h, w = glyph.ink.shape
        tall = height * glyph.tall
        if tall < 4 or h < 2 or w < 2:
            return None
        turn = _column(self._turn + rng.normal(0, jitter))
        shape = np.array([[rng.uniform(0.85, 1.15), rng.normal(0, 0.12)], [0.0, 1.0]])
        linear = turn @ shape * (tall / h)
        # Feet stand on the line: what is smaller than a digit hangs lower.
        lower = turn @ np.array([0.0, height * (0.5 + glyph.drop) - tall / 2])
        shift = middle + lower - linear @ np.array([w / 2, h / 2])
        matrix = np.concatenate([linear, shift[:, None]], axis=1)
        box = self._canvas.ink(glyph.ink, matrix, self.lines.level if level is None else level)
        if label is not None:
            self._canvas.add(box, label)
        return box

    # Places.

    def _height(self, low: float, high: float) -> float:
        return float(low * (high / low) ** self._rng.random())

    def _point(self, beyond: float = 0.0, size: float = 0.0) -> Points:
        """A point of the paper; `beyond` is how far over its border a thing of a size may lie."""
        x, y, w, h = self._canvas.region
        margin = -beyond * size
        low = np.array([x + margin * 0.8, y + margin])
        high = np.array([x + w - margin * 0.8, y + h - margin])
        extent: Points = np.maximum(high - low, 1)
        return low + extent * self._rng.random(2)


def _limited(height: float) -> float:
    return float(np.clip(height, *_HEIGHTS))


def _column(angle: float) -> Points:
    """A turn by an angle in radians: (2, 2), for column vectors."""
    return rotation(-angle)
