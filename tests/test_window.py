"""What is drawn, and the real window on a display of its own."""

import json
import subprocess
import sys
import time
import types

import cv2
import numpy as np
import pytest

from camera_fakes import board, digit, flat, read_video, write_picture
from conftest import ROOT
from digits_tf.camera.display import Notices, View, Wish
from digits_tf.camera.sources import Frame
from digits_tf.camera.window import cards, window

sys.path.insert(0, str(ROOT / "scripts"))
from virtual_display import VirtualDisplay

GREEN = (80, 220, 80)
TIMES = {"capture": 1.0, "find": 2.0, "net": 0.5, "draw": 3.0}


def view(digits=(), picture=None, path=""):
    picture = flat(90, 1080, 1920) if picture is None else picture
    return View(Frame(picture, 0.0, path), 0, list(digits), 30.0, TIMES)


def row(count, top=400, pitch=140, size=(90, 130)):
    return [
        digit(place % 10, box=(60 + place * pitch, top, *size), line=0) for place in range(count)
    ]


def greens(picture):
    return (picture == GREEN).all(axis=-1)


# The panel and what is laid over


@pytest.mark.parametrize("count", [0, 1, 3, 12, 40])
@pytest.mark.parametrize("height", [480, 720])
def test_the_panel_has_room_for_any_number_of_digits(count, height):
    canvas = np.zeros((height, cards.WIDTH, 3), np.uint8)
    cards.draw(canvas, view(row(count)), "REC 0:01")
    crops = (canvas == 200).all(axis=-1)
    stats = cv2.connectedComponentsWithStats(crops.astype(np.uint8))[2]
    shown = int((stats[1:, cv2.CC_STAT_AREA] > 1000).sum())
    assert shown == count if count <= 6 else 6 <= shown <= count
    # Nothing reaches into the margins.
    ground = canvas[0, 0]
    assert (canvas[:, :12] == ground).all()
    assert (canvas[:, -12:] == ground).all()


def test_the_bars_are_as_long_as_the_probabilities():
    canvas = np.zeros((112, 320, 3), np.uint8)
    lengths = []
    for probability in (1.0, 0.5):
        canvas[:] = 0
        cards.draw_all(canvas, [digit(7, probability)])
        lengths.append(greens(canvas).sum(axis=1).max())
    assert lengths[1] == pytest.approx(lengths[0] / 2, abs=2)


def test_what_is_laid_over_stays_inside():
    for shape in ((480, 320), (720, 1280)):
        canvas = np.full((*shape, 3), 90, np.uint8)
        cards.draw_keys(canvas)
        cards.draw_line(canvas, "a line with é and " + 300 * "x")
        assert (canvas[0] == 90).all()
        cards.draw_stages(canvas, {})
        stages = {
            "grey": np.full((9, 16), 77, np.uint8),
            "ink": np.full((900, 10, 3), 88, np.uint8),
        }
        cards.draw_stages(canvas, stages)
        assert {77, 88} <= set(np.unique(canvas))


# The window without a display


@pytest.mark.parametrize(
    ("screen", "expected"),
    [
        ((1920, 1080), (1640, 720)),
        ((1680, 800), (1640, 720)),
        ((1366, 768), (1350, 592)),
        ((1024, 600), (1008, 442)),
        ((720, 1280), (704, 309)),
        ((800, 100), (45, 20)),
        # Two monitors side by side.
        ((2732, 768), (1349, 592)),
        (None, (1264, 554)),
    ],
)
def test_a_window_is_no_larger_than_the_screen_and_keeps_its_aspect(screen, expected):
    assert window.fitting((1640, 720), screen) == expected


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((160, 80), (80, 160)),
        ((320, 160), (80, 160)),
        ((161, 80), (80, 160)),
        ((100, 100), (160, 160)),
        ((400, 100), (80, 320)),
        ((0, 0), (80, 160)),
        ((-1, -1), (80, 160)),
    ],
)
def test_bars_make_up_for_a_system_that_stretches(size, shape):
    canvas = flat(200, 80, 160)
    shown = window._with_bars(canvas, size)
    assert shown.shape[:2] == shape
    top, left = (shape[0] - 80) // 2, (shape[1] - 160) // 2
    assert (shown[top : top + 80, left : left + 160] == 200).all()
    assert (shown == 200).all(axis=-1).sum() == canvas[..., 0].size


