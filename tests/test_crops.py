"""Digits cut out of frames, in MNIST's geometry."""

import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

import drawn
from conftest import ROOT
from digits_tf.detection import crops as cropping
from digits_tf.detection.crops import digit_crop

SHAPE = (480, 640)
PAPER, INK = 220, 30


def ink_of(one):
    """A drawing's ink in its box, as MNIST's 20 pixels."""
    x, y, w, h = one.boxes[0]
    return one.ink[y : y + h, x : x + w]


def alike(one, other):
    """The correlation where it is highest, up to a pixel's shift apart: strokes are three wide."""
    one, other = (cv2.GaussianBlur(each.astype(np.float32), (0, 0), 0.7) for each in (one, other))
    shifts = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    moved = [np.roll(other, shift, axis=(0, 1)).ravel() for shift in shifts]
    return max(float(np.corrcoef(one.ravel(), each)[0, 1]) for each in moved)


def stroke_width(crop):
    solid = (crop > 127).astype(np.uint8)
    # The mean distance to the edge is a quarter of the width.
    return 4 * cv2.distanceTransform(solid, cv2.DIST_L2, 5).sum() / solid.sum() - 1


def drawings(pen, shares=(0.05, 0.1, 0.4, 0.8), many=20):
    generator = drawn.rng(4)
    for index in range(many):
        one = drawn.one(index % 10, generator, SHAPE, share=shares[index % len(shares)], pen=pen)
        frame = one.on(*((PAPER, INK) if index % 2 else (INK, PAPER)))
        yield one, digit_crop(frame, tuple(map(float, one.boxes[0])))


@pytest.mark.parametrize("pen", [0.03, 0.1, 0.18])
def test_crops_have_mnists_geometry(pen):
    for drawing, crop in drawings(pen):
        assert crop.shape == (28, 28)
        assert crop.dtype == np.uint8
        assert crop.max() >= 250
        _, _, w, h = cv2.boundingRect((crop > 16).astype(np.uint8))
        assert abs(max(w, h) - 20) <= 1
        moments = cv2.moments(crop)
        centre = np.array([moments["m10"], moments["m01"]]) / moments["m00"]
        np.testing.assert_allclose(centre, 14, atol=1)
        truth = drawing.boxes[0]
        # Rounding, and a thin pen's 1 that is widened.
        assert 0.7 < (w / h) / (truth[2] / truth[3]) < 1.5
        inked = crop[crop > 16]
        assert np.mean(inked < 240) > 0.1  # edges are soft


def test_strokes_are_about_as_wide_as_mnists(sample):
    """A pencil's are widened; those of a pen of 1/8 of the height are right as they are."""
    images = sample.test.read()[0][:200]
    low, high = np.quantile([stroke_width(image) for image in images], [0.01, 0.99])
    for pen in (0.02, 0.05, 0.1, 0.13):
        widths = [stroke_width(crop) for _, crop in drawings(pen)]
        assert low - 0.3 < np.median(widths) < high


def test_ink_keeps_its_place_within_the_crop():
    """The crop is the drawing, shrunk: never mirrored, turned or of the other polarity."""
    for drawing, crop in drawings(0.12, shares=(0.1, 0.4, 0.6)):
        left, top, across, down = cv2.boundingRect((crop > 16).astype(np.uint8))
        ink = cv2.resize(ink_of(drawing), (across, down), interpolation=cv2.INTER_AREA)
        assert alike(ink, crop[top : top + down, left : left + across]) > 0.85


def written(digit=5, tall=120, shape=(300, 300), seed=2, pen=None):
    return drawn.Drawing(shape).write(digit, drawn.rng(seed), (150, 150), tall, pen)


def box_of(one, *change):
    """The first digit's box; `change`: to x, y, width, height as shares of its longer side."""
    box = np.array(one.boxes[0], float)
    return tuple(box + max(box[2:]) * np.array(change or (0, 0, 0, 0)))


