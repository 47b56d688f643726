"""What runs with OpenCV and LiteRT alone: planes, parts of a film, boxes, crops, lines of text."""

import itertools
import shutil
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

import drawn
from conftest import ROOT
from digits_tf.detection import crops as cropping
from digits_tf.detection import detector as detection
from digits_tf.detection.crops import digit_crop
from digits_tf.detection.detector import Detector, merged
from digits_tf.detection.pyramid import film_part, shrunk, sizes
from digits_tf.errors import DigitsError
from digits_tf.recognition.digit import in_lines

SHIPPED = ROOT / "tflite"
SHAPE = (480, 640)
PAPER, INK = 220, 30


# Planes


@pytest.mark.parametrize(
    ("shape", "film", "picture"),
    [
        (SHAPE, [(128, 96), (256, 192), (512, 384)], 7),
        ((1080, 1920), [(171, 96), (341, 192), (683, 384)], 7),
        ((2160, 3840), [(171, 96), (341, 192), (683, 384)], 7),
        # The coarsest is 96 high, the finest 384 along its shorter side.
        ((1920, 1080), [(54, 96), (144, 256), (384, 683)], 9),
        # None is much finer than the frame.
        ((296, 296), [(96, 96), (192, 192), (384, 384)], 7),
        ((200, 200), [(96, 96), (260, 260)], 5),
        ((146, 146), [(96, 96), (190, 190)], 4),
        ((28, 28), [(96, 96)], 1),
        ((1, 1), [(96, 96)], 1),
        # A strip's coarsest plane is no longer than 2048.
        ((20, 5000), [(2048, 8), (3649, 15), (6500, 26)], 6),
        ((300, 9600), [(2048, 64), (4096, 128), (8192, 256)], 7),
        ((3, 100_000), [(2048, 1), (4096, 1), (8192, 1)], 7),
    ],
    ids=str,
)
def test_sizes_of_the_planes(shape, film, picture):
    """A picture has about three to each doubling, a film three in all."""
    assert sizes(shape, film=True) == film
    pictures = sizes(shape)
    assert len(pictures) == picture
    assert (pictures[0], pictures[-1]) == (film[0], film[-1])
    for coarse, fine in itertools.pairwise(pictures):
        assert 1.2 < fine[0] / coarse[0] < 1.33
    frame = np.full(shape, 90, np.uint8)
    for planes, expected in ((film_planes(frame), film), (shrunk(frame), pictures)):
        assert [plane.shape[::-1] for plane in planes] == expected
        for plane in planes:
            assert plane.dtype == np.uint8
            assert (plane == 90).all()


def test_every_plane_of_a_picture_is_a_third_of_a_doubling_finer():
    assert [height for _, height in sizes(SHAPE)] == [96, 121, 152, 192, 242, 305, 384]


def film_planes(frame):
    return [film_part(frame, (w, h), (0, h, 0, w)) for w, h in sizes(frame.shape, film=True)]


@pytest.mark.parametrize(
    ("shape", "steps"),
    [((2160, 3840), (3, 3, 3)), ((1080, 1920), (3, 3, 1)), ((720, 1280), (2, 2, 1))],
    ids=str,
)
def test_of_a_large_film_few_rows_are_read(shape, steps):
    """Reading a large frame from memory takes most of the time."""
    frame = drawn.rng(3).integers(0, 256, shape, np.uint8)
    for number, step in enumerate(steps):
        same = []
        for each in (step, step + 1):
            few = np.zeros_like(frame)
            rows = slice((each - 1) // 2, None, each)
            few[rows] = frame[rows]
            same.append(np.array_equal(film_planes(frame)[number], film_planes(few)[number]))
        # Not one less: a thin pen is seen.
        assert same == [True, False]


@pytest.mark.parametrize("shape", [(2160, 3840), (1080, 1920), (720, 1280), SHAPE], ids=str)
def test_a_part_of_a_film_is_a_part_of_its_plane(shape):
    coarse = drawn.rng(3).integers(0, 256, (9, 16), np.uint8)
    frame = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR)
    for plane, (width, height) in zip(film_planes(frame), sizes(shape, film=True), strict=True):
        top, left = height // 3, width // 4
        seen = film_part(frame, (width, height), (top, height, left, width - 9))
        whole = plane[top:, left:-9].astype(int)
        assert np.abs(seen - whole)[2:-2, 2:-2].max() < 8


