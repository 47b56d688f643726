"""Finds digits in a frame with the network: OpenCV, NumPy and LiteRT, no TensorFlow."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf.detection import BLOCK, CELL, PACKED, STRIDE, VALUES, WINDOW, pyramid
from digits_tf.detection.candidates import (
    Candidates,
    Detection,
    cells,
    decode,
    heat_picture,
    select,
)
from digits_tf.detection.pyramid import Tile
from digits_tf.errors import DigitsError
from digits_tf.litert import (
    RUN_ERRORS,
    check_file,
    check_numbers,
    interpreter,
    shipped_file,
    unusable,
)

# The file of a trained detector.
FILE = "detector.tflite"
# Digits with a lower score are left out.
SCORE_THRESHOLD = 0.45
# Pictures of at most so many pixels are often cut close to their ink. The network wants ground
# around a digit: each level of such a picture gets a border of so many pixels.
_THUMBNAIL, _BORDER = 64, 12
# Networks for levels of different sizes that are kept: it takes longer to make one than to look at
# a level. Pictures of one size need seven, a camera three.
_MAX_NETWORKS = 24


def load(path: Path | str | None = None, threads: int = 1) -> "Detector":
    """Opens a detector.

    Args:
        path: a .tflite file, or a folder with detector.tflite or detector/detector.tflite in it,
            as a run folder of `digits-tf train-detector` is. None: the shipped one.
        threads: for LiteRT; one is the quickest for a network this small.

    Raises:
        DigitsError: if it is missing, damaged, or no detector.
    """
    file = resolve(path)
    check_file(file)
    return Detector(file, threads)


def resolve(path: Path | str | None) -> Path:
    """The .tflite file that `load` opens.

    Raises:
        DigitsError: if there is none.
    """
    if path is None:
        return shipped()
    file = Path(path)
    for inner in (file / FILE, file / "detector" / FILE):
        if inner.is_file():
            file = inner
    if not file.is_file():
        raise DigitsError(f"{path}: no such detector: expected a .tflite file or a run folder")
    return file


def shipped() -> Path:
    """The .tflite file of the shipped detector.

    Raises:
        DigitsError: if there is none.
    """
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
        self._network_for((STRIDE, STRIDE))  # finds out now whether it is a detector
        # Of the last frame: names, what the network saw, and its heatmaps.
        self._views: list[tuple[str, NDArray[np.uint8], NDArray[np.float32]]] = []
        # Of live frames: their shape, the number of the next one, and what was found in each tile
        # when it was looked at last.
        self._live_shape: tuple[int, ...] = ()
        self._turn = 0
        self._found: dict[Tile, Candidates] = {}

    def find(
        self, frame: NDArray[np.uint8], threshold: float = SCORE_THRESHOLD, live: bool = False
    ) -> list[Detection]:
        """Finds the digits of a frame.

        Args:
            frame: uint8 (h, w) grey, (h, w, 3) BGR or (h, w, 4) BGRA, of any size.
            threshold: digits with a lower score are left out, 0 to 1.
            live: whether it is one of a camera's frames. Then the pyramid has three levels, where a
                still picture has seven or more, and only a part of it is looked at in each frame;
                see `pyramid.tiles_of_turn`. For the rest, what was found there last stands.

        Returns:
            The digits, the highest score first.

        Raises:
            DigitsError: if the network cannot be run, or gives no finite numbers.
            ValueError: if the frame is of another type or shape, or empty.
        """
        pyramid.check(frame)
        if not live or frame.shape != self._live_shape:
            self._live_shape, self._turn, self._found = frame.shape if live else (), 0, {}
        if live:
            tiles = pyramid.tiles_of_turn(frame.shape, self._turn)
            self._turn += 1
        else:
            tiles = pyramid.tiles(frame.shape, live=False)
        sizes = pyramid.level_sizes(frame.shape, live)
        still_levels = [] if live else pyramid.levels(frame)
        self._views = []
        for tile in tiles:
            size = sizes[tile.level]
            window = tile.window(size[::-1])
            picture = pyramid.live_tile(frame, size, window) if live else still_levels[tile.level]
            self._found[tile] = self._look(picture, tile, size, frame.shape)
        scales = [height / frame.shape[0] for _, height in sizes]
        return select(Candidates.joined(self._found.values()), scales, threshold)

    def stages(self) -> dict[str, NDArray[np.uint8]]:
        """The last frame's levels and where the network sees digits' centres, uint8 (h, w)."""
        stages = {}
        for name, picture, heatmap in self._views:
            stages[f"seen, {name}"] = picture
            stages[f"digits, {name}"] = heat_picture(heatmap)
        return stages

    def _look(
        self,
        picture: NDArray[np.uint8],
        tile: Tile,
        size: tuple[int, int],
        shape: tuple[int, ...],
    ) -> Candidates:
        """Candidates of a tile, in pixels of the frame.

        Args:
            picture: the tile, uint8 (h, w), grey.
            tile: where on the pyramid it is.
            size: width and height of its level.
            shape: the frame's.
        """
        top, _, left, _ = tile.window(size[::-1])
        if max(shape[:2]) <= _THUMBNAIL:
            picture = _with_border(picture)
            left, top = -_BORDER, -_BORDER
        heatmap, values = self._network_for(_padded(picture.shape)).predict(picture)
        self._views.append((f"{size[0]}x{size[1]}", picture, heatmap))
        found = decode(heatmap, values, tile.level)
        across, down = shape[1] / size[0], shape[0] / size[1]
        boxes = (found.boxes + np.array([left, top, 0, 0])) * (across, down, across, down)
        return Candidates(boxes, found.scores, found.levels)

    def _network_for(self, shape: tuple[int, int]) -> "_Network":
        """The network for pictures of a height and width, multiples of `STRIDE`."""
        if shape not in self._networks:
            if len(self._networks) > _MAX_NETWORKS:  # pictures of many sizes
                self._networks.clear()
            self._networks[shape] = _Network(self._content, self._path, self._threads, shape)
        return self._networks[shape]


class _Network:
    """The network for pictures of one size: to change an interpreter's takes too long.

    Args:
        content: the bytes of the .tflite file.
        path: the file, for messages.
        threads: for LiteRT.
        shape: height and width, multiples of `STRIDE`.

    Raises:
        DigitsError: if it is no TFLite file, or one of other shapes.
    """

    def __init__(self, content: bytes, path: Path, threads: int, shape: tuple[int, int]):
        self._path, self._shape = path, shape
        self._packed_shape = (1, shape[0], shape[1] // PACKED, PACKED)
        self._interpreter = interpreter(content, path, threads)
        inputs = self._interpreter.get_input_details()
        is_detector = len(inputs) == 1 and inputs[0]["shape"][1:].tolist()[2:] == [PACKED]
        if is_detector:
            try:
                self._interpreter.resize_tensor_input(inputs[0]["index"], self._packed_shape)
                self._interpreter.allocate_tensors()
            except RUN_ERRORS as error:
                raise unusable(path, error) from None
        outputs = self._interpreter.get_output_details()
        side = CELL * BLOCK
        expected = [1, shape[0] // side, shape[1] // side, BLOCK**2 * VALUES]
        if not is_detector or [each["shape"].tolist() for each in outputs] != [expected]:
            found = " to ".join(
                ", ".join(str(tuple(each["shape"][1:].tolist())) for each in part)
                for part in (inputs, outputs)
            )
            raise DigitsError(
                f"{path}: expected a detector, found a model from {found}: digits-tf "
                "train-detector makes one"
            )
        self._input, self._output = inputs[0], outputs[0]
        check_numbers(path, (self._input, self._output))

    def predict(
        self, picture: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Looks for digits in a picture.

        Args:
            picture: uint8 (h, w), grey; at most of this network's size.

        Returns:
            The logits of a digit's centre, float32 (ceil(h / CELL), ceil(w / CELL)); and the other
            values of each cell, float32 (..., 4), see `digits_tf.detection.VALUES`.

        Raises:
            DigitsError: if the network cannot be run, or gives no finite numbers.
        """
        height, width = picture.shape
        below, right = self._shape[0] - height, self._shape[1] - width
        if below or right:
            picture = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE)
        packed = picture.reshape(self._packed_shape).astype(self._input["dtype"], copy=False)
        try:
            self._interpreter.set_tensor(self._input["index"], packed)
            self._interpreter.invoke()
            answer = self._interpreter.get_tensor(self._output["index"])[0].astype(np.float32)
        except RUN_ERRORS as error:
            raise unusable(self._path, error) from None
        scale, zero_point = self._output["quantization"]
        if scale:  # 0 in a file of floats
            answer = (answer - zero_point) * np.float32(scale)
        if not np.isfinite(answer).all():
            raise DigitsError(f"{self._path}: gives no finite numbers: the file is damaged")
        grid = cells(answer)[: -(-height // CELL), : -(-width // CELL)]
        return np.ascontiguousarray(grid[..., 0]), grid[..., 1:]


def _with_border(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture with a border of the median of its outermost pixels."""
    sides = (picture[0], picture[-1], picture[:, 0], picture[:, -1])
    ground = int(np.median(np.concatenate(sides)))
    result: NDArray[np.uint8] = cv2.copyMakeBorder(
        picture, *4 * (_BORDER,), cv2.BORDER_CONSTANT, value=ground
    )
    return result


def _padded(shape: Sequence[int]) -> tuple[int, int]:
    """The height and width of the network for a picture of a shape."""
    height, width = (max(WINDOW, -(-side // STRIDE) * STRIDE) for side in shape)
    return height, width
