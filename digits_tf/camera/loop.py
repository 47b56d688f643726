"""The way from a frame to a digit, again and again."""

import time

import numpy as np

from digits_tf.camera.display import Display, View, Wish
from digits_tf.camera.fps import FpsMeter
from digits_tf.camera.preprocess import find_digit
from digits_tf.camera.reading import Reading, judge
from digits_tf.camera.source import Source
from digits_tf.classifier.classifier import INPUT_SHAPE, Classifier


class Loop:
    """Reads the frames of a source and shows what it reads.

    Args:
        source: where frames come from.
        classifier: reads the digits.
        display: shows them.
        threshold: 0 to 1; a digit whose probability is not above it is none.
        paced: whether a source with a rate of its own is held to it; if not, it runs as fast as it
            can and its frames' times are counted, not measured.

    Attributes:
        last: what was shown last; None before the first frame.
    """

    def __init__(
        self,
        source: Source,
        classifier: Classifier,
        display: Display,
        threshold: float = 0.5,
        paced: bool = True,
    ):
        self._source, self._classifier, self._display = source, classifier, display
        self._threshold, self._paced = threshold, paced
        self._frames = self._digits = 0
        self._start = self._end = self._find_s = self._net_s = 0.0
        self.last: View | None = None

    def run(self, frames: int | None = None, seconds: float | None = None) -> None:
        """Runs until the source or the user ends it, or until a limit is reached.

        Args:
            frames: the greatest number of frames.
            seconds: the longest time.

        Raises:
            DigitsError: if the source fails.
        """
        # The first call lays out the net's memory and would spoil the figures.
        self._classifier.probabilities(np.zeros((1, *INPUT_SHAPE[:2]), np.uint8))
        meter = FpsMeter()
        self._start = self._end = due = time.perf_counter()
        for index, frame in enumerate(self._source.frames()):
            if self._source.fps and self._paced:
                time.sleep(max(0.0, due - time.perf_counter()))
                # After a delay the rate goes on from here: no rush to catch up.
                due = max(due + 1 / self._source.fps, time.perf_counter())
            reading = self._read(frame)
            self._frames += 1
            self._end = time.perf_counter()
            fps = 0.0 if self._source.still else meter.tick(self._end)
            at = index / self._source.fps if self._source.fps else self._end - self._start
            self.last = View(frame, reading, fps, at, self._source.caption)
            wish = self._display.show(self.last)
            while self._source.still and wish is Wish.NOTHING and not self._over(seconds):
                wish = self._display.wait()
            if wish is Wish.END or self._over(seconds) or self._frames == frames:
                return

    def summary(self) -> str:
        """One line: frames, rate, and what each step takes."""
        elapsed = self._end - self._start
        text = f"{self._frames} frame{'s' if self._frames != 1 else ''} in {elapsed:.1f} s"
        if elapsed > 0 and not self._source.still:
            text += f", {self._frames / elapsed:.1f} FPS"
        if self._frames:
            text += f"; preprocess {1000 * self._find_s / self._frames:.2f} ms"
        if self._digits:
            text += f", net {1000 * self._net_s / self._digits:.2f} ms"
        return text

    def _read(self, frame: np.ndarray) -> Reading:
        start = time.perf_counter()
        found = find_digit(frame)
        middle = time.perf_counter()
        self._find_s += middle - start
        if found is None:
            return Reading()
        probabilities = self._classifier.probabilities(found.crop[None])[0]
        self._net_s += time.perf_counter() - middle
        self._digits += 1
        return judge(found, probabilities, self._threshold)

    def _over(self, seconds: float | None) -> bool:
        return seconds is not None and time.perf_counter() - self._start >= seconds
