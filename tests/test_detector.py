"""The detector: what it looks at in pictures and live frames, where its boxes are, its files."""

import shutil

import cv2
import numpy as np
import pytest

import drawn
from conftest import ROOT
from digits_tf.detection import WINDOW
from digits_tf.detection import detector as detection
from digits_tf.detection.detector import Detector
from digits_tf.detection.pyramid import level_sizes
from digits_tf.errors import DigitsError

SHIPPED = ROOT / "tflite"
SHAPE = (480, 640)
PAPER, INK = 220, 30


# A network that answers as it should


class Perfect:
    """Stands in for the network: dark marks of 8 to 112 pixels are digits, each equally sure."""

    shapes: list
    levels: list
    logit = 3.0

    def __init__(self, content, path, threads, shape):
        self.shape = shape
        self.shapes.append(shape)

    def predict(self, level):
        self.levels.append(level.copy())
        assert level.shape[0] <= self.shape[0]
        assert level.shape[1] <= self.shape[1]
        rows, columns = (-(-side // 4) for side in level.shape)
        heat, values = np.full((rows, columns), -9.0, np.float32), np.zeros((rows, columns, 4))
        _, _, stats, _ = cv2.connectedComponentsWithStats((level < 128).astype(np.uint8))
        for x, y, w, h, _ in stats[1:]:
            if 8 <= max(w, h) <= 112:
                across, down = (x + w / 2) / 4, (y + h / 2) / 4
                row, column = min(int(down), rows - 1), min(int(across), columns - 1)
                heat[row, column] = self.logit
                offset = across - column - 0.5, down - row - 0.5
                values[row, column] = (*offset, np.log(w / 4), np.log(h / 4))
        return heat, values.astype(np.float32)


@pytest.fixture
def perfect(monkeypatch):
    monkeypatch.setattr(Perfect, "shapes", [], raising=False)
    monkeypatch.setattr(Perfect, "levels", [], raising=False)
    monkeypatch.setattr(detection, "_Network", Perfect)
    return Detector(SHIPPED / "detector.tflite")


def blocks(shape, boxes):
    frame = np.full(shape, PAPER, np.uint8)
    for x, y, w, h in boxes:
        frame[y : y + h, x : x + w] = INK
    return frame


def assert_found(found, boxes, least=0.8):
    assert len(found) == len(boxes), found
    for box in boxes:
        assert max(drawn.overlap(each.box, box) for each in found) > least, (box, found)


@pytest.mark.parametrize("shape", [SHAPE, (1080, 1920), (1920, 1080), (240, 320)], ids=str)
def test_boxes_are_in_the_frames_pixels_from_a_thirtieth_to_nearly_all(perfect, shape):
    shorter = min(shape)
    for tall in (max(13, shorter // 30), shorter // 10, shorter // 3, int(0.95 * shorter)):
        box = (shape[1] // 3, (shape[0] - tall) // 2 + 1, max(2, tall // 2), tall)
        # A thirtieth is 13 pixels of the finest level, and less on others that are as sure.
        assert_found(perfect.find(blocks(shape, [box])), [box], 0.8 if tall > 50 else 0.7)


def test_scores_below_the_threshold_are_left_out(perfect, monkeypatch):
    frame = blocks(SHAPE, [(300, 200, 40, 60)])
    for score, found in ((0.3, 0), (0.41, 0), (0.49, 1), (0.6, 1)):
        monkeypatch.setattr(Perfect, "logit", float(np.log(score / (1 - score))))
        assert len(perfect.find(frame)) == found
        (sure,) = perfect.find(frame, threshold=0.2)
        assert sure.score == pytest.approx(score, abs=1e-3)
        assert perfect.find(frame, threshold=1.0) == []


@pytest.mark.parametrize(("live", "voters"), [(True, 3), (False, 7)])
def test_what_one_level_alone_sees_is_less_sure(perfect, monkeypatch, live, voters):
    """A block of 120 pixels is 24 to 96 on the levels."""
    real = Perfect.predict

    def one_eyed(self, level):
        heat, values = real(self, level)
        return (heat if level.shape == (192, 256) else np.full_like(heat, -9.0)), values

    box = (300, 200, 60, 120)
    frame = blocks(SHAPE, [box])
    (sure,) = perfect.find(frame, live=live)
    monkeypatch.setattr(Perfect, "predict", one_eyed)
    perfect.find(blocks(SHAPE, []))  # live frames begin anew
    (unsure,) = perfect.find(frame, threshold=0.1, live=live)
    assert sure.score == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-3)
    assert unsure.score == pytest.approx(sure.score / voters**0.5, abs=1e-3)
    assert_found([unsure], [box])


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("tall", [16, 30, 400])
def test_levels_on_which_it_is_too_small_or_too_large_are_not_asked(perfect, live, tall):
    box = (200, 30, tall // 2, tall)
    (found,) = perfect.find(blocks(SHAPE, [box]), live=live)
    assert found.score == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-3)


@pytest.mark.parametrize("live", [True, False])
def test_nothing_found_is_an_empty_list(perfect, live):
    for _ in range(3):
        assert perfect.find(blocks(SHAPE, []), threshold=0.0, live=live) == []


def test_the_network_never_sees_less_than_a_window(perfect):
    for shape in ((20, 20), (480, 640), (30, 700), (1080, 1920)):
        perfect.find(np.full(shape, 90, np.uint8))
        perfect.find(np.full(shape, 90, np.uint8), live=True)
    for height, width in Perfect.shapes[1:]:
        assert height % 32 == width % 32 == 0
        assert min(height, width) >= WINDOW == 160


def test_a_wild_answer_gives_no_endless_box(perfect, monkeypatch):
    """A network that is hardly trained may say anything."""
    real = Perfect.predict

    def wild(self, level):
        heat, values = real(self, level)
        values[...] = 3e4
        values[..., 0:2] = -3e4
        return np.full_like(heat, 5.0), values

    monkeypatch.setattr(Perfect, "predict", wild)
    for live in (False, True):
        for each in perfect.find(blocks(SHAPE, SCENE), live=live):
            assert np.isfinite(each.box).all()


@pytest.mark.parametrize(("side", "border"), [(64, 12), (65, 0)])
def test_a_thumbnail_gets_a_border_of_its_ground(perfect, side, border):
    """It is often cut to its ink."""
    box = (20, 16, 20, 30)
    frame = blocks((side, side), [box])
    assert_found(perfect.find(frame), [box])
    for level, (width, height) in zip(Perfect.levels, level_sizes(frame.shape), strict=True):
        assert level.shape == (height + 2 * border, width + 2 * border)
        assert level[0, 0] == PAPER


def test_the_ground_is_the_median_of_all_four_sides():
    for turns in range(4):
        picture = np.full((10, 10), 90, np.uint8)
        picture[-1] = picture[:, -1] = 200
        picture[0] = picture[:, 0] = 0
        bordered = detection._with_border(np.rot90(picture, turns))
        assert bordered.shape == (34, 34)
        # Half of it and two corners more are 0.
        assert bordered[0, 0] == bordered[11, 20] == 0
        np.testing.assert_array_equal(bordered[12:-12, 12:-12], np.rot90(picture, turns))


# Live frames

SCENE = [(40, 30, 12, 17), (305, 228, 13, 18), (560, 400, 12, 16), (100, 120, 160, 300)]


def test_the_first_frame_is_looked_at_as_a_whole_then_tiles_in_turn(perfect):
    frame = blocks(SHAPE, SCENE)
    assert_found(perfect.find(frame, live=True), SCENE)
    looked = [sum(level.size for level in Perfect.levels)]
    shapes = [{level.shape for level in Perfect.levels}]
    for _ in range(16):
        Perfect.levels.clear()
        perfect.find(frame, live=True)
        looked.append(sum(level.size for level in Perfect.levels))
        shapes.append({level.shape for level in Perfect.levels})
    assert looked[0] > 5 * max(looked[1:])
    assert (192, 256) in shapes[1]
    assert (96, 128) in shapes[2]
    assert shapes[1] == shapes[3]
    assert shapes[2] == shapes[4]


def test_what_a_camera_shows_is_found_after_a_round_of_the_tiles(perfect):
    """Sixteen frames: each eighth of the finest level in every second of them."""
    perfect.find(blocks(SHAPE, []), live=True)
    frame = blocks(SHAPE, SCENE)
    counts = [len(perfect.find(frame, live=True)) for _ in range(17)]
    assert counts[0] <= 1
    assert counts == sorted(counts)
    assert_found(perfect.find(frame, live=True), SCENE)
    whole = {each.box for each in perfect.find(frame)}
    assert len(whole) == len(SCENE)


def test_what_leaves_a_camera_is_gone_after_a_round(perfect):
    perfect.find(blocks(SHAPE, SCENE), live=True)
    empty = blocks(SHAPE, [])
    counts = [len(perfect.find(empty, live=True)) for _ in range(16)]
    assert counts[0] > 0
    assert counts[-1] == 0


def test_small_digits_on_the_seams_of_the_tiles_are_found(perfect):
    """The eighths overlap by a small digit's size."""
    boxes = [(x, y, 14, 20) for x in range(148, 500, 3) for y in (228, 60)]
    for box in boxes[::7]:
        perfect.find(blocks(SHAPE, []), live=True)
        frame = blocks(SHAPE, [box])
        for _ in range(16):
            found = perfect.find(frame, live=True)
        assert_found(found, [box], 0.7)
        perfect.find(frame)  # live frames begin anew


@pytest.mark.parametrize("shape", [(1080, 1920), (480, 480), (240, 320), (100, 140)], ids=str)
def test_another_frame_size_starts_anew(perfect, shape):
    for _ in range(3):
        perfect.find(blocks(SHAPE, SCENE), live=True)
    other = [(shape[1] // 3, shape[0] // 3, shape[0] // 6, shape[0] // 4)]
    assert_found(perfect.find(blocks(shape, other), live=True), other)
    assert_found(perfect.find(blocks(SHAPE, SCENE), live=True), SCENE)


def test_a_picture_in_between_leaves_nothing_behind(perfect):
    perfect.find(blocks(SHAPE, SCENE), live=True)
    assert perfect.find(blocks(SHAPE, [])) == []
    assert perfect.find(blocks(SHAPE, []), live=True) == []


def test_a_still_camera_is_read_as_a_picture():
    """By the shipped network, after eight frames and after a whole round."""
    detector = detection.load()
    page = drawn.row((3, 5, 8, 2), drawn.rng(10), tall=100, left=120)
    frame = page.on(PAPER, INK)
    expected = detector.find(frame)
    assert len(expected) == 4
    for count in range(18):
        found = detector.find(frame, live=True)
        if count in (0, 8, 17):
            assert_found(found, [each.box for each in expected], 0.65)


# Files


def test_a_detector_is_no_other_model(tmp_path):
    with pytest.raises(DigitsError, match="expected a detector") as error:
        detection.load(SHIPPED / "tiny_int8.tflite")
    assert "tiny_int8.tflite" in str(error.value)
    for name, content in (("empty", b""), ("text", b"no model at all\n" * 50)):
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(content)
        with pytest.raises(DigitsError, match="expected a TFLite file"):
            detection.load(path)
    cut = tmp_path / "cut.tflite"
    cut.write_bytes((SHIPPED / "detector.tflite").read_bytes()[:5000])
    with pytest.raises(DigitsError) as error:
        detection.load(cut)
    assert str(cut) in str(error.value)
    assert "\n" not in str(error.value)


class Odd:
    """An interpreter of a network that is no detector, or of one whose numbers are damaged."""

    def __init__(self, shape=(1, 20, 20, 20), value=0.0, error=None):
        self.shape, self.value, self.error = shape, value, error

    def get_input_details(self):
        shape = np.array([1, 160, 40, 4])
        return [{"index": 0, "shape": shape, "dtype": np.uint8, "quantization": (0.0, 0)}]

    def get_output_details(self):
        shape = np.array(self.shape)
        return [{"index": 1, "shape": shape, "dtype": np.float32, "quantization": (0.0, 0)}]

    def resize_tensor_input(self, index, shape):
        pass

    allocate_tensors = invoke = lambda self: None

    def set_tensor(self, index, value):
        if self.error:
            raise self.error

    def get_tensor(self, index):
        return np.full(self.shape, self.value, np.float32)


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (Odd((1, 10)), "expected a detector, found a model from (160, 40, 4) to (10,)"),
        (Odd((1, 20, 20, 24)), "expected a detector, found a model from"),
        (Odd(value=np.nan), "gives no finite numbers"),
        (Odd(value=np.inf), "gives no finite numbers"),
        (
            Odd(error=RuntimeError("two\nlines")),
            "that LiteRT can run (two lines)",
        ),
    ],
)
def test_answers_that_no_detector_gives_are_no_digits(monkeypatch, odd, words):
    monkeypatch.setattr(detection, "interpreter", lambda content, path, threads: odd)
    with pytest.raises(DigitsError) as error:
        network = detection._Network(b"", "net.tflite", 1, (160, 160))
        network.predict(np.zeros((160, 160), np.uint8))
    assert str(error.value).startswith("net.tflite: ")
    assert words in str(error.value)


@pytest.mark.parametrize("shape", [(160, 160), (100, 160), (160, 100), (97, 30)])
def test_a_picture_is_continued_to_the_networks_size(monkeypatch, shape):
    odd, seen = Odd(), []
    odd.set_tensor = lambda index, value: seen.append(value)
    monkeypatch.setattr(detection, "interpreter", lambda content, path, threads: odd)
    picture = drawn.rng(2).integers(0, 256, shape, np.uint8)
    heat, values = detection._Network(b"", "net.tflite", 1, (160, 160)).predict(picture)
    rows, columns = -(-shape[0] // 4), -(-shape[1] // 4)
    assert (heat.shape, values.shape) == ((rows, columns), (rows, columns, 4))
    below, right = 160 - shape[0], 160 - shape[1]
    padded = np.pad(picture, ((0, below), (0, right)), mode="edge")
    assert seen[0].shape == (1, 160, 40, 4)
    np.testing.assert_array_equal(seen[0].reshape(160, 160), padded)


def test_a_damaged_detector_is_found_by_its_digest(tmp_path):
    content = bytearray((SHIPPED / "detector.tflite").read_bytes())
    content[len(content) // 2] ^= 0x10
    (tmp_path / "detector.tflite").write_bytes(content)
    shutil.copy(SHIPPED / "detector.json", tmp_path)
    with pytest.raises(DigitsError, match="damaged"):
        detection.load(tmp_path)


def test_a_run_folder_is_a_detector_and_another_folder_is_named(tmp_path):
    inner = tmp_path / "run" / "detector"
    inner.mkdir(parents=True)
    shutil.copy(SHIPPED / "detector.tflite", inner)
    for path in (tmp_path / "run", inner, inner / "detector.tflite"):
        assert isinstance(detection.load(path), Detector)
    for path in (tmp_path, tmp_path / "no.tflite"):
        with pytest.raises(DigitsError, match="no such detector") as error:
            detection.load(path)
        assert str(path) in str(error.value)


def test_without_a_shipped_file_the_way_to_make_one_is_told(monkeypatch):
    def missing(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(detection, "shipped_file", missing)
    with pytest.raises(DigitsError, match=r"digits-tf train-detector"):
        detection.load()


def test_wrong_arrays_are_refused():
    detector = detection.load()
    for frame in (np.zeros((40, 40)), np.zeros((40, 40, 2), np.uint8), np.zeros((0, 4), np.uint8)):
        for live in (False, True):
            with pytest.raises(ValueError, match="expected"):
                detector.find(frame, live=live)


def test_stages_are_the_levels_and_the_heat():
    detector = detection.load()
    assert detector.stages() == {}
    detector.find(blocks(SHAPE, SCENE))
    stages = detector.stages()
    assert {name.split(", ")[1] for name in stages} == {f"{w}x{h}" for w, h in level_sizes(SHAPE)}
    assert {name.split(", ")[0] for name in stages} == {"seen", "digits"}
    for name, picture in stages.items():
        assert picture.dtype == np.uint8
        width, height = map(int, name.split(", ")[1].split("x"))
        scale = 4 if name.startswith("digits") else 1
        assert picture.shape == (-(-height // scale), -(-width // scale))


def test_pictures_of_many_sizes_do_not_fill_the_memory(perfect):
    for side in range(100, 400, 12):
        perfect.find(np.full((side, 2 * side), 90, np.uint8))
        perfect.find(np.full((side, 3 * side), 90, np.uint8))
        assert len(perfect._networks) <= 25


def test_networks_of_a_picture_and_of_a_camera_are_made_once(perfect):
    """To make one takes longer than to look at a level."""
    for _ in range(3):
        for live in [False] + [True] * 4:
            for shape in ((1920, 1080), (1080, 1920), SHAPE):
                perfect.find(blocks(shape, []), live=live)
    assert len(Perfect.shapes) == len(set(Perfect.shapes))
