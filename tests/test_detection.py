"""The network that finds digits: what it shall answer, how wrong it is, its training and export."""

import csv
import json

import keras
import numpy as np
import pytest

import drawn
from conftest import assert_one_line_error, run
from digits_tf.detection import detector, windows
from digits_tf.detection.network import detector as network
from digits_tf.detection.targets import DetectionLoss, Found, shape, targets
from digits_tf.recognition.tensorflow_models import open_any
from digits_tf.synthetic.canvas import UNSURE, Frame, within

SIZE = (160, 160)


def cells_of(blocks, values):
    """Cells (rows, columns, values) of blocks of two by two."""
    rows, columns, _ = blocks.shape
    cells = np.asarray(blocks).reshape(rows, columns, 2, 2, values).transpose(0, 2, 1, 3, 4)
    return cells.reshape(2 * rows, 2 * columns, values)


def wanted(*digits, size=SIZE):
    """The targets' cells of digits: x, y, w, h, label."""
    rows = np.array(digits, float).reshape(-1, 5)
    return cells_of(targets(rows[:, :4], rows[:, 4].astype(int), size), 6)


# Targets


def test_targets_have_their_shape():
    made = targets(np.zeros((0, 4)), np.zeros(0, int), SIZE)
    assert made.shape == shape(160) == (20, 20, 24)
    assert made.dtype == np.float32
    cells = cells_of(made, 6)
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
    found, scores = detector._peaks(heat.astype(np.float32), cells[..., 2:], 0.9)
    assert len(found) == 3
    for box, score in zip(found, scores, strict=True):
        assert score > 0.9
        assert max(drawn.overlap(box, each[:4]) for each in boxes) > 0.99


