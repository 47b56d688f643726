"""From the network's answers to one box a digit: peaks, suppression, votes of the levels."""

import time

import numpy as np
import pytest

import drawn
from digits_tf.detection import VALUES
from digits_tf.detection.candidates import Candidates, cells, decode, heat_picture, select


def selected(boxes, scores, levels=None, scales=(1.0,), threshold=0.0):
    """`select`, on one level unless told."""
    boxes = np.array(boxes, float).reshape(-1, 4)
    levels = np.zeros(len(boxes), int) if levels is None else np.array(levels, int)
    return select(Candidates(boxes, np.array(scores, float), levels), scales, threshold)


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        ((0, 0, 10, 20), 1),
        ((1, 1, 10, 20), 1),
        ((0, 7, 10, 20), 1),  # 0.48 of both
        ((0, 10, 10, 20), 2),  # 0.33 of both
        ((6, 2, 6, 16), 1),  # 0.67 of the smaller one
        ((7, 2, 6, 16), 2),  # 0.5 of the smaller one, as where two digits touch
        ((0, 16.75, 4, 5), 2),  # 0.65 of the smaller one, and no more
        ((10, 0, 10, 20), 2),
    ],
)
def test_boxes_that_share_too_much_are_of_one_digit(other, kept):
    for scores in ((0.9, 0.6), (0.6, 0.9)):
        found = selected([(0, 0, 10, 20), other], scores, scales=(1.5,))
        assert len(found) == kept
        # A hole that is too small for the level has the score that it came with.
        assert found[0].score == pytest.approx(0.9)
        assert found[0].box == ((0, 0, 10, 20) if scores[0] == 0.9 else other)
        tiny = np.array([(0, 0, 10, 20), other]) / 32
        assert len(selected(tiny, scores, scales=(48.0,))) == kept


def test_a_bar_is_one_1_and_two_bars_are_two():
    """Boxes as they were found for a photographed 1."""
    bar, beside, apart = (1901, 157, 14, 103), (1887, 153, 18, 108), (1866, 153, 18, 108)
    for turned in (1, -1):
        # x, y, w, h, or y, x, h, w of a bar that lies.
        for other, scores, count in ((beside, [0.63, 0.2], 1), (apart, [0.63, 0.6], 2)):
            boxes = [(*box[:2][::turned], *box[2:][::turned]) for box in (bar, other)]
            assert len(selected(boxes, scores)) == count


def test_the_loop_of_a_6_is_no_0():
    """Of two boxes, one in the other, the larger stands if it is nearly as sure."""
    whole, loop = (0, 0, 40, 80), (4, 36, 34, 42)
    for scores, box in (((0.56, 0.7), whole), ((0.51, 0.7), loop)):
        (found,) = selected([whole, loop], scores, scales=(1.0,))
        assert found.box == box
        # It is the longer side that counts.
        (found,) = selected([(y, x, h, w) for x, y, w, h in (whole, loop)], scores)
        assert found.box[2:] == box[:1:-1]


def test_the_surest_come_first_and_what_they_displace_displaces_nothing():
    row = [(0, 0, 10, 20), (0, 8, 10, 20), (0, 16, 10, 20), (50, 0, 10, 20)]
    found = selected(row, (0.9, 0.8, 0.7, 0.95))
    assert [each.box for each in found] == [row[3], row[0], row[2]]
    # What is displaced has no vote on the next digit either.
    assert [each.score for each in found] == pytest.approx([0.95, 0.9, 0.7])


def test_of_nothing_nothing_is_selected():
    for scales in ((1.0,), (0.2, 0.4, 0.8)):
        assert selected([], [], scales=scales) == []


THREE = (0.5, 1.0, 2.0)
BOX = (40, 50, 20, 30)


@pytest.mark.parametrize(
    "scores", [(0.8,), (0.8, 0.8), (0.8, 0.5), (0.8, 0.8, 0.8), (0.9, 0.3, 0.6)]
)
def test_all_levels_vote_on_a_digit(scores):
    """Of three that should see it one that is silent counts as 0."""
    (found,) = selected([BOX] * len(scores), scores, range(len(scores)), THREE)
    assert found.score == pytest.approx((scores[0] * sum(scores) / 3) ** 0.5)


