"""Readings over time do not flicker and follow changes quickly."""

import itertools
import json
import subprocess
import sys
import time

import numpy as np
import pytest

from camera_fakes import digit
from conftest import ROOT
from digits_tf.camera.smoother import Smoother

LEFT, RIGHT = (100, 100, 40, 60), (170, 100, 40, 60)
# Until a digit shows that is there at once, and one that was written or replaces another; for how
# long one shows that is no longer there. No frame is between frames: hence limits.
NEW_S, SURE_S, HOLD_S = (0.1, 0.17), (0.25, 0.31), (0.18, 0.25)


def grown(label, share):
    """A digit of which a share of the height is written."""
    return digit(label, box=(100, 100, 40, round(20 + 60 * share)))


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
    play(smoother, [[], *[[digit(7, 0.99)]] * (2 * fps)], fps, start=-1 / fps)
    shown = play(smoother, [[digit(1, probability, second=7)]] * fps, fps, start=2.0)
    first = shown.index([1])
    # At few frames a second the time is over with the first one already.
    assert first == 0 or first / fps <= SURE_S[1]
    assert first / fps >= SURE_S[0] or fps < 60
    assert shown[first:] == [[1]] * (fps - first)
    assert all(labels in ([7], [1]) for labels in shown), "no gap between the two"


@pytest.mark.parametrize("fps", [8, 10, 30, 60])
def test_a_new_digit_shows_in_time(fps):
    smoother = Smoother(0.5)
    play(smoother, [[]] * fps, fps)
    shown = play(smoother, [[digit(7)]] * fps, fps, start=1.0)
    first = shown.index([7])
    assert first / fps <= NEW_S[1]
    assert first / fps >= NEW_S[0] or fps < 60
    assert shown[1:first] == [[None]] * (first - 1), "its box shows before"


@pytest.mark.parametrize("fps", [8, 15, 30, 60])
@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_a_digit_shows_when_it_is_written(fps, pause):
    """A 7 becomes a 2 as it grows; the hand may pause before."""
    smoother = Smoother(0.5)
    times = [*np.arange(0, 0.5, 1 / fps), *[0.5] * round(pause * fps), *np.arange(0.5, 1, 1 / fps)]
    play(smoother, [[]], fps)
    written = [[grown(7 if time <= 0.6 else 2, time)] for time in times]
    shown = play(smoother, written, fps, start=1 / fps)
    assert [labels for labels in shown if labels not in ([], [None])] == []
    shown = play(smoother, [[grown(2, 1.0)]] * fps, fps, start=(1 + len(times)) / fps)
    first = shown.index([2])
    assert first / fps <= SURE_S[1]
    assert shown == [[None]] * first + [[2]] * (fps - first)


def test_a_label_goes_when_its_digit_is_written_on():
    smoother = Smoother(0.5)
    assert play(smoother, [[grown(0, 0.5)]] * 20, 30)[-1] == [0]
    assert play(smoother, [[grown(9, 0.9)]] * 3, 30, start=20 / 30) == [[None]] * 3


def test_a_label_stays_when_its_digit_comes_nearer():
    shown = play(Smoother(0.5), [[grown(9, index / 30)] for index in range(30)], 30)
    assert shown == [[9]] * 30


@pytest.mark.parametrize(("height", "latest"), [(55, NEW_S[1]), (70, SURE_S[1])])
def test_a_box_that_changes_little_does_not_grow(height, latest):
    smoother = Smoother(0.5)
    play(smoother, [[]] * 60, 60)
    frames = [[digit(7)], [digit(7, box=(100, 100, 40, height))]] * 5
    first = play(smoother, [*frames[:2], *[frames[1]] * 58], 60, start=1.0).index([7])
    assert latest - 0.06 <= first / 60 <= latest


@pytest.mark.parametrize("fps", [10, 30, 60])
def test_a_rejected_digit_loses_its_label_in_time(fps):
    """Also if the recognizer is sure that it is no digit."""
    for mark in (digit(None, 0.3), digit(None, 0.97)):
        smoother = Smoother(0.5)
        play(smoother, [[digit(3)]] * fps, fps)
        shown = play(smoother, [[mark]] * fps, fps, start=1.0)
        assert HOLD_S[0] <= shown.index([None]) / fps <= HOLD_S[1]


@pytest.mark.parametrize("fps", [10, 30, 60])
def test_two_digits_that_swap_their_boxes_show_in_time(fps):
    smoother = Smoother(0.5)
    before = [digit(3, box=LEFT), digit(8, box=RIGHT)]
    after = [digit(8, box=LEFT), digit(3, box=RIGHT)]
    assert play(smoother, [before] * fps, fps)[-1] == [3, 8]
    shown = play(smoother, [after] * fps, fps, start=1.0)
    assert shown.index([8, 3]) / fps <= SURE_S[1]
    assert shown.index([8, 3]) / fps >= SURE_S[0] or fps < 60


def test_a_digit_that_is_missed_for_a_moment_stays_in_its_place():
    row = [digit(3, box=LEFT), digit(1, box=(148, 100, 12, 60)), digit(8, box=RIGHT)]
    missed = [row[0], row[2]]
    shown = play(Smoother(0.5), [row] * 5 + [missed] * 3 + [row] * 5, 30)
    assert shown == [[3, 1, 8]] * 13


def test_a_digit_that_is_gone_is_gone_in_time():
    shown = play(Smoother(0.5), [[digit(3)]] * 60 + [[]] * 60, 60)
    assert HOLD_S[0] <= (shown.index([]) - 60) / 60 <= HOLD_S[1]
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


