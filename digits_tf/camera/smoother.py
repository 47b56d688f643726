"""Steadies readings over time, so that they do not flicker from frame to frame."""

import math
from collections.abc import Sequence

import numpy as np

from digits_tf.recognition import Digit

# Probabilities of a digit are averaged over about this time.
_AVERAGE_S = 0.15
# A change needs two frames, and so long, that say the same; then the average decides. After the
# longer time it is believed whatever the average: with the frame before and the frame after, that
# makes no more than a quarter of a second from 5 frames per second on.
_CHANGE_S, _SURE_S = 0.09, 0.14
# A digit that is not found for so long is gone.
_HOLD_S = 0.2
# Frames so far apart are each believed at once.
_SLOW_S = 0.2
# How far a digit may jump between frames, in its own sizes: half the way to a neighbour.
_JUMP = 0.5
# A label goes when its average is clearly, not just by a hair, below the threshold; or when the
# frames contradict each other and it has no more than this.
_BELOW, _LEAST = 0.8, 0.25


class Steadier:
    """Follows each digit by its box and averages what is read in it.

    A new digit shows when it is found twice; one that replaces another is followed within a quarter
    of a second from 5 frames per second on, and below with the next frame.

    Args:
        threshold: as of the recogniser: a digit whose probability is not above it has no label.
    """

    def __init__(self, threshold: float):
        self._threshold = threshold
        self._tracks: list[_Track] = []
        self._last = -math.inf

    def update(self, digits: Sequence[Digit], seconds: float) -> list[Digit]:
        """Takes the reading of a frame.

        Args:
            digits: what was read, in reading order.
            seconds: when the frame was, on a clock that never goes back.

        Returns:
            The steadied digits in reading order: label, confidence and probabilities are averages
            (these add up to less than 1 where the recogniser refused), the rest is the latest.
            Digits that were missed for a moment are among them.
        """
        slow = seconds - self._last >= _SLOW_S
        self._last = seconds
        tracks: list[_Track] = []
        for digit, track in zip(digits, self._match(digits), strict=True):
            if track is None:
                track = _Track(digit, self._evidence(digit), seconds, shown=slow)
            else:
                track.see(digit, self._evidence(digit), seconds, self._threshold)
            tracks.append(track)
        held = [
            track
            for track in self._tracks
            if track.seen < seconds <= track.seen + _HOLD_S
            and track.shown
            and not any(_covers(digit.box, track.digit.box) for digit in digits)
        ]
        for track in held:
            # Back to its place in the line.
            place = sum(track.follows(other) for other in tracks)
            tracks.insert(place, track)
        self._tracks = tracks
        return [track.steadied() for track in tracks if track.shown]

    def _match(self, digits: Sequence[Digit]) -> "list[_Track | None]":
        """The track of each digit; nearest pairs first."""
        if len(digits) == len(self._tracks) and all(map(_is_near, digits, self._tracks)):
            # Nothing has come, gone or moved, as nearly always.
            return list(self._tracks)
        matches: list[_Track | None] = [None] * len(digits)
        if not digits or not self._tracks:
            return matches
        boxes = np.array([digit.box for digit in digits], float)
        before = np.array([track.digit.box for track in self._tracks], float)
        sizes = (boxes[:, 2:].max(1)[:, None] + before[:, 2:].max(1)) / 2
        centres = boxes[:, :2] + boxes[:, 2:] / 2
        way = centres[:, None] - (before[:, :2] + before[:, 2:] / 2)
        jumps = np.hypot(way[..., 0], way[..., 1]) / sizes
        pairs = np.argwhere(jumps < _JUMP)
        taken = set()
        for digit, track in pairs[jumps[tuple(pairs.T)].argsort(kind="stable")].tolist():
            if matches[digit] is None and track not in taken:
                matches[digit] = self._tracks[track]
                taken.add(track)
        return matches

    def _evidence(self, digit: Digit) -> np.ndarray:
        """The probabilities; none of them where the recogniser was sure that it is no digit."""
        if digit.label is None and digit.confidence > self._threshold:
            return np.zeros_like(digit.probabilities)
        return digit.probabilities


class _Track:
    """One digit over time.

    Attributes:
        digit: as it was read last.
        seen: when that was, in seconds.
        shown: whether it has been seen often enough.
    """

    def __init__(self, digit: Digit, evidence: np.ndarray, seconds: float, shown: bool):
        self.digit, self.seen, self.shown = digit, seconds, shown
        self._label, self._average = digit.label, evidence
        # Since when the frames say the same.
        self._since = seconds

    def see(self, digit: Digit, evidence: np.ndarray, seconds: float, threshold: float) -> None:
        """Takes a new reading of it."""
        gap = seconds - self.seen
        if digit.label != self.digit.label:
            self._since = seconds
        self.digit, self.seen, self.shown = digit, seconds, True
        self._average = self._average + (1 - math.exp(-gap / _AVERAGE_S)) * (
            evidence - self._average
        )
        slow, agreed = gap >= _SLOW_S, seconds - self._since
        if digit.label != self._label and (slow or agreed >= _CHANGE_S):
            if slow or agreed >= _SURE_S:
                self._average = evidence
            self._follow(digit.label, threshold)
        elif agreed == 0 and self._label is not None and self._average[self._label] <= _LEAST:
            self._label = None

    def _follow(self, label: int | None, threshold: float) -> None:
        average = self._average
        if label is None:
            if average[self._label] <= _BELOW * threshold:
                self._label = None
        elif average[label] > threshold and average.argmax() == label:
            self._label = label

    def follows(self, other: "_Track") -> bool:
        """Whether it comes after the other one in reading order."""
        mine, theirs = self.digit, other.digit
        return (mine.line, mine.box[0]) > (theirs.line, theirs.box[0])

    def steadied(self) -> Digit:
        """The digit with its label and probabilities averaged."""
        digit, label, average = self.digit, self._label, self._average
        confidence = float(average.max() if label is None else average[label])
        return Digit(label, confidence, average, digit.box, digit.crop, digit.line)


def _is_near(digit: Digit, track: _Track) -> bool:
    """Whether a digit is so near to a track that it cannot belong to a neighbour."""
    x, y, w, h = digit.box
    left, top, width, height = track.digit.box
    reach = _JUMP * min(w, width)
    return abs(x + w / 2 - left - width / 2) < reach and abs(y + h / 2 - top - height / 2) < reach


def _covers(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Whether the centre of the other box is in this one."""
    x, y = other[0] + other[2] / 2, other[1] + other[3] / 2
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]
