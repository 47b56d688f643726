"""What people write digits in, and what stands around them."""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from digits_tf.synthetic.canvas import UNSURE, Canvas
from digits_tf.synthetic.glyphs import WORD_LETTERS, Glyph, Hand
from digits_tf.synthetic.textures import noise

# Pixels of a digit's height.
_HEIGHTS = (9.0, 220.0)


# Points in heights of a digit, from its middle left; and how far the hand moves on.
_SEPARATORS = (
    ([(0.0, 0.46), (0.02, 0.5)], 0.12),  # a point
    ([(0.05, 0.42), (0.0, 0.62)], 0.15),  # a comma
    ([(0.0, 0.0), (0.3, 0.0)], 0.4),  # minus
    ([(0.35, -0.62), (-0.05, 0.62)], 0.5),  # the stroke of a date
    ([(0.0, 0.0), (0.36, 0.0), (0.18, 0.0), (0.18, -0.2), (0.18, 0.2)], 0.5),  # plus
    ([(0.0, -0.1), (0.35, -0.1)], 0.5),  # equals, upper
    ([(0.12, -0.6), (0.0, -0.2), (0.0, 0.2), (0.12, 0.6)], 0.25),  # bracket
    ([(0.0, -0.6), (0.12, -0.2), (0.12, 0.2), (0.0, 0.6)], 0.25),
    ([(0.0, -0.2), (0.02, -0.16)], 0.15),  # colon
    ([(0.0, -0.2), (0.3, 0.2), (0.15, 0.0), (0.0, 0.2), (0.3, -0.2)], 0.45),  # times
)
_SLASH = 3


class Sources(Protocol):
    """What frames are made of; `scenes.fetch.World` has it."""

    @property
    def handwriting(self) -> Sequence[Path]:
        """TrueType files of handwriting."""

    @property
    def printed(self) -> Sequence[Path]:
        """TrueType files of print."""

    @property
    def photographs(self) -> Sequence[Path]:
        """Pictures without a digit."""

    @property
    def stamps(self) -> Sequence[Path]:
        """Things, cut out: PNG files with alpha."""


