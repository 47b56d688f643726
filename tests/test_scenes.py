"""Synthetic photographs: the same by their seed, and true about where their digits are."""

import cv2
import numpy as np
import pytest

import drawn
from conftest import ROOT, assert_one_line_error, run
from digits_tf import recognition
from digits_tf.boxes import Box
from digits_tf.data import idx, mnist
from digits_tf.data.digits import BACKGROUND
from digits_tf.detection import detector
from digits_tf.detection.crops import digit_crop
from digits_tf.recognition import Recognizer
from digits_tf.synthetic import crops, forms, frames, handwriting
from digits_tf.synthetic.canvas import UNSURE
from digits_tf.synthetic.crops import coarse, frame_crops, overlap
from digits_tf.synthetic.digit_parts import is_bar_or_ring
from digits_tf.synthetic.pen import pen_digit
from digits_tf.synthetic.scene import draw
from digits_tf.synthetic.textures import board, light, noise, paper

SHAPE = (240, 400)
# Two glyphs with the same box: a ring and, in its place, a block. Everything else about two scenes
# of one seed is the same, so what differs between them is ink.
RING, BLOCK = np.zeros((2, 28, 28), np.uint8)
RING[4:24, 7:21] = BLOCK[4:24, 7:21] = 255
RING[8:20, 11:17] = 0


def pair(seed, count=1):
    ring, block = (draw(drawn.rng(seed), [glyph] * count, SHAPE) for glyph in (RING, BLOCK))
    assert ring.boxes == block.boxes
    return ring.boxes, block.frame.astype(int) - ring.frame


@pytest.mark.parametrize("count", [1, 4])
def test_a_seed_decides_everything(sample, count):
    glyphs = sample.test.read()[0][:count]
    kept = glyphs.copy()
    for seed in range(3):
        one, same = draw(drawn.rng(seed), glyphs), draw(drawn.rng(seed), glyphs)
        np.testing.assert_array_equal(one.frame, same.frame)
        assert one.boxes == same.boxes
        other = draw(drawn.rng(seed + 100), glyphs)
        assert one.frame.shape != other.frame.shape or (one.frame != other.frame).any()
    np.testing.assert_array_equal(glyphs, kept)


def test_the_global_generator_is_left_alone(sample):
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    draw(drawn.rng(0), sample.test.read()[0][:1])
    assert np.random.random() == expected


@pytest.mark.parametrize("shape", [(64, 64), (97, 301), (480, 640), (300, 90)], ids=str)
@pytest.mark.parametrize("count", [1, 3])
def test_shape_and_type(sample, shape, count):
    glyphs = sample.test.read()[0][:count]
    for seed in range(4):
        scene = draw(drawn.rng(seed), glyphs, shape)
        assert scene.frame.shape == (*shape, 3)
        assert scene.frame.dtype == np.uint8
        assert len(scene.boxes) == count
        for x, y, w, h in scene.boxes:
            assert x >= 0
            assert y >= 0
            assert w >= 2
            assert h >= 2
            assert x + w <= shape[1]
            assert y + h <= shape[0]
        lefts = [box[0] for box in scene.boxes]
        assert lefts == sorted(lefts)


def test_sizes_of_its_own_vary(sample):
    shapes = {
        draw(drawn.rng(seed), sample.test.read()[0][:1]).frame.shape[:2] for seed in range(20)
    }
    heights = [height for height, _ in shapes]
    assert len(shapes) > 15
    assert min(heights) >= 64
    assert max(heights) <= 800
    assert max(heights) > 2 * min(heights)


def test_a_frame_without_room_is_refused(sample):
    with pytest.raises(ValueError, match="room"):
        draw(drawn.rng(0), sample.test.read()[0][:1], (4, 4))


