"""From a frame to what is read: digits that are drawn here, under all that a camera meets.

Each condition is drawn anew for each digit, with a fixed seed. The numbers are what a person would
demand.
"""

import functools
import time

import cv2
import numpy as np
import pytest

import drawn
from conftest import ROOT
from digits_tf.recognition import Recognizer, text
from digits_tf.synthetic import handwriting
from digits_tf.synthetic.textures import light, noise

SHAPE = (480, 640)
MANY = 20
Y, X = np.mgrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j].astype(np.float32)
# Ground and ink.
POLARITIES = {"dark": (225, 40), "light": (40, 215)}
both = pytest.mark.parametrize("levels", POLARITIES.values(), ids=POLARITIES)


@pytest.fixture(scope="module")
def reader():
    return Recognizer.load(ROOT / "tflite" / "tiny_float32.tflite")


@functools.cache
def grain_of(shape):
    return noise(drawn.rng(), shape, 0.6)


def grainy(frame, generator, deviation=2.0):
    """With a sensor's noise: always the same, which is quick, but never at the same place."""
    shape = frame.shape[:2]
    grain = deviation * np.roll(grain_of(shape), generator.integers(0, shape), axis=(0, 1))
    frame = frame + (grain if frame.ndim == 2 else grain[..., None])
    return np.clip(np.round(frame), 0, 255).astype(np.uint8)


def assert_read(reader, picture, least=MANY - 1, many=MANY):
    """`picture(digit, generator)` gives a frame and its text; so many of them must be read."""
    generator = drawn.rng(1)
    wrong = []
    for index in range(many):
        frame, expected = picture(index % 10, generator)
        found = text(reader.read(frame))
        if found != expected:
            wrong.append((expected, found))
    assert many - len(wrong) >= least, f"{many - len(wrong)} of {many}, wrong: {wrong}"


def assert_one_read(reader, levels, change=None, least=MANY - 1, deviation=2.0, **words):
    """One digit; `change(frame, drawing, generator)` adds what else there is, or gives it anew."""

    def picture(digit, generator):
        one = drawn.one(digit, generator, SHAPE, **words)
        frame = one.on(*levels)
        changed = change(frame, one, generator) if change else None
        return grainy(frame if changed is None else changed, generator, deviation), one.text

    assert_read(reader, picture, least)


# Ink and ground


@both
@pytest.mark.parametrize("pen", [0.02, 0.1, 0.25])
def test_polarity_is_found_for_thin_pencils_and_thick_markers(reader, levels, pen):
    assert_one_read(reader, levels, pen=pen)


@pytest.mark.parametrize("levels", [(200, 165), (60, 90)])
def test_faint_ink(reader, levels):
    assert_one_read(reader, levels)


def gradient(generator):
    angle = generator.uniform(0, 2 * np.pi)
    return 0.65 + 0.25 * (np.cos(angle) * X + np.sin(angle) * Y)


def lamp(generator):
    x, y = generator.uniform(-1, 1, 2)
    return 0.35 + 0.65 * np.exp(-((X - x) ** 2 + (Y - y) ** 2) / 0.9)


def shadow(softness, depth=0.55):
    def field(generator):
        angle, offset = generator.uniform(0, 2 * np.pi), generator.uniform(-0.25, 0.25)
        side = (np.cos(angle) * X + np.sin(angle) * Y - offset) / softness
        return 1 - depth * (0.5 + 0.5 * np.tanh(side))

    return field


@pytest.mark.parametrize(
    ("field", "least"),
    [
        (gradient, 19),
        (lamp, 19),
        (shadow(0.15), 19),
        (shadow(0.005), 12),  # dark ink on the dark side of an edge: 12
        (shadow(0.005, depth=0.75), 8),  # 9 dark, 11 light
    ],
    ids=["gradient", "lamp", "soft shadow", "hard shadow", "deep shadow"],
)
@both
def test_uneven_light(reader, levels, field, least):
    assert_one_read(reader, levels, lambda frame, _, rng: frame * field(rng), least)


