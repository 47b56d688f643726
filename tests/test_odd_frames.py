"""Frames of any size, type and layout: where the boxes lie, and that nothing goes wrong."""

import time

import cv2
import numpy as np
import pytest

import drawn
from conftest import ROOT
from digits_tf.detection.candidates import MOST_DETECTIONS
from digits_tf.recognition import Recognizer, text
from digits_tf.synthetic.textures import noise

SHAPE = (480, 640)


@pytest.fixture(scope="module")
def reader():
    return Recognizer.load(ROOT / "tflite" / "tiny_float32.tflite")


@pytest.mark.parametrize(
    "shape", [(120, 160), (241, 319), SHAPE, (1080, 1920), (1920, 1080), (2160, 3840)], ids=str
)
def test_boxes_are_where_the_ink_is(reader, shape):
    generator = drawn.rng(5)
    for share in (0.12, 0.6) if shape[0] > 200 else (0.3, 0.6):
        share *= min(1, shape[1] / shape[0])
        for digit in (2, 5, 8):
            one = drawn.one(digit, generator, shape, share=share)
            found = reader.read(one.on(*((40, 215) if digit % 2 else (225, 40))))
            assert len(found) == 1
            assert drawn.overlap(found[0].box, one.boxes[0]) > 0.7


def assert_sound(digits, frame):
    for digit in digits:
        x, y, w, h = digit.box
        assert all(type(value) is int for value in digit.box)
        assert x >= 0
        assert y >= 0
        assert w >= 1
        assert h >= 1
        assert x + w <= frame.shape[1]
        assert y + h <= frame.shape[0]
        assert digit.crop.shape == (28, 28)
        assert digit.crop.dtype == np.uint8
        assert digit.crop.any()


