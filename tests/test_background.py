"""What is no digit: the same by its seed, and never what anyone takes for a digit."""

import cv2
import numpy as np
import pytest

import drawn
from digits_tf.detection.crops import digit_crop
from digits_tf.synthetic import background, digit_parts, forms, glyphs, objects
from digits_tf.synthetic.background import KINDS, background_crops
from digits_tf.synthetic.handwriting import write_letter
from digits_tf.synthetic.pen import drawing, pen_digit
from digits_tf.synthetic.scene import draw

# Those that the kinds are told to leave out, and digits themselves.
LEFT_OUT = set("OoDQlIiJjSsZzbqgBGTyY0123456789/\\|")


@pytest.fixture(scope="module")
def digits(sample):
    return sample.train.read()


@pytest.fixture(scope="module")
def made(digits):
    return background_crops(*digits, 120, seed=3)


def test_shape_and_type(made, digits):
    assert made.shape == (120, 28, 28)
    assert made.dtype == np.uint8
    assert background_crops(*digits, 0, seed=3).shape == (0, 28, 28)


def test_a_picture_does_not_depend_on_the_batch(made, digits):
    np.testing.assert_array_equal(background_crops(*digits, 9, seed=3, first=40), made[40:49])
    other = background_crops(*digits, 9, seed=4, first=40)
    # Plain pictures of one grey may be alike.
    assert (other != made[40:49]).any(axis=(1, 2)).sum() >= 8


def test_the_digits_are_left_alone(digits):
    images, labels = (each.copy() for each in digits)
    background_crops(images, labels, 10, seed=1)
    np.testing.assert_array_equal(images, digits[0])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_made_and_is_no_bar(kind, digits):
    generator, found = drawn.rng(5), []
    for _ in range(100):
        crop = background.background_crop(kind, *digits, generator)
        if crop is not None:
            found.append(crop)
        if len(found) == 5:
            break
    assert len(found) == 5
    for crop in found:
        assert crop.shape == (28, 28)
        assert crop.dtype == np.uint8
        if kind not in ("clothes", "pattern"):
            assert not plain_bar(crop)


def test_none_is_a_plain_bar(made):
    assert not any(plain_bar(each) for each in made if 0 < (each > 80).sum() < 250)


def test_bars_and_rings_are_known():
    bar, lying, ring, blob = np.zeros((4, 28, 28), np.uint8)
    cv2.line(bar, (16, 4), (12, 23), 255, 3)
    cv2.line(lying, (4, 16), (23, 12), 255, 3)
    cv2.ellipse(ring, (14, 14), (7, 10), 10, 0, 360, 255, 3)
    cv2.ellipse(blob, (14, 14), (7, 10), 10, 0, 360, 255, -1)
    assert digit_parts.is_bar(bar)
    assert plain_bar(bar)
    assert digit_parts.is_ring(ring)
    assert not any(map(digit_parts.is_bar_or_ring, (lying, blob, np.zeros_like(bar))))
    square = cv2.rectangle(np.zeros_like(bar), (5, 5), (23, 23), 255, 2)
    crossed = cv2.line(ring.copy(), (14, 4), (14, 24), 255, 2)
    assert not any(map(digit_parts.is_bar_or_ring, (square, crossed)))


def test_most_ones_and_zeros_would_be_left_out():
    taken = []
    for index in range(40):
        generator = drawn.rng(index)
        scene = draw(generator, [pen_digit(index % 2, generator)])
        taken.append(digit_crop(scene.frame, scene.boxes[0]))
    assert sum(map(digit_parts.is_ring, taken[::2])) >= 9  # 14
    assert sum(map(digit_parts.is_bar, taken[1::2])) >= 5  # 9


def test_a_piece_of_a_bar_is_refused_as_the_bar_is_not():
    """Only pieces are looked at there: whether the whole is like a digit is for the caller."""
    bar = np.zeros((56, 56), np.uint8)
    cv2.line(bar, (30, 8), (26, 48), 255, 6)
    whole = [background.photographed(bar, drawn.rng(seed), whole=True) for seed in range(30)]
    assert sum(crop is not None and digit_parts.is_bar(crop) for crop in whole) >= 20
    pieces = [background.photographed(bar, drawn.rng(seed), whole=False) for seed in range(30)]
    assert sum(crop is None for crop in pieces) > sum(crop is None for crop in whole)


def test_places_of_a_frame_without_digits_differ_and_flat_ones_are_none():
    frame = objects.photograph(drawn.rng(2))
    assert frame.dtype == np.uint8
    assert frame.shape[2] == 3
    generator = drawn.rng(3)
    found = [
        crop for _ in range(20) if (crop := background.cut_anywhere(frame, generator)) is not None
    ]
    assert len({crop.tobytes() for crop in found}) >= 10
    assert not any(map(digit_parts.is_bar_or_ring, found))
    flat = np.full((100, 120, 3), 130, np.uint8)
    assert all(background.cut_anywhere(flat, generator) is None for _ in range(5))


def test_letters_like_digits_are_in_no_table():
    printed = {each for tables in glyphs.SYMBOLS.values() for each in "".join(tables)}
    assert not LEFT_OUT & printed
    assert not LEFT_OUT & set(forms.LETTERS)
    assert set("ACEFHKLMNPRUVWXacdefhkmnprtuvwx") <= printed & set(forms.LETTERS)


def test_fonts_of_the_evaluation_are_not_used():
    assert set(glyphs.SYMBOLS) == {"DejaVu Sans", "DejaVu Sans Mono", "cmr10", "cmmi10"}


def test_letters_are_drawn_whole():
    for name in forms.LETTERS:
        for seed in range(3):
            generator = drawn.rng(seed)
            ink = drawing(write_letter(generator, name), generator)
            assert 0.03 < (ink > 127).mean() < 0.6


def plain_bar(crop):
    """Whether each row's ink is one short run and the runs' middles lie on one steep line."""
    rows = np.flatnonzero((crop > 80).any(axis=1))
    if len(rows) < 14:
        return False
    columns = [np.flatnonzero(crop[row] > 80) for row in rows]
    if max(np.ptp(each) for each in columns) > 5:
        return False
    middles = np.array([each.mean() for each in columns])
    slope, start = np.polyfit(rows, middles, 1)
    return abs(slope) < 1 and np.abs(middles - slope * rows - start).max() < 1