def smeared_board(generator):
    """Broad traces of a sponge, brighter than the board."""
    # They are soft: a quarter of the size is enough to draw them.
    board = np.full((120, 160), 45, np.float32)
    for _ in range(12):
        trace, y = np.zeros((120, 160), np.float32), generator.uniform(0, 120)
        left, right = generator.uniform(-25, 100), generator.uniform(60, 200)
        ends = (int(left), int(y)), (int(right), int(y + generator.uniform(-20, 20)))
        cv2.line(trace, *ends, 1.0, int(generator.uniform(4, 13)))
        trace = cv2.GaussianBlur(trace, (0, 0), 1.3)
        board += generator.uniform(5, 25) * trace * (1 + 0.5 * noise(generator, (120, 160), 1))
    return cv2.resize(board, SHAPE[::-1], interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize(("chalk", "least"), [(210, 17), (140, 15)])  # 18, 16
def test_a_smeared_board(reader, chalk, least):
    def on_board(frame, one, generator):
        return one.on(smeared_board(generator), chalk)

    assert_one_read(reader, POLARITIES["light"], on_board, least)


@pytest.mark.parametrize(
    ("paper", "ink"),
    [
        ((120, 230, 245), (150, 60, 30)),
        ((200, 170, 240), (30, 30, 30)),
        ((160, 90, 40), (240, 240, 240)),
        ((240, 240, 240), (40, 40, 210)),
        ((240, 240, 240), (80, 170, 60)),
        ((50, 50, 200), (250, 250, 250)),
        # Green hardly differs.
        ((240, 240, 240), (120, 240, 140)),
        ((100, 100, 100), (30, 100, 200)),
    ],
)
def test_coloured_paper_and_ink(reader, paper, ink):
    def picture(digit, generator):
        one = drawn.one(digit, generator, SHAPE)
        return grainy(one.on(np.full((*SHAPE, 3), paper, np.float32), ink), generator), one.text

    assert_read(reader, picture, 9, many=10)


def lined(generator, squared, pitch, thickness, level):
    lines, phase = np.zeros(SHAPE, np.uint8), generator.uniform(0, pitch)
    slope = generator.normal(0, 0.01)
    height, width = SHAPE
    for y in np.arange(phase - pitch, height + pitch, pitch):
        ends = (0, int(y)), (width, int(y + slope * width))
        cv2.line(lines, *ends, 255, thickness, cv2.LINE_AA)
    for x in np.arange(phase - pitch, width + pitch, pitch) if squared else ():
        ends = (int(x), 0), (int(x - slope * height), height)
        cv2.line(lines, *ends, 255, thickness, cv2.LINE_AA)
    return 235 - (235 - level) * (lines / np.float32(255))


@pytest.mark.parametrize("squared", [False, True], ids=["ruled", "squared"])
@pytest.mark.parametrize(
    ("pitch", "thickness", "level", "least"),
    [(20, 1, 180, 19), (40, 2, 170, 19), (80, 2, 170, 19), (40, 2, 120, 17)],
)
def test_ruled_and_squared_paper(reader, squared, pitch, thickness, level, least):
    def on_lines(frame, one, generator):
        return one.on(lined(generator, squared, pitch, thickness, level), 40)

    assert_one_read(reader, POLARITIES["dark"], on_lines, least)


# What stands about


@both
def test_a_frame_around_the_digit(reader, levels):
    def framed(frame, one, generator):
        x, y, w, h = one.boxes[0]
        away = int(0.3 * h)
        cv2.rectangle(frame, (x - away, y - away), (x + w + away, y + h + away), levels[1], 5)

    assert_one_read(reader, levels, framed)


@both
@pytest.mark.parametrize("margin", [0, 30], ids=["to the border", "with an edge"])
def test_a_cell_of_a_table(reader, levels, margin):
    def picture(digit, generator):
        one = drawn.Drawing(SHAPE).write(digit, generator, (390, 240), generator.uniform(60, 100))
        frame = one.on(*levels)
        for x in range(40, 640, 140):
            cv2.line(frame, (x, margin), (x, 480 - margin), levels[1], 5)
        for y in range(30, 480, 140):
            cv2.line(frame, (margin + 10, y), (630 - margin, y), levels[1], 5)
        return grainy(frame, generator), one.text

    assert_read(reader, picture)


@both
def test_ink_and_ground_of_one_level_each(reader, levels):
    """A drawing or a scan of one bit: no noise, no soft edges."""

    def picture(digit, generator):
        one = drawn.one(digit, generator, SHAPE, share=generator.uniform(0.1, 0.8))
        return np.where(one.ink > 0.5, levels[1], levels[0]).astype(np.uint8), one.text

    assert_read(reader, picture)


@both
def test_a_table_line_below_and_the_table_at_the_border(reader, levels):
    def with_table(frame, one, generator):
        x, y, w, h = one.boxes[0]
        cv2.line(frame, (x - w, y + h + h // 8), (x + 2 * w, y + h + h // 8), levels[1], 6)
        if x > 30 and y + h < 450:
            frame[:, :20] = frame[-15:] = levels[1]

    assert_one_read(reader, levels, with_table, share=0.35)


@both
def test_specks(reader, levels):
    def with_specks(frame, one, generator):
        for count, radius in ((150, 3), (20, 8)):
            for _ in range(count):
                x, y = int(generator.uniform(0, 640)), int(generator.uniform(0, 480))
                cv2.circle(frame, (x, y), int(generator.integers(1, radius + 1)), levels[1], -1)

    assert_one_read(reader, levels, with_specks, 17)


@both
def test_small_text_about_a_digit(reader, levels):
    """Words without letters that are drawn like digits, as o, l and g."""

    def with_text(frame, one, generator):
        x, y, w, h = one.boxes[0]
        around = np.s_[max(0, y - 30) : y + h + 30, max(0, x - 30) : x + w + 30]
        kept = frame[around].copy()
        for line in range(12, 480, 24):
            words = "what we need are neat pens and paper, a red chair, a mate and tea"
            cv2.putText(frame, words, (5, line), 0, 0.5, levels[1], 1, cv2.LINE_AA)
        frame[around] = kept

    assert_one_read(reader, levels, with_text, 18, share=0.5)


@both
@pytest.mark.parametrize("deviation", [8, 30])
def test_noise(reader, levels, deviation):
    assert_one_read(reader, levels, deviation=deviation)


@both
def test_out_of_focus(reader, levels):
    assert_one_read(reader, levels, lambda frame, *_: cv2.GaussianBlur(frame, (0, 0), 6))


# Strokes


@both
@pytest.mark.parametrize("gap", [0.03, 0.08])
def test_a_5_with_its_bar_apart_and_a_broken_4(reader, levels, gap):
    def picture(digit, generator):
        if digit % 2:
            digit = 5
            body, bar = handwriting.write(5, generator)
            strokes = [body, np.add(bar, (0.6 * gap, -gap))]
        else:
            digit = 4
            hook, stem = handwriting.write(4, generator)
            bend = len(hook) * 6 // 10
            strokes = [hook[: bend - 2], hook[bend + 2 :], np.add(stem, (gap, 0))]
        one = drawn.Drawing(SHAPE).write(digit, generator, (300, 240), 200, 14, strokes)
        return grainy(one.on(*levels), generator), one.text

    assert_read(reader, picture)


@both
def test_a_gap_in_any_stroke(reader, levels):
    def picture(digit, generator):
        strokes = []
        for stroke in handwriting.write(digit, generator):
            cut = int(generator.uniform(0.2, 0.8) * len(stroke))
            strokes += [stroke[: max(2, cut - 1)], stroke[min(cut + 3, len(stroke) - 2) :]]
        one = drawn.Drawing(SHAPE).write(digit, generator, (300, 240), 240, 16, strokes)
        return grainy(one.on(*levels), generator), one.text

    assert_read(reader, picture, 18)


@both
def test_a_1_that_is_only_a_bar(reader, levels):
    def picture(digit, generator):
        lean, tall = generator.uniform(-0.12, 0.12), 480 * generator.uniform(0.1, 0.9)
        bar = np.array([[-lean, 0.5], [lean, -0.5]])
        pen = max(2, tall * generator.uniform(0.05, 0.16))
        place = generator.uniform(100, 540), 240
        one = drawn.Drawing(SHAPE).write(1, generator, place, tall, pen, [bar])
        return grainy(one.on(*levels), generator), "1"

    assert_read(reader, picture, 17)  # 18


# Sizes and rows


@both
@pytest.mark.parametrize(
    ("share", "least"),
    [(1 / 20, 8), (0.1, 9), (0.3, 9), (0.6, 9), (0.95, 9)],
)
def test_from_a_twentieth_of_the_height_to_nearly_all(reader, levels, share, least):
    def picture(digit, generator):
        one = drawn.one(digit, generator, SHAPE, share=share)
        return one.on(*levels), one.text

    assert_read(reader, picture, least, many=10)


@both
def test_rows_of_a_thirtieth_of_the_height(reader, levels):
    """One so small alone is mostly taken for a speck: 1 to 5 of 10."""

    def picture(digit, generator):
        digits = generator.integers(0, 10, 4)
        left, y = generator.uniform(60, 500), generator.uniform(60, 420)
        row = drawn.row(digits, generator, SHAPE, 16, 1.6, left, y)
        return row.on(*levels), row.text

    assert_read(reader, picture, 17)  # 19


@pytest.mark.parametrize("shape", [(1080, 1920), (1920, 1080), (2160, 3840)], ids=str)
@pytest.mark.parametrize("share", [1 / 30, 0.5, 0.95])
def test_large_frames(reader, shape, share):
    share = min(share, 0.8 * shape[1] / shape[0])

    def picture(digit, generator):
        one = drawn.one(digit, generator, shape, share=share, pen=0.08)
        return one.on(225, 40), one.text

    # Of the smallest a 1 is lost.
    assert_read(reader, picture, 2 if share < 0.1 else 3, many=3)


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("cut", [False, True], ids=["28 by 28", "cut to their ink"])
def test_mnist_pictures(reader, sample, negative, cut):
    images, labels = (part[:100] for part in sample.test.read())
    right = 0
    for image, label in zip(images, labels, strict=True):
        x, y, w, h = cv2.boundingRect(image) if cut else (0, 0, 28, 28)
        picture = image[y : y + h, x : x + w]
        right += text(reader.read(255 - picture if negative else picture)) == str(label)
    assert right >= (75 if cut else 91)  # 77 and more, 92 and more


@both
def test_drawn_pictures_of_28_by_28(reader, levels):
    def picture(digit, generator):
        one = drawn.one(digit, generator, (280, 280), share=0.7, pen=0.14)
        return cv2.resize(one.on(*levels), (28, 28), interpolation=cv2.INTER_AREA), one.text

    assert_read(reader, picture)


def lines_of(generator, counts, tall, rise=0.0, shape=SHAPE):
    """Lines of digits from above, on a slope, each digit a little different in height."""
    page, lines = drawn.Drawing(shape), []
    for number, count in enumerate(counts):
        x, y = 1.2 * tall, shape[0] * (number + 1) / (len(counts) + 1)
        digits = generator.integers(0, 10, count).tolist()
        for digit in digits:
            place = x, y - rise * (x - shape[1] / 2)
            page.write(digit, generator, place, tall * generator.uniform(0.9, 1.1))
            x += tall * generator.uniform(0.85, 1.1)
        lines.append("".join(map(str, digits)))
    return page, "\n".join(lines)


@pytest.mark.parametrize(
    ("counts", "tall", "rise", "shape"),
    [
        ((6, 3, 5), 60, 0.0, SHAPE),
        ((6, 3, 5), 60, 0.1, SHAPE),
        ((6, 3, 5), 60, -0.12, SHAPE),
        ((10, 10, 10, 10), 80, 0.02, (1080, 1920)),
        ((8, 8, 8), 38, 0.0, (1080, 1920)),
    ],
)
@both
def test_lines_in_reading_order(reader, levels, counts, tall, rise, shape):
    def picture(digit, generator):
        page, words = lines_of(generator, counts, tall, rise, shape)
        return grainy(page.on(*levels), generator), words

    assert_read(reader, picture, 4, many=5)


def test_two_digits_that_touch(reader):
    def picture(digit, generator):
        pair = generator.integers(0, 10, 2).tolist()
        one = drawn.Drawing(SHAPE).write(pair[0], generator, (250, 240), 160)
        other = drawn.Drawing(SHAPE).write(pair[1], generator, (400, 240), 160)
        x, _, w, _ = one.boxes[0]
        ink = np.roll(other.ink, x + w - 1 - other.boxes[0][0], axis=1)
        one.ink = np.maximum(one.ink, ink)
        return grainy(one.on(225, 40), generator), "".join(map(str, pair))

    assert_read(reader, picture, 25, many=30)


# Nothing


@pytest.mark.parametrize("shape", [SHAPE, (1080, 1920), (28, 28)], ids=str)
@pytest.mark.parametrize("level", [0, 127, 255])
def test_a_frame_of_one_level_has_no_digits(reader, shape, level):
    assert reader.read(np.full(shape, level, np.uint8)) == []


@pytest.mark.parametrize("shape", [SHAPE, (1080, 1920)], ids=str)
def test_a_sensors_noise_has_no_digits(reader, shape):
    generator = drawn.rng(2)
    for level, deviation in ((30, 2), (200, 2), (127, 8), (240, 4), (8, 8)):
        frame = np.clip(level + deviation * generator.standard_normal(shape), 0, 255)
        assert text(reader.read(frame.astype(np.uint8))) == ""
    assert text(reader.read(generator.integers(0, 256, shape, np.uint8))) == ""
    specks = (generator.random(shape) < 0.001) * 255
    assert text(reader.read(specks.astype(np.uint8))) == ""


def test_empty_paper_and_boards_have_no_digits(reader):
    """With uneven light, shadows' edges and the sponge's traces."""
    labelled = []
    for seed in range(20):
        generator = drawn.rng(seed)
        paper = grainy(200 * light(generator, SHAPE), generator)
        board = grainy(smeared_board(generator), generator)
        labelled += [found for each in (paper, board) if (found := text(reader.read(each)))]
    assert len(labelled) <= 1, labelled


@pytest.mark.parametrize("grain", ["pixels", "2 by 2", "clouds"])
def test_wild_noise_is_read_in_bounded_time(reader, grain):
    generator = drawn.rng(3)
    if grain == "clouds":
        frame = np.clip(127 + 40 * noise(generator, (1080, 1920), 8), 0, 255).astype(np.uint8)
    else:
        step = 1 if grain == "pixels" else 2
        cells = generator.integers(0, 2, (1080 // step, 1920 // step), np.uint8) * np.uint8(255)
        frame = np.repeat(np.repeat(cells, step, axis=0), step, axis=1)
    start = time.process_time()
    reader.read(frame)
    assert time.process_time() - start < 2  # 0.1