@pytest.mark.parametrize("count", [1, 3])
def test_ink_is_within_its_boxes(count):
    around = 16  # a JPEG file's block and the lens' blur
    for seed in range(15):
        boxes, difference = pair(seed, count)
        difference = np.abs(difference).max(axis=2)
        outside = np.ones(SHAPE, bool)
        for x, y, w, h in boxes:
            # Half of the block is ink where the ring has none.
            middle = difference[y + h * 2 // 5 : y + h * 3 // 5, x + w * 2 // 5 : x + w * 3 // 5]
            assert middle.mean() > 4  # 7 at least, faint ink in the shade
            top, left = max(0, y - around), max(0, x - around)
            outside[top : y + h + around, left : x + w + around] = False
        assert difference[outside].mean() < 0.5  # 0


def test_both_polarities_occur():
    lighter = sum(pair(seed)[1].mean() > 0 for seed in range(30))
    assert 4 <= lighter <= 20  # a board is drawn for a third of them


def test_scenes_can_be_read_and_their_boxes_are_tight(sample):
    recognizer = Recognizer.load(ROOT / "tflite" / "tiny_float32.tflite")
    images, labels = sample.test.read()
    found = right = 0
    for seed in range(50):
        scene = draw(drawn.rng(seed), images[seed : seed + 1])
        box = scene.boxes[0]
        best = max(
            recognizer.read(scene.frame),
            key=lambda each: drawn.overlap(each.box, box),
            default=None,
        )
        if best is not None and drawn.overlap(best.box, box) > 0.6:
            found += 1
            right += best.label == labels[seed]
    assert found >= 38
    assert right >= 36


@pytest.mark.parametrize("shape", [(64, 64), (50, 333), (300, 200)], ids=str)
def test_grounds_and_light(shape):
    for seed in range(6):
        for make, light_ink in ((paper, False), (board, True)):
            ground = make(drawn.rng(seed), shape)
            assert ground.light_ink == light_ink
            assert ground.reflectance.shape == (*shape, 3)
            assert ground.reflectance.dtype == np.float32
            assert ground.reflectance.min() >= 0
            assert ground.reflectance.max() <= 1
            again = make(drawn.rng(seed), shape).reflectance
            np.testing.assert_array_equal(ground.reflectance, again)
        field = light(drawn.rng(seed), shape)
        assert field.shape == shape
        assert field.dtype == np.float32
        assert field.min() >= 0.15
        assert field.max() <= 1.6
    assert paper(drawn.rng(0), shape).reflectance.mean() > 0.4
    assert board(drawn.rng(0), shape).reflectance.mean() < 0.6


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (64, 64), (33, 200)], ids=str)
@pytest.mark.parametrize("size", [0.3, 2, 40])
def test_noise_has_its_shape_and_deviation(shape, size):
    field = noise(drawn.rng(0), shape, size)
    assert field.shape == shape
    assert np.isfinite(field).all()
    assert abs(float(field.mean())) < 1e-3
    if min(shape) > 1:
        assert abs(float(field.std()) - 1) < 1e-3


def test_coarse_noise_is_smoother_than_fine():
    steps = [
        np.abs(np.diff(noise(drawn.rng(0), (200, 200), size), axis=0)).mean()
        for size in (0.5, 2, 8, 40)
    ]
    assert steps == sorted(steps, reverse=True)


class Told:
    """A detector that finds the boxes of the next frame as they are, and what else it is told."""

    def __init__(self, monkeypatch, *others):
        self.made, self.others, self.least = [], others, None
        real = frames.frame

        def noted(*words):
            self.made.append(real(*words))
            return self.made[-1]

        monkeypatch.setattr(crops, "frame", noted)

    def find(self, image, least):
        self.least = least
        boxes = [tuple(map(float, box)) for box in self.made[-1].boxes]
        return [detector.Detection(Box(*box), 0.9) for box in [*boxes, *self.others]]


