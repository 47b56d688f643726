"""From a frame to the digits in it."""

import time
from pathlib import Path

import numpy as np

from digits_tf import classifier
from digits_tf.classifier.classifier import INPUT_SHAPE, Classifier
from digits_tf.preprocess import Finder, Found
from digits_tf.recognizer.digit import Digit

THRESHOLD = 0.5
# The first way of finding digits that gives only such readings is believed.
_SURE = 0.9


class Recognizer:
    """Finds and reads digits.

    Not for several threads at once: its buffers are used again for each frame.

    Args:
        model: reads crops.
        threshold: 0 to 1; a digit whose probability is not above it has no label.

    Attributes:
        milliseconds: what the stages of the last `read` took: "find" (preprocessing), "net".
    """

    def __init__(self, model: Classifier, threshold: float = THRESHOLD):
        self._model, self._threshold = model, threshold
        self._finder = Finder()
        self.milliseconds: dict[str, float] = {}
        # The first call lays out the net's memory.
        model.probabilities(np.zeros((1, *INPUT_SHAPE[:2]), np.uint8))

    @classmethod
    def load(
        cls, path: Path | str | None = None, threads: int = 1, threshold: float = THRESHOLD
    ) -> "Recognizer":
        """Opens a model and makes a recogniser of it.

        Args:
            path: a .tflite file; where TensorFlow is installed also a .keras file, a SavedModel or
                a run folder. None: the shipped .tflite file.
            threads: for LiteRT; one is the quickest for a net this small.
            threshold: see `Recognizer`.

        Raises:
            DigitsError: if the file is missing, damaged or no such model.
        """
        return cls(classifier.load(path, threads), threshold)

    def read(self, frame: np.ndarray) -> list[Digit]:
        """Finds and reads the digits of a frame.

        Args:
            frame: uint8 (h, w) grey, (h, w, 3) BGR or (h, w, 4) BGRA, of any size.

        Returns:
            The digits in reading order: line by line, left to right.

        Raises:
            ValueError: if the frame is of another type or shape, or empty.
        """
        start = time.perf_counter()
        net = 0.0
        best: list[Digit] = []
        most = 0.0
        for ways in self._finder.attempts(frame):
            before = time.perf_counter()
            for found in ways:
                digits = self._judge(found)
                score = _score(found, digits)
                if not best or score > most:
                    best, most = digits, score
            net += time.perf_counter() - before
            if all(digit.confidence >= _SURE for digit in best):
                break
        elapsed = time.perf_counter() - start
        self.milliseconds = {"find": 1000 * (elapsed - net), "net": 1000 * net}
        return best

    def _judge(self, found: list[Found]) -> list[Digit]:
        rows = self._model.probabilities(np.stack([each.crop for each in found]))
        digits = []
        for each, row in zip(found, rows, strict=True):
            label = int(row.argmax())
            confidence = float(row[label])
            sure = confidence > self._threshold
            digits.append(
                Digit(label if sure else None, confidence, row, each.box, each.crop, each.line)
            )
        return digits

    def stages(self) -> dict[str, np.ndarray]:
        """Pictures of the last `read`'s preprocessing, by name, uint8 (h, w), in order."""
        return self._finder.stages()


def _score(found: list[Found], digits: list[Digit]) -> float:
    """How much of the ink is read how well: fragments of a digit score less than the whole."""
    return sum(
        each.ink * max(0.0, digit.confidence - 0.5)
        for each, digit in zip(found, digits, strict=True)
    )
