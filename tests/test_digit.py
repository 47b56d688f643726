"""Digits as text and as JSON, and the order in which they are read."""

import dataclasses
import json

import numpy as np
import pytest

import drawn
from digits_tf.boxes import Box
from digits_tf.recognition import Digit, as_json, text
from digits_tf.recognition.digit import in_lines


def made(label, line, confidence=0.75):
    row = np.full(10, (1 - confidence) / 9, np.float32)
    row[label or 0] = confidence
    return Digit(label, confidence, row, Box(1, 2, 3, 4), np.zeros((28, 28), np.uint8), line)


def test_text_leaves_out_marks_and_empty_lines():
    assert text([]) == ""
    assert text([made(1, 0), made(None, 0), made(2, 0)]) == "12"
    assert text([made(1, 0), made(None, 1), made(0, 2), made(7, 2)]) == "1\n07"
    assert text([made(None, 0)]) == ""


def spaced(words, tall=100, wide=60, gap=30, blank=None):
    """Digits in a line as they stand in `words`; "?" is a mark without a label."""
    digits, x = [], 50
    for character in words:
        if character != " ":
            box = Box(x, 70 + len(digits) % 3, wide, tall)
            label = None if character == "?" else int(character)
            digits.append(dataclasses.replace(made(label, 0), box=box))
        x += (wide if blank is None else blank) if character == " " else wide + gap
    return digits


@pytest.mark.parametrize("scale", [1, 7])
def test_numbers_far_apart_are_parted_by_a_blank(scale):
    sizes = {"tall": 100 * scale, "wide": 60 * scale, "gap": 30 * scale}
    for words in ("12   34", "1     2", "12   3   4", "1   23", "123   4   567   89"):
        expected = " ".join(words.split())
        assert text(spaced(words, **sizes)) == expected
        # A little wider apart than digits of one number are.
        near = spaced(words, **sizes, blank=20 * scale)
        assert text(near) == expected.replace(" ", "")
    assert text(spaced("1   2", **sizes)) == "12"
    below = dataclasses.replace(made(4, 1), box=Box(0, 300, 60, 100))
    assert text([*spaced("1   23"), below]) == "1 23\n4"


def test_an_even_row_is_one_number_however_wide():
    assert text(spaced("1234", gap=250)) == "1234"
    assert text(spaced("111", gap=250, wide=10)) == "111"
    # Digits stand more to the left or to the right in the cells of a form; one cell is empty.
    row = [
        dataclasses.replace(digit, box=digit.box._replace(x=digit.box.x + shift))
        for digit, shift in zip(spaced("40713", gap=200), (0, 40, 0, 260, 300), strict=True)
    ]
    assert text(row) == "40713"
    # Two such numbers.
    assert text(spaced("12 34", gap=200, blank=600)) == "12 34"


def test_a_mark_without_a_label_is_no_gap():
    assert text(spaced("1??4")) == "14"
    assert text(spaced("?   12   ?   34   ?")) == "12 34"


def test_json_says_what_a_digit_says():
    value = json.loads(json.dumps(as_json(made(3, 0, 1 / 3))))
    assert value["label"] == 3
    assert value["confidence"] == 0.3333
    assert value["box"] == [1, 2, 3, 4]
    assert len(value["probabilities"]) == 10
    assert value["probabilities"][3] == 0.3333
    assert json.loads(json.dumps(as_json(made(None, 0))))["label"] is None


# Reading order


def lines_of(boxes):
    return in_lines([Box(*box) for box in boxes])


def test_lines_are_read_from_above_and_from_the_left():
    boxes = [(100, 60, 10, 20), (0, 0, 10, 20), (0, 60, 10, 20), (50, 2, 10, 20), (100, 1, 10, 20)]
    assert lines_of(boxes) == [[1, 3, 4], [2, 0]]
    assert lines_of([]) == []
    assert lines_of([(5, 5, 1, 1)]) == [[0]]


@pytest.mark.parametrize("rise", [-0.45, -0.2, 0.2, 0.45])
def test_a_row_that_climbs_is_one_line(rise):
    """The last digit may stand higher than the first by many heights."""
    boxes = [(30 * index, 200 - 30 * rise * index, 20, 28) for index in range(12)]
    order = drawn.rng(0).permutation(12)
    (line,) = lines_of([boxes[index] for index in order])
    assert [int(order[index]) for index in line] == list(range(12))
    below = [(x, y + 45, w, h) for x, y, w, h in boxes]
    lines = lines_of([*boxes, *below])
    assert lines == [list(range(12)), list(range(12, 24))]


def test_a_row_at_two_heights_is_one_line_if_they_overlap_enough():
    for shift, count in ((8, 1), (12, 1), (14, 2), (20, 2)):
        boxes = [(30 * index, 50 + index % 2 * shift, 14, 20) for index in range(6)]
        assert len(lines_of(boxes)) == count, shift


def test_digits_of_very_different_size_stand_in_lines_of_their_own():
    for tall, count in ((40, 1), (43, 1), (46, 2), (120, 2)):
        boxes = [(0, 50, 14, 20), (20, 50, 14, 20), (60, 60 - tall / 2, tall / 2, tall)]
        assert len(lines_of(boxes)) == count, tall


def test_of_two_lines_that_fit_the_nearer_one_goes_on():
    boxes = [(0, 0, 10, 20), (60, 10, 10, 20), (75, 4, 10, 20)]
    boxes[0] = (0, -8, 10, 20)
    assert lines_of(boxes) == [[0], [1, 2]]