class Writer:
    """Writes on a canvas."""

    def __init__(
        self,
        rng: np.random.Generator,
        canvas: Canvas,
        images: np.ndarray,
        labels: np.ndarray,
        world: Sources | None,
    ):
        self._rng, self._canvas = rng, canvas
        fonts = (world.handwriting, world.printed) if world else ((), ())
        self._hand = functools.partial(Hand, rng, images, labels, *fonts)
        x, y, w, h = canvas.region
        part = canvas.image[max(0, y) : y + h, max(0, x) : x + w]
        paper = float(part.mean()) if part.size else 0.5
        # Faint pencil differs from its paper by a tenth, ink by nearly all.
        strength = 1 - 0.9 * rng.random() ** 2
        self._level = paper + ((1.05 - paper) if canvas.light_ink else -paper) * strength
        self._turn = np.deg2rad(rng.normal(0, 6) if rng.random() < 0.8 else rng.uniform(-30, 30))
        if rng.random() < 0.4:
            grain = noise(rng, canvas.image.shape, rng.uniform(0.6, 2.0))
            canvas.texture = np.clip(1 - rng.uniform(0.0, 0.3) * (1 + grain), 0, 1)

    def page(self) -> None:
        """Writes any of the things that people write digits in."""
        kinds = (self._single, self._row, self._rows, self._grid, self._sheet, self._beside)
        kinds[self._rng.choice(len(kinds), p=(0.33, 0.22, 0.12, 0.13, 0.12, 0.08))]()

    def nonsense(self) -> None:
        """Writes what is no digit: words, letters, shapes, bars."""
        rng = self._rng
        height = self._height(7, 120)
        point = self._point(0.0)
        kind = rng.random()
        if kind < 0.3:
            self._word(point, height)
        elif kind < 0.57:
            hand = self._hand()
            self._place(hand.letter(), point, height * rng.uniform(1, 2.5))
        elif kind < 0.77:
            self._place(self._hand().mark(), point, height * rng.uniform(0.5, 3))
        elif kind < 0.9:
            self._bars(point, height)
        else:
            self._table(point, height)

    def lone(self) -> tuple | None:
        """Writes one letter or mark as large as a lone digit; returns x, y, w, h of its ink."""
        rng, hand = self._rng, self._hand()
        _, _, w, h = self._canvas.region
        height = self._limited(min(w, h) * rng.uniform(0.2, 0.98))
        glyph = hand.letter() if rng.random() < 0.75 else hand.mark()
        return self._place(glyph, self._point(-0.5, height), height)

    def specks(self) -> None:
        """Dust, blots, grains: round and filled."""
        rng = self._rng
        for _ in range(int(rng.integers(3, 60))):
            point, radius = self._point(0.0), 0.4 * 20 ** rng.random() ** 1.5
            self._canvas.line(
                np.stack([point, point + rng.normal(0, radius, 2)]), radius, self._level
            )

    def traces(self) -> None:
        """What was wiped off a board, or shows through from a sheet's other side: faint, soft.

        Its digits may be found or not.
        """
        rng, image = self._rng, self._canvas.image
        ink, paper = self._level, float(image.mean())
        self._level = paper + (ink - paper) * rng.uniform(0.08, 0.35)
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
            self._place(glyph, self._point(0.0), self._height(9, 150), label)
        if rng.random() < 0.7:
            image[:] = cv2.blur(image, (int(rng.integers(1, 8)), int(rng.integers(1, 8))))
        self._level = ink

    # What is written.

    def _single(self) -> None:
        rng = self._rng
        _, _, w, h = self._canvas.region
        height = self._limited(min(w, h) * rng.uniform(0.2, 0.98))
        hand = self._hand()
        # At times it ends beyond the border.
        point = self._point(0.15 if rng.random() < 0.15 else -0.5, height)
        # A lone bar is a 1 here and part of the world elsewhere; a 4 has the most forms.
        label = int(rng.choice([1, 4]) if rng.random() < 0.15 else rng.integers(10))
        self._place(hand.digit(label), point, height, label)
        self._around(point, height, rng.uniform(0.6, 2))

    def _row(self) -> None:
        rng = self._rng
        count = int(rng.integers(2, 15)) if rng.random() < 0.6 else int(rng.integers(2, 7))
        _, _, w, h = self._canvas.region
        height = self._limited(min(0.8 * h, 1.3 * w / count) * rng.uniform(0.25, 1.0))
        start = np.array([self._left(count * 0.8 * height), self._point(-0.3)[1]])
        self._line(start, height, count)

    def _rows(self) -> None:
        rng = self._rng
        x, y, w, h = self._canvas.region
        rows = int(rng.integers(2, 9))
        height = self._limited(h / rows * rng.uniform(0.3, 0.75))
        columns = max(1, int(rng.integers(1, 4)))
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
        start = np.array([x + rng.uniform(0, max(1, w - cell * columns)),
                          y + rng.uniform(0, max(1, h - cell * rows))])  # fmt: skip
        turn = self._matrix(self._turn * 0.5)
        gap = 0.0 if rng.random() < 0.7 else rng.uniform(0.05, 0.3)
        self._lattice(start, turn, cell, rows, columns, gap)
        hands = [self._hand(), self._hand(printed=1.0)]
        fill, print_share = rng.uniform(0.4, 1.0), rng.choice([0.0, 0.0, 0.4])
        levels = [self._level, self._level * rng.uniform(0.5, 1.2)]
        for row in range(rows):
            for column in range(columns):
                if rng.random() > fill:
                    continue
                point = np.array([column + 0.5, row + 0.5]) * cell + rng.normal(0, 0.05 * cell, 2)
                which = int(rng.random() < print_share)
                label = int(rng.integers(10))
                self._place(
                    hands[which].digit(label), start + turn @ point, tall * cell, label,
                    jitter=0.12, level=levels[which],
                )  # fmt: skip

    def _sheet(self) -> None:
        """Numbers among text, sums, dates."""
        rng = self._rng
        x, y, w, h = self._canvas.region
        height = self._limited(h * 10 ** rng.uniform(-1.5, -0.6))
        pitch = height * rng.uniform(1.4, 2.6)
        top = y + pitch * rng.uniform(0.2, 0.8)
        if rng.random() < 0.3:
            self._ruled(top + 0.5 * height, pitch)
        while top < y + h:
            left = x + w * rng.uniform(-0.02, 0.3)
            while left < x + 0.9 * w and rng.random() < 0.85:
                point = np.array([left, top])
                if rng.random() < 0.5:
                    left = self._line(point, height, int(rng.integers(1, 7)))[0]
                else:
                    left = self._word(point, height)[0]
                left += height * rng.uniform(0.5, 3)
            top += pitch

    def _beside(self) -> None:
        """Small digits beside a large one."""
        rng = self._rng
        self._single()
        for _ in range(rng.integers(1, 4)):
            _, _, _, h = self._canvas.region
            height = self._limited(h * rng.uniform(0.05, 0.15))
            self._line(self._point(0.0), height, int(rng.integers(1, 8)))

    # Pieces.

    def _line(
        self, start: np.ndarray, height: float, count: int, hand: Hand | None = None
    ) -> np.ndarray:
        """Writes digits from a point on, its middle left; returns where it ends."""
        rng = self._rng
        hand = hand or self._hand()
        gap = rng.choice([rng.uniform(-0.12, 0.06), rng.uniform(0.05, 0.35), rng.uniform(0.3, 1.3)],
                         p=[0.2, 0.55, 0.25])  # fmt: skip
        uneven, climb = (
            rng.choice([0.03, 0.08, 0.2]),
            rng.choice([0.03, 0.08, 0.3], p=[0.6, 0.3, 0.1]),
        )
        separators, date = rng.random() < 0.3, rng.random() < 0.12
        turn = self._matrix(self._turn)
        along, first = 0.0, start
        for place in range(count):
            tall = height * np.clip(rng.normal(1, uneven), 0.5, 1.3)
            label = int(rng.integers(10))
            glyph = hand.digit(label)
            wide = glyph.ink.shape[1] / glyph.ink.shape[0] * tall * glyph.tall
            across = rng.normal(0, climb * height) + 0.5 * (height - tall) * rng.choice([1, 1, 0])
            middle = first + turn @ np.array([along + wide / 2, across])
            if middle[0] > self._canvas.image.shape[1] + height:
                break
            self._place(glyph, middle, tall, label)
            along += wide + gap * height * rng.uniform(0.6, 1.4)
            if place + 1 < count and ((date and place % 2) or (separators and rng.random() < 0.5)):
                number = _SLASH if date else int(rng.integers(len(_SEPARATORS)))
                along += self._separator(number, first, turn, along, height)
        end = first + turn @ np.array([along, 0.0])
        self._around((first + end) / 2, height, max(1.0, along / height))
        return end

    def _separator(
        self, number: int, first: np.ndarray, turn: np.ndarray, along: float, height: float
    ) -> float:
        """One of `_SEPARATORS`; returns its advance."""
        rng = self._rng
        width = max(0.6, height * rng.uniform(0.03, 0.12))
        margin = 0.12 * height
        shifts = {5: (0.0, 0.2), 8: (0.0, 0.45)}.get(number, (0.0,))
        for shift in shifts:
            points = (np.array(_SEPARATORS[number][0]) + np.array([0, shift])) * height
            points[:, 0] += along + margin
            self._canvas.line(points @ turn.T + first, width, self._level)
        return _SEPARATORS[number][1] * height + 2 * margin

    def _word(self, start: np.ndarray, height: float) -> np.ndarray:
        rng = self._rng
        hand = self._hand(printed=0.5)
        turn = self._matrix(self._turn)
        along = 0.0
        for _ in range(int(rng.integers(3, 11))):
            glyph = hand.letter(WORD_LETTERS)
            wide = glyph.ink.shape[1] / glyph.ink.shape[0] * height * glyph.tall
            middle = start + turn @ np.array([along + wide / 2, 0.0])
            if middle[0] > self._canvas.image.shape[1]:
                break
            self._place(glyph, middle, height)
            along += wide + height * rng.uniform(0.02, 0.2)
        return start + turn @ np.array([along, 0.0])

    def _place(
        self,
        glyph: Glyph,
        middle: np.ndarray,
        height: float,
        label: int | None = None,
        jitter: float = 0.06,
        level: float | None = None,
    ) -> tuple | None:
        """Draws a glyph, its line's middle at a point, and notes it if it is a digit.

        Returns:
            x, y, w, h of its ink; None if it is too small.
        """
        rng = self._rng
        h, w = glyph.ink.shape
        tall = height * glyph.tall
        if tall < 4 or h < 2 or w < 2:
            return None
        turn = self._matrix(self._turn + rng.normal(0, jitter))
        shape = np.array([[rng.uniform(0.85, 1.15), rng.normal(0, 0.12)], [0.0, 1.0]])
        linear = turn @ shape * (tall / h)
        # Feet stand on the line: what is smaller than a digit hangs lower.
        lower = turn @ np.array([0.0, height * (0.5 + glyph.drop) - tall / 2])
        shift = np.asarray(middle) + lower - linear @ np.array([w / 2, h / 2])
        matrix = np.concatenate([linear, shift[:, None]], axis=1)
        level = self._level if level is None else level
        box = self._canvas.ink(glyph.ink, matrix, level)
        if label is not None:
            self._canvas.add(box, label)
        return box

    def _around(self, middle: np.ndarray, height: float, wide: float) -> None:
        """Lines that digits stand on, cross or touch; boxes, cells, circles, strokes through."""
        rng = self._rng
        kind = rng.random()
        level = self._level * rng.uniform(0.8, 1.4) if rng.random() < 0.6 else self._level
        width = max(0.5, height * 10 ** rng.uniform(-2.0, -0.9))
        turn = self._matrix(self._turn + rng.normal(0, 0.02))

        def draw(points: list[tuple[float, float]]) -> None:
            self._canvas.line(np.array(points) * height @ turn.T + middle, width, level)

        half = 0.5 * wide + rng.uniform(0.05, 0.8)
        low = 0.5 + rng.choice([rng.uniform(-0.25, 0.05), rng.uniform(0.0, 0.4)])
        high = -0.5 - rng.choice([rng.uniform(-0.1, 0.05), rng.uniform(0.0, 0.4)])
        if kind < 0.14:
            draw([(-half, low), (half, low)])
        elif kind < 0.34:
            draw([(-half, low), (half, low), (half, high), (-half, high), (-half, low)])
            if rng.random() < 0.4:
                cells = max(2, round(wide))
                for x in np.linspace(-half, half, cells + 1)[1:-1]:
                    draw([(x, low), (x, high)])
        elif kind < 0.37:
            angle = np.linspace(0, 6.4, 40)
            points = np.stack([half * 1.2 * np.cos(angle), 0.85 * np.sin(angle)], axis=1)
            draw([tuple(each) for each in points])
        elif kind < 0.43:
            for side in (-1, 1):
                if rng.random() < 0.5:
                    draw(
                        [
                            # Longer than a 1.
                            (side * half, high - rng.uniform(0.3, 2)),
                            (side * half, low + rng.uniform(0.3, 2)),
                        ]
                    )
        elif kind < 0.53 and rng.random() < 0.5:
            self._ruled(middle[1] + low * height, height * rng.uniform(1.1, 2))

    def _ruled(self, y: float, pitch: float) -> None:
        rng = self._rng
        height, width = self._canvas.image.shape
        level = self._level * rng.uniform(0.8, 1.6)
        slope = np.tan(self._turn)
        thick, opacity = max(0.4, pitch * rng.uniform(0.01, 0.06)), rng.uniform(0.3, 1.0)
        for number in range(-int(y / pitch) - 2, int((height - y) / pitch) + 3):
            at = y + number * pitch
            self._canvas.line(
                np.array([[0, at - slope * width / 2], [width, at + slope * width / 2]]),
                thick, level, opacity,
            )  # fmt: skip

    def _lattice(
        self, start: np.ndarray, turn: np.ndarray, cell: float, rows: int, columns: int, gap: float
    ) -> None:
        rng = self._rng
        thin = max(0.4, cell * 10 ** rng.uniform(-2.0, -1.0))
        bold = thin * rng.choice([1.0, 2.0, 3.0])
        level, opacity = self._level * rng.uniform(0.7, 1.5), rng.uniform(0.4, 1.0)
        if rng.random() < 0.08:
            return
        if gap:
            inset = gap * cell / 2
            for row in range(rows):
                for column in range(columns):
                    a, b = (
                        np.array([column, row]) * cell + inset,
                        np.array([column + 1, row + 1]) * cell - inset,
                    )
                    square = np.array([a, (b[0], a[1]), b, (a[0], b[1]), a])
                    self._canvas.line(square @ turn.T + start, thin, level, opacity)
            return
        for row in range(rows + 1):
            ends = np.array([[0, row * cell], [columns * cell, row * cell]])
            self._canvas.line(ends @ turn.T + start, thin if row % 3 else bold, level, opacity)
        for column in range(columns + 1):
            ends = np.array([[column * cell, 0], [column * cell, rows * cell]])
            self._canvas.line(ends @ turn.T + start, thin if column % 3 else bold, level, opacity)

    def _bars(self, point: np.ndarray, height: float) -> None:
        """Book spines, posts, discs, blocks: what has edges and no stroke."""
        rng = self._rng
        level = rng.uniform(0, 1)
        kind = rng.random()
        image = self._canvas.image
        if kind < 0.4:  # a row of spines
            wide, x = height * rng.uniform(0.15, 0.6), point[0]
            for _ in range(int(rng.integers(3, 9))):
                shade = float(np.clip(level + rng.normal(0, 0.15), 0, 1))
                tall = height * rng.uniform(2, 2.4)
                corners = np.array([[x, point[1] - tall / 2], [x + wide, point[1] + tall / 2]])
                start, end = np.round(corners).astype(int).tolist()
                cv2.rectangle(image, start, end, shade, -1)
                x += wide * rng.uniform(1.0, 2.2)
        elif kind < 0.6:  # from border to border
            wide = height * 10 ** rng.uniform(-0.9, 0.3)
            size = max(image.shape) * 2
            angle = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.1)
            way = np.array([np.cos(angle), np.sin(angle)]) * size
            self._canvas.line(np.stack([point - way, point + way]), wide, level)
        else:
            stacked = rng.random() < 0.25
            for number in range(int(rng.integers(1, 5))):
                axes = np.maximum(2, height * rng.uniform(0.3, 1.2, 2)).astype(int).tolist()
                way = [0.1 * height, 1.2 * number * height] if stacked else rng.normal(0, height, 2)
                middle = np.round(point + way).astype(int)
                if rng.random() < 0.5:
                    angle = float(rng.uniform(0, 180))
                    cv2.ellipse(image, middle.tolist(), axes, angle, 0, 360, level, -1, cv2.LINE_AA)
                else:
                    corners = cv2.boxPoints((middle.tolist(), axes, float(rng.normal(0, 20))))
                    cv2.fillPoly(image, [np.round(corners).astype(np.int32)], level, cv2.LINE_AA)

    def _table(self, point: np.ndarray, height: float) -> None:
        rows, columns = self._rng.integers(1, 8, 2).tolist()
        turn = self._matrix(self._turn)
        self._lattice(point, turn, height, rows, columns, 0.0)

    # Places.

    def _matrix(self, angle: float) -> np.ndarray:
        cos, sin = np.cos(angle), np.sin(angle)
        return np.array([[cos, -sin], [sin, cos]])

    def _limited(self, height: float) -> float:
        return float(np.clip(height, *_HEIGHTS))

    def _height(self, low: float, high: float) -> float:
        return float(low * (high / low) ** self._rng.random())

    def _left(self, wide: float) -> float:
        x, _, w, _ = self._canvas.region
        return x + self._rng.uniform(-0.03, 0.1) * w + max(0.0, w - wide) * self._rng.random()

    def _point(self, beyond: float, size: float = 0.0) -> np.ndarray:
        """A point of the paper; `beyond` is how far over its border a thing of a size may lie."""
        x, y, w, h = self._canvas.region
        margin = -beyond * size
        low = np.array([x + margin * 0.8, y + margin])
        high = np.array([x + w - margin * 0.8, y + h - margin])
        return low + np.maximum(high - low, 1) * self._rng.random(2)
