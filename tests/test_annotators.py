"""What is drawn onto stills and live frames, and what stays as it is."""

import cv2
import numpy as np
import pytest

from camera_fakes import digit, flat
from digits_tf.annotators import Overlay, annotate, fitting_height, put, width_of

GREEN = (80, 220, 80)


def row(count, top=400, pitch=140, size=(90, 130)):
    return [
        digit(place % 10, box=(60 + place * pitch, top, *size), line=0) for place in range(count)
    ]


def greens(picture):
    return (picture == GREEN).all(axis=-1)


# Text


@pytest.mark.parametrize("height", [10, 13.5, 24, 60])
def test_a_text_is_as_high_and_as_wide_as_it_says(height):
    canvas = np.zeros((120, 300, 3), np.uint8)
    put(canvas, "0", 20, 20, height, GREEN)
    x, y, w, h = cv2.boundingRect(canvas.max(axis=2))
    assert abs(h - height) <= 2 + height / 10
    assert abs(y - 20) <= 1 + height / 10
    assert 20 <= x <= x + w <= 20 + width_of("0", height) + 2
    assert width_of("0123", height) > 3 * width_of("0", height)


def test_a_text_becomes_smaller_until_it_fits():
    assert fitting_height("12", 20, width_of("12", 20)) == 20
    small = fitting_height("0123456789", 20, 50)
    assert small < 20
    assert width_of("0123456789", small) <= 55


# Stills