def test_crops_are_what_the_detector_finds(sample, monkeypatch):
    told = Told(monkeypatch)
    images, labels = sample.train.read()
    for seed in range(12):
        made = frame_crops(drawn.rng(seed), told, images, labels, None)
        truth = told.made[-1]
        assert made.digits.shape == (len(made.labels), 28, 28)
        assert made.digits.dtype == made.labels.dtype == made.background.dtype == np.uint8
        assert len(made.digits) <= 12
        # What may be a digit or not is neither taken for one nor for something else.
        sure = truth.boxes[truth.labels != UNSURE]
        wanted = [digit_crop(truth.image, tuple(map(float, box))) for box in sure]
        known = {crop.tobytes() for crop in wanted if crop is not None}
        assert len(made.digits) == min(12, len(known))
        assert {crop.tobytes() for crop in made.digits} <= known
        assert len(made.background) == 0
    assert told.least < detector.SCORE_THRESHOLD


def test_what_overlaps_no_digit_is_background(sample, monkeypatch):
    """Bars and rings apart, which may be digits; and what half overlaps a digit is neither."""
    images, labels = sample.train.read()
    several = [(x, y, 40.0, 60.0) for x in range(0, 200, 50) for y in range(0, 200, 70)]
    told, count = Told(monkeypatch, *several), 0
    for seed in range(12):
        made = frame_crops(drawn.rng(seed), told, images, labels, None)
        assert len(made.background) <= 4
        away = [
            digit_crop(told.made[-1].image, box)
            for box in several
            if (overlap(np.array(box), told.made[-1].boxes) < 0.05).all()
        ]
        known = {crop.tobytes() for crop in away if crop is not None}
        assert {crop.tobytes() for crop in made.background} <= known
        assert not any(map(is_bar_or_ring, made.background))
        count += len(made.background)
    assert count > 5


def test_overlap_is_that_of_the_boxes():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [20, 20, 4, 4]], np.float32)
    found = overlap(np.array([0.0, 0.0, 10.0, 10.0]), boxes)
    np.testing.assert_allclose(found, [1, 1 / 3, 0])


def test_the_command_writes_a_folder_to_train_on(tmp_path, sample):
    images, labels = sample.test.read()
    # Four of each digit.
    chosen = np.concatenate([np.flatnonzero(labels == digit)[:4] for digit in range(10)])
    images, labels = images[chosen], labels[chosen]
    for part in ("train", "t10k"):
        idx.write_idx(tmp_path / f"{part}-images-idx3-ubyte", images)
        idx.write_idx(tmp_path / f"{part}-labels-idx1-ubyte", labels)
    out = tmp_path / "out"
    words = ["--frames=50", "--coarse=5", "--others=6"]
    # Worker processes start as those of Windows and macOS do.
    spawn = "import multiprocessing\nmultiprocessing.set_start_method('spawn')\n"
    (tmp_path / "sitecustomize.py").write_text(spawn)
    env = {"PYTHONPATH": str(tmp_path)}
    result = run("digits_tf", "scenes", "--data_dir", tmp_path, "--out", out, *words, env=env)
    assert result.returncode == 0, result.stderr
    assert "36 digits as they are" in result.stdout
    assert "scenes-fetch" in result.stderr  # no fonts and photographs are here
    made = mnist.in_folder(out)
    kept, kept_labels = made.held_out.read()
    train_images, train_labels = made.train.read()
    assert len(kept) == 4
    assert len(train_images) == len(train_labels) > 36 + 5 + 30
    originals = [image.tobytes() for image in images]
    held_out = [originals.index(image.tobytes()) for image in kept]
    assert kept_labels.tolist() == labels[held_out].tolist()
    trained = [originals.index(image.tobytes()) for image in train_images[:36]]
    assert sorted(held_out + trained) == list(range(40))
    assert train_labels[:36].tolist() == labels[trained].tolist()
    assert set(train_labels[36:]) == set(range(10))
    framed = train_images[36:-5]
    assert (framed.max(axis=(1, 2)) > 150).all()
    # A made-up frame's digits can be read, most of them.
    model = recognition.load(ROOT / "tflite" / "tiny_float32.tflite")
    right = model.probabilities(framed).argmax(axis=1) == train_labels[36:-5]
    assert right.mean() > 0.7
    others, names = made.background.read()
    assert len(others) >= 6
    assert others.shape[1:] == (28, 28)
    assert set(names.tolist()) == {BACKGROUND}
    np.testing.assert_array_equal(made.test.read()[0], images)


