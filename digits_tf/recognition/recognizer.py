"""From a frame to the digits in it."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits_tf import recognition
from digits_tf.detection import detector as detection
from digits_tf.detection.candidates import Detection
from digits_tf.detection.crops import digit_crop
from digits_tf.detection.detector import Detector
from digits_tf.errors import DigitsError
from digits_tf.images import as_frame
from digits_tf.recognition.classifier import INPUT_SHAPE, THRESHOLD, Classifier
from digits_tf.recognition.digit import Digit
from digits_tf.recognition.reading_order import are_neighbours, in_lines

if TYPE_CHECKING:
    from PIL.Image import Image

# A detection with a score from here up to the detector's `SCORE_THRESHOLD` counts if it stands
# beside a sure one and the classifier is as certain of it as that.
_DOUBTFUL, _SURE = 0.2, 0.9
# Alone, a digit has to be more: the detector's score times the classifier's probability is above
# this share of the threshold. What is no digit seldom convinces both.
_ALONE = 0.9


class Recognizer:
    """Finds and reads digits.

    Not for several threads at once: its buffers are used again for each frame.

    Args:
        model: reads crops.
        threshold: 0 to 1; a digit whose probability is not above it has no label.
        detector: finds digits; None: the shipped one.

    Attributes:
        milliseconds: what the stages of the last `read` took: "find" (detector and crops), "net".

    Raises:
        DigitsError: if the threshold is not from 0 to 1.
    """

    def __init__(
        self, model: Classifier, threshold: float = THRESHOLD, detector: Detector | None = None
    ):
        if not 0 <= threshold <= 1:
            raise DigitsError(f"expected a threshold from 0 to 1, found {threshold}")
        self._model, self._threshold = model, threshold
        self._detector = detector or detection.load()
        self.milliseconds: dict[str, float] = {}
        # The first call lays out the net's memory.
        model.probabilities(np.zeros((1, *INPUT_SHAPE[:2]), np.uint8))

    @classmethod
    def load(
        cls,
        path: Path | str | None = None,
        threads: int = 1,
        threshold: float = THRESHOLD,
        detector: Path | str | None = None,
    ) -> "Recognizer":
        """Opens a model and a detector and makes a recogniser of them.

        Args:
            path: "tiny" or "resnet", which are shipped; a .tflite file; where TensorFlow is
                installed also a .keras file, a SavedModel or a run folder. None: the shipped
                .tflite file.
            threads: for LiteRT; one is the quickest for nets this small.
            threshold: see `Recognizer`.
            detector: a .tflite file of `digits-tf train-detector`, or the run folder.
                None: the shipped one.

        Raises:
            DigitsError: if a file is missing, damaged or no such model, or the threshold is not
                from 0 to 1.
        """
        return cls(recognition.load(path, threads), threshold, detection.load(detector, threads))

    def read(self, frame: "np.ndarray | Path | str | Image", live: bool = False) -> list[Digit]:
        """Finds and reads the digits of a frame or a picture.

        Args:
            frame: uint8 (h, w) grey, (h, w, 3) BGR or (h, w, 4) BGRA, of any size; or the path of a
                picture file, or a picture of Pillow, which are turned upright as they say.
            live: whether it is a frame of a camera, which looks for small digits in an eighth of
                each frame in turn; see `Detector.find`.

        Returns:
            The digits in reading order: line by line, left to right; `digits_tf.text` makes text of
            them. Those that the network is not sure of have no label.

        Raises:
            DigitsError: if a file is no picture or is cut.
            OSError: if a file cannot be read at all.
            ValueError: if the frame is of another type or shape, or empty.
        """
        frame = as_frame(frame)
        start = time.perf_counter()
        self.milliseconds = {"find": 0.0, "net": 0.0}
        detections = self._detector.find(frame, _DOUBTFUL, live)
        certain = self._seen(
            frame, [each for each in detections if each.score >= detection.SCORE_THRESHOLD]
        )
        alone = [each for each in certain if self._convinces(each)]
        # Doubtful digits in a row with sure ones are mostly digits (hysteresis, as of the edges of
        # Canny, "A computational approach to edge detection", PAMI 8, 1986).
        doubtful = self._seen(
            frame,
            [
                each
                for each in detections
                if each.score < detection.SCORE_THRESHOLD and _beside(each, alone)
            ],
        )
        least = max(_SURE, self._threshold)
        read = [
            *alone,
            *(
                each
                for each in certain
                if each not in alone and each.probability > self._threshold and _beside(each, alone)
            ),
            *(each for each in doubtful if each.probability > least),
        ]
        unread = [each for each in certain if each not in read]
        # What is no digit must not stand in a line of digits.
        lines = [
            [group[index] for index in line]
            for group in (read, unread)
            for line in in_lines([each.box for each in group])
        ]
        self.milliseconds["find"] = 1000 * (time.perf_counter() - start) - self.milliseconds["net"]
        return [
            Digit(
                int(each.row.argmax()) if each in read else None,
                each.probability,
                each.row,
                _whole(each.box, frame),
                each.crop,
                number,
            )
            for number, line in enumerate(lines)
            for each in line
        ]

    def _seen(self, frame: np.ndarray, detections: list[Detection]) -> "list[_Seen]":
        """Cuts out what was found and asks the classifier; what has no ink is left out."""
        crops = [(each, digit_crop(frame, each.box)) for each in detections]
        inked = [(each, crop) for each, crop in crops if crop is not None]
        if not inked:
            return []
        start = time.perf_counter()
        rows = self._model.probabilities(np.stack([crop for _, crop in inked]))
        self.milliseconds["net"] += 1000 * (time.perf_counter() - start)
        return [
            _Seen(each.box, each.score, crop, row)
            for (each, crop), row in zip(inked, rows, strict=True)
        ]

    def _convinces(self, seen: "_Seen") -> bool:
        """Whether it is a digit without others beside it."""
        both = seen.score * seen.probability > _ALONE * self._threshold
        return both and seen.probability > self._threshold

    def stages(self) -> dict[str, np.ndarray]:
        """Pictures of the last `read`'s steps, by name, uint8 (h, w), in order."""
        return self._detector.stages()


@dataclasses.dataclass(frozen=True, eq=False)
class _Seen:
    """A detection's box and score, its crop, and what the classifier says, (10,)."""

    box: tuple[float, float, float, float]
    score: float
    crop: np.ndarray
    row: np.ndarray

    @property
    def probability(self) -> float:
        """Of the likeliest digit, 0 to 1."""
        return float(self.row.max())


def _beside(one: "Detection | _Seen", others: Sequence[_Seen]) -> bool:
    return any(are_neighbours(one.box, each.box) for each in others)


def _whole(box: tuple[float, float, float, float], frame: np.ndarray) -> tuple[int, int, int, int]:
    """A box in whole pixels within the frame."""
    height, width = frame.shape[:2]
    x, y, w, h = box
    left, top = min(max(0, round(x)), width - 1), min(max(0, round(y)), height - 1)
    right, bottom = min(width, round(x + w)), min(height, round(y + h))
    return left, top, max(1, right - left), max(1, bottom - top)