@pytest.mark.parametrize("shape", [(960, 1280), (1080, 1920), (2160, 3840)], ids=str)
def test_pixels_of_a_plane_are_means_not_samples(shape):
    """Of stripes of a pixel each nothing is left but their mean; sampled they would beat."""
    frame = np.zeros(shape, np.uint8)
    frame[:, ::2] = 200
    for stripes in (frame, np.ascontiguousarray(frame[:, : shape[0]].T)):
        for plane in shrunk(stripes):
            inner = plane[2:-2, 2:-2]
            assert abs(float(inner.mean()) - 100) < 3
            assert inner.std() < 8


@pytest.mark.parametrize(
    ("shape", "thick", "film", "least"),
    [
        ((1080, 1920), 2, False, 50),
        ((1080, 1920), 3, True, 50),
        ((2160, 3840), 3, False, 40),
    ],
    ids=str,
)
def test_a_thin_line_is_seen_wherever_it_lies(shape, thick, film, least):
    faintest = 255
    for at in range(400, 420):
        frame = np.full(shape, 200, np.uint8)
        frame[at : at + thick] = 0
        finest = (film_planes if film else shrunk)(frame)[-1]
        faintest = min(faintest, 200 - int(finest[:, 100].min()))
    assert faintest >= least


def test_colours_are_weighed_as_eyes_do():
    frame = np.zeros((96, 96, 3), np.uint8)
    frame[...] = (200, 20, 90)
    grey = round(0.114 * 200 + 0.587 * 20 + 0.299 * 90)
    for each in (frame, np.dstack([frame, frame[..., :1]])):
        assert abs(int(shrunk(each)[0][5, 5]) - grey) <= 1
    assert (shrunk(frame[..., :1])[0] == 200).all()


# A network that answers as it should