SIDES = [
    *((1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (1, 500), (500, 1), (1, 65), (65, 1), (66, 1)),
    *((7, 2000), (2000, 7), (20, 5000), (5000, 20), (63, 63), (63, 65), (64, 64), (65, 65)),
    *((65, 64), (27, 9), (13, 4), (57, 29), (128, 64), (129, 127)),
]
PAIRS = ((0, 255), (255, 0))


@pytest.mark.parametrize("live", [False, True])
def test_odd_sizes(reader, live):
    for shape in SIDES:
        generator = drawn.rng(7)
        cells = noise(generator, shape, max(1, min(shape) / 5))
        frames = [
            np.zeros(shape, np.uint8),
            np.full((*shape, 3), 255, np.uint8),
            *(generator.integers(0, 256, (*shape, planes), np.uint8) for planes in (1, 3, 4)),
            *(np.where(generator.random(shape) < 0.1, *pair).astype(np.uint8) for pair in PAIRS),
            *(np.where(cells > 0.8, *pair).astype(np.uint8) for pair in PAIRS),
        ]
        for frame in frames:
            before = frame.copy()
            start = time.process_time()
            assert_sound(reader.read(frame, live=live), frame)
            assert time.process_time() - start < 2
            np.testing.assert_array_equal(frame, before)


def test_small_noise_of_any_shape(reader):
    generator = drawn.rng(8)
    for _ in range(100):
        shape = tuple((2 ** generator.uniform(0, 7, 2)).astype(int).tolist())
        field = noise(generator, shape, max(1, max(shape) / generator.uniform(2, 30)))
        frame = np.clip(127 + generator.choice([20, 60, 900]) * field, 0, 255).astype(np.uint8)
        assert_sound(reader.read(frame), frame)


@pytest.mark.parametrize("shape", [(100_000, 3), (3, 100_000), (9000, 60)], ids=str)
def test_strips(reader, shape):
    generator = drawn.rng(9)
    frame = ((generator.random(shape) < 0.05) * 255).astype(np.uint8)
    line = np.full(shape, 230, np.uint8)
    line[shape[0] // 10 : -(shape[0] // 10) or None, shape[1] // 3 : shape[1] // 3 + 1] = 20
    start = time.process_time()
    for each in (frame, line):
        assert_sound(reader.read(each), each)
    assert time.process_time() - start < 4


def test_a_tall_strip_full_of_digits_takes_no_endless_time(reader):
    cell = np.full((30, 30), 230, np.uint8)
    cv2.putText(cell, "8", (5, 26), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 30, 3, cv2.LINE_AA)
    cell = cv2.resize(cell, (12, 12), interpolation=cv2.INTER_AREA)
    frame = np.tile(cell, (8000 // 12, 9))
    digits = reader.read(frame)
    assert 1000 < len(digits) <= MOST_DETECTIONS
    assert_sound(digits, frame)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((40, 40), np.float32),
        np.zeros((40, 40), np.uint16),
        np.zeros((40, 40), bool),
        np.zeros((40, 40, 2), np.uint8),
        np.zeros((40, 40, 5), np.uint8),
        np.zeros((1, 40, 40, 3), np.uint8),
        np.zeros(40, np.uint8),
        np.zeros((), np.uint8),
        np.zeros((0, 40), np.uint8),
        np.zeros((40, 0, 3), np.uint8),
        np.zeros((40, 40, 0), np.uint8),
    ],
    ids=lambda frame: f"{frame.dtype} {frame.shape}" if hasattr(frame, "shape") else None,
)
def test_other_arrays_are_refused(reader, frame, live):
    with pytest.raises(ValueError) as error:
        reader.read(frame, live=live)
    assert str(frame.shape) in str(error.value)
    assert "expected" in str(error.value)
    if frame.dtype != np.uint8:
        assert str(frame.dtype) in str(error.value)


def colourful_row(digits=(3, 5, 8, 2)):
    page = drawn.row(digits, drawn.rng(10), tall=100, left=120)
    return page.on(np.full((*SHAPE, 3), (215, 225, 235), np.float32), (60, 40, 30))


def test_grey_and_colour_planes_are_read_alike(reader):
    frame = colourful_row()
    grey = np.ascontiguousarray(frame[..., 1])
    same = [
        frame,
        grey,
        grey[..., None],
        np.dstack([frame, np.full(SHAPE, 255, np.uint8)]),
        np.dstack([grey] * 3),
    ]
    for each in same:
        assert text(reader.read(each)) == "3582"


@pytest.mark.parametrize("live", [False, True])
def test_views_with_gaps_and_frames_that_may_not_be_written(reader, live):
    frame = colourful_row()
    wide = np.repeat(np.repeat(frame, 2, axis=0), 2, axis=1)
    views = [
        wide[::2],
        wide[::2, ::2],
        wide[100:-100, 20:-20],
        np.asfortranarray(frame),
        frame[..., ::-1],
        np.ascontiguousarray(frame[:, ::-1])[:, ::-1],
        np.ascontiguousarray(frame[::-1])[::-1],
        np.ascontiguousarray(frame.transpose(1, 0, 2)).transpose(1, 0, 2),
        wide[::2, ::2, 1],
        np.broadcast_to(frame[..., 1:2], (*SHAPE, 3)),
    ]
    for view in views:
        view = view.view()
        view.flags.writeable = False
        before = view.copy()
        assert text(reader.read(view, live=live)) == "3582"
        np.testing.assert_array_equal(view, before)


def test_nothing_is_flipped(reader):
    """A mirrored row is another one, its boxes on the other side."""
    frame = colourful_row((8, 0, 1))
    upright = reader.read(frame)
    mirrored = reader.read(frame[:, ::-1])
    assert [digit.label for digit in upright] == [8, 0, 1]
    boxes = sorted((640 - x - w, y, w, h) for x, y, w, h in (digit.box for digit in mirrored))
    for digit, box in zip(upright, boxes, strict=True):
        assert drawn.overlap(digit.box, box) > 0.7
    turned = reader.read(np.rot90(colourful_row((7,)), 2))
    assert text(turned) != "7"


def test_frames_of_different_sizes_in_turn(reader):
    small = colourful_row()
    large = cv2.resize(small, (1920, 1440), interpolation=cv2.INTER_CUBIC)
    tiny = cv2.resize(small, (200, 150), interpolation=cv2.INTER_AREA)
    thumb = cv2.resize(small[150:330, 60:170], (28, 36), interpolation=cv2.INTER_AREA)
    expected = {}
    for live in (False, True, False):
        for name, frame in {"small": small, "large": large, "tiny": tiny, "thumb": thumb}.items():
            digits = reader.read(frame, live=live)
            found = text(digits), [digit.box for digit in digits]
            assert found[0] == ("3" if name == "thumb" else "3582")
            if not live:
                assert expected.setdefault(name, found) == found


def test_what_was_read_stays_as_it_was(reader):
    """The detector's buffers are used again; no digit may look into them."""
    first = reader.read(colourful_row())
    kept = [(digit.crop.copy(), digit.probabilities.copy(), digit.box) for digit in first]
    for digits in ((6, 6, 6, 6), (1, 7, 4, 9)):
        reader.read(colourful_row(digits))
        reader.read(255 - colourful_row(digits))
    for digit, (crop, probabilities, box) in zip(first, kept, strict=True):
        np.testing.assert_array_equal(digit.crop, crop)
        np.testing.assert_array_equal(digit.probabilities, probabilities)
        assert digit.box == box


def test_a_frame_is_read_the_same_whatever_came_before(reader):
    frame = colourful_row()
    fresh = Recognizer.load(ROOT / "tflite" / "tiny_float32.tflite").read(frame)
    reader.read(np.full((*SHAPE, 3), 90, np.uint8))
    reader.read(np.full((*SHAPE, 3), 90, np.uint8), live=True)
    again = reader.read(frame)
    for one, other in zip(fresh, again, strict=True):
        np.testing.assert_array_equal(one.crop, other.crop)
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-5)
        assert one.box == other.box
