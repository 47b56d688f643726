"""Synthetic frames in files, and the windows of them that the detector is trained on."""

import numpy as np
import pytest

import drawn
from digits_tf.detection import windows
from digits_tf.detection.candidates import cells as cells_of
from digits_tf.detection.targets import TARGETS
from digits_tf.errors import DigitsError
from digits_tf.synthetic.canvas import UNSURE, Frame, within


@pytest.fixture(scope="module")
def source(sample):
    return windows.Source(*sample.train.read(), None, (3, 1))


@pytest.fixture
def small(monkeypatch):
    """Files of six frames, made in this process."""

    class Pool:
        def __init__(self, *args, initializer=None):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *args):
            pass

        map = staticmethod(map)

    monkeypatch.setattr(windows, "_FRAMES_PER_FILE", 6)
    monkeypatch.setattr(windows.concurrent.futures, "ProcessPoolExecutor", Pool)


def assert_same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.boxes, b.boxes)
        np.testing.assert_array_equal(a.labels, b.labels)


def test_frames_in_files_are_the_same_by_their_seed_and_made_but_once(tmp_path, source, small):
    paths = windows.make(tmp_path / "one", 10, source)
    assert [path.name for path in paths] == ["frames-0000.npz", "frames-0001.npz"]
    frames = windows.load(paths)
    assert len(frames) == 12
    assert any(len(each.boxes) for each in frames)
    assert_same(frames, windows.load(windows.make(tmp_path / "other", 10, source)))
    # Broken off after the first file: that stays, the other is made again.
    before = paths[0].stat().st_mtime_ns
    paths[1].unlink()
    again = windows.make(tmp_path / "one", 10, source)
    assert again == paths
    assert paths[0].stat().st_mtime_ns == before
    assert_same(frames, windows.load(again))
    others = windows.Source(source.images, source.labels, None, (4, 1))
    different = windows.load(windows.make(tmp_path / "seed", 6, others))
    assert (
        different[0].image.shape != frames[0].image.shape
        or (different[0].image != frames[0].image).any()
    )


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "flip", "other"])
def test_a_damaged_file_is_named(tmp_path, source, small, damage):
    (path,) = windows.make(tmp_path, 6, source)
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 0x10
    elif damage == "other":
        np.savez(path, shapes=np.zeros(3))
        content = bytearray(path.read_bytes())
    kinds = {"empty": b"", "cut": content[: len(content) // 2], "text": b"no frames at all"}
    path.write_bytes(kinds.get(damage, content))
    with pytest.raises(DigitsError, match="damaged") as error:
        windows.load([path])
    assert str(path) in str(error.value)


@pytest.fixture(scope="module")
def page():
    """A frame of a row of digits, and an empty one."""
    row = drawn.row((3, 5, 8, 2, 7), drawn.rng(1), (240, 400), tall=44, left=60)
    labels = np.array(row.digits, np.int8)
    full = Frame(row.on(220, 30), np.array(row.boxes, np.float32), labels)
    empty = Frame(
        np.full((200, 300), 200, np.uint8), np.zeros((0, 4), np.float32), np.zeros(0, np.int8)
    )
    return [full, empty]


def test_windows_are_the_same_by_their_seed_and_have_their_shape(page):
    one, same, other = (
        list(windows.batches(page, 4, 3, seed)) for seed in ((1, 2), (1, 2), (1, 3))
    )
    assert len(one) == 3
    for (pictures, answers), (again, answers_again) in zip(one, same, strict=True):
        assert pictures.shape == (4, 160, 40, 4)
        assert pictures.dtype == np.uint8
        assert answers.shape == (4, 20, 20, 24)
        assert answers.dtype == np.float32
        np.testing.assert_array_equal(pictures, again)
        np.testing.assert_array_equal(answers, answers_again)
    assert any((a[0] != b[0]).any() for a, b in zip(one, other, strict=True))


def test_digits_of_a_window_are_where_the_targets_say(page):
    """In each box there is ink, whatever the window was made of; negatives have light ink."""
    seen = 0
    for pictures, answers in windows.batches(page[:1], 8, 12, (5,)):
        for picture, answer in zip(pictures.reshape(-1, 160, 160), answers, strict=True):
            cells = cells_of(answer, TARGETS)
            for row, column in np.argwhere(cells[..., 0] >= 1):
                dx, dy, wide, tall = cells[row, column, 2:]
                x, y = (column + 0.5 + dx) * 4, (row + 0.5 + dy) * 4
                w, h = np.exp(wide) * 4, np.exp(tall) * 4
                assert 8 <= max(w, h) <= 120
                part = picture[
                    max(0, int(y - h / 2)) : int(y + h / 2) + 1,
                    max(0, int(x - w / 2)) : int(x + w / 2) + 1,
                ]
                assert int(part.max()) - int(part.min()) > 60
                seen += 1
    assert seen > 100


def block(shape, box, ground):
    """A frame of a dark block on a ground."""
    image = np.full(shape, ground, np.uint8)
    x, y, w, h = box
    image[y : y + h, x : x + w] = 0
    return Frame(image, np.array([box], np.float32), np.array([5], np.int8))


def test_windows_are_of_many_sizes_and_brightnesses_and_mostly_show_a_digit():
    frames = [block((400, 700), (20, 300, 30, 60), 100)]
    shown, heights, gains, inverted = 0, [], [], 0
    for pictures, answers in windows.batches(frames, 50, 24, (8,)):
        for picture, answer in zip(pictures.reshape(-1, 160, 160), answers, strict=True):
            grid = cells_of(answer, TARGETS)
            peaks = np.argwhere(grid[..., 0] >= 1)
            shown += len(peaks)
            if not len(peaks):
                continue
            row, column = peaks[0]
            height = 4 * np.exp(grid[row, column, 5])
            heights.append(height)
            ink, ground = int(picture[4 * row + 2, 4 * column + 2]), int(np.median(picture))
            inverted += ink > ground
            gains.append(ground / (155 if ink > ground else 100))
    assert 0.7 < shown / 1200 < 0.9
    heights, gains = np.array(heights), np.array(gains)
    # As the coarsest level shows it, 96 high, and from half its size to a third more.
    assert 0.16 < np.mean(heights < 25) < 0.25
    others = heights[heights > 25]
    assert 28 < others.min() < 32
    assert 77 < others.max() < 83
    assert 0.1 < inverted / shown < 0.145
    assert gains.max() == pytest.approx(1.6, abs=0.02)
    assert 0.22 < np.log(gains).std() < 0.28


@pytest.mark.parametrize(("tall", "share"), [(110, 1 / 2), (130, 4 / 5)])
def test_frames_with_large_digits_are_taken_four_times_as_often(tall, share):
    """From three tenths of the shorter side: people show a camera such."""
    frames = [
        block((400, 700), (300, 150, 60, tall), 250),
        block((400, 700), (300, 150, 30, 60), 50),
    ]
    bright = [
        np.median(picture) > 115
        for pictures, _ in windows.batches(frames, 30, 20, (1,))
        for picture in pictures
    ]
    inverted = 0.12
    expected = share * (1 - inverted) + (1 - share) * inverted
    assert np.mean(bright) == pytest.approx(expected, abs=0.04)


def test_what_the_windows_border_cuts_counts_as_the_frames_border_does():
    boxes = np.array([[-30, 10, 40, 60], [-20, 10, 40, 60], [-8, 10, 40, 60], [50, 50, 20, 30]])
    kept, labels = within(boxes.astype(float), np.array([1, 2, 3, 4]), (160, 160))
    assert labels.tolist() == [UNSURE, 3, 4]
    np.testing.assert_array_equal(kept, [[0, 10, 20, 60], [0, 10, 32, 60], [50, 50, 20, 30]])