def test_the_command_asks_for_a_folder():
    assert_one_line_error(run("digits_tf", "scenes", "--sample"), "--out")


def test_a_pen_writes_as_mnist_does():
    for digit in range(10):
        image = pen_digit(digit, drawn.rng(digit))
        assert image.shape == (28, 28)
        y, x = np.nonzero(image > 60)
        assert 18 <= max(np.ptp(y), np.ptp(x)) + 1 <= 22


def test_a_neat_hand_writes_the_first_form():
    for digit in range(10):
        strokes = handwriting.write(digit, drawn.rng(digit))
        neat = forms.DIGITS[digit][0].strokes
        assert len(strokes) == len(neat)
        same = handwriting.write_strokes(neat, drawn.rng(digit))
        for one, other in zip(strokes, same, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("digit", range(10))
def test_a_loose_hand_writes_every_form(digit):
    written = [forms.random_form(digit, drawn.rng(seed)) for seed in range(200)]
    for form in forms.DIGITS[digit]:
        for first, start in zip(form.between(0), form.strokes, strict=True):
            np.testing.assert_array_equal(first, start)
        shapes = [len(stroke) for stroke in form.strokes]
        alike = [one for one in written if [len(stroke) for stroke in one] == shapes]
        first, last = (np.concatenate(form.between(share)) for share in (0, 1))
        low, high = np.minimum(first, last) - 1e-9, np.maximum(first, last) + 1e-9
        points = [np.concatenate(one) for one in alike]
        assert any(((low <= one) & (one <= high)).all() for one in points)
    for seed in range(20):
        every = np.concatenate(handwriting.write_freely(digit, drawn.rng(seed)))
        assert np.isclose(np.ptp(every[:, 1]), 1)
        np.testing.assert_allclose(every.min(axis=0), -every.max(axis=0))


def test_a_wide_pen_leaves_an_8_its_loops():
    shares = []
    for seed in range(60):
        image = pen_digit(8, drawn.rng(seed))
        grounds = cv2.connectedComponents((image < 160).astype(np.uint8), connectivity=4)[0] - 1
        assert grounds >= 2  # an 8 that is open at one end has one loop
        shares.append((image > 100).mean())
    assert max(shares) > 2.5 * min(shares)


def test_coarse_digits_have_the_geometry_of_mnist(sample):
    images = sample.train.read()[0][:200]
    kept = images.copy()
    made = coarse(images, seed=3)
    np.testing.assert_array_equal(images, kept)
    assert made.shape == images.shape
    assert made.dtype == np.uint8
    centres, aspects = [], []
    for image in made:
        y, x = np.nonzero(image > 8)
        sides = np.ptp(x) + 1, np.ptp(y) + 1
        assert 18 <= max(sides) <= 20
        aspects.append(min(sides) / max(sides))
        total = image.sum(dtype=float)
        centres += [(image.sum(axis=axis) @ np.arange(28)) / total for axis in (0, 1)]
    assert np.abs(np.array(centres) - 14).max() <= 1
    assert np.mean(np.array(aspects) > 0.95) > 0.35  # stretched: half, but no narrow ones
    two_levels = np.array([len(np.unique(image)) == 2 for image in made])
    assert 5 < two_levels.sum() < 100  # ink or none, and brought back by nearest neighbours


def test_coarse_digits_do_not_depend_on_the_batch(sample):
    images = sample.train.read()[0][:20]
    whole = coarse(images, seed=3)
    parts = np.concatenate([coarse(images[:7], 3), coarse(images[7:], 3, first=7)])
    np.testing.assert_array_equal(whole, parts)
    assert (coarse(images, seed=4) != whole).any(axis=(1, 2)).all()
    empty = np.zeros((1, 28, 28), np.uint8)
    np.testing.assert_array_equal(coarse(empty, 3), empty)
    assert coarse(images[:0], 3).shape == (0, 28, 28)