class Perfect:
    """Stands in for the network: dark marks of 8 to 112 pixels are digits, each equally sure."""

    shapes: list
    planes: list
    logit = 3.0

    def __init__(self, content, path, threads, shape):
        self.shape = shape
        self.shapes.append(shape)

    def answer(self, plane):
        self.planes.append(plane.copy())
        assert plane.shape[0] <= self.shape[0]
        assert plane.shape[1] <= self.shape[1]
        rows, columns = (-(-side // 4) for side in plane.shape)
        heat, values = np.full((rows, columns), -9.0, np.float32), np.zeros((rows, columns, 4))
        _, _, stats, _ = cv2.connectedComponentsWithStats((plane < 128).astype(np.uint8))
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
    monkeypatch.setattr(Perfect, "planes", [], raising=False)
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
        # A thirtieth is 13 pixels of the finest plane, and less on others that are as sure.
        assert_found(perfect.find(blocks(shape, [box])), [box], 0.8 if tall > 50 else 0.7)


def test_scores_below_the_least_are_left_out(perfect, monkeypatch):
    frame = blocks(SHAPE, [(300, 200, 40, 60)])
    for score, found in ((0.3, 0), (0.41, 0), (0.49, 1), (0.6, 1)):
        monkeypatch.setattr(Perfect, "logit", float(np.log(score / (1 - score))))
        assert len(perfect.find(frame)) == found
        (sure,) = perfect.find(frame, least=0.2)
        assert sure.score == pytest.approx(score, abs=1e-3)
        assert perfect.find(frame, least=1.0) == []
        with monkeypatch.context() as patch:
            patch.setattr(detection, "LEAST", 0.5)
            assert len(perfect.find(frame)) == (score > 0.5)


def test_what_hardly_looks_like_a_digit_is_no_candidate(perfect, monkeypatch):
    """Nobody is asked about it, however little is wanted: paper is full of it."""
    frame = blocks(SHAPE, [(300, 200, 40, 60)])
    for score, found in ((0.09, 0), (0.15, 1)):
        monkeypatch.setattr(Perfect, "logit", float(np.log(score / (1 - score))))
        assert len(perfect.find(frame, least=0.0)) == found


@pytest.mark.parametrize(("live", "voters"), [(True, 3), (False, 7)])
def test_what_one_plane_alone_sees_is_less_sure(perfect, monkeypatch, live, voters):
    """A block of 120 pixels is 24 to 96 on the planes."""
    real = Perfect.answer

    def one_eyed(self, plane):
        heat, values = real(self, plane)
        return (heat if plane.shape == (192, 256) else np.full_like(heat, -9.0)), values

    box = (300, 200, 60, 120)
    frame = blocks(SHAPE, [box])
    (sure,) = perfect.find(frame, live=live)
    monkeypatch.setattr(Perfect, "answer", one_eyed)
    perfect.find(blocks(SHAPE, []))  # the next film begins anew
    (unsure,) = perfect.find(frame, least=0.1, live=live)
    assert sure.score == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-3)
    assert unsure.score == pytest.approx(sure.score / voters**0.5, abs=1e-3)
    assert_found([unsure], [box])


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("tall", [16, 30, 400])
def test_planes_on_which_it_is_too_small_or_too_large_are_not_asked(perfect, live, tall):
    box = (200, 30, tall // 2, tall)
    (found,) = perfect.find(blocks(SHAPE, [box]), live=live)
    assert found.score == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-3)


@pytest.mark.parametrize("live", [True, False])
def test_nothing_found_is_an_empty_list(perfect, live):
    for _ in range(3):
        assert perfect.find(blocks(SHAPE, []), least=0.0, live=live) == []


def test_the_network_never_sees_less_than_a_window(perfect):
    for shape in ((20, 20), (480, 640), (30, 700), (1080, 1920)):
        perfect.find(np.full(shape, 90, np.uint8))
        perfect.find(np.full(shape, 90, np.uint8), live=True)
    for height, width in Perfect.shapes[1:]:
        assert height % 32 == width % 32 == 0
        assert min(height, width) >= detection.WINDOW == 160


def test_a_wild_answer_gives_no_endless_box(perfect, monkeypatch):
    """A network that is hardly trained may say anything."""
    real = Perfect.answer

    def wild(self, plane):
        heat, values = real(self, plane)
        values[...] = 3e4
        values[..., 0:2] = -3e4
        return np.full_like(heat, 5.0), values

    monkeypatch.setattr(Perfect, "answer", wild)
    for live in (False, True):
        for each in perfect.find(blocks(SHAPE, SCENE), live=live):
            assert np.isfinite(each.box).all()


# Films

SCENE = [(40, 30, 12, 17), (305, 228, 13, 18), (560, 400, 12, 16), (100, 120, 160, 300)]


def test_the_first_frame_is_looked_at_as_a_whole_then_parts_in_turn(perfect):
    frame = blocks(SHAPE, SCENE)
    assert_found(perfect.find(frame, live=True), SCENE)
    looked = [sum(plane.size for plane in Perfect.planes)]
    shapes = [{plane.shape for plane in Perfect.planes}]
    for _ in range(16):
        Perfect.planes.clear()
        perfect.find(frame, live=True)
        looked.append(sum(plane.size for plane in Perfect.planes))
        shapes.append({plane.shape for plane in Perfect.planes})
    assert looked[0] > 5 * max(looked[1:])
    assert (192, 256) in shapes[1]
    assert (96, 128) in shapes[2]
    assert shapes[1] == shapes[3]
    assert shapes[2] == shapes[4]


def test_what_a_film_shows_is_found_after_a_round_of_the_parts(perfect):
    """Sixteen frames: each eighth of the finest plane in every second of them."""
    perfect.find(blocks(SHAPE, []), live=True)
    frame = blocks(SHAPE, SCENE)
    counts = [len(perfect.find(frame, live=True)) for _ in range(17)]
    assert counts[0] <= 1
    assert counts == sorted(counts)
    assert_found(perfect.find(frame, live=True), SCENE)
    whole = {each.box for each in perfect.find(frame)}
    assert len(whole) == len(SCENE)


def test_what_leaves_a_film_is_gone_after_a_round(perfect):
    perfect.find(blocks(SHAPE, SCENE), live=True)
    empty = blocks(SHAPE, [])
    counts = [len(perfect.find(empty, live=True)) for _ in range(16)]
    assert counts[0] > 0
    assert counts[-1] == 0


@pytest.mark.parametrize("shape", [(384, 512), (683, 384)], ids=str)
def test_the_parts_overlap_by_a_small_digit_and_by_no_more(shape):
    """What is taller is seen on the plane before; all that they share is looked at twice."""
    parts = [part for part in detection._parts(3, shape, True) if part.plane == 2]
    covered, area = np.zeros(shape, int), 0
    for part in parts:
        top, bottom, left, right = part.window(shape)
        covered[top:bottom, left:right] += 1
        area += (bottom - top) * (right - left)
    assert len(parts) == 8
    assert covered.min() == 1
    # A digit of 22 pixels lies in one of them as a whole, wherever it is.
    for middle in ((index * side // count) for side in shape for index, count in ((1, 2), (1, 4))):
        for axis, side in enumerate(shape):
            ends = {part.window(shape)[2 * axis : 2 * axis + 2] for part in parts}
            for start in range(max(0, middle - 30), min(side - 22, middle + 30)):
                assert any(low <= start and start + 22 <= high for low, high in ends)
    assert area < 1.42 * covered.size


def test_small_digits_on_the_seams_of_the_parts_are_found(perfect):
    """The eighths overlap by a small digit's size."""
    boxes = [(x, y, 14, 20) for x in range(148, 500, 3) for y in (228, 60)][::1]
    for box in boxes[::7]:
        perfect.find(blocks(SHAPE, []), live=True)
        frame = blocks(SHAPE, [box])
        for _ in range(16):
            found = perfect.find(frame, live=True)
        assert_found(found, [box], 0.7)
        perfect.find(frame)  # the next film begins anew


@pytest.mark.parametrize("shape", [(1080, 1920), (480, 480), (240, 320), (100, 140)], ids=str)
def test_another_frame_size_starts_a_film_anew(perfect, shape):
    for _ in range(3):
        perfect.find(blocks(SHAPE, SCENE), live=True)
    other = [(shape[1] // 3, shape[0] // 3, shape[0] // 6, shape[0] // 4)]
    assert_found(perfect.find(blocks(shape, other), live=True), other)
    assert_found(perfect.find(blocks(SHAPE, SCENE), live=True), SCENE)


def test_a_picture_in_between_leaves_nothing_behind(perfect):
    perfect.find(blocks(SHAPE, SCENE), live=True)
    assert perfect.find(blocks(SHAPE, [])) == []
    assert perfect.find(blocks(SHAPE, []), live=True) == []


def test_a_still_film_is_read_as_a_picture():
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


# Merging


def merge(boxes, scores, planes=None, scales=(1.0,), least=0.0):
    """`merged`, on one plane unless told."""
    boxes = np.array(boxes, float).reshape(-1, 4)
    planes = np.zeros(len(boxes), int) if planes is None else np.array(planes, int)
    return merged(boxes, np.array(scores, float), planes, scales, least)


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        ((0, 0, 10, 20), 1),
        ((1, 1, 10, 20), 1),
        ((0, 7, 10, 20), 1),  # 0.48 of both
        ((0, 10, 10, 20), 2),  # 0.33 of both
        ((6, 2, 6, 16), 1),  # 0.67 of the smaller one
        ((7, 2, 6, 16), 2),  # 0.5 of the smaller one, as where two digits touch
        ((10, 0, 10, 20), 2),
    ],
)
def test_boxes_that_share_too_much_are_of_one_digit(other, kept):
    for scores in ((0.9, 0.6), (0.6, 0.9)):
        found = merge([(0, 0, 10, 20), other], scores, scales=(1.5,))
        assert len(found) == kept
        # A hole that is too small for the plane has the score that it came with.
        assert found[0].score == pytest.approx(0.9)
        assert found[0].box == ((0, 0, 10, 20) if scores[0] == 0.9 else other)


def test_a_bar_is_one_1_and_two_bars_are_two():
    """Boxes as they were found for a photographed 1."""
    assert len(merge([(1901, 157, 14, 103), (1890, 153, 18, 108)], [0.63, 0.2])) == 1
    assert len(merge([(1901, 157, 14, 103), (1866, 153, 18, 108)], [0.63, 0.6])) == 2


def test_the_loop_of_a_6_is_no_0():
    """Of two boxes, one in the other, the larger stands if it is nearly as sure."""
    whole, loop = (0, 0, 40, 80), (4, 36, 34, 42)
    for scores, box in (((0.6, 0.7), whole), ((0.3, 0.7), loop)):
        (found,) = merge([whole, loop], scores, scales=(1.0,))
        assert found.box == box


def test_the_surest_come_first_and_what_they_displace_displaces_nothing():
    row = [(0, 0, 10, 20), (0, 8, 10, 20), (0, 16, 10, 20), (50, 0, 10, 20)]
    found = merge(row, (0.9, 0.8, 0.7, 0.95))
    assert [each.box for each in found] == [row[3], row[0], row[2]]
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_of_nothing_nothing_is_merged():
    for scales in ((1.0,), (0.2, 0.4, 0.8)):
        assert merge([], [], scales=scales) == []


THREE = (0.5, 1.0, 2.0)
BOX = (40, 50, 20, 30)


@pytest.mark.parametrize(
    "scores", [(0.8,), (0.8, 0.8), (0.8, 0.5), (0.8, 0.8, 0.8), (0.9, 0.3, 0.6)]
)
def test_all_planes_vote_on_a_digit(scores):
    """Of three that should see it one that is silent counts as 0."""
    (found,) = merge([BOX] * len(scores), scores, range(len(scores)), THREE)
    assert found.score == pytest.approx((scores[0] * sum(scores) / 3) ** 0.5)


def test_what_more_planes_see_is_surer():
    ranks = [merge([BOX] * many, [0.8] * many, range(many), THREE)[0].score for many in (1, 2, 3)]
    assert ranks == sorted(ranks)
    assert ranks[2] == pytest.approx(0.8)
    assert ranks[0] < 0.5
    # The order of the result is the votes', not the candidates'.
    apart = (140, 50, 20, 30)
    found = merge([apart, BOX, BOX, BOX], (0.85, 0.8, 0.8, 0.8), (1, 0, 1, 2), THREE)
    assert [each.box for each in found] == [BOX, apart]


def test_a_plane_has_one_vote_however_many_candidates():
    """Parts of a film overlap: their plane may see one digit twice."""
    (found,) = merge([BOX, (41, 50, 20, 30), BOX], (0.8, 0.7, 0.6), (1, 1, 1), THREE)
    assert found.score == pytest.approx(0.8 / 3**0.5)


def test_the_box_is_that_of_the_highest_candidate():
    near = (42, 51, 19, 29)
    for scores in ((0.7, 0.8), (0.8, 0.7)):
        (found,) = merge([BOX, near], scores, (0, 2), THREE)
        assert found.box == (BOX if scores[0] > scores[1] else near)


def test_a_part_of_a_digit_does_not_vote_for_it():
    """The hole of an 8 is left out, but another plane did not see the 8."""
    hole = (45, 53, 10, 12)
    (found,) = merge([BOX, hole], (0.9, 0.8), (1, 2), THREE)
    assert found.box == BOX
    assert found.score == pytest.approx(0.9 / 3**0.5)


@pytest.mark.parametrize(
    ("size", "heard"),
    [(6, False), (9.5, False), (12.5, True), (95, True), (115, False), (400, False)],
)
def test_planes_on_which_its_size_is_out_of_range_have_no_say(size, heard):
    """The second one sees 30 pixels and is sure, the first is silent or all but so."""
    scales = (size / 30, 1.0)
    for boxes, scores, planes, mean in (
        ([BOX], [0.9], [1], 0.45),
        ([BOX] * 2, [0.9, 0.3], [1, 0], 0.6),
    ):
        (found,) = merge(boxes, scores, planes, scales)
        assert found.score == pytest.approx((0.9 * (mean if heard else 0.9)) ** 0.5)
        # It is the longer side that counts.
        x, y, w, h = BOX
        (found,) = merge([(x, y, h, w)] * len(boxes), scores, planes, scales)
        assert found.score == pytest.approx((0.9 * (mean if heard else 0.9)) ** 0.5)


def test_where_no_plane_has_a_say_its_score_stands():
    for scale in (0.1, 9.0):
        (found,) = merge([BOX], [0.6], scales=(scale,))
        assert found.score == pytest.approx(0.6)


def test_the_least_is_compared_with_the_vote():
    for least, count in ((0.4, 1), (0.5, 0)):  # 0.46
        assert len(merge([BOX], [0.8], [1], THREE, least)) == count


def test_candidates_of_a_page_are_all_compared():
    places = [(30 * (index % 20), 40 * (index // 20), 20, 30) for index in range(160)]
    planes = [index // 160 for index in range(7 * 160)]
    found = merge(7 * places, np.linspace(0.9, 0.5, 7 * 160), planes, scales=7 * (1.0,))
    assert len(found) == 160


def test_thousands_of_candidates_take_no_time():
    generator = drawn.rng(1)
    boxes = np.concatenate([generator.uniform(0, 2000, (20_000, 2)), np.full((20_000, 2), 9)], 1)
    scores = generator.random(20_000)
    start = time.process_time()
    found = merge(boxes, scores, scales=(2.0,))
    assert time.process_time() - start < 1
    assert found[0].score == pytest.approx(scores.max())
    # Each is compared with each.
    apart = [(30 * (index % 100), 40 * (index // 100), 20, 30) for index in range(5000)]
    assert len(merge(apart, scores[:5000])) < 600


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
    with pytest.raises(DigitsError, match=r"python -m digits_tf\.detection\.train"):
        detection.load()


def test_wrong_arrays_are_refused():
    detector = detection.load()
    for frame in (np.zeros((40, 40)), np.zeros((40, 40, 2), np.uint8), np.zeros((0, 4), np.uint8)):
        for live in (False, True):
            with pytest.raises(ValueError, match="expected"):
                detector.find(frame, live=live)


def test_stages_are_the_planes_and_the_heat():
    detector = detection.load()
    assert detector.stages() == {}
    detector.find(blocks(SHAPE, SCENE))
    stages = detector.stages()
    assert {name.split(", ")[1] for name in stages} == {f"{w}x{h}" for w, h in sizes(SHAPE)}
    assert {name.split(", ")[0] for name in stages} == {"seen", "digits"}
    for name, picture in stages.items():
        assert picture.dtype == np.uint8
        width, height = map(int, name.split(", ")[1].split("x"))
        scale = 4 if name.startswith("digits") else 1
        assert picture.shape == (-(-height // scale), -(-width // scale))


def test_pictures_of_many_sizes_do_not_fill_the_memory(perfect):
    for side in range(100, 400, 12):
        perfect.find(np.full((side, 2 * side), 90, np.uint8))
        assert len(perfect._networks) <= detection._KEPT + 1


def test_networks_of_a_picture_and_of_a_film_are_made_once(perfect):
    """To make one takes longer than to look at a plane."""
    for _ in range(3):
        for live in [False] + [True] * 4:
            perfect.find(blocks((1920, 1080), []), live=live)
            perfect.find(blocks(SHAPE, []), live=live)
    assert len(Perfect.shapes) == len(set(Perfect.shapes))


# Crops


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
    cv2.circle(speck, (x + w // 2, y + h // 2), 3, INK, -1)
    cv2.circle(dot, (x + w // 2, y + h // 2), 6, INK, -1)
    cv2.line(bar, (x + w // 2 - 8, y + h // 2), (x + w // 2 + 8, y + h // 2), INK, 9)
    assert np.abs(digit_crop(speck, box_of(one)).astype(int) - alone).max() < 60
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
    assert max(patch.shape) < 1.8 * size + 12


def ring_with(*bars):
    """Contrast of a ring of 200 and of bars in it: their levels."""
    contrast = np.zeros((80, 80), np.uint8)
    cv2.ellipse(contrast, (40, 40), (28, 32), 0, 0, 360, 200, 9)
    for place, level in enumerate(bars):
        contrast[30:50, 26 + 16 * place : 34 + 16 * place] = level
    return contrast, np.full_like(contrast, 255)


def test_a_quarter_of_the_inks_contrast_is_ground_and_four_fifths_are_all_ink():
    """Ink that shines through from the back of the sheet is none, a lighter stroke is one."""
    for level, low, high in ((38, 0, 8), (100, 60, 180), (172, 240, 255)):
        crop = cropping.mnist_crop(*ring_with(level, level))
        middle = crop[13:15, 10:18].max()
        assert low <= middle <= high, level


@pytest.mark.parametrize(("pen", "low", "high"), [(1, 1.3, 2.4), (3, 1.3, 2.4), (14, 2.2, 2.9)])
def test_thin_strokes_are_widened_and_others_are_not(pen, low, high):
    contrast = np.zeros((120, 120), np.uint8)
    cv2.ellipse(contrast, (60, 60), (34, 50), 0, 0, 360, 200, pen)
    crop = cropping.mnist_crop(contrast, np.full_like(contrast, 255))
    # All ink over the length of the line, in 20 pixels.
    length = 20 / (100 + pen) * np.pi * (34 + 50)
    assert low < crop.sum() / 255 / length < high


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


# Lines of text


def test_lines_are_read_from_above_and_from_the_left():
    boxes = [(100, 60, 10, 20), (0, 0, 10, 20), (0, 60, 10, 20), (50, 2, 10, 20), (100, 1, 10, 20)]
    assert in_lines(boxes) == [[1, 3, 4], [2, 0]]
    assert in_lines([]) == []
    assert in_lines([(5, 5, 1, 1)]) == [[0]]


@pytest.mark.parametrize("rise", [-0.45, -0.2, 0.2, 0.45])
def test_a_row_that_climbs_is_one_line(rise):
    """The last digit may stand higher than the first by many heights."""
    boxes = [(30 * index, 200 - 30 * rise * index, 20, 28) for index in range(12)]
    order = drawn.rng(0).permutation(12)
    (line,) = in_lines([boxes[index] for index in order])
    assert [int(order[index]) for index in line] == list(range(12))
    below = [(x, y + 45, w, h) for x, y, w, h in boxes]
    lines = in_lines([*boxes, *below])
    assert lines == [list(range(12)), list(range(12, 24))]


def test_a_row_at_two_heights_is_one_line_if_they_overlap_enough():
    for shift, count in ((8, 1), (12, 1), (14, 2), (20, 2)):
        boxes = [(30 * index, 50 + index % 2 * shift, 14, 20) for index in range(6)]
        assert len(in_lines(boxes)) == count, shift


def test_digits_of_very_different_size_stand_in_lines_of_their_own():
    for tall, count in ((40, 1), (43, 1), (46, 2), (120, 2)):
        boxes = [(0, 50, 14, 20), (20, 50, 14, 20), (60, 60 - tall / 2, tall / 2, tall)]
        assert len(in_lines(boxes)) == count, tall


def test_of_two_lines_that_fit_the_nearer_one_goes_on():
    boxes = [(0, 0, 10, 20), (60, 10, 10, 20), (75, 4, 10, 20)]
    boxes[0] = (0, -8, 10, 20)
    assert in_lines(boxes) == [[0], [1, 2]]
