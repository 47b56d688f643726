"""The network that finds digits, its loss and its metric."""

import keras
import numpy as np
import pytest

import drawn
from digits_tf.detection.candidates import cells as cells_of
from digits_tf.detection.network import DetectionLoss, Found, detector
from digits_tf.detection.targets import TARGETS, targets
from digits_tf.synthetic.canvas import UNSURE

SIZE = (160, 160)


def wanted(*digits, size=SIZE):
    """The targets' cells of digits: x, y, w, h, label."""
    rows = np.array(digits, float).reshape(-1, 5)
    return cells_of(targets(rows[:, :4], rows[:, 4].astype(int), size), TARGETS)


def answer_to(cells, confidence=9.0):
    """The answer, in blocks, that the targets' cells ask for."""
    logits = np.where(cells[..., :1] >= 1, confidence, -confidence)
    values = np.concatenate([logits, cells[..., 2:]], axis=-1).astype(np.float32)
    rows, columns, _ = values.shape
    blocks = values.reshape(rows // 2, 2, columns // 2, 2, 5).transpose(0, 2, 1, 3, 4)
    return blocks.reshape(1, rows // 2, columns // 2, 20)


def loss_of(cells, answer):
    rows, columns, _ = cells.shape
    blocks = cells.reshape(rows // 2, 2, columns // 2, 2, 6).transpose(0, 2, 1, 3, 4)
    y_true = blocks.reshape(1, rows // 2, columns // 2, 24)
    return float(DetectionLoss()(y_true, answer)), y_true


DIGITS = ((30, 30, 20, 30, 3), (90, 40, 12, 24, 1), (70, 100, 40, 50, 8))


def changed(cells, where, change):
    """The right answer, but for some cells."""
    other = cells.copy()
    other[where] = change(other[where])
    return answer_to(other)


def test_the_loss_is_least_for_the_right_answer():
    cells = wanted(*DIGITS)
    right, _ = loss_of(cells, answer_to(cells))
    assert right < 0.05
    boxes = np.argwhere(cells[..., 0] > 0)
    row, column = boxes.T

    def shifted(by):
        return changed(cells, (row, column), lambda part: part + by)

    for by in ([0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0.5, 0], [0, 0, 0, 0, 0, -0.5]):
        assert loss_of(cells, shifted(np.array(by)))[0] > right + 0.1, by
    peak = tuple(np.argwhere(cells[..., 0] >= 1)[0])
    missing = answer_to(cells)
    lost = cells.copy()
    lost[(*peak, 0)] = 0
    assert loss_of(cells, answer_to(lost))[0] > right + 1
    more = cells.copy()
    more[2, 2, 0] = 1
    assert loss_of(cells, answer_to(more))[0] > right + 1
    assert loss_of(cells, missing)[0] == right


def test_the_loss_of_peaks_is_centernets_by_the_root_of_the_digits_and_four_more():
    cells = wanted(*DIGITS)
    other = cells.copy()
    answer = answer_to(other, 0.3)
    peak, logit = cells[..., 0], np.where(cells[..., 0] >= 1, 0.3, -0.3)
    p = 1 / (1 + np.exp(-logit))
    elsewhere = (1 - peak) ** 4 * p**2 * np.log(1 - p)
    focal = np.where(peak >= 1, (1 - p) ** 2 * np.log(p), elsewhere)
    expected = -focal.sum() / np.sqrt(3 + 4)
    assert loss_of(cells, answer)[0] == pytest.approx(expected, rel=1e-4)


def test_cells_close_to_a_centre_learn_the_box():
    """Each side counts as a share of the digit's longer one, twice as much as the peaks."""
    cells = wanted((40, 40, 60, 80, 3))
    right_by_half = np.array([0, 0, 0.5, 0, 0, 0])
    near = cells[..., 0] > 0.6
    assert near.sum() > 10
    right = loss_of(cells, answer_to(cells))[0]
    for where, share in ((near, near.sum() / (near.sum() + 1)), (~near, 0)):
        moved = loss_of(cells, changed(cells, where, lambda part: part + right_by_half))[0]
        assert moved - right == pytest.approx(2 * share * 2 * 0.5 / (80 / 4), abs=1e-4)


def test_a_pixel_counts_more_with_a_small_digit():
    small, large = wanted((40, 40, 8, 12, 3)), wanted((20, 20, 80, 110, 3))
    losses = []
    for cells in (small, large):
        where = tuple(np.argwhere(cells[..., 0] > 0.6).T)
        by = np.array([0, 0, 0.25, 0, 0, 0])
        losses.append(loss_of(cells, changed(cells, where, lambda part, by=by: part + by))[0])
    assert losses[0] > 5 * losses[1]


def test_what_has_no_weight_costs_nothing():
    cells = wanted((40, 40, 20, 30, UNSURE))
    there, nothing = cells.copy(), cells.copy()
    there[13, 12, 0] = 1
    assert there[13, 12, 1] == 0
    assert loss_of(cells, answer_to(there))[0] == loss_of(cells, answer_to(nothing))[0]


@pytest.mark.parametrize("value", [0, 80, -80, 1e4, -1e4])
def test_the_loss_of_a_wild_answer_is_finite_and_has_a_gradient(value):
    import tensorflow as tf

    y_true = loss_of(wanted(*DIGITS), answer_to(wanted(*DIGITS)))[1]
    answer = tf.Variable(np.full((1, 20, 20, 20), value, np.float32))
    with tf.GradientTape() as tape:
        loss = DetectionLoss()(y_true, answer)
    assert np.isfinite(float(loss))
    assert np.isfinite(tape.gradient(loss, answer).numpy()).all()


def test_found_is_the_share_of_digits_with_a_peak_and_a_box():
    cells = wanted(*DIGITS)
    y_true = loss_of(cells, answer_to(cells))[1]
    metric = Found()
    assert float(metric.result()) == 0
    metric.update_state(y_true, answer_to(cells))
    assert float(metric.result()) == 1
    lost, moved = cells.copy(), cells.copy()
    lost[(*np.argwhere(cells[..., 0] >= 1)[0], 0)] = 0
    metric.reset_state()
    metric.update_state(y_true, answer_to(lost))
    assert float(metric.result()) == pytest.approx(2 / 3)
    # A third of the width aside is half of the overlap.
    for share, found in ((0.25, 1.0), (0.4, 0.0)):
        moved = cells.copy()
        moved[..., 2] += share * np.exp(moved[..., 4])
        metric.reset_state()
        metric.update_state(y_true, answer_to(moved))
        assert float(metric.result()) == found
    metric.reset_state()
    unsure = wanted((40, 40, 20, 30, UNSURE))
    metric.update_state(loss_of(unsure, answer_to(unsure))[1], answer_to(unsure))
    assert float(metric.result()) == 0


@pytest.fixture(scope="module")
def untrained():
    keras.utils.set_random_seed(0)
    return detector()


def test_the_network_is_small(untrained):
    assert untrained.count_params() <= 260_000
    assert untrained.output.dtype == "float32"
    norms = [layer for layer in untrained.layers if "_bn" in layer.name]
    assert len(norms) >= 15


@pytest.mark.parametrize("size", [(160, 160), (96, 128), (32, 32), (384, 704), (192, 64)], ids=str)
def test_pictures_of_any_size_are_answered(untrained, size):
    height, width = size
    picture = drawn.rng(0).integers(0, 256, (2, height, width // 4, 4), np.uint8)
    answer = np.asarray(untrained(picture))
    assert answer.shape == (2, height // 8, width // 8, 20)
    assert np.isfinite(answer).all()
    # A first guess of no digit almost everywhere.
    assert np.median(cells_of(answer[0])[..., 0]) < -1.5


def test_widths_may_be_others():
    assert detector((8, 8, 16, 16), 8).count_params() < 20_000
