"""Smooths readings over time, so that they do not flicker from frame to frame."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digits_tf.boxes import Box
from digits_tf.recognition import Digit
from digits_tf.recognition.digit import in_lines

# The time constant of the averages of probabilities and boxes.
_AVERAGE_S = 0.15
# A label shows once it was read for so long: of a digit that is there at once; and of one whose box
# has changed its size, as it does while somebody writes, or that shows another label.
_NEW_S, _SURE_S = 0.15, 0.3
# A box has another size if a side differs by this share of the longer one.
_RESIZED = 0.12
# A digit that is not found for this long is gone; one that is not read loses its label.
_HOLD_S = 0.2
# How far a digit may move between frames, relative to its size: half the way to a neighbour.
_MOVE = 0.5


class Smoother:
    """Follows each digit by its box, and shows its label once it has been read for a while.

    All of that is in seconds of the stream: it does not depend on the rate of frames, of which each
    stands for the time since the one before.

    Args:
        threshold: the recognizer's: a digit has a label if its probability is above it.
    """

    def __init__(self, threshold: float):
        self._threshold = threshold
        self._tracks: list[_Track] = []
        self._last = -math.inf

    def update(self, digits: Sequence[Digit], seconds: float) -> list[Digit]:
        """Takes the digits of a frame.

        Args:
            digits: what was read.
            seconds: the frame's time, of a clock that never goes back.

        Returns:
            The smoothed digits in reading order: the label is steady, confidence and probabilities
            are averages (these add up to less than 1 where the recognizer rejected the digit),
            the line is that of the averaged boxes, the rest is the latest. Digits that were missed
            for a moment are among them; those that have no label yet, too.
        """
        gap, self._last = seconds - self._last, seconds
        tracks: list[_Track] = []
        for digit, track in zip(digits, self._match(digits), strict=True):
            if track is None:
                track = _Track(digit, self._evidence(digit), seconds, gap)
            else:
                track.update(digit, self._evidence(digit), seconds)
            tracks.append(track)
        tracks += [
            track
            for track in self._tracks
            if track.seen < seconds <= track.seen + _HOLD_S
            and track.shown
            and not any(digit.box.contains(*track.digit.box.centre) for digit in digits)
        ]
        self._tracks = tracks
        return _in_lines([track for track in tracks if track.shown], seconds)

    def _match(self, digits: Sequence[Digit]) -> "list[_Track | None]":
        """Returns the track of each digit; the nearest pairs are matched first."""
        matches: list[_Track | None] = [None] * len(digits)
        if not digits or not self._tracks:
            return matches
        boxes = np.array([digit.box for digit in digits], float)
        before = np.array([track.digit.box for track in self._tracks], float)
        sizes = (boxes[:, 2:].max(1)[:, None] + before[:, 2:].max(1)) / 2
        centres = boxes[:, :2] + boxes[:, 2:] / 2
        offsets = centres[:, None] - (before[:, :2] + before[:, 2:] / 2)
        moves = np.hypot(offsets[..., 0], offsets[..., 1]) / sizes
        pairs = np.argwhere(moves < _MOVE)
        taken = set()
        for digit, track in pairs[moves[tuple(pairs.T)].argsort(kind="stable")].tolist():
            if matches[digit] is None and track not in taken:
                matches[digit] = self._tracks[track]
                taken.add(track)
        return matches

    def _evidence(self, digit: Digit) -> NDArray[np.float32]:
        """Returns the probabilities; zeros where the recognizer is sure that it is no digit."""
        if digit.label is None and digit.confidence > self._threshold:
            return np.zeros_like(digit.probabilities)
        return digit.probabilities


class _Track:
    """One digit over time.

    Attributes:
        digit: as it was found last.
        seen: when that was, in seconds.
        read: when it last had a label.
        shown: whether it has been found often enough to show.
        place: the averaged box.
        line: the line of text that it stands in; -1: none yet.
    """

    def __init__(self, digit: Digit, evidence: NDArray[np.float32], seconds: float, gap: float):
        self.digit, self.seen, self.shown = digit, seconds, gap >= _NEW_S
        self.read = seconds if digit.label is not None else -math.inf
        self.place, self.line = np.array(digit.box, float), -1
        self._label = digit.label if self.shown else None
        self._average = evidence
        self._size = digit.box[2:]
        # A label that may show, for how long it was read more than others, and must have been.
        self._next, self._votes = digit.label, gap
        self._wait = _SURE_S if self.shown else _NEW_S

    def update(self, digit: Digit, evidence: NDArray[np.float32], seconds: float) -> None:
        """Takes the digit as read in a new frame."""
        gap = seconds - self.seen
        self.digit, self.seen, self.shown = digit, seconds, True
        self.read = self.read if digit.label is None else seconds
        share = 1 - math.exp(-gap / _AVERAGE_S)
        self._average = self._average + share * (evidence - self._average)
        self.place += share * (np.array(digit.box) - self.place)
        changes = (abs(now - before) for now, before in zip(digit.box[2:], self._size, strict=True))
        if max(changes) > _RESIZED * max(self._size):
            self._size, self._wait, self._votes = digit.box[2:], _SURE_S, 0.0
            if digit.label != self._label:
                self._label = None
        # Boyer's and Moore's majority vote.
        self._votes += gap if digit.label == self._next else -gap
        if self._votes < 0:
            self._next, self._votes = digit.label, gap
        if self._next == self._label:
            self._votes = 0.0
        elif self._votes >= self._wait:
            self._label, self._wait = self._next, _SURE_S

    def smoothed(self, line: int, seconds: float) -> Digit:
        """Returns the digit with the steady label, if one was read lately, and the averages."""
        if seconds > self.read + _HOLD_S:
            self._label = None
        digit, label, average = self.digit, self._label, self._average
        confidence = float(average.max() if label is None else average[label])
        return Digit(label, confidence, average, digit.box, digit.crop, line)


def _in_lines(tracks: Sequence[_Track], seconds: float) -> list[Digit]:
    """Returns the smoothed digits line by line; what was not read for a while comes last."""
    smoothed: list[Digit] = []
    for is_digit in (True, False):
        part = [track for track in tracks if (seconds <= track.read + _HOLD_S) is is_digit]
        lines = in_lines([Box(*track.place) for track in part], [track.line for track in part])
        first = smoothed[-1].line + 1 if smoothed else 0
        for number, line in enumerate(lines, first):
            for track in (part[index] for index in line):
                track.line = number
                smoothed.append(track.smoothed(number, seconds))
    return smoothed
