"""Finds digits in a frame with the network: OpenCV, NumPy and LiteRT, no TensorFlow."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from digits_tf.detection.grid import BLOCK, CELL, PACKED, STRIDE, VALUES, WINDOW
from digits_tf.detection.pyramid import FILM_PLANES, check, film_part, shrunk, sizes
from digits_tf.errors import DigitsError
from digits_tf.recognition.litert import interpreter
from digits_tf.recognition.registry import check_digest, shipped_file

# The file of a trained detector.
FILE = "detector.tflite"
# Digits with a lower score are left out.
LEAST = 0.45
# Pixels by which the eighths of the finest plane overlap: the plane before shows what is taller.
_OVERLAP = 24
# The loop of a 6 is a good 0: of two boxes the larger is preferred, by this power of its size.
_LARGER = 0.4
# Peaks below are not even candidates. So many of these a plane are compared with each other: a page
# has less, and wild noise must not take long.
_CANDIDATE, _MOST = 0.12, 170
# Pixels of a digit's longer side on the planes that have a say about it.
_LEAST_SEEN, _MOST_SEEN = 11, 105
# Pictures up to so many pixels are often cut to their ink: they get so many pixels of ground.
_THUMBNAIL, _BORDER = 64, 12
# Networks for planes of different sizes that are kept: those of a picture and of a film.
_KEPT = 24
# Two boxes are of one digit if they share so much of both, or of the smaller one: the hole of an 8
# is a 0, and half of a 0 a 1.
_SAME, _INSIDE = 0.4, 0.65
# A bar's box is so narrow that two of it may lie side by side: for the comparison its shorter side
# is this share of its longer one.
_NARROWEST = 0.3


@dataclasses.dataclass(frozen=True)
class Detection:
    """Where a digit is.

    Attributes:
        box: x, y, width, height in pixels of the frame, floats.
        score: 0 to 1.
    """

    box: tuple[float, float, float, float]
    score: float


def load(path: Path | str | None = None, threads: int = 1) -> "Detector":
    """Opens a detector.

    Args:
        path: a .tflite file, or a folder with detector.tflite or detector/detector.tflite in it,
            as a run folder of `digits-tf train-detector` is. None: the shipped one.
        threads: for LiteRT; one is the quickest for a net this small.

    Raises:
        DigitsError: if it is missing, damaged, or no detector.
    """
    if path is None:
        file = _shipped()
    else:
        file = Path(path)
        for inner in (file / FILE, file / "detector" / FILE):
            if inner.is_file():
                file = inner
        if not file.is_file():
            raise DigitsError(f"{path}: no such detector: expected a .tflite file or a run folder")
    check_digest(file)
    return Detector(file, threads)


def _shipped() -> Path:
    try:
        return shipped_file(FILE)
    except FileNotFoundError:
        raise DigitsError(
            f"no {FILE} in tflite/: make one with digits-tf train-detector, and name "
            "its run folder with --detector"
        ) from None


class Detector:
    """Finds digits; keeps its buffers from frame to frame. Not for several threads at once.

    Args:
        path: the .tflite file.
        threads: for LiteRT.

    Raises:
        DigitsError: if it is no TFLite file, or one of other shapes.
    """

    def __init__(self, path: Path, threads: int = 1):
        self._path, self._threads = path, threads
        self._content = path.read_bytes()
        self._networks: dict[tuple[int, int], _Network] = {}
        self._network((STRIDE, STRIDE))
        self._stages: dict[str, np.ndarray] = {}
        # Of a film: its frames' shape, how many there were, what was found in each part last.
        self._shape: tuple[int, ...] = ()
        self._count = 0
        self._last: dict[_Part, _Candidates] = {}

    def find(
        self, frame: np.ndarray, least: float | None = None, live: bool = False
    ) -> list[Detection]:
        """Finds the digits of a frame.

        Args:
            frame: uint8 (h, w) grey, (h, w, 3) BGR or (h, w, 4) BGRA, of any size.
            least: digits with a lower score are left out, 0 to 1; None: `LEAST`.
            live: whether it is one of many frames of a film, which has three planes where a picture
                has seven or more. The middle one is looked at in every second frame, the coarsest
                and an eighth of the finest in the others; for the rest, what was found there last
                stands. The first frame is looked at as a whole.

        Returns:
            The digits, the surest first.

        Raises:
            ValueError: if the frame is of another type or shape, or empty.
        """
        check(frame)
        wanted = sizes(frame.shape, live)
        every = _parts(len(wanted), frame.shape, live)
        if not live or frame.shape != self._shape:
            self._shape, self._count, self._last = frame.shape if live else (), 0, {}
            chosen = every
        else:
            self._count += 1
            chosen = _turn(every, self._count)
        self._stages = {}
        margin = _BORDER if max(frame.shape[:2]) <= _THUMBNAIL else 0
        pictures = [] if live else shrunk(frame)
        for part in chosen:
            size = wanted[part.plane]
            window = part.window(size[::-1])
            seen = film_part(frame, size, window) if live else pictures[part.plane]
            self._last[part] = self._look(seen, size, window, frame.shape, margin)
        found = self._last.items()
        return merged(
            np.concatenate([each.boxes for _, each in found]),
            np.concatenate([each.scores for _, each in found]),
            np.concatenate([np.full(len(each.scores), part.plane) for part, each in found]),
            [height / frame.shape[0] for _, height in wanted],
            LEAST if least is None else least,
        )

    def stages(self) -> dict[str, np.ndarray]:
        """The last frame's planes and where the network sees digits' centres, uint8 (h, w)."""
        return {
            name: picture if picture.dtype == np.uint8 else _as_picture(picture)
            for name, picture in self._stages.items()
        }

    def _look(
        self,
        seen: np.ndarray,
        size: tuple[int, int],
        window: tuple[int, int, int, int],
        shape: tuple[int, ...],
        margin: int,
    ) -> "_Candidates":
        """What is found in a window of a plane of a size, in pixels of the frame."""
        top, _, left, _ = window
        if margin:
            seen = _framed(seen, margin)
            left, top = -margin, -margin
        heat, values = self._network(_padded(seen.shape)).answer(seen)
        name = f"{size[0]}x{size[1]}"
        self._stages[f"seen, {name}"] = seen
        self._stages[f"digits, {name}"] = heat
        boxes, scores = _peaks(heat, values, _CANDIDATE)
        scale = shape[1] / size[0], shape[0] / size[1]
        boxes = (boxes + np.array([left, top, 0, 0])) * (*scale, *scale)
        return _Candidates(boxes, scores)

    def _network(self, shape: tuple[int, int]) -> "_Network":
        if shape not in self._networks:
            if len(self._networks) > _KEPT:  # pictures of many sizes
                self._networks.clear()
            self._networks[shape] = _Network(self._content, self._path, self._threads, shape)
        return self._networks[shape]


@dataclasses.dataclass(frozen=True)
class _Part:
    """A plane by its number, and which cell of a grid on it.

    Attributes:
        plane: 0 is the coarsest.
        grid: rows and columns.
        cell: row and column.
    """

    plane: int
    grid: tuple[int, int] = (1, 1)
    cell: tuple[int, int] = (0, 0)

    def window(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Top, bottom, left, right on the plane; cells overlap by a small digit's size."""
        ends = []
        for length, count, number in zip(shape, self.grid, self.cell, strict=True):
            extent = min(length, -(-length // count) + (_OVERLAP if count > 1 else 0))
            start = round(number * (length - extent) / max(1, count - 1))
            ends += [start, start + extent]
        top, bottom, left, right = ends
        return top, bottom, left, right


@dataclasses.dataclass(frozen=True, eq=False)
class _Candidates:
    """Boxes, float (n, 4), and scores, float (n,)."""

    boxes: np.ndarray
    scores: np.ndarray


def _parts(planes: int, shape: tuple[int, ...], live: bool) -> list[_Part]:
    """The planes, of a film the eighths of the finest if it is large."""
    if not live or planes < FILM_PLANES:
        return [_Part(number) for number in range(planes)]
    rows, columns = grid = (2, 4) if shape[1] >= shape[0] else (4, 2)
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    eighths = [_Part(planes - 1, grid, cell) for cell in cells]
    return [*(_Part(number) for number in range(planes - 1)), *eighths]


def _turn(every: list[_Part], count: int) -> list[_Part]:
    """The parts that a film's frame of a number is looked at in."""
    coarsest, *middle = every[: FILM_PLANES - 1]
    eighths = every[FILM_PLANES - 1 :]
    if not eighths:
        return every
    return middle if count % 2 else [coarsest, eighths[count // 2 % len(eighths)]]


class _Network:
    """The network for planes of one size."""

    def __init__(self, content: bytes, path: Path, threads: int, shape: tuple[int, int]):
        self._shape = shape
        self._interpreter = interpreter(content, path, threads)
        self._input = self._interpreter.get_input_details()[0]
        if len(self._input["shape"]) != 4 or self._input["shape"][3] != PACKED:
            raise DigitsError(
                f"{path}: expected a detector, found a model from "
                f"{tuple(self._input['shape'][1:].tolist())}: "
                "digits-tf train-detector makes one"
            )
        size = (1, shape[0], shape[1] // PACKED, PACKED)
        self._interpreter.resize_tensor_input(self._input["index"], size)
        self._interpreter.allocate_tensors()
        self._output = self._interpreter.get_output_details()[0]
        self._size = size

    def answer(self, plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reads a plane.

        Args:
            plane: uint8 (h, w), grey; at most of this network's size.

        Returns:
            The logits of a digit's centre, float32 (rows, columns), a cell each; and the boxes'
            values, float32 (rows, columns, 4).
        """
        height, width = plane.shape
        below, right = self._shape[0] - height, self._shape[1] - width
        if below or right:
            plane = cv2.copyMakeBorder(plane, 0, below, 0, right, cv2.BORDER_REPLICATE)
        packed = plane.reshape(self._size).astype(self._input["dtype"], copy=False)
        self._interpreter.set_tensor(self._input["index"], packed)
        self._interpreter.invoke()
        answer = self._interpreter.get_tensor(self._output["index"])
        scale, zero_point = self._output["quantization"]
        values = answer.astype(np.float32)
        if scale:
            values = (values - zero_point) * np.float32(scale)
        _, rows, columns, _ = values.shape
        cells = values.reshape(rows, columns, BLOCK, BLOCK, VALUES).transpose(0, 2, 1, 3, 4)
        cells = cells.reshape(rows * BLOCK, columns * BLOCK, VALUES)
        seen = np.s_[: -(-height // CELL), : -(-width // CELL)]
        return np.ascontiguousarray(cells[..., 0])[seen], cells[..., 1:][seen]


def _as_picture(heat: np.ndarray) -> np.ndarray:
    """Logits as the probability of a digit's centre, uint8 (h, w)."""
    return (255 / (1 + np.exp(-np.clip(heat, -20, 20)))).astype(np.uint8)


def merged(
    boxes: np.ndarray,
    scores: np.ndarray,
    planes: np.ndarray,
    scales: Sequence[float],
    least: float,
) -> list[Detection]:
    """One detection a digit.

    The surest candidate, or a larger one that is nearly as sure, stands for those that share too
    much with it. All planes on which a digit of its size should be found have a say: its score is
    the geometric mean of the highest and their mean.

    Args:
        boxes: float (n, 4), x, y, w, h of candidates, in pixels of the frame.
        scores: float (n,).
        planes: int (n,), the plane that each was found on.
        scales: pixels of a plane a pixel of the frame.
        least: what the score has to be.

    Returns:
        The surest first.
    """
    rank = scores * boxes[:, 2:].max(axis=1) ** _LARGER
    order = np.argsort(-rank, kind="stable")[: _MOST * len(scales)]
    boxes, scores, planes = boxes[order], scores[order], planes[order]
    sides = np.maximum(boxes[:, 2:], _NARROWEST * boxes[:, 2:].max(axis=1, keepdims=True))
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    low, high = middle - sides / 2, middle + sides / 2
    both = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    both = np.maximum(both[..., 0], 0) * np.maximum(both[..., 1], 0)
    areas = sides.prod(axis=1)
    same = both > _SAME * (areas[:, None] + areas - both)
    alike = same | (both > _INSIDE * np.minimum(areas[:, None], areas))
    left = np.ones(len(boxes), bool)
    kept = []
    for index in range(len(boxes)):
        if not left[index]:
            continue
        own = np.flatnonzero(same[index] & left)
        left &= ~alike[index]
        best = float(scores[own].max())
        votes = np.zeros(len(scales))
        np.maximum.at(votes, planes[own], scores[own])
        size = float(boxes[index, 2:].max())
        heard = [_LEAST_SEEN <= size * scale <= _MOST_SEEN for scale in scales]
        mean = float(votes[heard].mean()) if any(heard) else best
        score = (best * mean) ** 0.5
        if score >= least:
            x, y, w, h = boxes[index].tolist()
            kept.append(Detection((x, y, w, h), score))
    return sorted(kept, key=lambda each: -each.score)


def _framed(picture: np.ndarray, margin: int) -> np.ndarray:
    """A picture with a border of what is mostly at its border."""
    sides = (picture[0], picture[-1], picture[:, 0], picture[:, -1])
    ground = int(np.median(np.concatenate(sides)))
    return cv2.copyMakeBorder(picture, *4 * (margin,), cv2.BORDER_CONSTANT, value=ground)


def _padded(shape: tuple[int, ...]) -> tuple[int, int]:
    height, width = (max(WINDOW, -(-side // STRIDE) * STRIDE) for side in shape)
    return height, width


def _peaks(heat: np.ndarray, values: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Boxes in pixels of the plane, float (n, 4), and scores where the heat is highest about."""
    threshold = np.log(least / (1 - least)) if least < 1 else np.inf
    highest = cv2.dilate(heat, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero((heat >= highest) & (heat > threshold))
    across, down, wide, high = values[rows, columns].T
    # A network that has learned little must not answer with boxes of infinite size.
    width, height = (np.exp(np.clip(side, -3.0, 6.0)) * CELL for side in (wide, high))
    x = (columns + 0.5 + across) * CELL - width / 2
    y = (rows + 0.5 + down) * CELL - height / 2
    scores = 1 / (1 + np.exp(-heat[rows, columns]))
    return np.stack([x, y, width, height], axis=1), scores
