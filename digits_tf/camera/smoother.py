"""Smooths readings over time, so that they do not flicker from frame to frame."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digits_tf.recognition import Digit

# The time constant of the probabilities' average.
_AVERAGE_S = 0.15
# A new label needs two frames, this far apart, that agree; then the average decides. After the
# longer time the label is taken whatever the average is. With the frames before and after, a change
# so takes at most a quarter of a second from 5 frames per second on.
_CHANGE_S, _CERTAIN_S = 0.09, 0.14
# A digit that is not found for this long is gone.
_HOLD_S = 0.2
# Frames this far apart are each believed at once.
_SLOW_S = 0.2
# How far a digit may move between frames, relative to its size: half the way to a neighbour.
_MOVE = 0.5
# A label is dropped when its average is clearly below the threshold, by this factor; or when the
# frames contradict each other and the average is at most the minimum.
_BELOW, _MINIMUM = 0.8, 0.25


class Smoother:
    """Follows each digit by its box and averages its probabilities.

    A new digit shows once it is found twice. A digit that replaces another shows within a quarter
    of a second from 5 frames per second on; at lower rates, with the next frame.

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
            digits: what was read, in reading order.
            seconds: the frame's time, of a clock that never goes back.

        Returns:
            The smoothed digits in reading order: label, confidence and probabilities are averages
            (these add up to less than 1 where the recognizer rejected the digit), the rest is the
            latest. Digits that were missed for a moment are among them.
        """
        slow = seconds - self._last >= _SLOW_S
        self._last = seconds
        tracks: list[_Track] = []
        for digit, track in zip(digits, self._match(digits), strict=True):
            if track is None:
                track = _Track(digit, self._evidence(digit), seconds, shown=slow)
            else:
                track.update(digit, self._evidence(digit), seconds, self._threshold)
            tracks.append(track)
        missed = [
            track
            for track in self._tracks
            if track.seen < seconds <= track.seen + _HOLD_S
            and track.shown
            and not any(digit.box.contains(*track.digit.box.centre) for digit in digits)
        ]
        for track in missed:
            # Back to its place in the line.
            place = sum(track.follows(other) for other in tracks)
            tracks.insert(place, track)
        self._tracks = tracks
        return [track.smoothed() for track in tracks if track.shown]

    def _match(self, digits: Sequence[Digit]) -> "list[_Track | None]":
        """Returns the track of each digit; the nearest pairs are matched first."""
        if len(digits) == len(self._tracks) and all(map(_is_near, digits, self._tracks)):
            # Nothing has come, gone or moved: the usual case, and faster.
            return list(self._tracks)
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
        digit: as it was read last.
        seen: when that was, in seconds.
        shown: whether it has been found often enough to show.
    """

    def __init__(self, digit: Digit, evidence: NDArray[np.float32], seconds: float, shown: bool):
        self.digit, self.seen, self.shown = digit, seconds, shown
        self._label, self._average = digit.label, evidence
        # Since when the frames agree.
        self._since = seconds

    def update(
        self, digit: Digit, evidence: NDArray[np.float32], seconds: float, threshold: float
    ) -> None:
        """Takes the digit as read in a new frame."""
        gap = seconds - self.seen
        if digit.label != self.digit.label:
            self._since = seconds
        self.digit, self.seen, self.shown = digit, seconds, True
        self._average = self._average + (1 - math.exp(-gap / _AVERAGE_S)) * (
            evidence - self._average
        )
        slow, agreed = gap >= _SLOW_S, seconds - self._since
        if digit.label != self._label and (slow or agreed >= _CHANGE_S):
            if slow or agreed >= _CERTAIN_S:
                self._average = evidence
            self._change_label(digit.label, threshold)
        elif agreed == 0 and self._label is not None and self._average[self._label] <= _MINIMUM:
            self._label = None

    def _change_label(self, label: int | None, threshold: float) -> None:
        average = self._average
        if label is not None:
            if average[label] > threshold and average.argmax() == label:
                self._label = label
        elif self._label is not None and average[self._label] <= _BELOW * threshold:
            self._label = None

    def follows(self, other: "_Track") -> bool:
        """Returns whether it comes after the other in reading order."""
        mine, theirs = self.digit, other.digit
        return (mine.line, mine.box[0]) > (theirs.line, theirs.box[0])

    def smoothed(self) -> Digit:
        """Returns the digit with the averaged label and probabilities."""
        digit, label, average = self.digit, self._label, self._average
        confidence = float(average.max() if label is None else average[label])
        return Digit(label, confidence, average, digit.box, digit.crop, digit.line)


def _is_near(digit: Digit, track: _Track) -> bool:
    """Returns whether a digit is too near to a track to belong to a neighbour."""
    x, y, w, h = digit.box
    left, top, width, height = track.digit.box
    reach = _MOVE * min(w, width)
    return abs(x + w / 2 - left - width / 2) < reach and abs(y + h / 2 - top - height / 2) < reach