def test_boxes_are_green_or_grey_with_a_label_above():
    picture = np.zeros((480, 640, 3), np.uint8)
    boxes = (100, 200, 80, 160), (300, 200, 80, 160)
    drawn = annotate(picture, [digit(4, 0.999, boxes[0]), digit(None, 0.3, boxes[1])])
    for (x, y, w, h), colour in zip(boxes, ([80, 220, 80], [160, 160, 160]), strict=True):
        for row, column in ((y, x + w // 2), (y + h - 1, x + w // 2), (y + h // 2, x)):
            assert drawn[row, column].tolist() == colour
        assert (drawn[y + 5 : y + h - 5, x + 5 : x + w - 5] == 0).all()
        label = drawn[y - 45 : y - 5, x : x + w]
        assert (label == colour).all(axis=2).mean() > 0.2
    assert (drawn[:100] == 0).all()


@pytest.mark.parametrize("shape", [(480, 640), (28, 28), (3000, 40), (1, 1)])
def test_annotate_draws_within_any_picture(shape):
    height, width = shape
    picture = np.full((*shape, 3), 128, np.uint8)
    boxes = [(0, 0, width, height), (width - 1, height - 1, 1, 1)]
    drawn = annotate(picture, [digit(4, 0.5, boxes[0]), digit(None, 0.3, boxes[1])])
    factor = drawn.shape[0] // height
    assert drawn.shape == (factor * height, factor * width, 3)
    assert (factor > 1) == (max(shape) < 112)
    assert (drawn != 128).any()
    assert (picture == 128).all()


# Live frames


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1080, 1920, 3), (720, 1280)),
        ((2160, 3840, 3), (720, 1280)),
        ((720, 1280, 3), (720, 1280)),
        ((480, 640), (480, 640)),
        ((1944, 2592, 3), (720, 960)),
        ((28, 28), (480, 480)),
        ((1, 1, 3), (480, 480)),
        ((1, 4000, 3), (480, 1280)),
        ((4000, 30, 3), (720, 320)),
        ((481, 641, 3), (482, 642)),
    ],
)
def test_a_frame_of_any_size_is_drawn_at_a_size_for_the_eye(shape, expected):
    picture = np.full(shape, 90, np.uint8)
    frame = picture.copy()
    height, width = shape[:2]
    whole, half = (0, 0, width, height), (0, 0, max(1, width // 2), max(1, height // 2))
    drawn = Overlay().draw(frame, [digit(None, box=whole), digit(8, box=half)])
    assert drawn.shape == (*expected, 3)
    np.testing.assert_array_equal(frame, picture)
    assert greens(drawn).any()


def test_frames_of_another_shape_keep_the_size_and_their_aspect():
    overlay = Overlay()
    first = overlay.draw(flat(90, 1080, 1920), []).shape
    tall = overlay.draw(flat(200, 400, 100), [digit(1, box=(20, 20, 60, 90))])
    assert tall.shape == first
    columns = np.flatnonzero(tall[360].any(axis=-1))
    assert (columns[0], columns[-1]) == (550, 729)
    assert not tall[:, :500].any()


@pytest.mark.parametrize("lines", [[400], [250, 450], [20, 220, 400], [20, 160, 300]])
@pytest.mark.parametrize(("count", "pitch"), [(1, 140), (6, 140), (12, 100)])
def test_no_label_covers_a_digit(lines, count, pitch):
    digits = [each for top in lines for each in row(count, top, pitch)]
    picture = np.random.default_rng(0).integers(60, 70, (720, 1280, 3), np.uint8)
    drawn = Overlay().draw(picture, digits)
    for each in digits:
        x, y, w, h = each.box
        inner = np.s_[y + 2 : y + h - 2, x + 2 : x + w - 2]
        np.testing.assert_array_equal(drawn[inner], picture[inner])
    if lines == [20, 160, 300]:
        return  # ten pixels between two lines are no room for labels
    # And there is one for each: beside the boxes nothing else is drawn.
    outside = (drawn != picture).any(axis=-1)
    for each in digits:
        x, y, w, h = each.box
        outside[y - 2 : y + h + 3, x - 2 : x + w + 3] = False
    assert cv2.connectedComponents(outside.astype(np.uint8))[0] - 1 >= len(digits)


def test_a_mirror_turns_the_picture_and_not_the_text():
    picture = flat(0, 480, 640)
    picture[:, :320] = 100
    seven = digit(7, box=(20, 200, 60, 100))
    plain, mirrored = (Overlay(mirror).draw(picture, [seven]) for mirror in (False, True))
    assert plain[5, 5, 0] == 100
    assert mirrored[5, 5, 0] == 0
    assert mirrored[5, -5, 0] == 100
    # The box is at the other side; the label in it reads the same way round.
    boxes = [np.flatnonzero(greens(drawn)[250]) for drawn in (plain, mirrored)]
    assert boxes[0].min() == pytest.approx(640 - 1 - boxes[1].max(), abs=2)
    labels = []
    for drawn, columns in zip((plain, mirrored), boxes, strict=True):
        label = greens(drawn)[:195]
        x = np.flatnonzero(label.any(axis=0))
        y = np.flatnonzero(label.any(axis=1))
        assert x[0] < columns.max()
        assert x[-1] > columns.min()
        labels.append(label[y[0] : y[-1] + 1, x[0] : x[-1] + 1])
    np.testing.assert_array_equal(*labels)


def test_the_scene_in_colour_is_shown_in_place_of_the_frame():
    """Of another size, as a Raspberry Pi's camera gives it; boxes are in pixels of the frame."""
    colour = np.full((240, 320, 3), (10, 20, 200), np.uint8)
    drawn = Overlay().draw(flat(90, 480, 640), [digit(7, box=(200, 200, 60, 100))], colour)
    assert drawn.shape == (480, 640, 3)
    assert drawn[5, 5].tolist() == [10, 20, 200]
    assert greens(drawn)[200, 200:261].all()


@pytest.mark.parametrize("shape", [(480, 640, 3), (480, 640), (1080, 1920, 3)])
def test_each_live_picture_is_a_new_one(shape):
    overlay, frame = Overlay(), np.full(shape, 90, np.uint8)
    first = overlay.draw(frame, [digit(1, box=(100, 200, 60, 90))])
    kept = first.copy()
    second = overlay.draw(frame, [])
    np.testing.assert_array_equal(first, kept)
    assert not greens(second).any()
    assert (frame == 90).all()
