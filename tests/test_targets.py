"""What the detector learns to answer."""

import numpy as np
import pytest

import drawn
from digits_tf.detection.candidates import cells as cells_of
from digits_tf.detection.candidates import decode
from digits_tf.detection.targets import TARGETS, targets
from digits_tf.synthetic.canvas import UNSURE

SIZE = (160, 160)


def wanted(*digits, size=SIZE):
    """The targets' cells of digits: x, y, w, h, label."""
    rows = np.array(digits, float).reshape(-1, 5)
    return cells_of(targets(rows[:, :4], rows[:, 4].astype(int), size), TARGETS)


def test_targets_have_their_shape():
    made = targets(np.zeros((0, 4)), np.zeros(0, int), SIZE)
    assert made.shape == (20, 20, 24)
    assert made.dtype == np.float32
    cells = cells_of(made, TARGETS)
    assert (cells[..., 0] == 0).all()
    assert (cells[..., 1] == 1).all()
    assert targets(np.zeros((0, 4)), np.zeros(0, int), (64, 96)).shape == (8, 12, 24)


@pytest.mark.parametrize(
    "box",
    [(50, 40, 24, 36), (51.3, 41.7, 9, 17), (3, 90, 4, 40), (0, 0, 16, 20), (60, 20, 80, 110)],
)
def test_the_peak_is_at_the_centre_and_its_cells_give_the_box(box):
    cells = wanted((*box, 7))
    x, y, w, h = box
    row, column = int((y + h / 2) / 4), int((x + w / 2) / 4)
    peaks = np.argwhere(cells[..., 0] >= 1)
    assert len(peaks) == 1
    assert np.abs(peaks[0] - (row, column)).max() <= (0 if (x + w / 2) % 4 else 1)
    near = np.argwhere(cells[..., 0] > 0.6)
    assert len(near) >= 1
    for place in near:
        down, across = place + 0.5
        dx, dy, wide, tall = cells[tuple(place)][2:]
        np.testing.assert_allclose([(across + dx) * 4, (down + dy) * 4], [x + w / 2, y + h / 2])
        np.testing.assert_allclose([np.exp(wide) * 4, np.exp(tall) * 4], [w, h], rtol=1e-4)
    # It falls off from there.
    line = cells[peaks[0][0], :, 0]
    assert (np.diff(line[: peaks[0][1] + 1]) >= 0).all()
    assert (np.diff(line[peaks[0][1] :]) <= 0).all()
    assert (cells[..., 1] == 1).all()


def test_the_detector_takes_the_box_from_the_targets():
    """What the program decodes is what the training asks for."""
    boxes = [(20, 30, 18, 26, 3), (90, 40, 12, 24, 1), (70, 100, 40, 50, 8)]
    cells = wanted(*boxes)
    heat = np.log((cells[..., 0] + 1e-4) / (1.001 - cells[..., 0]))
    found = decode(heat.astype(np.float32), cells[..., 2:])
    assert len(found.boxes) == 3
    for box, score in zip(found.boxes, found.scores, strict=True):
        assert score > 0.9
        assert max(drawn.overlap(box, each[:4]) for each in boxes) > 0.99


@pytest.mark.parametrize(
    ("box", "label", "ignored", "found"),
    [
        ((40, 40, 20, 30), UNSURE, True, False),
        ((40, 40, 20, 30), 4, False, True),
        ((40, 40, 5, 9), 4, True, False),  # too small to learn, too large to be nothing
        ((40, 40, 5, 10), 4, False, True),
        ((40, 40, 3, 6.5), 4, True, False),
        ((40, 40, 3, 5.5), 4, False, False),  # nothing
        ((10, 10, 60, 119), 4, False, True),
        ((10, 10, 60, 124), 4, True, False),
        ((-30, -20, 100, 170), 4, False, False),  # of a plane that is less fine
    ],
)
def test_doubtful_digits_have_no_weight(box, label, ignored, found):
    cells = wanted((*box, label))
    assert (cells[..., 0].max() >= 1) == found
    assert ((cells[..., 1] == 0).any()) == ignored
    if ignored:
        rows, columns = np.nonzero(cells[..., 1] == 0)
        assert abs(rows.min() * 4 - max(0, box[1])) < 4
        assert abs((columns.max() + 1) * 4 - (box[0] + box[2])) < 4


@pytest.mark.parametrize(("width", "deviation"), [(48, 0.12 * 12), (12, 0.5)])
def test_a_peak_is_as_broad_as_its_digit_but_never_narrower_than_a_cell(width, deviation):
    cells = wanted((82 - width / 2, 52, width, 60, 7))
    assert cells[20, 20, 0] == 1
    assert cells[20, 21, 0] == pytest.approx(np.exp(-0.5 / deviation**2), rel=1e-4)


def test_a_side_of_less_than_a_pixel_counts_as_one():
    cells = wanted((80.2, 40, 0.5, 40, 1))
    row, column = np.argwhere(cells[..., 0] >= 1)[0]
    assert 4 * np.exp(cells[row, column, 4]) == pytest.approx(1)


def test_neighbours_keep_their_peaks_and_boxes():
    """Where the peaks of two meet, the higher one has the box."""
    boxes = [(40, 50, 16, 30), (56, 52, 16, 28)]
    cells = wanted(*((*box, 5) for box in boxes))
    assert (cells[..., 0] >= 1).sum() == 2
    alone = [wanted((*box, 5)) for box in boxes]
    for index, one in enumerate(alone):
        other = alone[1 - index]
        higher = (one[..., 0] > other[..., 0]) & (one[..., 0] > 0)
        np.testing.assert_array_equal(cells[higher], one[higher])


def test_an_unsure_digit_never_hides_a_sure_ones_peak():
    """Whether it comes first or last, the cells of both count as unsure where they meet."""
    sure, unsure = (40, 40, 20, 30, 6), (60, 40, 20, 30, UNSURE)
    for digits in ((sure, unsure), (unsure, sure)):
        cells = wanted(*digits)
        row, column = np.argwhere(cells[..., 0] >= 1)[0]
        assert cells[row, column, 1] == 1