def test_what_more_levels_see_is_surer():
    ranks = [
        selected([BOX] * many, [0.8] * many, range(many), THREE)[0].score for many in (1, 2, 3)
    ]
    assert ranks == sorted(ranks)
    assert ranks[2] == pytest.approx(0.8)
    assert ranks[0] < 0.5
    # The order of the result is the votes', not the candidates'.
    apart = (140, 50, 20, 30)
    found = selected([apart, BOX, BOX, BOX], (0.85, 0.8, 0.8, 0.8), (1, 0, 1, 2), THREE)
    assert [each.box for each in found] == [BOX, apart]


def test_a_level_has_one_vote_however_many_candidates():
    """Tiles overlap: their level may see one digit twice."""
    (found,) = selected([BOX, (41, 50, 20, 30), BOX], (0.8, 0.7, 0.6), (1, 1, 1), THREE)
    assert found.score == pytest.approx(0.8 / 3**0.5)


def test_the_box_is_that_of_the_highest_candidate():
    near = (42, 51, 19, 29)
    for scores in ((0.7, 0.8), (0.8, 0.7)):
        (found,) = selected([BOX, near], scores, (0, 2), THREE)
        assert found.box == (BOX if scores[0] > scores[1] else near)


def test_a_part_of_a_digit_does_not_vote_for_it():
    """The hole of an 8 is left out, but another level did not see the 8."""
    hole = (45, 53, 10, 12)
    (found,) = selected([BOX, hole], (0.9, 0.8), (1, 2), THREE)
    assert found.box == BOX
    assert found.score == pytest.approx(0.9 / 3**0.5)


@pytest.mark.parametrize(
    ("size", "heard"),
    [(6, False), (10.8, False), (11.2, True), (104.5, True), (105.5, False), (400, False)],
)
def test_levels_on_which_its_size_is_out_of_range_have_no_say(size, heard):
    """The second one sees 30 pixels and is sure, the first is silent or all but so."""
    scales = (size / 30, 1.0)
    for boxes, scores, levels, mean in (
        ([BOX], [0.9], [1], 0.45),
        ([BOX] * 2, [0.9, 0.3], [1, 0], 0.6),
    ):
        (found,) = selected(boxes, scores, levels, scales)
        assert found.score == pytest.approx((0.9 * (mean if heard else 0.9)) ** 0.5)
        # It is the longer side that counts.
        x, y, w, h = BOX
        (found,) = selected([(x, y, h, w)] * len(boxes), scores, levels, scales)
        assert found.score == pytest.approx((0.9 * (mean if heard else 0.9)) ** 0.5)


def test_where_no_level_has_a_say_its_score_stands():
    for scale in (0.1, 9.0):
        (found,) = selected([BOX], [0.6], scales=(scale,))
        assert found.score == pytest.approx(0.6)


def test_the_threshold_is_compared_with_the_vote():
    for threshold, count in ((0.4, 1), (0.5, 0)):  # 0.46
        assert len(selected([BOX], [0.8], [1], THREE, threshold)) == count
    assert len(selected([BOX], [0.25], scales=(9.0,), threshold=0.25)) == 1