@pytest.mark.parametrize(
    ("box", "label", "ignored", "found"),
    [
        ((40, 40, 20, 30), UNSURE, True, False),
        ((40, 40, 20, 30), 4, False, True),
        ((40, 40, 5, 9), 4, True, False),  # too small to learn, too large to be nothing
        ((40, 40, 5, 10), 4, False, True),
        ((40, 40, 2, 4), 4, False, False),  # nothing
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


# Loss and metric


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


# Network


@pytest.fixture(scope="module")
def untrained():
    keras.utils.set_random_seed(0)
    return network()


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
    assert np.median(cells_of(answer[0], 5)[..., 0]) < -1.5


def test_widths_may_be_others():
    assert network((8, 8, 16, 16), 8).count_params() < 20_000


# Windows and files


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

    monkeypatch.setattr(windows, "_SHARD", 6)
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
    with pytest.raises(ValueError, match="damaged") as error:
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
            cells = cells_of(answer, 6)
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


def test_what_the_windows_border_cuts_counts_as_the_frames_border_does():
    boxes = np.array([[-30, 10, 40, 60], [-20, 10, 40, 60], [-8, 10, 40, 60], [50, 50, 20, 30]])
    kept, labels = within(boxes.astype(float), np.array([1, 2, 3, 4]), (160, 160))
    assert labels.tolist() == [UNSURE, 3, 4]
    np.testing.assert_array_equal(kept, [[0, 10, 20, 60], [0, 10, 32, 60], [50, 50, 20, 30]])


# The command


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two steps without fonts and photographs, its folder and cache."""
    folder = tmp_path_factory.mktemp("trained")
    environment = {"DIGITS_TF_CACHE": str(folder / "cache")}
    words = ["digits_tf.cli.train_detector", "--sample", "--frames=200", "--epochs=1"]
    words += ["--steps_per_epoch=2", "--batch_size=4", "--run=here"]
    result = run(*words, cwd=folder, env=environment)
    assert result.returncode == 0, result.stderr[-3000:]
    return folder, words, environment, result


def test_a_run_ends_with_a_detector(trained):
    folder, _, _, result = trained
    assert "detector: here/detector; try it with --detector=here/detector" in result.stdout
    assert "digits_tf.synthetic.fetch" in result.stderr  # no fonts and no photographs
    here = folder / "here"
    names = {path.name for path in here.iterdir()}
    assert names >= {"config.json", "log.csv", "curves.png", "checkpoints", "best.keras"}
    with (here / "log.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert np.isfinite(float(row["held_out_loss"]))
    assert 0 <= float(row["held_out_accuracy"]) <= 1
    settings = json.loads((here / "config.json").read_text())["settings"]
    assert settings["model"] == {"name": "detector", "start": None}
    assert settings["data"]["frames"] == 200
    assert settings["data"]["world"] is None
    assert (here / "detector" / "detector" / "1" / "saved_model.pb").is_file()
    card = json.loads((here / "detector" / "detector.json").read_text())
    assert 200_000 < card["parameters"] <= 260_000
    assert (here / "detector" / "detector.tflite").stat().st_size < 300_000
    cache = folder / "cache" / "frames"
    assert {path.parent.name for path in cache.rglob("*.npz")} == {"train", "held_out"}


def test_the_exported_file_answers_as_the_model(trained):
    """8 bits against 32: on a real frame, where the logits are and where the boxes end."""
    folder = trained[0]
    opened = detector.load(folder / "here")
    model = open_any(folder / "here" / "best.keras")
    frame = windows.load(list((folder / "cache").rglob("held_out/frames-0000.npz")))[0]
    for plane in detector.shrunk(frame.image):
        seen = plane[:160, :160]
        seen = np.pad(seen, ((0, 160 - seen.shape[0]), (0, 160 - seen.shape[1])), mode="edge")
        heat, values = opened._network((160, 160)).answer(seen)
        expected = cells_of(np.asarray(model(seen.reshape(1, 160, 40, 4)))[0], 5)
        assert heat.shape == (40, 40)
        reach = np.ptp(expected)
        assert np.abs(heat - expected[..., 0]).mean() < 0.03 * reach
        assert np.abs(values - expected[..., 1:]).mean() < 0.03 * reach
        assert np.abs(heat - expected[..., 0]).max() < 0.2 * reach


def test_a_run_is_resumed_and_not_begun_twice(trained):
    folder, words, environment, _ = trained
    config = (folder / "here" / "config.json").read_bytes()
    assert_one_line_error(run(*words, cwd=folder, env=environment), "--resume")
    other = run(*words, "--resume", "--learning_rate=0.5", cwd=folder, env=environment)
    assert_one_line_error(other, "recipe.learning_rate", "0.5", "leave out --learning_rate, or")
    before = (folder / "here" / "best.keras").read_bytes()
    frames = sorted((folder / "cache" / "frames").rglob("*.npz"))
    times = [path.stat().st_mtime_ns for path in frames]
    # The detector is lost: a resumed run writes it again, from the frames and weights of before.
    (folder / "here" / "detector" / "detector.tflite").unlink()
    own = ["digits_tf.cli.train_detector", "--run=here", "--resume"]
    result = run(*own, cwd=folder, env=environment)
    assert result.returncode == 0, result.stderr[-3000:]
    assert (folder / "here" / "detector" / "detector.tflite").is_file()
    assert (folder / "here" / "config.json").read_bytes() == config
    assert len((folder / "here" / "best.keras").read_bytes()) == len(before)
    assert [path.stat().st_mtime_ns for path in frames] == times


def test_help_and_wrong_flags():
    result = run("digits_tf.cli.train_detector", "--help")
    assert result.returncode == 0
    for flag in ("--frames", "--epochs", "--resume", "--precision", "--data_dir", "--frames_dir"):
        assert flag in result.stdout
    assert_one_line_error(run("digits_tf.cli.train_detector", "--frames=100"), "frames")
    assert_one_line_error(run("digits_tf.cli.train_detector", "--epochs=0"), "epochs")
