import itertools
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from digits_tf import classifier
from digits_tf.camera import demo, display, source
from digits_tf.camera.display import Display, Lines, View, Wish
from digits_tf.camera.fps import FpsMeter
from digits_tf.camera.loop import Loop
from digits_tf.camera.overlay import annotate
from digits_tf.camera.preprocess import Found, find_digit
from digits_tf.camera.reading import Reading, judge
from digits_tf.classifier.classifier import Classifier
from digits_tf.errors import DigitsError

ROOT = Path(__file__).resolve().parent.parent
HELD = 30  # the frame of a demo's digit at which it is written in full


class Always(Classifier):
    """Reads the same digit in everything and remembers what it was given."""

    def __init__(self, digit=7, probability=0.9):
        self.row = np.full(10, (1 - probability) / 9, np.float32)
        self.row[digit] = probability
        self.seen = []

    def probabilities(self, images):
        assert images.dtype == np.uint8
        assert images.shape[1:] == (28, 28)
        self.seen.append(images)
        return np.tile(self.row, (len(images), 1))


class Recorder(Display):
    """Keeps what it is shown and answers with the wishes it is given."""

    def __init__(self, wishes=()):
        self.views, self.waits, self.wishes = [], 0, iter(wishes)

    def show(self, view):
        self.views.append(view)
        return next(self.wishes, Wish.NEXT)

    def wait(self):
        self.waits += 1
        return next(self.wishes, Wish.NEXT)


class FakeCamera:
    """Stands in for cv2.VideoCapture: None is a failed read, and so is all after the end."""

    def __init__(self, frames, opened=True):
        self.queue, self.opened, self.released = list(frames), opened, False

    def isOpened(self):
        return self.opened

    def set(self, name, value):
        return True

    def read(self):
        frame = self.queue.pop(0) if self.queue else None
        return frame is not None, frame

    def release(self):
        self.released = True


def board(height=480, width=640):
    """A dark board with a bright 1 of 40x200 pixels at (300, 100)."""
    frame = np.full((height, width, 3), 60, np.uint8)
    frame[100:300, 300:340] = 240
    return frame


def write(path, frame):
    path.write_bytes(cv2.imencode(path.suffix, frame)[1].tobytes())
    return path


def run(*words, code=None):
    start = ["-c", code] if code else ["-m", "digits_tf.camera"]
    return subprocess.run(
        [sys.executable, *start, *words], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


# From the frame to 28x28


@pytest.mark.parametrize("code", [None, cv2.COLOR_BGR2GRAY, cv2.COLOR_BGR2BGRA])
def test_a_bright_shape_is_found_cropped_and_boxed(code):
    frame = board() if code is None else cv2.cvtColor(board(), code)
    found = find_digit(frame)
    assert found.crop.shape == (28, 28)
    assert found.crop.dtype == np.uint8
    rows, columns = (np.flatnonzero(found.crop.max(axis=axis) > 127) for axis in (1, 0))
    assert rows[-1] - rows[0] + 1 == pytest.approx(20, abs=1)
    assert columns[-1] - columns[0] + 1 == pytest.approx(4.4, abs=1.1)
    assert (rows[0] + rows[-1]) / 2 == pytest.approx(13.5, abs=1)
    assert (columns[0] + columns[-1]) / 2 == pytest.approx(13.5, abs=1)
    assert found.crop[14, 14] == 255
    assert found.box == pytest.approx((300, 100, 40, 200), abs=6)


def test_a_wide_frame_is_not_squashed():
    frame = np.full((480, 1920), 60, np.uint8)
    cv2.circle(frame, (700, 240), 100, 255, 30)
    found = find_digit(frame)
    assert found.box[2] == pytest.approx(found.box[3], abs=4)
    assert np.abs(found.crop - found.crop.T.astype(float)).mean() < 5


def test_the_largest_shape_wins_and_its_neighbour_stays_out_of_the_crop():
    frame = np.full((480, 640), 60, np.uint8)
    cv2.circle(frame, (320, 240), 150, 255, 30)
    alone = find_digit(frame).crop
    frame[225:255, 305:335] = 255  # inside the ring, and so inside its box
    np.testing.assert_array_equal(find_digit(frame).crop, alone)


def test_empty_boards_and_specks_are_no_digits():
    frame = np.full((720, 1280, 3), 60, np.uint8)
    assert find_digit(frame) is None
    frame[::90, ::90] = 255
    frame[300:306, 300:306] = 255
    assert find_digit(frame) is None
    assert find_digit(np.zeros((480, 640), np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (6, 8, 3), (48, 64, 4)])
@pytest.mark.parametrize("level", [0, 255])
def test_tiny_and_thin_frames_do_no_harm(shape, level):
    found = find_digit(np.full(shape, level, np.uint8))
    if level == 0:
        assert found is None
    elif found:
        x, y, w, h = found.box
        assert 0 <= x < x + w <= shape[1]
        assert 0 <= y < y + h <= shape[0]


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((0, 4), np.uint8),
    ],
)
def test_what_is_no_frame_is_named(frame):
    with pytest.raises(ValueError, match="Received"):
        find_digit(frame)


