"""Synthetic frames: what is said about their digits is true, and the seed decides everything."""

import dataclasses
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import drawn
from digits_tf.synthetic import forms, frames, glyphs, pen
from digits_tf.synthetic.assets import Assets
from digits_tf.synthetic.canvas import GONE, UNSURE, WHOLE, Canvas
from digits_tf.synthetic.frames import frame
from digits_tf.synthetic.lines import SLASH
from digits_tf.synthetic.page import Page

SHAPE = (240, 400)


@pytest.fixture(scope="module")
def digits(sample):
    return sample.train.read()


def blank(shape=SHAPE):
    return Canvas(np.ones(shape, np.float32), False, (0, 0, shape[1], shape[0]))


@pytest.fixture(scope="module")
def assets(tmp_path_factory):
    """Two fonts, two photographs and two things."""
    folder, generator = tmp_path_factory.mktemp("assets"), drawn.rng(0)
    matplotlib = pytest.importorskip("matplotlib")
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    paths = {}
    for kind, name in (("handwriting", "STIXGeneral.ttf"), ("printed", "DejaVuSansMono.ttf")):
        paths[kind] = (Path(shutil.copy(fonts / name, folder)),)
    paths["photographs"] = tuple(folder / f"{name}.jpg" for name in ("dunes", "wall"))
    for path in paths["photographs"]:
        coarse = generator.integers(0, 256, (9, 12, 3), np.uint8)
        cv2.imwrite(str(path), cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC))
    paths["stamps"] = tuple(folder / f"{name}.png" for name in ("ball", "box"))
    for path in paths["stamps"]:
        thing = np.zeros((80, 60, 4), np.uint8)
        cv2.ellipse(thing, (30, 40), (25, 35), 0, 0, 360, (60, 120, 200, 255), -1)
        cv2.imwrite(str(path), thing)
    return Assets(**paths)


# Canvas


@pytest.mark.parametrize("scale", [0.08, 0.3, 1.2])
@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_the_box_of_ink_is_tight(digits, scale, turn):
    hand = glyphs.Hand(drawn.rng(3), *digits)
    for digit in range(10):
        canvas, ink = blank(), hand.digit(digit).ink
        matrix = cv2.getRotationMatrix2D((0, 0), np.rad2deg(turn), scale)
        matrix[:, 2] = np.array([150, 60]) + drawn.rng(digit).random(2)
        x, y, w, h = canvas.ink(ink, matrix, 0.0)
        left, top, wide, tall = cv2.boundingRect((canvas.image < 0.7).astype(np.uint8))
        ends = np.array([left, top, left + wide, top + tall])
        np.testing.assert_allclose([x, y, x + w, y + h], ends, atol=1)


def test_ink_beyond_the_border_is_noted_as_far_as_it_is_seen():
    """Less than a third of a digit is none, and of half of it nothing is learned."""
    for left, width, label in ((-30, None, None), (-20, 20, UNSURE), (-8, 32, 7), (5, 40, 7)):
        canvas = blank()
        canvas.add((left, 10, 40, 60), 7)
        if width is None:
            assert canvas.boxes == []
            continue
        assert canvas.boxes == [(max(0, left), 10, width, 60)]
        assert canvas.labels == [label]
    assert GONE < 0.5 < WHOLE
    canvas = blank()
    canvas.add(None, 7)
    assert canvas.boxes == []


def test_what_is_covered_is_no_digit_and_what_is_half_covered_may_be_one():
    canvas = blank()
    for left in (20, 120, 220):
        canvas.add((left, 20, 50, 80), 3)
    alpha = np.zeros(SHAPE, np.float32)
    alpha[:, :100] = 1
    alpha[:60, 100:200] = 1
    canvas._hide(alpha, 0, 0)
    assert canvas.labels == [-2, UNSURE, 3]
    cv2.rectangle(canvas.image, (120, 20), (270, 100), 0.0, 4)
    made = canvas.photographed(drawn.rng(1))
    assert made.labels.tolist() == [UNSURE, 3]


def test_a_thing_on_a_digit_hides_it():
    """Wherever a thing comes to lie: if it covers the digit, that is no digit any more."""
    thing = np.full((40, 40, 2), 255, np.uint8)
    hidden = 0
    for seed in range(60):
        canvas = blank()
        canvas.image[100:140, 180:200] = 0
        canvas.add((180, 100, 20, 40), 1)
        canvas.paste(drawn.rng(seed), thing)
        seen = float((canvas.image[100:140, 180:200] < 0.5).mean())
        assert (canvas.labels == [1]) == (seen > 0.95), seed
        assert (canvas.labels == [-2]) == (seen < 0.3), seed
        hidden += seen < 0.95
    assert 0 < hidden < 60


def test_an_intruder_hides_what_lies_below():
    changed = 0
    for seed in range(20):
        canvas = blank()
        for y in range(0, 240, 24):
            for x in range(0, 400, 20):
                canvas.add((x, y, 14, 20), 5)
        before = canvas.image.copy()
        canvas.intrude(drawn.rng(seed))
        for (x, y, w, h), label in zip(canvas.boxes, canvas.labels, strict=True):
            part = np.s_[int(y) : int(y + h), int(x) : int(x + w)]
            if (canvas.image[part] == before[part]).all():
                assert label == 5
            else:
                changed += label != 5
    assert changed > 50