def test_candidates_of_a_page_are_all_compared():
    places = [(30 * (index % 20), 40 * (index // 20), 20, 30) for index in range(160)]
    levels = [index // 160 for index in range(7 * 160)]
    found = selected(7 * places, np.linspace(0.9, 0.5, 7 * 160), levels, scales=7 * (1.0,))
    assert len(found) == 160
    # All seven votes of each count.
    assert min(each.score for each in found) > 0.75


def test_thousands_of_candidates_take_no_time():
    generator = drawn.rng(1)
    boxes = np.concatenate([generator.uniform(0, 2000, (20_000, 2)), np.full((20_000, 2), 9)], 1)
    scores = generator.random(20_000)
    start = time.process_time()
    found = selected(boxes, scores, scales=(2.0,))
    assert time.process_time() - start < 1
    assert found[0].score == pytest.approx(scores.max())
    # Each is compared with each.
    apart = [(30 * (index % 100), 40 * (index // 100), 20, 30) for index in range(5000)]
    for levels, most in ((1, 170), (9, 1530), (20, 1700)):
        assert len(selected(apart, scores[:5000], scales=levels * (1.0,))) == most


def test_tiles_are_joined_in_their_order():
    parts = [
        Candidates(
            np.full((many, 4), float(level)), np.full(many, 0.1 * level), np.full(many, level)
        )
        for level, many in ((2, 3), (0, 0), (1, 1))
    ]
    joined = Candidates.joined(iter(parts))
    assert joined.levels.tolist() == [2, 2, 2, 1]
    assert joined.boxes.tolist() == [4 * [2.0]] * 3 + [4 * [1.0]]
    assert joined.scores.tolist() == [0.2, 0.2, 0.2, 0.1]


# Peaks of a heatmap


@pytest.mark.parametrize("values", [None, 3])
def test_blocks_are_taken_apart_into_cells(values):
    """Two by two cells of a picture are one place of the network's answer."""
    deep = values or VALUES
    grid = np.arange(3 * 2 * 5 * 2 * deep, dtype=np.float32).reshape(6, 10, deep)
    blocks = np.empty((3, 5, 4 * deep), np.float32)
    for row, column in np.ndindex(3, 5):
        block = grid[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        blocks[row, column] = block.ravel()
    np.testing.assert_array_equal(cells(blocks, values) if values else cells(blocks), grid)


def heatmap(*peaks, shape=(20, 30)):
    """Logits of -9 but for peaks: row, column, score."""
    heat = np.full(shape, -9.0, np.float32)
    for row, column, score in peaks:
        heat[row, column] = np.log(score / (1 - score))
    return heat


def test_a_peak_is_no_lower_than_its_eight_neighbours():
    heat = heatmap((5, 5, 0.8), (6, 6, 0.7), (5, 7, 0.6), (5, 8, 0.75), (0, 29, 0.5))
    found = decode(heat, np.zeros((20, 30, 4), np.float32), 3)
    assert found.scores.tolist() == pytest.approx([0.5, 0.8, 0.75])
    assert found.levels.tolist() == [3, 3, 3]


def test_what_hardly_scores_is_no_candidate():
    """Paper is full of it."""
    values = np.zeros((20, 30, 4), np.float32)
    for score, count in ((0.09, 0), (0.11, 0), (0.13, 1)):
        assert len(decode(heatmap((9, 9, score)), values).scores) == count


def test_a_box_is_where_its_cell_says():
    values = np.zeros((20, 30, 4), np.float32)
    values[7, 11] = (0.25, -0.5, np.log(3), np.log(5))
    (box,) = decode(heatmap((7, 11, 0.9)), values).boxes
    centre = (box[0] + box[2] / 2, box[1] + box[3] / 2)
    assert centre == pytest.approx((4 * 11.75, 4 * 7.0))
    assert tuple(box[2:]) == pytest.approx((12, 20))


def test_boxes_are_never_endless():
    """From a fifth of a pixel to larger than any level's digits."""
    for log_side, side in ((-99, 4 * np.exp(-3)), (99, 4 * np.exp(6))):
        values = np.full((20, 30, 4), log_side, np.float32)
        (box,) = decode(heatmap((7, 11, 0.9)), values).boxes
        assert tuple(box[2:]) == pytest.approx((side, side), rel=1e-5)


def test_heat_is_shown_as_probabilities():
    heat = np.log(np.array([[0.2, 0.5], [0.8, 0.1]]) / np.array([[0.8, 0.5], [0.2, 0.9]]))
    assert heat_picture(heat.astype(np.float32)).tolist() == [[51, 127], [204, 25]]
    assert heat_picture(np.array([[-1e9, 1e9]], np.float32)).tolist() == [[0, 255]]
