"""Digits as text and as JSON."""

import dataclasses
import json

import numpy as np
import pytest

from digits_tf.boxes import Box
from digits_tf.recognition import Digit, as_json, text


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
