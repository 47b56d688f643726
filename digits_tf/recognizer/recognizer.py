"""From a frame to the digits in it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits_tf import classifier
from digits_tf.classifier.classifier import CLASSES, INPUT_SHAPE, THRESHOLD, Classifier
from digits_tf.detection import detector as detection
from digits_tf.detection.crop import digit_crop
from digits_tf.detection.detector import Detection, Detector
from digits_tf.detection.lines import are_neighbours, in_lines
from digits_tf.errors import DigitsError
from digits_tf.opencv import as_frame
from digits_tf.recognizer.digit import Digit

if TYPE_CHECKING:
    from PIL.Image import Image

# A detection with a score from here up to the detector's `LEAST` counts if it stands beside a sure
# one and the classifier is as certain of it as that.
_DOUBTFUL, _SURE = 0.2, 0.9


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
            detector: a .tflite file of `python -m digits_tf.detection.train`, or the run folder.
                None: the shipped one.

        Raises:
            DigitsError: if a file is missing, damaged or no such model, or the threshold is not
                from 0 to 1.
        """
        return cls(classifier.load(path, threads), threshold, detection.load(detector, threads))

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
        found = []
        for each in self._looked_for(frame, live):
            crop = digit_crop(frame, each.box)
            if crop is not None:
                found.append((each, crop))
        before = time.perf_counter()
        rows = np.zeros((0, CLASSES), np.float32)
        if found:
            rows = self._model.probabilities(np.stack([crop for _, crop in found]))
        end = time.perf_counter()
        self.milliseconds = {"find": 1000 * (before - start), "net": 1000 * (end - before)}
        labels = [int(row.argmax()) if row.max() > self._threshold else None for row in rows]
        boxes = [each.box for each, _ in found]
        certain = [each.score >= detection.LEAST for each, _ in found]
        # What is no digit must not stand in a line of digits.
        sure = [n for n, label in enumerate(labels) if label is not None and certain[n]]
        sure += [
            n
            for n, row in enumerate(rows)
            if not certain[n]
            and row.max() > max(_SURE, self._threshold)
            and any(are_neighbours(boxes[n], boxes[other]) for other in sure)
        ]
        unsure = [n for n, label in enumerate(labels) if label is None and certain[n]]
        lines = [
            [group[index] for index in line]
            for group in (sure, unsure)
            for line in in_lines([boxes[n] for n in group])
        ]
        return [
            Digit(
                labels[n],
                float(rows[n].max()),
                rows[n],
                _whole(boxes[n], frame),
                found[n][1],
                number,
            )
            for number, line in enumerate(lines)
            for n in line
        ]

    def _looked_for(self, frame: np.ndarray, live: bool) -> list[Detection]:
        """What is worth a crop: sure detections, and doubtful ones that stand beside them.

        Doubtful digits in a row with sure ones are mostly digits (hysteresis, as of the edges of
        Canny, "A computational approach to edge detection", PAMI 8, 1986).
        """
        found = self._detector.find(frame, _DOUBTFUL, live)
        sure = [each.box for each in found if each.score >= detection.LEAST]
        return [
            each
            for each in found
            if each.score >= detection.LEAST or any(are_neighbours(each.box, box) for box in sure)
        ]

    def stages(self) -> dict[str, np.ndarray]:
        """Pictures of the last `read`'s steps, by name, uint8 (h, w), in order."""
        return self._detector.stages()


def _whole(box: tuple[float, float, float, float], frame: np.ndarray) -> tuple[int, int, int, int]:
    """A box in whole pixels within the frame."""
    height, width = frame.shape[:2]
    x, y, w, h = box
    left, top = min(max(0, round(x)), width - 1), min(max(0, round(y)), height - 1)
    right, bottom = min(width, round(x + w)), min(height, round(y + h))
    return left, top, max(1, right - left), max(1, bottom - top)
