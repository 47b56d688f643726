"""Lines and areas around what is written: rules, boxes, tables, book spines."""

import cv2
import numpy as np

from digits_tf.synthetic import Points, forms
from digits_tf.synthetic.canvas import Canvas
from digits_tf.synthetic.handwriting import rotation

# Signs between digits, in heights of a digit from the middle of the line on, see `forms.parse`; and
# how far the hand moves on.
SEPARATORS = tuple(
    (forms.parse(text), advance)
    for text, advance in (
        ("0 46,2 50", 0.12),  # a point
        ("5 42,0 62", 0.15),  # a comma
        ("0 0,30 0", 0.4),  # minus
        ("35 -62,-5 62", 0.5),  # the stroke of a date
        ("0 0,36 0,18 0,18 -20,18 20", 0.5),  # plus
        ("0 -10,35 -10 / 0 10,35 10", 0.5),  # equals
        ("12 -60,0 -20,0 20,12 60", 0.25),  # brackets
        ("0 -60,12 -20,12 20,0 60", 0.25),
        ("0 -20,2 -16 / 0 25,2 29", 0.15),  # colon
        ("0 -20,30 20,15 0,0 20,30 -20", 0.45),  # times
    )
)
SLASH = 3  # of a date


class Lines:
    """Draws on a canvas with one ink.

    Args:
        rng: decides everything.
        canvas: is drawn on.
        level: reflectance of the ink, 0..1.
        turn: of what is written, in radians.

    Attributes:
        level: see above; it may be changed.
    """

    def __init__(self, rng: np.random.Generator, canvas: Canvas, level: float, turn: float):
        self._rng, self._canvas = rng, canvas
        self.level = level
        self._turn = turn

    def separator(
        self, number: int, first: Points, turn: Points, along: float, height: float
    ) -> float:
        """Draws one of `SEPARATORS`.

        Args:
            number: which.
            first: where the line of writing begins, x and y in pixels.
            turn: (2, 2), of the line of writing, for column vectors.
            along: how far along the line it stands, in pixels.
            height: of a digit, in pixels.

        Returns:
            Its advance in pixels.
        """
        width = max(0.6, height * self._rng.uniform(0.03, 0.12))
        margin = 0.12 * height
        strokes, advance = SEPARATORS[number]
        # The stroke of a date leans by 12 to 33 degrees.
        stretch = self._rng.uniform((0.7, 0.8), (1.9, 1.25))
        for stroke in strokes:
            points = stroke * stretch * height
            points[:, 0] += along + margin
            self._canvas.line(points @ turn.T + first, width, self.level)
        return float(advance * stretch[0]) * height + 2 * margin

    def around(self, middle: Points, height: float, wide: float) -> None:
        """Draws lines that digits stand on, cross or touch: a rule, a box, a circle, or nothing.

        Args:
            middle: of the digits, x and y in pixels.
            height: of a digit, in pixels.
            wide: width of all digits, in heights.
        """
        rng = self._rng
        kind = rng.random()
        level = self.level * rng.uniform(0.8, 1.4) if rng.random() < 0.6 else self.level
        width = max(0.5, height * 10 ** rng.uniform(-2.0, -0.9))
        turn = rotation(self._turn + rng.normal(0, 0.02))

        def draw(*points: tuple[float, float]) -> None:
            self._canvas.line(np.array(points) * height @ turn + middle, width, level)

        half = 0.5 * wide + rng.uniform(0.05, 0.8)
        low = 0.5 + rng.choice([rng.uniform(-0.25, 0.05), rng.uniform(0.0, 0.4)])
        high = -0.5 - rng.choice([rng.uniform(-0.1, 0.05), rng.uniform(0.0, 0.4)])
        if kind < 0.14:
            draw((-half, low), (half, low))
        elif kind < 0.34:
            draw((-half, low), (half, low), (half, high), (-half, high), (-half, low))
            if rng.random() < 0.4:
                cells = max(2, round(wide))
                for x in np.linspace(-half, half, cells + 1)[1:-1]:
                    draw((x, low), (x, high))
        elif kind < 0.37:
            angle = np.linspace(0, 6.4, 40)
            draw(*zip(half * 1.2 * np.cos(angle), 0.85 * np.sin(angle), strict=True))
        elif kind < 0.43:
            for side in (-half, half):
                if rng.random() < 0.5:
                    # Longer than a 1.
                    upper = side, high - rng.uniform(0.3, 2)
                    draw(upper, (side, low + rng.uniform(0.3, 2)))
        elif kind < 0.53 and rng.random() < 0.5:
            self.ruled(middle[1] + low * height, height * rng.uniform(1.1, 2))

    def ruled(self, y: float, pitch: float) -> None:
        """Draws rules over the whole picture, one of them at y, a pitch apart, in pixels."""
        rng = self._rng
        height, width = self._canvas.image.shape
        level = self.level * rng.uniform(0.8, 1.6)
        slope = np.tan(self._turn)
        thick, opacity = max(0.4, pitch * rng.uniform(0.01, 0.06)), rng.uniform(0.3, 1.0)
        for number in range(-int(y / pitch) - 2, int((height - y) / pitch) + 3):
            at = y + number * pitch
            ends = np.array([[0, at - slope * width / 2], [width, at + slope * width / 2]])
            self._canvas.line(ends, thick, level, opacity)

    def lattice(
        self, start: Points, turn: Points, cell: float, rows: int, columns: int, gap: float = 0.0
    ) -> None:
        """Draws cells, at times none.

        Args:
            start: the upper left corner, x and y in pixels.
            turn: (2, 2), for column vectors.
            cell: a side of a cell in pixels.
            rows: of cells; every third line is bold.
            columns: likewise.
            gap: between cells, as a share of a cell; 0: they share their lines.
        """
        rng = self._rng
        thin = max(0.4, cell * 10 ** rng.uniform(-2.0, -1.0))
        bold = thin * rng.choice([1.0, 2.0, 3.0])
        level, opacity = self.level * rng.uniform(0.7, 1.5), rng.uniform(0.4, 1.0)
        if rng.random() < 0.08:
            return

        def draw(points: Points, thickness: float) -> None:
            self._canvas.line(points @ turn.T + start, thickness, level, opacity)

        if gap:
            inset = gap * cell / 2
            for row in range(rows):
                for column in range(columns):
                    x0, y0 = np.array([column, row]) * cell + inset
                    x1, y1 = np.array([column + 1, row + 1]) * cell - inset
                    draw(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]), thin)
            return
        for row in range(rows + 1):
            ends = np.array([[0, row * cell], [columns * cell, row * cell]])
            draw(ends, thin if row % 3 else bold)
        for column in range(columns + 1):
            ends = np.array([[column * cell, 0], [column * cell, rows * cell]])
            draw(ends, thin if column % 3 else bold)

    def areas(self, point: Points, height: float) -> None:
        """Draws book spines, posts, discs, blocks: what has edges and no stroke.

        Args:
            point: about where, x and y in pixels.
            height: about their height in pixels.
        """
        rng = self._rng
        level = rng.uniform(0, 1)
        kind = rng.random()
        if kind < 0.4:
            self._spines(point, height, level)
        elif kind < 0.6:  # from border to border
            wide = height * 10 ** rng.uniform(-0.9, 0.3)
            size = max(self._canvas.image.shape) * 2
            angle = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.1)
            way = np.array([np.cos(angle), np.sin(angle)]) * size
            self._canvas.line(np.stack([point - way, point + way]), wide, level)
        else:
            self._blocks(point, height, level)

    def _spines(self, point: Points, height: float, level: float) -> None:
        rng = self._rng
        wide, x = height * rng.uniform(0.15, 0.6), point[0]
        for _ in range(int(rng.integers(3, 9))):
            shade = float(np.clip(level + rng.normal(0, 0.15), 0, 1))
            tall = height * rng.uniform(2, 2.4)
            corners = np.array([[x, point[1] - tall / 2], [x + wide, point[1] + tall / 2]])
            start, end = np.round(corners).astype(int).tolist()
            cv2.rectangle(self._canvas.image, start, end, shade, -1)
            x += wide * rng.uniform(1.0, 2.2)

    def _blocks(self, point: Points, height: float, level: float) -> None:
        rng, image = self._rng, self._canvas.image
        stacked = rng.random() < 0.25
        for number in range(int(rng.integers(1, 5))):
            axes = np.maximum(2, height * rng.uniform(0.3, 1.2, 2)).astype(int).tolist()
            way = [0.1 * height, 1.2 * number * height] if stacked else rng.normal(0, height, 2)
            middle = np.round(point + way).astype(int).tolist()
            if rng.random() < 0.5:
                angle = float(rng.uniform(0, 180))
                cv2.ellipse(image, middle, axes, angle, 0, 360, level, -1, cv2.LINE_AA)
            else:
                corners = cv2.boxPoints((middle, axes, float(rng.normal(0, 20))))
                cv2.fillPoly(image, [np.round(corners).astype(np.int32)], level, cv2.LINE_AA)