# Readings


def test_a_probability_must_be_above_the_threshold():
    found = Found(np.zeros((28, 28), np.uint8), (1, 2, 3, 4))
    row = np.zeros(10, np.float32)
    row[4] = row[6] = 0.5
    assert judge(found, row, 0.4) == Reading(4, 0.5, (1, 2, 3, 4))
    assert judge(found, row, 0.5) == Reading(None, 0.5, (1, 2, 3, 4))


def test_readings_in_words_are_of_one_width():
    assert str(Reading(7, 0.991)) == "digit 7   99.1 %"
    assert str(Reading(7, 1.0)) == "digit 7  100.0 %"
    assert str(Reading()) == "no digit        "


# Sources


def test_a_picture_is_one_frame(tmp_path):
    path = write(tmp_path / "é 1.png", board())
    opened = source.open_source(str(path))
    (frame,) = opened.frames()
    np.testing.assert_array_equal(frame, board())
    assert opened.still
    assert opened.caption == path.name


def test_a_folder_gives_its_pictures_in_order_and_leaves_out_broken_ones(tmp_path, capsys):
    for index, name in enumerate(["c.bmp", "a.png", "b.PNG"]):
        write(tmp_path / name, np.full((9, 9, 3), index, np.uint8))
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "aa.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "ab.jpg").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no picture")
    opened = source.open_source(str(tmp_path))
    captions = [(opened.caption, int(frame[0, 0, 0])) for frame in opened.frames()]
    assert captions == sorted([("a.png", 1), ("b.PNG", 2), ("c.bmp", 0)])
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith("left out: ") for line in lines] == [True, True]
    assert "aa.png" in lines[0]