@pytest.fixture
def highgui(monkeypatch):
    """OpenCV's windows: keeps what it is asked and answers with the keys it is given."""
    fake = types.SimpleNamespace(keys=[], sizes=[], shown=[], full=0.0, can_fill=True)

    def set_property(title, name, value):
        assert name == cv2.WND_PROP_FULLSCREEN
        if not fake.can_fill:
            raise cv2.error("no such property")
        fake.full = float(value)

    def get_property(title, name):
        return fake.full if name == cv2.WND_PROP_FULLSCREEN else 1.0

    monkeypatch.setattr(cv2, "namedWindow", lambda *arguments: None)
    monkeypatch.setattr(cv2, "resizeWindow", lambda title, *size: fake.sizes.append(size))
    monkeypatch.setattr(cv2, "imshow", lambda title, picture: fake.shown.append(picture.copy()))
    monkeypatch.setattr(cv2, "waitKey", lambda delay: ord(fake.keys.pop(0)))
    monkeypatch.setattr(cv2, "getWindowProperty", get_property)
    monkeypatch.setattr(cv2, "setWindowProperty", set_property)
    monkeypatch.setattr(window, "screen_size", lambda: (1024, 600))
    return fake


def test_the_window_starts_within_the_screen_and_f_fills_it(highgui, capsys):
    shown = window.Window(dict, Notices())
    shown.show(view(), flat(90, 720, 1280))
    assert highgui.sizes == [(1008, 442)]
    states = []
    for key in "fFf":
        highgui.keys.append(key)
        assert shown.wait(0.0) is None
        states.append(highgui.full)
    assert states == [cv2.WINDOW_FULLSCREEN, cv2.WINDOW_NORMAL, cv2.WINDOW_FULLSCREEN]
    highgui.keys.append("c")
    assert shown.wait(0.0) is Wish.CAMERA
    highgui.can_fill = False
    highgui.keys.append("f")
    assert shown.wait(0.0) is None
    assert "no full screen" in capsys.readouterr().err


# The real window

# The command with a model that knows one digit, so that any mark is a seven.
COMMAND = """
import numpy as np
from digits_tf import classifier, command
from digits_tf.cli import camera


class Seven(classifier.Classifier):
    def probabilities(self, images):
        return np.tile(np.eye(10, dtype=np.float32)[7], (len(images), 1))


classifier.load = lambda path, threads: Seven()
command.run(camera.main, camera.__doc__)
"""
WIDTH, HEIGHT = 1280, 720  # of the frame in the window
_ATTEMPTS, _PAINTED_S = 6, 4.0


@pytest.fixture(scope="module")
def display():
    try:
        with VirtualDisplay() as display:
            yield display
    except RuntimeError as error:
        pytest.skip(str(error))