def test_polarity_size_and_colour_make_no_difference():
    one = written()
    crop = digit_crop(one.on(PAPER, INK), box_of(one))
    light = digit_crop(one.on(INK, PAPER), box_of(one))
    assert np.abs(crop.astype(int) - light).max() <= 6
    faint = digit_crop(one.on(150, 130), box_of(one))
    assert alike(crop, faint) > 0.98
    frame = np.dstack([one.on(PAPER, INK)] * 3)
    np.testing.assert_array_equal(digit_crop(frame, box_of(one)), crop)
    for scale in (0.15, 0.4, 3, 8):
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        other = cv2.resize(one.on(PAPER, INK), None, fx=scale, fy=scale, interpolation=way)
        scaled = digit_crop(other, tuple(scale * np.array(box_of(one))))
        assert alike(crop, scaled) > (0.93 if scale > 0.2 else 0.85), scale


def test_light_that_changes_over_the_digit_is_no_ink():
    one = written(4)
    crop = digit_crop(one.on(PAPER, INK), box_of(one))
    y, x = np.mgrid[0:300, 0:300] / 300
    for field in (0.3 + 0.7 * x, 1 - 0.7 * y, 0.5 + 0.5 * np.tanh(6 * (x - y)) ** 2):
        lit = cv2.GaussianBlur(one.on(PAPER, INK) * field, (0, 0), 2)
        assert alike(digit_crop(np.uint8(lit), box_of(one)), crop) > 0.9


@pytest.mark.parametrize("level", [0, 90, 255])
def test_no_ink_is_no_crop(level):
    flat = np.full((200, 200), level, np.uint8)
    for box in ((50, 50, 60, 80), (-20, -20, 60, 60), (0, 0, 200, 200), (199, 199, 10, 10)):
        assert digit_crop(flat, tuple(map(float, box))) is None


def test_boxes_beyond_the_frame_are_no_crop():
    """In a process of its own: what is read beyond an array ends it."""
    boxes = [(101, 20, 10, 50), (40, 101, 10, 50), (-40, 20, 10, 50), (40, -80, 10, 50)]
    boxes += [(-500, -500, 9, 9), (500, 500, 900, 900), (100, 100, 30, 30)]
    script = (
        "import numpy as np\nfrom digits_tf.detection.crops import digit_crop\n"
        "frame = np.full((100, 100), 200, np.uint8)\nframe[20:80, 40:50] = 20\n"
        f"for box in {boxes}:\n    assert digit_crop(frame, box) is None, box\n"
    )
    words = [sys.executable, "-c", script]
    result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-500:]


def test_of_a_box_that_touches_the_frame_from_outside_there_is_no_crop():
    for turns in range(4):
        frame = np.full((100, 100), PAPER, np.uint8)
        frame[25:65, 3:9] = INK
        x, y, w, h = ((-30, 20, 30, 50), (20, 100, 50, 30), (100, 30, 30, 50), (30, -30, 50, 30))[
            turns
        ]
        frame = np.ascontiguousarray(np.rot90(frame, turns))
        assert digit_crop(frame, (float(x), float(y), float(w), float(h))) is None


def test_a_box_may_reach_beyond_the_frame():
    one = written()
    x, y, w, h = one.boxes[0]
    frame = one.on(PAPER, INK)[y:, x:][:h, :w]
    whole = digit_crop(one.on(PAPER, INK), box_of(one))
    for grown in (0, 3, 12):
        box = (-grown, -grown, w + 2 * grown, h + 2 * grown)
        assert alike(digit_crop(np.ascontiguousarray(frame), box), whole) > 0.9


@pytest.mark.parametrize(
    "change",
    [(0.06, 0, -0.06, 0), (0, 0.06, 0, -0.06), (0, 0, 0, -0.06), (0, 0, -0.06, 0)],
    ids=["left", "top", "bottom", "right"],
)
def test_a_stroke_that_ends_a_little_outside_the_box_is_kept(change):
    """The detector's boxes are off by some hundredths."""
    for digit in range(10):
        one = written(digit, seed=digit, pen=9)
        frame = one.on(PAPER, INK)
        crop, cut = (digit_crop(frame, box) for box in (box_of(one), box_of(one, *change)))
        assert alike(crop, cut) > 0.93, digit