@pytest.mark.parametrize(("level", "label", "least"), [(0.99, UNSURE, 6), (0.2, 4, 8)])
def test_what_nobody_could_see_shall_not_be_found(level, label, least):
    """But for a shadow's edge, which is taken for ink."""
    labels = []
    for seed in range(8):
        canvas = blank()
        cv2.rectangle(canvas.image, (100, 50), (108, 64), level, 2)
        canvas.add((99, 49, 11, 17), 4)
        labels += canvas.photographed(drawn.rng(seed)).labels.tolist()
    assert labels.count(label) >= least, labels


def test_lines_thinner_than_a_pixel_are_fainter():
    darkest = []
    for width in (0.25, 0.5, 1.0, 3.0):
        canvas = blank()
        canvas.line(np.array([[20.0, 100.0], [380.0, 100.0]]), width, 0.0)
        darkest.append(float(canvas.image.min()))
    np.testing.assert_allclose(darkest, [0.75, 0.5, 0, 0], atol=0.1)


# Frames


def assert_sound(made):
    height, width = made.image.shape
    assert made.image.dtype == np.uint8
    # At times somebody has cut a picture around a digit.
    assert 40 <= min(height, width) < 420
    assert made.boxes.dtype == np.float32
    assert made.boxes.shape == (len(made.labels), 4)
    assert ((made.labels >= UNSURE) & (made.labels <= 9)).all()
    assert (made.boxes[:, :2] >= 0).all()
    assert (made.boxes[:, 2:] > 0).all()
    assert (made.boxes[:, 0] + made.boxes[:, 2] <= width).all()
    assert (made.boxes[:, 1] + made.boxes[:, 3] <= height).all()


@pytest.mark.parametrize("with_assets", [False, True])
def test_a_seed_decides_everything(digits, assets, with_assets):
    there = assets if with_assets else None
    for seed in range(8):
        one, same = (frame(drawn.rng(seed), *digits, there) for _ in range(2))
        assert_sound(one)
        np.testing.assert_array_equal(one.image, same.image)
        np.testing.assert_array_equal(one.boxes, same.boxes)
        np.testing.assert_array_equal(one.labels, same.labels)
        other = frame(drawn.rng(seed + 50), *digits, there)
        assert one.image.shape != other.image.shape or (one.image != other.image).any()


@pytest.fixture(scope="module")
def many(digits, assets):
    return [frame(drawn.rng(seed), *digits, assets if seed % 2 else None) for seed in range(120)]


def test_frames_are_of_all_kinds(many):
    for made in many:
        assert_sound(made)
    empty = sum(len(made.boxes) == 0 for made in many)
    assert 0.25 < empty / len(many) < 0.5
    labels = np.concatenate([made.labels for made in many])
    assert set(range(10)) <= set(labels)
    assert 0.02 < (labels == UNSURE).mean() < 0.3
    tall = np.concatenate([made.boxes[made.labels >= 0, 3] for made in many])
    assert tall.min() < 15
    assert tall.max() > 120
    wide = sum(made.image.shape[1] > made.image.shape[0] for made in many)
    assert 0.6 < wide / len(many) < 0.95
    dark = [made.image.mean() < 100 for made in many]
    assert 0.1 < np.mean(dark) < 0.9


def test_fonts_photographs_and_things_are_used(many):
    """By what was opened: the caches are filled by the frames with assets."""
    assert glyphs._font.cache_info().currsize == 2
    assert glyphs._font_glyph.cache_info().currsize > 20
    assert frames._photograph.cache_info().currsize == 2
    assert frames._stamp.cache_info().currsize == 2


@pytest.mark.parametrize("lacking", ["handwriting", "printed", "photographs", "stamps"])
def test_assets_may_lack_any_kind(digits, assets, lacking):
    less = dataclasses.replace(assets, **{lacking: ()})
    for seed in range(6):
        assert_sound(frame(drawn.rng(seed), *digits, less))


def test_damaged_pictures_are_plain_or_nothing(digits, assets, tmp_path):
    pictures = {"photographs": (tmp_path / "no.jpg",), "stamps": (tmp_path / "no.png",)}
    damaged = dataclasses.replace(assets, **pictures)
    (tmp_path / "no.png").write_bytes(b"no picture")
    for seed in range(6):
        assert_sound(frame(drawn.rng(seed), *digits, damaged))


def test_digits_of_a_page_are_where_their_boxes_say(digits):
    """On blank paper with a dark pen, each side of a box is touched by ink."""
    checked = 0
    for seed in range(30):
        generator, canvas = drawn.rng(seed), blank()
        page = Page(generator, canvas, *digits, None)
        page.lines.level = 0.0
        canvas.texture = None
        page.digits()
        ink = canvas.image < 0.9
        for (x, y, w, h), label in zip(canvas.boxes, canvas.labels, strict=True):
            if label == UNSURE or h < 12:
                continue
            x, y, w, h = int(x), int(y), int(w), int(h)
            part = ink[y : y + h, x : x + w]
            sides = part[:3], part[-3:], part[:, :3], part[:, -3:]
            assert all(side.any() for side in sides), (seed, label)
            checked += 1
    assert checked > 100


