"""Readings over time do not flicker and follow changes quickly."""

import itertools
import time

import numpy as np
import pytest

from camera_fakes import digit
from digits_tf.camera.smoother import Smoother

LEFT, RIGHT = (100, 100, 40, 60), (170, 100, 40, 60)
FOLLOWS_S = 0.25


def play(smoother, frames, fps, start=0.0):
    """The labels that are shown for each frame, as a list of lists."""
    return [
        [each.label for each in smoother.update(digits, start + index / fps)]
        for index, digits in enumerate(frames)
    ]


@pytest.mark.parametrize("fps", [7, 10, 30, 60])
@pytest.mark.parametrize("other", [digit(1), digit(None, 0.4), digit(None, 0.9)])
def test_alternating_readings_do_not_flicker(fps, other):
    shown = play(Smoother(0.5), [[digit(7)], [other]] * 20, fps)
    assert shown == [[7]] * 40


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_noise_is_reduced(fps):
    rng = np.random.default_rng(0)
    raw = [
        [digit(7 if good else int(other))]
        for good, other in zip(rng.random(600) > 0.2, rng.integers(0, 10, 600), strict=True)
    ]
    shown = play(Smoother(0.5), raw, fps)
    raw_changes = sum(a[0].label != b[0].label for a, b in itertools.pairwise(raw))
    changes = sum(a != b for a, b in itertools.pairwise(shown))
    assert raw_changes > 150
    assert changes <= 4
    assert shown.count([7]) > 590


@pytest.mark.parametrize("fps", [3, 5, 7, 8, 10, 15, 30, 60, 120])
@pytest.mark.parametrize(("threshold", "probability"), [(0.5, 0.55), (0.5, 0.99), (0.9, 0.95)])
def test_a_digit_that_replaces_another_shows_in_time(fps, threshold, probability):
    smoother = Smoother(threshold)
    play(smoother, [[digit(7, 0.99)]] * (2 * fps), fps)
    shown = play(smoother, [[digit(1, probability, second=7)]] * fps, fps, start=2.0)
    first = shown.index([1])
    # Below 4 frames per second the quarter is over with the first frame already.
    assert first == 0 or first / fps <= FOLLOWS_S
    assert shown[first:] == [[1]] * (fps - first)
    assert all(labels in ([7], [1]) for labels in shown), "no gap between the two"


@pytest.mark.parametrize("fps", [10, 30, 60])
def test_a_new_digit_shows_in_time(fps):
    smoother = Smoother(0.5)
    play(smoother, [[]] * fps, fps)
    shown = play(smoother, [[digit(7)]] * fps, fps, start=1.0)
    assert shown.index([7]) / fps <= FOLLOWS_S


@pytest.mark.parametrize("fps", [10, 30, 60])
def test_a_rejected_digit_loses_its_label_in_time(fps):
    """Also if the recognizer is sure that it is no digit."""
    for mark in (digit(None, 0.3), digit(None, 0.97)):
        smoother = Smoother(0.5)
        play(smoother, [[digit(3)]] * fps, fps)
        shown = play(smoother, [[mark]] * fps, fps, start=1.0)
        assert shown.index([None]) / fps <= FOLLOWS_S


@pytest.mark.parametrize("fps", [10, 30, 60])
def test_two_digits_that_swap_their_boxes_show_in_time(fps):
    smoother = Smoother(0.5)
    before = [digit(3, box=LEFT), digit(8, box=RIGHT)]
    after = [digit(8, box=LEFT), digit(3, box=RIGHT)]
    assert play(smoother, [before] * fps, fps)[-1] == [3, 8]
    shown = play(smoother, [after] * fps, fps, start=1.0)
    assert shown.index([8, 3]) / fps <= FOLLOWS_S


def test_a_digit_that_is_missed_for_a_moment_stays_in_its_place():
    row = [digit(3, box=LEFT), digit(1, box=(148, 100, 12, 60)), digit(8, box=RIGHT)]
    missed = [row[0], row[2]]
    shown = play(Smoother(0.5), [row] * 5 + [missed] * 3 + [row] * 5, 30)
    assert shown == [[3, 1, 8]] * 13


def test_a_digit_that_is_gone_is_gone_in_time():
    shown = play(Smoother(0.5), [[digit(3)]] * 30 + [[]] * 30, 30)
    assert shown.index([]) - 30 <= FOLLOWS_S * 30
    assert shown[-1] == []


def test_a_missed_digit_is_dropped_where_another_is():
    """A digit that is kept for a moment must not be inside another."""
    wide = digit(4, box=(90, 90, 90, 90))
    shown = play(Smoother(0.5), [[digit(3, box=LEFT)]] * 30 + [[wide]] * 3, 30)
    assert all(len(labels) <= 1 for labels in shown)


def test_a_digit_of_one_frame_is_not_shown():
    frames = [[digit(3, box=LEFT)]] * 5
    frames[2] = [digit(3, box=LEFT), digit(1, box=(400, 10, 5, 9))]
    assert play(Smoother(0.5), frames, 30) == [[3]] * 5


def test_the_first_frame_is_shown_at_once():
    assert play(Smoother(0.5), [[digit(3)]], 30) == [[3]]


def test_digits_are_followed_as_the_camera_pans():
    """Four digits move by half their width per frame; none is taken for its neighbour."""

    def row(shift):
        return [
            digit(label, box=(60 * place + shift, 100, 40, 60))
            for place, label in enumerate((1, 9, 3, 8))
        ]

    shown = play(Smoother(0.5), [row(20 * index) for index in range(30)], 30)
    assert shown == [[1, 9, 3, 8]] * 30


def test_probabilities_are_averaged_and_the_box_is_the_latest():
    smoother = Smoother(0.5)
    smoother.update([digit(7, 0.6, box=LEFT)], 0.0)
    (steady,) = smoother.update([digit(7, 1.0, box=(102, 101, 40, 60))], 0.1)
    assert 0.6 < steady.confidence < 1.0
    assert steady.confidence == pytest.approx(float(steady.probabilities[7]))
    assert steady.probabilities.sum() == pytest.approx(1.0, abs=1e-5)
    assert steady.box == (102, 101, 40, 60)


def test_smoothing_twelve_digits_takes_little_time():
    row = [digit(place % 10, box=(60 * place, 100, 40, 60)) for place in range(12)]
    smoother = Smoother(0.5)
    start = time.process_time()
    for index in range(300):
        smoother.update(row, index / 60)
    assert (time.process_time() - start) / 300 < 0.001