def test_a_digit_beside_another_is_a_new_one():
    smoother = Smoother(0.5)
    play(smoother, [[digit(3)]] * 60, 60)
    shown = play(smoother, [[digit(8, box=(142, 100, 40, 60))]] * 30, 60, start=1.0)
    assert min(index for index, labels in enumerate(shown) if 8 in labels) / 60 <= NEW_S[1]


def test_order_stays_where_digits_stand_still():
    """The last of three fits the two lines on its left, which are equally near, as well."""
    rng, smoother, orders = np.random.default_rng(0), Smoother(0.5), set()
    for index in range(300):
        boxes = [(100, 100, 40, 60), (100, 150, 40, 60), (170, 125, 40, 60)]
        jitter = rng.integers(-3, 4, (3, 4))
        row = [digit(label, box=box) for label, box in enumerate(np.array(boxes) + jitter, start=1)]
        shown = smoother.update([row[place] for place in rng.permutation(3)], index / 30)
        orders.add(tuple((each.label, each.line) for each in shown))
    assert len(orders) == 1


def test_lines_stay_where_boxes_jitter():
    """The second shares just enough of its height with the first, or too little."""
    smoother = Smoother(0.5)
    for index in range(60):
        row = [digit(1), digit(2, box=(170, 135 + index % 2 * 6, 40, 60))]
        assert [each.line for each in smoother.update(row, index / 30)] == [0, 0]


def test_lines_stay_while_a_digit_is_not_read():
    """Between the outer two, which do not overlap in height, the line goes on by the middle one."""
    row = [digit(1, box=(100, 100, 40, 60)), None, digit(3, box=(240, 150, 40, 60))]
    smoother, box = Smoother(0.5), (170, 125, 40, 60)
    for index in range(60):
        row[1] = digit(None if index % 10 > 6 else 2, box=box, line=index % 3)
        shown = smoother.update(row, index / 30)
        assert [(each.label, each.line) for each in shown] == [(1, 0), (2, 0), (3, 0)]


def test_marks_that_are_no_digits_come_last():
    row = [
        digit(None, 0.3, box=(30, 100, 40, 60)),
        digit(1),
        digit(2, box=(170, 100, 40, 60)),
        digit(3, box=(100, 300, 40, 60)),
    ]
    shown = Smoother(0.5).update(row, 0.0)
    assert [(each.label, each.line) for each in shown] == [(1, 0), (2, 0), (3, 1), (None, 2)]


def test_probabilities_are_averaged_and_the_box_is_the_latest():
    smoother = Smoother(0.5)
    smoother.update([digit(7, 0.6, box=LEFT)], 0.0)
    (steady,) = smoother.update([digit(7, 1.0, box=(102, 101, 40, 60))], 0.1)
    assert steady.confidence == pytest.approx(0.79, abs=0.03)
    assert steady.confidence == pytest.approx(float(steady.probabilities[7]))
    assert steady.probabilities.sum() == pytest.approx(1.0, abs=1e-5)
    assert steady.box == (102, 101, 40, 60)


@pytest.mark.parametrize(
    ("confidence", "is_sure"), [(0.3, False), (0.5, False), (0.51, True), (0.97, True)]
)
def test_what_is_surely_no_digit_takes_away_from_all_probabilities(confidence, is_sure):
    smoother = Smoother(0.5)
    smoother.update([digit(7)], 0.0)
    (shown,) = smoother.update([digit(None, confidence)], 0.15)
    left = np.exp(-1)  # after one time constant
    assert shown.probabilities.sum() == pytest.approx(left if is_sure else 1.0, abs=1e-5)
    assert shown.probabilities[3] == pytest.approx(
        left * 0.1 / 9 + (0 if is_sure else (1 - left) * confidence), abs=1e-5
    )


@pytest.mark.parametrize(
    ("before", "now", "moved", "same"),
    [
        (60, 60, 29.9, True),
        (60, 60, 30, False),
        (61, 60, 30.2, True),
        (61, 60, 30.3, False),
        (60, 61, 30.2, True),
        (60, 61, 30.3, False),
    ],
)
@pytest.mark.parametrize("axis", [0, 1])
def test_a_digit_moves_by_less_than_half_of_its_size(before, now, moved, same, axis):
    """Its size is the mean of the longer sides before and now."""
    first, then = [100, 100, 40, 40], [100, 100, 40, 40]
    first[2 + axis], then[2 + axis] = before, now
    then[axis] += moved + before / 2 - now / 2
    smoother = Smoother(0.5)
    smoother.update([digit(7, box=first)], 0.0)
    boxes = [each.box for each in smoother.update([digit(1, box=then)], 0.03)]
    assert (tuple(then) in boxes) == same


def test_smoothing_twelve_digits_takes_little_time():
    row = [digit(place % 10, box=(60 * place, 100, 40, 60)) for place in range(12)]
    smoother = Smoother(0.5)
    start = time.process_time()
    for index in range(300):
        smoother.update(row, index / 60)
    assert (time.process_time() - start) / 300 < 0.001


def test_the_script_measures_each_kind_of_clip_and_keeps_what_was_read(tmp_path):
    command = [sys.executable, ROOT / "scripts" / "measure_stream.py", "--clips=1", "--seconds=3"]
    command += [f"--readings={tmp_path}", "--json"]
    first, again = (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)
    )
    assert first == again
    found = json.loads(first)
    assert len(found) == len(list(tmp_path.iterdir())) == 6
    for figures in found.values():
        assert figures["digits"][0] >= 1
        assert 0 <= figures["wrong"][0] < 50
        assert 0 <= figures["late"][0] < 1
    assert found["held"]["late"][0] == pytest.approx(0.13, abs=0.04)
