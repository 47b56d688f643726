"""`digits-tf teach`: pictures go in under what they show, and out again."""

import cv2
import numpy as np
import pytest

from camera_fakes import write_picture
from conftest import assert_one_line_error, run
from digits_tf.data.collection import Collection
from drawn import one, rng, row


@pytest.fixture
def teach(tmp_path):
    def words(*words):
        return run("digits_tf", "teach", *words, cwd=tmp_path)

    return words


def labels(folder):
    return "".join(entry.name for entry in Collection(folder / "own").entries())


def test_all_marks_of_a_picture_get_its_label(teach, tmp_path):
    write_picture(tmp_path / "page.png", row([3, 1, 4], rng(1)).on(230))
    done = teach("page.png", "--label", "7")
    assert done.returncode == 0, done.stderr
    assert "3 pictures added; own: 3 pictures (3 of 7)" in done.stderr
    again = teach("page.png", "--label", "7")
    assert "0 pictures added, 3 were there already" in again.stderr
    assert teach("page.png", "--label", "x").returncode == 1
    assert labels(tmp_path) == "777"


def test_crops_of_predict_and_folders_say_what_they_are(teach, tmp_path):
    write_picture(tmp_path / "page.png", row([3, 1, 4, 7], rng(1)).on(230))
    run("digits_tf.predict", "page.png", "--crops", "crops", cwd=tmp_path)
    assert teach("crops").returncode == 0
    assert labels(tmp_path) == "3147"
    crop = cv2.imread(str(tmp_path / "crops" / "page_00_3.png"), cv2.IMREAD_GRAYSCALE)
    for folder in "9x":
        (tmp_path / "sorted" / folder).mkdir(parents=True)
        # Dark on bright, too: it is kept with its ink bright.
        crop = np.roll(crop, 1, axis=1)
        write_picture(tmp_path / "sorted" / folder / "any.png", 255 - crop)
    assert teach("sorted").returncode == 0
    assert labels(tmp_path) == "31479x"
    images, _ = Collection(tmp_path / "own").read()
    assert (images[-1] == crop).all()


def test_a_picture_that_says_nothing_is_named_and_the_others_go_in(teach, tmp_path):
    (tmp_path / "mixed").mkdir()
    for name in ("photo.png", "7_001.png"):
        write_picture(tmp_path / "mixed" / name, one(7, rng(1)).on(230))
    write_picture(tmp_path / "mixed" / "3_empty.png", np.full((90, 90, 3), 200, np.uint8))
    (tmp_path / "mixed" / "5_broken.png").write_bytes(b"none")
    done = teach("mixed")
    assert done.returncode == 1
    assert "photo.png: say what it shows: --label 0 to 9, or x for no digit" in done.stderr
    assert "3_empty.png: nothing found" in done.stderr
    assert "5_broken.png" in done.stderr
    assert labels(tmp_path) == "7"


def test_list_sheet_and_undo(teach, tmp_path):
    assert "own: holds no digits yet" in teach("--undo").stderr
    assert_one_line_error(teach("--sheet", "s.png"), "own: holds no digits yet")
    own = Collection(tmp_path / "own")
    for label in (7, 10, 7):
        own.add(
            rng(label).integers(0, 255, (28, 28)).astype(np.uint8)
            + np.uint8(len(labels(tmp_path))),
            label,
            "é\n",
        )
    listed = teach("--list")
    assert [line.split()[:2] for line in listed.stdout.splitlines()] == [
        ["1", "7"],
        ["2", "x"],
        ["3", "7"],
    ]
    assert r"é\n" in listed.stdout
    assert teach("--sheet", "s.png").returncode == 0
    sheet = cv2.imread(str(tmp_path / "s.png"), cv2.IMREAD_GRAYSCALE)
    images, _ = own.read()
    # Two rows, the first with both sevens, each of twice its size.
    assert sheet.shape == (2 * 60, 21 * 60)
    assert (sheet[2:58:2, 62:118:2] == images[0]).all()
    assert (sheet[2:58:2, 122:178:2] == images[2]).all()
    assert (sheet[62:118:2, 62:118:2] == images[1]).all()
    assert "the newest, 7, is out again; own: 2 pictures (1 of 7, 1 of x)" in teach("--undo").stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "expected pictures with their --label"),
        (("a.png", "--undo"), "expected pictures with their --label"),
        (("a.png", "--label", "12"), "expected --label 0 to 9, or x for no digit, found '12'"),
        (("--list", "--collection="), "expected a folder as --collection"),
        (("--list", "--collection=file"), "found a file"),
    ],
)
def test_what_makes_no_sense_is_said(teach, tmp_path, words, says):
    (tmp_path / "file").touch()
    assert_one_line_error(teach(*words), says)
