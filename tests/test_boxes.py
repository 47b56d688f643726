"""What two boxes have in common."""

import pytest

from digits_tf.boxes import Box

BOX = Box(10, 20, 40, 60)


def test_a_box_is_its_four_numbers():
    assert BOX == (10, 20, 40, 60)
    assert BOX.centre == (30, 50)


@pytest.mark.parametrize(
    ("point", "inside"),
    [((10, 20), True), ((50, 80), True), ((30, 50), True), ((9, 50), False), ((30, 81), False)],
)
def test_points_inside(point, inside):
    assert BOX.contains(*point) == inside


@pytest.mark.parametrize(
    ("other", "iou"),
    [
        (BOX, 1),
        (Box(10, 20, 20, 60), 1 / 2),
        (Box(30, 20, 40, 60), 1 / 3),
        (Box(20, 35, 20, 30), 1 / 4),
        (Box(50, 20, 40, 60), 0),
        (Box(60, 100, 5, 5), 0),
        (Box(20, 90, 5, 5), 0),
    ],
)
def test_intersection_over_union(other, iou):
    for one, two in ((BOX, other), (other, BOX)):
        assert one.iou(two) == pytest.approx(iou)
        assert one.overlaps(two) == (iou > 0)


def test_empty_boxes_have_nothing_in_common():
    empty = Box(10, 20, 0, 0)
    assert empty.iou(empty) == 0
    assert not empty.overlaps(BOX)
