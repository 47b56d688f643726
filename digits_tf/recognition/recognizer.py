"""From a frame to the digits in it."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from digits_tf.boxes import Box
from digits_tf.data.collection import Collection
from digits_tf.detection import detector as detection
from digits_tf.detection.candidates import Detection
from digits_tf.detection.crops import digit_crop
from digits_tf.detection.detector import SCORE_THRESHOLD, Detector
from digits_tf.errors import DigitsError
from digits_tf.images import as_frame
from digits_tf.recognition.classifier import INPUT_SHAPE, THRESHOLD, Classifier
from digits_tf.recognition.digit import Digit, are_neighbours, in_lines
from digits_tf.recognition.neighbours import NeighbourClassifier
from digits_tf.recognition.registry import load

if TYPE_CHECKING:
    from PIL.Image import Image

# A detection with a score from here up to `SCORE_THRESHOLD` counts if it stands beside a strong one
# and the classifier is as certain of it as that.
_DOUBTFUL, _CERTAIN = 0.2, 0.9
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
        milliseconds: what the parts of the last `read` took: "find" (detector and crops), "net".

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
        collection: Path | str | None = None,
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
            collection: the folder of one's own digits, which put the model's readings right; it
                need not be there yet. None or empty: without.

        Raises:
            DigitsError: if a file is missing, damaged or no such model, or the threshold is not
                from 0 to 1.
        """
        model = load(path, threads)
        if collection:
            model = NeighbourClassifier(model, Collection(collection))
        return cls(model, threshold, detection.load(detector, threads))

    def read(
        self, frame: "NDArray[np.uint8] | Path | str | Image", live: bool = False
    ) -> list[Digit]:
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
        accepted, rejected = self._decide(frame, self._detector.find(frame, _DOUBTFUL, live))
        digits: list[Digit] = []
        first = 0
        # What is no digit must not stand in a line of digits.
        for candidates, is_digit in ((accepted, True), (rejected, False)):
            lines = in_lines([each.box for each in candidates])
            for number, line in enumerate(lines, start=first):
                digits += [candidates[i].digit(is_digit, frame.shape, number) for i in line]
            first += len(lines)
        self.milliseconds["find"] = 1000 * (time.perf_counter() - start) - self.milliseconds["net"]
        return digits

    def stages(self) -> dict[str, NDArray[np.uint8]]:
        """Pictures of the last `read`'s steps, by name, uint8 (h, w), in order."""
        return self._detector.stages()

    def _decide(
        self, frame: NDArray[np.uint8], detections: Sequence[Detection]
    ) -> "tuple[list[_Candidate], list[_Candidate]]":
        """Which detections are digits, and which of the others are shown without a label.

        Doubtful ones in a row with strong ones are mostly digits: a threshold with hysteresis, as
        that of edges in Canny, "A computational approach to edge detection", PAMI 8, 1986.
        """
        found = self._classify(
            frame, [each for each in detections if each.score >= SCORE_THRESHOLD]
        )
        strong = [each for each in found if self._is_strong(each)]
        beside = [
            each
            for each in found
            if each not in strong
            and each.confidence > self._threshold
            and _has_neighbour(each.box, strong)
        ]
        doubtful = [
            each
            for each in detections
            if each.score < SCORE_THRESHOLD and _has_neighbour(each.box, strong)
        ]
        least = max(_CERTAIN, self._threshold)
        certain = [each for each in self._classify(frame, doubtful) if each.confidence > least]
        accepted = [*strong, *beside, *certain]
        return accepted, [each for each in found if each not in accepted]

    def _classify(
        self, frame: NDArray[np.uint8], detections: Sequence[Detection]
    ) -> "list[_Candidate]":
        """Cuts out what was found and asks the classifier; what has no ink is left out."""
        crops = [(each, digit_crop(frame, each.box)) for each in detections]
        inked = [(each, crop) for each, crop in crops if crop is not None]
        if not inked:
            return []
        start = time.perf_counter()
        rows = self._model.probabilities(np.stack([crop for _, crop in inked]))
        self.milliseconds["net"] += 1000 * (time.perf_counter() - start)
        return [
            _Candidate(each.box, each.score, crop, row)
            for (each, crop), row in zip(inked, rows, strict=True)
        ]

    def _is_strong(self, candidate: "_Candidate") -> bool:
        """Whether it is a digit without others beside it."""
        both = candidate.score * candidate.confidence
        return both > _ALONE * self._threshold and candidate.confidence > self._threshold


@dataclasses.dataclass(frozen=True, eq=False)
class _Candidate:
    """What may be a digit.

    Attributes:
        box: pixels of the frame; it may lie partly outside.
        score: the detector's, 0 to 1.
        crop: uint8 (28, 28).
        probabilities: the classifier's, float32 (10,).
    """

    box: Box
    score: float
    crop: NDArray[np.uint8]
    probabilities: NDArray[np.float32]

    @property
    def confidence(self) -> float:
        """Probability of the likeliest digit, 0 to 1."""
        return float(self.probabilities.max())

    def digit(self, accepted: bool, shape: tuple[int, ...], line: int) -> Digit:
        """What the user gets, in a frame of a shape."""
        label = int(self.probabilities.argmax()) if accepted else None
        box = _whole(self.box, shape)
        return Digit(label, self.confidence, self.probabilities, box, self.crop, line)


def _has_neighbour(box: Box, candidates: Sequence[_Candidate]) -> bool:
    return any(are_neighbours(box, each.box) for each in candidates)


def _whole(box: Box, shape: tuple[int, ...]) -> Box:
    """A box in whole pixels within a frame of a shape, at least one pixel large."""
    height, width = shape[:2]
    x, y, w, h = box
    left, top = min(max(0, round(x)), width - 1), min(max(0, round(y)), height - 1)
    right, bottom = min(width, round(x + w)), min(height, round(y + h))
    return Box(left, top, max(1, right - left), max(1, bottom - top))
