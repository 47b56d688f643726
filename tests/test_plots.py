"""The figures that training and evaluation leave behind."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from digits_tf import plots
from digits_tf.evaluation.score import Score
from digits_tf.images import read_picture


def colours(path):
    """Which pixels are neither white nor grey, bool (h, w)."""
    picture = read_picture(path).astype(int)
    return picture.max(axis=2) - picture.min(axis=2) > 20


def test_a_contact_sheet_has_a_row_for_each_digit(tmp_path):
    path = tmp_path / "sheet.png"
    plots.contact_sheet(np.full((3, 28, 28), 255), np.array([0, 9, 9]), path, columns=4)
    ink = read_picture(path, grey=True) < 128
    # Beside the names of the rows.
    height, width = ink.shape
    inked = ink[:, width // 5 :].sum(axis=1)
    top, bottom = inked[: height // 5].max(), inked[-height // 5 :].max()
    assert bottom > 1.5 * top > 0
    assert inked[height // 5 : -height // 5].max() == 0


def test_curves_of_a_single_epoch_are_seen(tmp_path):
    epoch = {"epoch": 1, "loss": 0.5, "accuracy": 0.8, "held_out_loss": 0.4}
    plots.curves([{**epoch, "held_out_accuracy": 0.9}], tmp_path / "curves.png")
    assert colours(tmp_path / "curves.png").sum() > 50


def test_only_mistakes_are_coloured_in_a_confusion_matrix(tmp_path):
    right = np.diag(np.full(10, 7))
    wrong = right.copy()
    wrong[3, 5] = 2
    found = []
    for matrix in (right, wrong):
        plots.confusion(matrix, tmp_path / "confusion.png")
        found.append(colours(tmp_path / "confusion.png").sum())
    assert found[0] == 0
    assert found[1] > 100


def test_a_score_is_drawn_into_the_files_that_are_named(tmp_path):
    score = Score()
    images = np.full((3, 28, 28), 200, np.uint8)
    probabilities = np.eye(10, dtype=np.float32)[[1, 2, 3]]
    score.add(images, np.array([1, 2, 4], np.uint8), probabilities)
    plots.draw(score, None, None)
    assert list(tmp_path.iterdir()) == []
    plots.draw(score, tmp_path / "confusion.png", tmp_path / "mistakes.png")
    assert colours(tmp_path / "confusion.png").any()
    # One misread digit, in a row with room for ten.
    ink = np.abs(read_picture(tmp_path / "mistakes.png", grey=True).astype(int) - 55) < 3
    columns = np.flatnonzero(ink.sum(axis=0) > 20)
    assert 0 < columns.max() < ink.shape[1] / 9