@pytest.mark.parametrize(("beyond", "kept"), [(0.08, True), (0.15, True), (0.23, False)])
def test_a_stroke_may_end_a_fifth_of_the_boxs_side_outside(beyond, kept):
    bar = np.array([[0.0, -0.5], [0.0, 0.5]])
    tall = 80 * (1 + 2 * beyond)
    one = drawn.Drawing((300, 300)).write(1, drawn.rng(0), (150, 150), tall, 14, [bar])
    crop = digit_crop(one.on(PAPER, INK), (120.0, 110.0, 60.0, 80.0))
    width = 20 * 14 / (tall if kept else 80)
    assert abs(crop.sum() / 255 / 20 - width) < 0.35


@pytest.mark.parametrize("side", [30, 40, 50, 55])
@pytest.mark.parametrize("turns", range(4))
def test_ends_of_strokes_are_kept_on_each_side(side, turns):
    """A fifth of the box's side is the reach: what touches its border goes on."""
    reach = side // 5
    start = 20 + side
    for length in (1, reach - 1, reach, reach + 1, reach + 9):
        ink, expected = np.zeros((100, 100), np.uint8), np.zeros((100, 100), np.uint8)
        for row in (30, 40):
            ink[row : row + 4, start - 12 : start + length] = 255
        ink[44:46, start : start + length] = 255
        if length < reach:
            expected[:, start:] = ink[:, start:]
        ink, expected = (np.ascontiguousarray(np.rot90(each, turns)) for each in (ink, expected))
        far = 80 - side
        box = (*((20, 20), (20, far), (far, far), (far, 20))[turns], side, side)
        np.testing.assert_array_equal(cropping._stroke_ends(ink, box), expected)


@pytest.mark.parametrize("tall", [117, 200])
def test_ink_far_outside_the_box_is_not_the_digits(tall):
    """Of a stroke that goes on, by more than a fifth, what is outside is cut."""
    bar = np.array([[0.0, -0.5], [0.0, 0.5]])
    one = drawn.Drawing((300, 300)).write(1, drawn.rng(0), (150, 150), tall, 14, [bar])
    crop = digit_crop(one.on(PAPER, INK), (120.0, 110.0, 60.0, 80.0))
    # As wide as its share of the box's height: 14 of 80.
    assert abs(crop.sum() / 255 / 20 - 20 * 14 / 80) < 0.5


def test_a_line_that_goes_on_is_cut():
    for digit in (2, 3, 5, 8):
        one = written(digit, pen=10)
        _, y, _, h = one.boxes[0]
        frame = one.on(PAPER, INK)
        crop = digit_crop(frame, box_of(one))
        for row in (y + h + 1, y + h + 8, y - 5):
            lined = frame.copy()
            cv2.line(lined, (0, row), (299, row), INK, 4)
            assert alike(digit_crop(lined, box_of(one)), crop) > 0.95, (digit, row - y - h)


def test_a_neighbours_ink_is_left_out():
    """It reaches into the box's corner, and ends above and below it."""
    one = written(3, pen=10)
    x, y, w, h = one.boxes[0]
    alone = digit_crop(one.on(PAPER, INK), box_of(one))
    for ends in (
        ((x + w - 6, y - 60), (x + w + 30, y + 40)),
        ((x - 40, y + h - 20), (x + 4, y + h - 4)),
        ((x + w + 7, y - 40), (x + w + 7, y + h + 40)),
    ):
        frame = one.on(PAPER, INK)
        cv2.line(frame, *ends, INK, 9, cv2.LINE_AA)
        assert alike(digit_crop(frame, box_of(one)), alone) > 0.93, ends


