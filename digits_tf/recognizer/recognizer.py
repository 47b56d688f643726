"""From a frame to the digits in it."""

import time
from pathlib import Path

import numpy as np

from digits_tf import classifier
from digits_tf.classifier.classifier import INPUT_SHAPE, THRESHOLD, Classifier
from digits_tf.preprocess import Cell, Finder, Found, Option
from digits_tf.recognizer.digit import Digit

# The first way of finding digits is believed if so many of its readings are as sure as that.
_SURE, _MOSTLY = 0.9, 0.75
# What it is worth that a mark is surely no digit, where a digit that is sure is worth 1.
_NO_DIGIT = 0.8

_Reading = tuple[Found, Digit]


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
        best: list[_Reading] = []
        for ways in self._finder.attempts(frame):
            before = time.perf_counter()
            for cells in ways:
                read = self._judge(cells)
                if not best or _score(read) > _score(best):
                    best = read
            net += time.perf_counter() - before
            sure = sum(digit.confidence >= _SURE for _, digit in best)
            if sure >= _MOSTLY * len(best):
                break
        elapsed = time.perf_counter() - start
        self.milliseconds = {"find": 1000 * (elapsed - net), "net": 1000 * net}
        return [digit for _, digit in best]

    def _judge(self, cells: list[Cell]) -> list[_Reading]:
        """The digits of the best option of each cell."""
        every = [each for cell in cells for option in cell for each in option.found]
        rows = self._model.probabilities(np.stack([each.crop for each in every]))
        labels, likeliest = rows.argmax(axis=1).tolist(), rows.max(axis=1).tolist()
        digits = map(self._digit, every, rows, labels, likeliest)
        read: list[_Reading] = []
        for cell in cells:
            options = [(option, [(each, next(digits)) for each in option.found]) for option in cell]
            read += max(options, key=_merit)[1] if len(options) > 1 else options[0][1]
        return read

    def _digit(
        self, found: Found, probabilities: np.ndarray, label: int, confidence: float
    ) -> Digit:
        return Digit(
            label if confidence > self._threshold else None,
            confidence,
            probabilities,
            found.box,
            found.crop,
            found.line,
        )

    def stages(self) -> dict[str, np.ndarray]:
        """Pictures of the last `read`'s preprocessing, by name, uint8 (h, w), in order."""
        return self._finder.stages()


def _score(read: list[_Reading]) -> float:
    """How much of the ink is read how well: fragments of a digit score less than the whole."""
    return sum(found.weigh() * max(0.0, digit.confidence - 0.5) for found, digit in read)


def _merit(read: tuple[Option, list[_Reading]]) -> float:
    option, digits = read
    return sum(_worth(digit, option) for _, digit in digits) / len(digits) - option.cost


def _worth(digit: Digit, option: Option) -> float:
    if not option.as_drawn:
        return digit.confidence
    # A letter is rather a letter than two doubtful digits: an N cut in two is a 1 and a 7.
    return max(digit.confidence, _NO_DIGIT * (1.0 - float(digit.probabilities.sum())))
