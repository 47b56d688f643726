"""The order in which people read."""

import pytest

import drawn
from digits_tf.recognition.digit import in_lines


def test_lines_are_read_from_above_and_from_the_left():
    boxes = [(100, 60, 10, 20), (0, 0, 10, 20), (0, 60, 10, 20), (50, 2, 10, 20), (100, 1, 10, 20)]
    assert in_lines(boxes) == [[1, 3, 4], [2, 0]]
    assert in_lines([]) == []
    assert in_lines([(5, 5, 1, 1)]) == [[0]]


@pytest.mark.parametrize("rise", [-0.45, -0.2, 0.2, 0.45])
def test_a_row_that_climbs_is_one_line(rise):
    """The last digit may stand higher than the first by many heights."""
    boxes = [(30 * index, 200 - 30 * rise * index, 20, 28) for index in range(12)]
    order = drawn.rng(0).permutation(12)
    (line,) = in_lines([boxes[index] for index in order])
    assert [int(order[index]) for index in line] == list(range(12))
    below = [(x, y + 45, w, h) for x, y, w, h in boxes]
    lines = in_lines([*boxes, *below])
    assert lines == [list(range(12)), list(range(12, 24))]


def test_a_row_at_two_heights_is_one_line_if_they_overlap_enough():
    for shift, count in ((8, 1), (12, 1), (14, 2), (20, 2)):
        boxes = [(30 * index, 50 + index % 2 * shift, 14, 20) for index in range(6)]
        assert len(in_lines(boxes)) == count, shift


def test_digits_of_very_different_size_stand_in_lines_of_their_own():
    for tall, count in ((40, 1), (43, 1), (46, 2), (120, 2)):
        boxes = [(0, 50, 14, 20), (20, 50, 14, 20), (60, 60 - tall / 2, tall / 2, tall)]
        assert len(in_lines(boxes)) == count, tall


def test_of_two_lines_that_fit_the_nearer_one_goes_on():
    boxes = [(0, 0, 10, 20), (60, 10, 10, 20), (75, 4, 10, 20)]
    boxes[0] = (0, -8, 10, 20)
    assert in_lines(boxes) == [[0], [1, 2]]