def test_a_stroke_apart_is_the_digits_and_a_speck_is_not():
    """The bar of a 5 stands apart at times; a point of dirt is a twentieth of its height."""
    one = written(0, pen=10)
    x, y, w, h = one.boxes[0]
    alone = digit_crop(one.on(PAPER, INK), box_of(one))
    speck, dot, bar = (one.on(PAPER, INK) for _ in range(3))
    cv2.ellipse(speck, (x + w // 2, y + h // 2), (3, 3), 0, 0, 360, INK, -1)
    cv2.circle(dot, (x + w // 2, y + h // 2), 6, INK, -1)
    cv2.line(bar, (x + w // 2 - 8, y + h // 2), (x + w // 2 + 8, y + h // 2), INK, 9)
    assert np.abs(digit_crop(speck, box_of(one)).astype(int) - alone).max() < 20
    assert digit_crop(dot, box_of(one))[12:17, 12:17].max() > 120
    assert digit_crop(bar, box_of(one))[12:17, 13:16].max(axis=0).min() > 120
    assert alone[12:17, 12:17].max() < 20


def test_a_mark_is_the_digits_if_most_of_it_lies_in_the_box():
    """A neighbour that reaches in is none; what sticks out a little is."""
    ring = written(0, pen=10)
    x, y, w, h = ring.boxes[0]
    box = (float(x), float(y), w + 40.0, float(h))
    alone = digit_crop(ring.on(PAPER, INK), box)
    for inside, kept in ((0.3, False), (0.7, True)):
        frame = ring.on(PAPER, INK)
        top = y + h - round(100 * inside)
        cv2.line(frame, (x + w + 22, top), (x + w + 22, top + 100), INK, 9)
        assert (alike(digit_crop(frame, box), alone) > 0.97) != kept


def test_a_dash_beside_the_box_is_not_the_digits():
    one = written(3, pen=10)
    x, y, w, h = one.boxes[0]
    alone = digit_crop(one.on(PAPER, INK), box_of(one))
    frame = one.on(PAPER, INK)
    cv2.line(frame, (x + w + 18, y + h // 2), (x + w + 28, y + h // 2), INK, 6)
    assert alike(digit_crop(frame, box_of(one)), alone) > 0.97


@pytest.mark.parametrize(("tall", "size"), [(1000, 56), (200, 56), (56, 56), (20, 56), (9, 36)])
def test_a_digit_is_looked_at_in_56_pixels_but_never_enlarged_more_than_four_times(tall, size):
    frame = np.full((2000, 2000), PAPER, np.uint8)
    patch, inner = cropping._patch(frame, (700.0, 600.0, tall / 2, float(tall)))
    assert abs(inner[3] - size) <= 2
    assert abs(inner[2] - size / 2) <= 2
    # With three tenths on each side, and a pixel of the frame.
    assert 1.6 * size - 2 <= max(patch.shape) <= 1.6 * size + 12


def bar_in_a_patch(wide, tall=100, level=60):
    """Paper of 150 with a bar in the middle, and a box of 50 around its middle."""
    patch = np.full((100, 100), 150, np.uint8)
    patch[50 - tall // 2 : 50 + tall // 2, 50 - wide // 2 : 50 - wide // 2 + wide] = level
    return patch, (25, 25, 50, 50)


def test_ink_is_dark_or_light_by_more_than_a_twenty_fifth_of_the_box():
    """A glare is a few pixels, the thinnest stroke is more; lighter paper is no ink."""
    patch, box = bar_in_a_patch(15, 40)
    patch[26:43, 66:71] = 255  # 3.4 % of the box, and further from the paper than the ink is
    assert cropping._contrast(patch, box)[50, 50] == 90
    patch, box = bar_in_a_patch(3, 40)  # 4.8 %
    patch[25:75, 55:65] = 160
    assert cropping._contrast(patch, box)[50, 50] == 90


@pytest.mark.parametrize(("wide", "contrast"), [(5, 90), (22, 90), (30, 0)])
def test_what_is_wider_than_half_of_the_box_is_ground(wide, contrast):
    """A stroke is narrower, the shadow of a hand is wider."""
    patch, box = bar_in_a_patch(wide)
    patch[40:60, 50] = 150 - contrast if contrast else 60
    assert cropping._contrast(patch, box)[30, 50] == contrast


@pytest.mark.parametrize(
    ("levels", "share", "level"),
    [([255], 0.5, 255), ([0], 0.5, 0), (range(256), 0.5, 127), ([3, 3, 9, 254], 0.76, 254)],
)
def test_a_quantile_is_one_of_the_levels(levels, share, level):
    assert cropping._quantile(cropping._histogram(np.array([levels], np.uint8)), share) == level


def test_a_window_of_an_even_number_of_pixels_is_one_wider():
    patch = np.full((120, 120), 150, np.uint8)
    patch[:, 40:68] = 60
    assert cropping._contrast(patch, (32, 32, 56, 56))[60, 50] == 90


@pytest.mark.parametrize(
    ("start", "extent", "ends"),
    [
        (2.4, 3.2, (2, 6)),
        (-3.0, 5.0, (0, 2)),
        (0.0, 10.0, (0, 10)),
        (7.0, 9.0, (7, 10)),
        (0.2, 0.1, (0, 1)),
        (9.8, 5.0, (9, 10)),
        (-1.0, 0.6, (0, 1)),
    ],
)
def test_a_box_in_a_patch_has_whole_pixels_within_it(start, extent, ends):
    assert cropping._clipped(start, extent, 10) == ends


def soft_contrast(*bars):
    """Contrast of bars: left, top, width, height, level; edges are soft."""
    contrast = np.zeros((100, 100), np.uint8)
    for x, y, w, h, level in bars:
        contrast[y : y + h, x : x + w] = level
    return cv2.GaussianBlur(contrast, (0, 0), 0.8)


DIGIT = (45, 28, 8, 44, 200)


@pytest.mark.parametrize(("level", "kept"), [(50, False), (58, True)])
def test_a_faint_end_of_a_stroke_is_ink_from_three_fifths_of_otsus_threshold(level, kept):
    """That is about 54 of 200."""
    contrast = soft_contrast(DIGIT, (45, 72, 8, 10, level))
    mask = cropping._digit_mask(contrast, (25, 25, 50, 50))
    assert mask[50, 49] == 255
    assert (mask[78, 49] == 255) == kept


def test_a_smear_does_not_join_a_neighbour_to_the_digit():
    neighbour, smear = (72, 10, 6, 80, 200), (53, 48, 19, 6, 52)
    mask = cropping._digit_mask(soft_contrast(DIGIT, neighbour, smear), (25, 25, 50, 50))
    assert mask[50, 49] == 255
    assert mask[50, 73] == 0


def ring_with(*bars, ink=200):
    """Contrast of a ring and of bars in it: their levels."""
    contrast = np.zeros((80, 80), np.uint8)
    cv2.ellipse(contrast, (40, 40), (28, 32), 0, 0, 360, ink, 9)
    for place, level in enumerate(bars):
        contrast[30:50, 26 + 16 * place : 34 + 16 * place] = level
    return contrast, np.full_like(contrast, 255)


def test_a_quarter_of_the_inks_contrast_is_ground_and_four_fifths_are_all_ink():
    """Ink that shines through from the back of the sheet is none, a lighter stroke is one."""
    for level, low, high in ((38, 0, 8), (100, 60, 180), (172, 240, 255)):
        crop = cropping.mnist_crop(*ring_with(level, level))
        middle = crop[13:15, 10:18].max()
        assert low <= middle <= high, level


def test_of_faint_ink_contrast_below_3_is_ground():
    """A quarter of the ink's own would be noise."""
    for level, low, high in ((3, 0, 30), (4, 50, 130)):
        crop = cropping.mnist_crop(*ring_with(level, level, ink=8))
        assert low <= crop[13:15, 10:18].max() <= high, level


@pytest.mark.parametrize(("level", "is_ink"), [(4, False), (5, True)])
def test_contrast_of_up_to_4_is_noise(level, is_ink):
    assert (cropping.mnist_crop(*ring_with(ink=level)) is not None) == is_ink


def crop_of(*bars):
    """The crop of bars: left, top, width, height, contrast."""
    contrast = np.zeros((100, 100), np.uint8)
    for x, y, w, h, level in bars:
        contrast[y : y + h, x : x + w] = level
    return cropping.mnist_crop(contrast, np.full_like(contrast, 255))


@pytest.mark.parametrize(("level", "rows"), [(77, 20), (78, 16)])
def test_a_stroke_ends_where_a_quarter_of_it_is_left(level, rows):
    """Between ground at 50 and full ink at 160; 78 and more belongs to the 20 pixels."""
    crop = crop_of((45, 20, 10, 40, 200), (45, 60, 10, 10, level))
    assert abs(np.count_nonzero(crop[:, 14] > 200) - rows) <= 1


@pytest.mark.parametrize(("level", "is_widened"), [(93, True), (94, False)])
def test_strokes_are_measured_where_two_fifths_of_them_are_left(level, is_widened):
    """At 93: a thin stroke in a faint skirt is thin."""
    crop = crop_of((45, 20, 9, 60, level), (48, 20, 3, 60, 200))
    assert (np.count_nonzero(crop[14] > 180) >= 2) == is_widened


@pytest.mark.parametrize(("pen", "low", "high"), [(1, 1.3, 2.4), (3, 1.3, 2.4), (14, 2.2, 2.9)])
def test_thin_strokes_are_widened_and_others_are_not(pen, low, high):
    contrast = np.zeros((120, 120), np.uint8)
    cv2.ellipse(contrast, (60, 60), (34, 50), 0, 0, 360, 200, pen)
    crop = cropping.mnist_crop(contrast, np.full_like(contrast, 255))
    # All ink over the length of the line, in 20 pixels.
    length = 20 / (100 + pen) * np.pi * (34 + 50)
    assert low < crop.sum() / 255 / length < high


def test_the_width_of_strokes_is_no_whole_number():
    for wide, measured in ((1, 2.8), (2, 2.8), (4, 4.7), (6, 6.6), (9, 9.6)):
        solid = np.zeros((200, 40), np.uint8)
        solid[:, 20 : 20 + wide] = 255
        assert cropping._stroke_width(solid) == pytest.approx(measured, abs=0.1), wide


@pytest.mark.parametrize("missing", [-2, 0, 1, 2, 3, 6])
def test_a_stroke_is_widened_by_what_is_missing(missing):
    """At the edge of the picture, too."""
    bar = np.zeros((30, 5), np.uint8)
    bar[:, :3] = 200
    wide = cropping._widened(bar, missing)
    across = np.count_nonzero(wide[len(wide) // 2])
    assert across == 3 + max(missing, 0)


def test_all_ink_of_a_lopsided_drawing_stays_in_the_crop():
    """A blob with a long tail: its centre of mass cannot be in the middle."""
    contrast = np.zeros((100, 100), np.uint8)
    contrast[30:70, :20] = contrast[48:52, 20:] = 200
    for turns in range(4):
        turned = np.ascontiguousarray(np.rot90(contrast, turns))
        crop = np.rot90(cropping.mnist_crop(turned, np.full_like(turned, 255)), -turns)
        _, _, w, h = cv2.boundingRect((crop > 16).astype(np.uint8))
        assert max(w, h) == 20
        assert crop[:, 27].max() > 100


def test_what_lies_around_the_box_does_not_count_as_ground():
    """Beyond a third of the box's side all may be dark: the table beside the sheet."""
    one = written(6, tall=100)
    x, y, w, h = one.boxes[0]
    alone = digit_crop(one.on(PAPER, INK), box_of(one))
    frame = one.on(PAPER, INK)
    away = int(0.33 * max(w, h)) + 3
    kept = frame[y - away : y + h + away, x - away : x + w + away].copy()
    frame[:] = INK
    frame[y - away : y + h + away, x - away : x + w + away] = kept
    np.testing.assert_array_equal(digit_crop(frame, box_of(one)), alone)


def test_a_frames_digit_costs_little_however_large_it_is():
    one = drawn.one(8, drawn.rng(1), (2160, 3840), share=0.9)
    frame = one.on(PAPER, INK)
    start = time.process_time()
    for _ in range(5):
        digit_crop(frame, tuple(map(float, one.boxes[0])))
    assert time.process_time() - start < 0.25  # 0.01


def test_mnist_crop_of_nothing_is_none():
    nothing = np.zeros((40, 40), np.uint8)
    assert cropping.mnist_crop(nothing, np.full_like(nothing, 255)) is None
    some = nothing.copy()
    some[10:30, 18:22] = 200
    assert cropping.mnist_crop(some, nothing) is None
    assert cropping.mnist_crop(some // 100, np.full_like(nothing, 255)) is None  # noise