def test_a_video_gives_every_frame(tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for level in (0, 80, 160):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    opened = source.open_source(str(path))
    levels = [frame.mean() for frame in opened.frames()]
    opened.release()
    assert levels == pytest.approx([0, 80, 160], abs=4)
    assert opened.fps == 25
    assert opened.description.endswith("clip.avi: 64x48, 25 FPS")


def test_sources_that_are_not_there_are_told_in_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no video")
    for where, message in {
        "": "empty",
        " ": "empty",
        "99": "no camera 99: check that it is plugged in",
        str(tmp_path / "nope.png"): "no such file",
        "9999999999": "no such file",
        str(tmp_path / "empty"): "expected pictures",
        str(tmp_path / "text.txt"): "OpenCV cannot read",
    }.items():
        with pytest.raises(DigitsError, match=message) as raised:
            source.open_source(where)
        assert "\n" not in str(raised.value)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG")
    with pytest.raises(DigitsError, match=r"broken\.png: not a picture"):
        next(source.open_source(str(broken)).frames())
    with pytest.raises(DigitsError, match="none of the pictures"):
        write(tmp_path / "other.png", board()).write_bytes(b"")
        list(source.open_source(str(tmp_path)).frames())


def test_a_camera_says_what_it_gives_and_survives_a_lost_frame(monkeypatch):
    camera = FakeCamera([None, board(), None, board()])
    monkeypatch.setattr(cv2, "VideoCapture", lambda *arguments: camera)
    monkeypatch.setattr(source, "_PATIENCE_S", 0.1)
    opened = source.open_source("0", 1920, 1080)
    assert opened.description == "camera 0: 640x480 (asked for 1920x1080)"
    frames = opened.frames()
    assert [next(frames).shape for _ in range(2)] == [(480, 640, 3)] * 2
    with pytest.raises(DigitsError, match="camera 0 sends no more pictures"):
        next(frames)
    opened.release()
    assert camera.released


def test_a_camera_without_pictures_is_given_back(monkeypatch):
    camera = FakeCamera([])
    monkeypatch.setattr(cv2, "VideoCapture", lambda *arguments: camera)
    monkeypatch.setattr(source, "_PATIENCE_S", 0.0)
    with pytest.raises(DigitsError, match=r"camera 3 opens but gives no picture.*CSI"):
        source.open_source("3")
    assert camera.released


# The demo


def test_the_demo_depends_on_its_seed_alone():
    first, again, other = (
        np.stack(list(itertools.islice(demo.frames(seed), 0, 17, 8))) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_the_demo_writes_holds_and_wipes():
    frames = list(itertools.islice(demo.frames(), 61))
    assert frames[0].shape == (demo.HEIGHT, demo.WIDTH, 3)
    assert frames[0].dtype == np.uint8
    ink = [int((frames[index] > 200).sum()) for index in (0, 7, 14)]
    assert 0 < ink[0] < ink[1] < ink[2]
    np.testing.assert_array_equal(frames[15], frames[50])
    assert find_digit(frames[HELD]) is not None
    assert find_digit(frames[58]) is None
    # Chalk is bright, the board is not.
    grey = cv2.cvtColor(frames[HELD], cv2.COLOR_BGR2GRAY)
    assert np.median(grey[grey > 200]) >= 225
    assert cv2.cvtColor(frames[58], cv2.COLOR_BGR2GRAY).max() < 150


@pytest.mark.skipif(
    not (ROOT / "tflite" / classifier.loading.SHIPPED_NAME).is_file(), reason="no model yet"
)
def test_the_shipped_model_reads_the_demo():
    model = classifier.load(ROOT / "tflite" / classifier.loading.SHIPPED_NAME)
    held = itertools.islice(demo.frames(), HELD, 20 * 60, 60)
    crops = np.stack([find_digit(frame).crop for frame in held])
    read = model.probabilities(crops).argmax(axis=1)
    order = [np.random.default_rng((0, 1, turn)).permutation(10) for turn in (0, 1)]
    assert (read == np.concatenate(order)).sum() >= 18


# The overlay


@pytest.mark.parametrize("size", [(48, 64), (1080, 1920), (1, 1), (500, 20)])
@pytest.mark.parametrize("reading", [Reading(), Reading(8, 0.5, (1, 1, 9, 9)), Reading(8, 1.0)])
def test_the_overlay_leaves_its_input_alone(size, reading):
    frame = np.full((*size, 3), 90, np.uint8)
    drawn = annotate(frame, reading, 29.97)
    assert (frame == 90).all()
    assert drawn.shape == frame.shape
    assert drawn.dtype == np.uint8
    assert (drawn != 90).any()


def test_the_overlay_covers_little_of_the_frame():
    frame = np.full((480, 640, 3), 90, np.uint8)
    drawn = annotate(frame, Reading(8, 0.5), 30.0)
    assert (drawn[200:] == 90).all()
    assert (drawn != 90).any(axis=2).mean() < 0.1


# The loop


def test_the_loop_goes_from_frames_to_readings():
    recorder, model = Recorder(), Always(7, 0.9)
    loop = Loop(source.Demo(), model, recorder, paced=False)
    loop.run(frames=60)
    assert [view.seconds for view in recorder.views] == [index / 30 for index in range(60)]
    digits = [view.reading.digit for view in recorder.views]
    assert digits[HELD] == 7
    assert digits[58] is None
    # One call to warm up, then one for each frame with something in it.
    assert len(model.seen) == 1 + sum(view.reading.box is not None for view in recorder.views)
    assert loop.last is recorder.views[-1]
    assert loop.summary().startswith("60 frames in ")
    for word in ("FPS", "preprocess", "net"):
        assert word in loop.summary()


def test_the_loop_doubts_what_is_at_the_threshold():
    recorder = Recorder()
    Loop(source.Demo(), Always(7, 0.5), recorder, threshold=0.5, paced=False).run(frames=HELD)
    assert {view.reading.digit for view in recorder.views} == {None}
    assert recorder.views[-1].reading.probability == pytest.approx(0.5)


def test_the_loop_keeps_the_pace_of_its_source_and_ends_in_time():
    recorder = Recorder()
    loop = Loop(source.Demo(), Always(), recorder)
    loop.run(seconds=0.3)
    # 30 frames a second for 0.3 s, or fewer where the machine is busy.
    assert 1 <= len(recorder.views) <= 11


def test_the_loop_ends_when_the_user_wishes():
    recorder = Recorder([Wish.NOTHING, Wish.NEXT, Wish.END])
    Loop(source.Demo(), Always(), recorder, paced=False).run()
    assert len(recorder.views) == 3
    assert recorder.waits == 0


def test_a_picture_stands_until_a_key(tmp_path):
    for name in ("a.png", "b.png"):
        write(tmp_path / name, board())
    recorder = Recorder([Wish.NOTHING, Wish.NOTHING, Wish.NEXT, Wish.NOTHING, Wish.END])
    Loop(source.open_source(str(tmp_path)), Always(), recorder).run()
    assert [view.caption for view in recorder.views] == ["a.png", "b.png"]
    assert recorder.waits == 3


def test_the_meter_shows_the_rate_of_the_last_frames():
    meter = FpsMeter(window=10)
    assert meter.tick(0.0) == 0.0
    assert meter.tick(0.0) == 0.0
    for index in range(1, 30):
        rate = meter.tick(index / 10)
    assert rate == pytest.approx(10)
    for index in range(1, 12):
        rate = meter.tick(2.9 + index / 20)
    assert rate == pytest.approx(20)


# Displays


def test_lines_tell_changes_of_a_stream(capsys):
    lines, frame = Lines(), np.zeros((4, 4, 3), np.uint8)
    for index, digit in enumerate([None, None, 7, 7, 3, None]):
        reading = Reading(digit, 0.991 if digit is not None else 0.0)
        lines.show(View(frame, reading, 85.2 if index else 0.0, index * 0.8))
    assert capsys.readouterr().out.splitlines() == [
        "  0.0 s  no digit",
        "  1.6 s  digit 7   99.1 %   85 FPS",
        "  3.2 s  digit 3   99.1 %   85 FPS",
        "  4.0 s  no digit           85 FPS",
    ]


def test_lines_tell_every_picture(capsys):
    lines, frame = Lines(), np.zeros((4, 4, 3), np.uint8)
    for name in ("a.png", "b.png"):
        lines.show(View(frame, Reading(7, 0.991), 0.0, 0.0, name))
    assert capsys.readouterr().out == "a.png  digit 7   99.1 %\nb.png  digit 7   99.1 %\n"


@pytest.mark.parametrize(
    ("framework", "platform", "names", "expected"),
    [
        ("", "linux", ["DISPLAY"], False),
        ("", "win32", [], False),
        ("QT", "linux", [], False),
        ("QT", "linux", ["DISPLAY"], True),
        ("QT", "linux", ["WAYLAND_DISPLAY"], False),
        ("GTK3", "linux", ["WAYLAND_DISPLAY"], True),
        ("GTK3", "linux", [], False),
        ("WIN32", "win32", [], True),
        ("COCOA", "darwin", [], True),
    ],
)
def test_a_window_needs_opencv_and_a_display(monkeypatch, framework, platform, names, expected):
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: framework, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name in names:
        monkeypatch.setenv(name, ":0")
    assert display.has_display() is expected


@pytest.mark.parametrize(("value", "expected"), [("GTK3", True), ("NONE", False), ("", False)])
def test_an_old_opencv_is_asked_for_its_report(monkeypatch, value, expected):
    report = f"\n  Version: 4.6\n\n  GUI:                           {value}\n    GTK+: YES\n"
    monkeypatch.delattr(cv2, "currentUIFramework", raising=False)
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: report)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    assert display.has_display() is expected


# The command

# Runs the command with a model that knows one digit, and says which large packages came along.
COMMAND = """
import sys
import numpy as np
from digits_tf import classifier, command
from digits_tf.camera import __main__ as camera


class Seven(classifier.Classifier):
    def probabilities(self, images):
        return np.tile(np.eye(10, dtype=np.float32)[7], (len(images), 1))


classifier.load = lambda path, threads: Seven()


def main(words):
    camera.main(words)
    print("large:", [name for name in ("tensorflow", "keras", "matplotlib") if name in sys.modules])


command.run(main, camera.__doc__)
"""


def test_help_answers():
    result = run("--help")
    assert result.returncode == 0
    for flag in ("source", "tflite", "model", "threshold", "frames", "seconds", "save", "threads"):
        assert f"--{flag}" in result.stdout or f"--[no]{flag}" in result.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["--source", "nope.png"],
        ["--source", "99"],
        ["--save", "last.txt"],
        ["--notflite"],
        ["--tflite", "--model", "best.keras"],
        ["--threshold", "2"],
        ["stray"],
    ],
)
def test_bad_words_are_one_line_and_2(words):
    result = run(*words)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("error: ")
    assert result.stdout == ""


def test_the_command_reads_the_demo_without_tensorflow(tmp_path):
    saved = tmp_path / "new" / "last.png"
    result = run("--headless", "--frames", "60", "--save", str(saved), code=COMMAND)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith("demo: ")
    assert lines[1] == "--headless: printing what is read"
    assert "digit 7  100.0 %" in result.stdout
    assert lines[-3].startswith("60 frames in ")
    assert lines[-2] == f"last frame: {saved}"
    assert lines[-1] == "large: []"
    assert source.read_picture(saved).shape == (demo.HEIGHT, demo.WIDTH, 3)


def test_the_command_reads_a_folder(tmp_path):
    write(tmp_path / "a.png", board())
    write(tmp_path / "b.png", np.zeros((48, 64, 3), np.uint8))
    result = run("--headless", "--source", str(tmp_path), code=COMMAND)
    assert result.returncode == 0, result.stderr
    assert "a.png  digit 7  100.0 %\nb.png  no digit\n2 frames in " in result.stdout