class Session:
    """The program on a display."""

    def __init__(self, display, folder, *words):
        from digits_tf.camera.screen import _framework

        if not _framework():
            pytest.skip("this OpenCV is built without windows")
        self.display = display
        # On a busy machine without a window manager, the Qt of OpenCV's wheel loses the news that
        # its window is there, one time in ten, and never paints it; bare OpenCV does so too.
        for _ in range(_ATTEMPTS):
            self.process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, *map(str, words)],
                cwd=folder,
                env=display.environment | {"PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            self.window = display.window("digits")
            end = time.monotonic() + _PAINTED_S
            while time.monotonic() < end:
                if self.panel().all(axis=-1).mean() > 0.9:
                    return
                time.sleep(0.05)
            self.process.kill()
            self.process.communicate()
        pytest.fail(f"the window was never painted in {_ATTEMPTS} attempts")

    def frame(self):
        return self.display.picture()[:HEIGHT, :WIDTH]

    def panel(self):
        return self.display.picture()[:HEIGHT, WIDTH : WIDTH + cards.WIDTH]

    def until(self, condition, what):
        """Waits until something is to be seen."""
        end = time.monotonic() + 20.0
        while not condition():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, f"never saw {what}"
            time.sleep(0.05)

    def stands_still(self):
        before = self.frame()
        time.sleep(0.25)
        return (before == self.frame()).all()

    def ended(self):
        out, told = self.process.communicate(timeout=20)
        assert self.process.returncode == 0, told
        assert "Traceback" not in told
        return out, told


@pytest.fixture
def start(display, tmp_path):
    sessions = []

    def begin(*words):
        sessions.append(Session(display, tmp_path, *words))
        return sessions[-1]

    yield begin
    for session in sessions:
        session.process.kill()
        session.process.communicate()


def test_every_key_of_the_real_window(start, tmp_path):
    session = start("--source", "demo")
    key = session.display.key
    session.until(lambda: greens(session.frame()).sum() > 500, "boxes and labels")
    session.until(lambda: greens(session.panel()).sum() > 500, "the reading and its bars")

    key("space")
    session.until(session.stands_still, "the frame held")
    held = session.frame()

    key("question")
    middle = np.s_[HEIGHT // 2 - 120 : HEIGHT // 2 + 120, WIDTH // 2 - 200 : WIDTH // 2 + 200]
    session.until(lambda: (session.frame() != held)[middle].mean() > 0.8, "the keys")
    key("question")
    session.until(lambda: (session.frame() == held).all(), "the keys gone")

    key("d")
    session.until(lambda: (session.frame() != held).mean() > 0.8, "the stages")
    key("d")
    session.until(lambda: (session.frame() == held).all(), "the stages gone")

    key("s")
    session.until(lambda: list(tmp_path.glob("digits-*.json")), "the saved reading")
    (saved,) = tmp_path.glob("digits-*.json")
    assert set(json.loads(saved.read_text())["text"]) == {"7"}
    picture = cv2.imread(str(saved.with_suffix(".png")))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert not greens(picture).any(), "the frame is saved as it was read"

    key("space")
    session.until(lambda: not session.stands_still(), "the frame moving on")

    key("r")
    session.until(lambda: list(tmp_path.glob(".part-*.mp4")), "the recording")
    time.sleep(0.6)
    key("r")
    session.until(lambda: list(tmp_path.glob("digits-*.mp4")), "the recording ended")
    (video,) = tmp_path.glob("digits-*.mp4")
    frames, _ = read_video(video)
    assert len(frames) >= 3
    assert frames[0].shape == (HEIGHT, WIDTH, 3)

    session.display.close_window(session.window)
    out, told = session.ended()
    assert out == ""
    assert f"saved {saved.stem}.png and {saved.name}" in told
    assert f"recorded {video.name}: {len(frames)} frames" in told


@pytest.mark.parametrize("name", ["q", "Escape"])
def test_a_key_ends_it_and_a_picture_waits_for_it(start, tmp_path, name):
    for each, ground in (("a.png", 60), ("b.png", 30)):
        write_picture(tmp_path / each, board(HEIGHT, WIDTH, ground=ground))
    session = start("--source", tmp_path)
    session.until(lambda: greens(session.frame()).sum() > 500, "the reading")
    session.until(session.stands_still, "the picture standing")
    session.display.key("space")
    session.until(lambda: session.frame()[600, 300, 0] == 30, "the next picture")
    session.display.key(name)
    out, told = session.ended()
    assert out == ""
    assert "2 pictures" in told
    assert "2 frames in" in told