def test_what_is_no_digit_has_no_box(digits):
    for seed in range(20):
        canvas = blank()
        page = Page(drawn.rng(seed), canvas, *digits, None)
        for _ in range(3):
            page.no_digits()
        assert canvas.boxes == []
    assert (canvas.image != 1).any()


@pytest.mark.parametrize("with_assets", [False, True])
def test_a_frame_of_words_has_no_digit(digits, assets, with_assets):
    for seed in range(6):
        made = frame(drawn.rng(seed), *digits, assets if with_assets else None, only_words=True)
        assert_sound(made)
        assert not (made.labels >= 0).any()


def test_a_page_of_text_has_several_lines(digits):
    rows = []
    for seed in range(20):
        canvas = blank()
        page = Page(drawn.rng(seed), canvas, *digits, None)
        page.lines.level = 0.0
        page.text()
        assert canvas.boxes == []
        rows.append((canvas.image < 0.9).any(axis=1).mean())
    assert np.median(rows) > 0.4


def test_the_stroke_of_a_date_leans_by_less_or_more(digits):
    angles = []
    for seed in range(40):
        canvas = blank()
        lines = Page(drawn.rng(seed), canvas, *digits, None).lines
        lines.level = 0.0
        lines.separator(SLASH, np.array([200.0, 120.0]), np.eye(2), 0.0, 100.0)
        rows, columns = np.nonzero(canvas.image < 0.5)
        angles.append(np.rad2deg(np.arctan2(np.ptp(columns), np.ptp(rows))))
    assert 10 < min(angles) < 18
    assert 27 < max(angles) < 37


def test_traces_are_faint_and_their_digits_may_be_found_or_not(digits):
    kinds = set()
    for seed in range(12):
        canvas = blank()
        page = Page(drawn.rng(seed), canvas, *digits, None)
        page.lines.level = 0.0
        page.traces()
        assert 0.6 < canvas.image.min() < 0.97
        assert page.lines.level == 0.0
        kinds |= set(canvas.labels)
    assert kinds == {UNSURE}


# Glyphs


@pytest.mark.parametrize("with_fonts", [False, True])
def test_hands_write_tight_digits(digits, assets, with_fonts):
    fonts = (assets.handwriting, assets.printed) if with_fonts else ()
    kinds = set()
    for seed in range(30):
        hand = glyphs.Hand(drawn.rng(seed), *digits, *fonts)
        kinds.add((hand._font is not None, hand._mnist))
        for digit in (0, 1, 7):
            glyph = hand.digit(digit)
            assert glyph.ink.dtype == np.uint8
            solid = glyph.ink > 100
            assert solid[0].any()
            assert solid[-1].any()
            assert solid[:, 0].any()
            assert solid[:, -1].any()
            assert 0.5 < glyph.tall < 1.5
        for glyph in (hand.letter(), hand.mark()):
            assert glyph.ink.size
    assert kinds == {(False, False), (False, True)} | ({(True, False)} if with_fonts else set())


def test_a_font_joins_a_word_or_its_letters_stand_apart(digits, assets):
    counts = set()
    for seed in range(40):
        hand = glyphs.Hand(drawn.rng(seed), *digits, assets.handwriting, assets.printed)
        word = hand.word()
        counts.add(len(word))
        # The letters of a word are wider than high together.
        assert sum(each.ink.shape[1] / each.ink.shape[0] * each.tall for each in word) > 0.6
        assert hand._font or len(word) > 1
    assert 1 in counts
    assert counts <= {1, *range(3, 11)}
    assert len(counts) > 5


def test_letters_and_marks_are_as_sharp_as_digits(digits):
    """A soft edge would tell the network what is no digit."""
    for seed in range(10):
        hand = glyphs.Hand(drawn.rng(seed), *digits)
        for glyph in (hand.digit(3), hand.letter(), hand.mark()):
            soft = (glyph.ink > 40) & (glyph.ink < 215)
            assert soft.sum() < 0.35 * (glyph.ink > 40).sum()
            assert glyph.ink.shape[0] > 40


def test_letters_like_digits_are_not_written_alone():
    assert set("oOlIsSzZbqg") <= forms.LIKE_DIGITS
    assert not forms.LIKE_DIGITS & {*glyphs.LATIN, *forms.LETTERS}


def test_a_pens_width_is_a_share_of_the_height():
    bar = [np.array([[0.0, 0.0], [0.0, 1.0]])]
    for share in (0.02, 0.1, 0.2):
        height, width = pen.glyph(bar, share).shape
        assert abs(height - pen.GLYPH_HEIGHT) <= 3
        assert abs(width - share * pen.GLYPH_HEIGHT) <= 4
