"""What is drawn, whether there is a display, and the real window on a display of its own."""

import ctypes
import dataclasses
import errno
import json
import os
import shutil
import subprocess
import sys
import time
import types

import cv2
import numpy as np
import pytest

from camera_fakes import SEVEN, board, digit, flat, read_video, write_picture
from conftest import ROOT
from digits_tf.annotators import Overlay
from digits_tf.camera import cards, window
from digits_tf.camera.display import Action, FrameResult, StatusLine
from digits_tf.camera.sources import Frame
from digits_tf.camera.teaching import Teacher
from digits_tf.data import collection
from digits_tf.data.collection import Collection

GREEN = (80, 220, 80)
TIMES = {"capture": 1.0, "find": 2.0, "net": 0.5, "draw": 3.0}


def result(digits=()):
    return FrameResult(Frame(flat(90), 0.0), 0, list(digits), 30.0, TIMES)


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
    cards.draw_panel(canvas, result(row(count)), "REC 0:01")
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
        cards.draw_cards(canvas, [digit(7, probability)])
        lengths.append(greens(canvas).sum(axis=1).max())
    assert lengths[1] == pytest.approx(lengths[0] / 2, abs=2)


def test_overlays_stay_inside():
    for shape in ((480, 320), (720, 1280)):
        canvas = np.full((*shape, 3), 90, np.uint8)
        cards.draw_keys(canvas)
        cards.draw_message(canvas, "a line with é and " + 300 * "x")
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
def test_a_window_fits_the_screen_and_keeps_its_aspect(screen, expected):
    assert window.fit((1640, 720), screen) == expected


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
def test_bars_keep_the_aspect_where_windows_are_stretched(size, shape):
    canvas = flat(200, 80, 160)
    shown = window._add_bars(canvas, size)
    assert shown.shape[:2] == shape
    top, left = (shape[0] - 80) // 2, (shape[1] - 160) // 2
    assert (shown[top : top + 80, left : left + 160] == 200).all()
    assert (shown == 200).all(axis=-1).sum() == canvas[..., 0].size


@pytest.fixture
def highgui(monkeypatch):
    """Replaces OpenCV's windows: logs the calls and answers with the given keys."""
    fake = types.SimpleNamespace(keys=[], sizes=[], shown=[], full=0.0, can_fill=True, visible=1.0)

    def set_property(title, name, value):
        assert name == cv2.WND_PROP_FULLSCREEN
        if not fake.can_fill:
            raise cv2.error("no such property")
        fake.full = float(value)

    def get_property(title, name):
        return fake.full if name == cv2.WND_PROP_FULLSCREEN else fake.visible

    monkeypatch.setattr(cv2, "namedWindow", lambda *arguments: None)
    monkeypatch.setattr(cv2, "setMouseCallback", lambda title, call: setattr(fake, "mouse", call))
    monkeypatch.setattr(cv2, "resizeWindow", lambda title, *size: fake.sizes.append(size))
    monkeypatch.setattr(cv2, "imshow", lambda title, picture: fake.shown.append(picture.copy()))
    monkeypatch.setattr(cv2, "waitKey", lambda delay: ord(fake.keys.pop(0)))
    monkeypatch.setattr(cv2, "getWindowProperty", get_property)
    monkeypatch.setattr(cv2, "setWindowProperty", set_property)
    monkeypatch.setattr(window, "screen_size", lambda: (1024, 600))
    return fake


def test_the_window_starts_within_the_screen_and_f_toggles_full_screen(highgui, capsys):
    shown = window.Window(dict, StatusLine())
    shown.show(result(), flat(90, 720, 1280))
    assert highgui.sizes == [(1008, 442)]
    states = []
    for key in "fFf":
        highgui.keys.append(key)
        assert shown.wait(0.0) is None
        states.append(highgui.full)
    assert states == [cv2.WINDOW_FULLSCREEN, cv2.WINDOW_NORMAL, cv2.WINDOW_FULLSCREEN]
    highgui.keys.append("c")
    assert shown.wait(0.0) is Action.SWITCH_CAMERA
    highgui.can_fill = False
    highgui.keys.append("f")
    assert shown.wait(0.0) is None
    assert "no full screen" in capsys.readouterr().err


@pytest.fixture
def lesson(highgui, tmp_path):
    """A window that is taught: presses a key, or clicks; and the collection."""
    overlay, status, own = Overlay(), StatusLine(), Collection(tmp_path / "own")
    shown = window.Window(dict, status, Teacher(own, overlay, status))

    def show(*digits):
        frame = Frame(flat(90, 720, 1280), 0.0)
        found = FrameResult(frame, 0, list(digits), 30.0, TIMES)
        shown.show(found, overlay.draw(frame.picture, digits))

    def press(key):
        highgui.keys.append(key)
        assert shown.wait(0.0) is None
        return status.current()

    def click(x, y):
        highgui.mouse(cv2.EVENT_MOUSEMOVE, 1, 1, 0, None)
        highgui.mouse(cv2.EVENT_LBUTTONDOWN, x, y, 0, None)
        return status.current()

    return types.SimpleNamespace(show=show, press=press, click=click, own=own)


def marked(label, mark, **words):
    """A digit with a crop of its own."""
    found = digit(label, **words)
    return dataclasses.replace(found, crop=np.full((28, 28), mark, np.uint8))


def test_a_number_puts_the_only_digit_right_and_u_takes_it_back(lesson):
    lesson.show(marked(7, 50))
    assert (
        lesson.press("1") == f"the 7 is kept as 1; {lesson.own.folder}: 1 picture; u takes it back"
    )
    assert lesson.press("1").startswith("the 7 was kept already as 1;")
    images, labels = lesson.own.read()
    assert (labels.tolist(), images[0, 0, 0]) == ([1], 50)
    assert lesson.own.entries()[0].source == "camera"
    assert lesson.press("u") == f"the 1 is out again; {lesson.own.folder}: 0 pictures"
    assert lesson.press("u").startswith("nothing to take back")


def test_of_several_digits_the_one_that_is_clicked_on_is_meant(lesson):
    lesson.show(marked(7, 50, box=(100, 100, 40, 60)), marked(None, 90, box=(300, 100, 40, 60)))
    assert lesson.press("2") == "found 2 digits: click on the one that is 2, then press 2"
    assert lesson.own.entries() == []
    assert lesson.click(310, 150) == "the 3?: press what it is, 0 to 9, or x for no digit"
    # It is the one that was clicked on, whatever the camera sees by then.
    lesson.show()
    assert lesson.press("x").startswith("the 3? is kept as x")
    images, labels = lesson.own.read()
    assert (labels.tolist(), images[0, 0, 0]) == ([10], 90)
    assert lesson.press("4") == "found 0 digits: click on the one that is 4, then press 4"


def test_what_cannot_be_kept_is_said_and_the_loop_goes_on(lesson, monkeypatch):
    lesson.show(marked(7, 50))
    lesson.press("1")
    assert "has this picture as 1, number 1" in lesson.press("x")

    def full(*words):
        raise OSError(errno.ENOSPC, "No space left on device", "own")

    monkeypatch.setattr(collection, "_append", full)
    lesson.show(marked(7, 51))
    assert lesson.press("1") == "own: the disk is full: free some space"
    monkeypatch.setattr(Collection, "undo", full)
    assert lesson.press("u") == "own: the disk is full: free some space"


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("shape", [(1080, 1920), (480, 640), (900, 300)])
def test_a_click_finds_the_box_that_is_drawn(shape, mirror):
    height, width = shape
    overlay = Overlay(mirror)
    places = [(width // 8, height // 4, 60, 90), (width // 2, height // 2, 60, 90)]
    digits = [marked(None, 10, box=box) for box in places]
    # A box within another: the smaller one is meant.
    digits.append(marked(None, 10, box=(width // 2 + 20, height // 2 + 20, 20, 30)))
    assert overlay.digit_at(1, 1, shape, digits) is None
    for found in digits:
        picture = overlay.draw(flat(90, height, width), [found])
        rows, columns = np.nonzero((picture == 150).all(axis=-1))
        assert overlay.digit_at(columns[0] + 4, rows[0] + 4, shape, digits) is found
    assert overlay.digit_at(1, 1, shape, digits) is None


def test_the_close_button_ends_it(highgui):
    shown = window.Window(dict, StatusLine())
    shown.show(result(), flat(90, 720, 1280))
    highgui.keys.append("s")
    highgui.visible = 0.0
    assert shown.wait(0.0) is Action.QUIT


# Whether there is a display, and its size


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("framework", "platform", "x11", "wayland", "expected"),
    [
        ("", "linux", (1366, 768), "", False),
        ("", "win32", None, "", False),
        ("QT", "linux", None, "", False),
        ("QT", "linux", (1366, 768), "", True),
        ("QT", "linux", None, "wayland-0", False),
        ("GTK3", "linux", None, "wayland-0", True),
        ("GTK3", "linux", (1366, 768), "", True),
        ("GTK3", "linux", None, "", False),
        ("WIN32", "win32", None, "", True),
        ("COCOA", "darwin", None, "", True),
    ],
)
def test_has_display(no_display, monkeypatch, framework, platform, x11, wayland, expected):
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: framework, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(window, "_x11_size", lambda: x11)
    monkeypatch.setenv("WAYLAND_DISPLAY", wayland)
    assert window.has_display() is expected


@pytest.mark.parametrize(("value", "expected"), [("GTK3", True), ("NONE", False), ("", False)])
def test_an_old_opencv_says_in_its_report_what_it_has(no_display, monkeypatch, value, expected):
    report = f"\n  Version: 4.6\n\n  GUI:                           {value}\n    GTK+: YES\n"
    monkeypatch.delattr(cv2, "currentUIFramework", raising=False)
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: report)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert window.has_display() is expected


@pytest.mark.parametrize("name", [":4711", "localhost:4711.0", "junk", ":", ":99999999", "a:b"])
def test_a_display_without_a_server_is_none(no_display, monkeypatch, capfd, name):
    """DISPLAY stays set in tmux and ssh without its server; OpenCV would abort the process."""
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "QT", raising=False)
    monkeypatch.setenv("DISPLAY", name)
    assert not window.has_display()
    assert window.screen_size() is None
    assert capfd.readouterr().err == ""


def libraries(monkeypatch, **functions):
    """Puts a library of these functions in place of all; without functions there is none."""

    def load(name):
        if not functions:
            raise OSError(f"{name}: cannot open shared object file")
        return types.SimpleNamespace(**functions)

    monkeypatch.setattr(ctypes, "CDLL", load)


def test_x11_gives_the_size(no_display, monkeypatch):
    closed, server = [], [77]

    def of_screen(value):
        return lambda display, screen: value if (display.value, screen) == (77, 5) else 0

    libraries(
        monkeypatch,
        XOpenDisplay=lambda name: server[0],
        XDefaultScreen=lambda display: 5,
        XDisplayWidth=of_screen(1366),
        XDisplayHeight=of_screen(768),
        XCloseDisplay=lambda display: closed.append(display.value),
    )
    assert window.screen_size() is None, "DISPLAY is not set"
    monkeypatch.setenv("DISPLAY", ":5")
    assert window.screen_size() == (1366, 768)
    assert closed == [77]
    server[0] = None
    assert window.screen_size() is None
    libraries(monkeypatch)
    assert window.screen_size() is None


def test_other_systems_give_the_size(monkeypatch):
    metrics = types.SimpleNamespace(GetSystemMetrics=(1536, 864).__getitem__)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "windll", types.SimpleNamespace(user32=metrics), raising=False)
    assert window.screen_size() == (1536, 864)
    monkeypatch.setattr(sys, "platform", "darwin")
    main = [7]
    libraries(
        monkeypatch,
        CGMainDisplayID=lambda: main[0],
        CGDisplayPixelsWide=lambda which: 1440 * (which == 7),
        CGDisplayPixelsHigh=lambda which: 900 * (which == 7),
    )
    assert window.screen_size() == (1440, 900)
    main[0] = 0  # over ssh
    assert window.screen_size() is None


# The real window

COMMAND = SEVEN + "command.run(camera.main, camera.__doc__)"
WIDTH, HEIGHT = 1280, 720  # of the frame in the window
_ATTEMPTS, _PAINTED_S = 6, 4.0


class Display:
    """An X server without a screen, and xdotool for its keyboard."""

    def __init__(self, name):
        self._name = name
        self.environment = {**os.environ, "DISPLAY": name}
        # Another window system must not be preferred.
        self.environment.pop("WAYLAND_DISPLAY", None)

    def picture(self):
        """What is on the display now, uint8 (h, w, 3), BGR."""
        from PIL import ImageGrab

        return np.asarray(ImageGrab.grab(xdisplay=self._name))[..., ::-1]

    def focus(self, title):
        """Waits for a window and gives it the keyboard."""
        end, number = time.monotonic() + 20.0, ""
        # xdotool's own way of waiting fails where a window goes as it looks.
        while not number:
            assert time.monotonic() < end, f"no window {title!r}"
            number = self._xdotool("search", "--onlyvisible", "--name", f"^{title}$", check=False)
        self._xdotool("windowmove", "--sync", number, "0", "0", check=False)
        self._xdotool("windowfocus", "--sync", number)

    def key(self, name):
        self._xdotool("key", name)

    def _xdotool(self, *words, check=True):
        result = subprocess.run(
            ["xdotool", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=20,
            check=check,
        )
        return result.stdout.split("\n")[0]


@pytest.fixture(scope="module")
def display():
    pytest.importorskip("PIL")
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (sudo apt install xvfb xdotool)")
    # It chooses a free display by itself. Without -noreset it forgets windows when its last client
    # leaves; without -r a busy machine repeats keys, as if they were held down.
    command = ["Xvfb", "-displayfd", "1", "-noreset", "-r", "-nolisten", "tcp", "-screen", "0"]
    with subprocess.Popen(
        [*command, "1680x800x24"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        number = server.stdout.readline().strip()
        assert number, "Xvfb does not start"
        yield Display(f":{number}")
        server.terminate()


class Session:
    """The program on a display."""

    def __init__(self, display, folder, *words):
        from digits_tf.camera.window import _framework

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
            display.focus("digits")
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
        out, printed = self.process.communicate(timeout=20)
        assert self.process.returncode == 0, printed
        assert "Traceback" not in printed
        return out, printed


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
    session.until(lambda: list(tmp_path.glob(".recording-*")), "the recording")
    time.sleep(0.6)
    key("r")
    session.until(lambda: list(tmp_path.glob("digits-*.mp4")), "the recording ended")
    (video,) = tmp_path.glob("digits-*.mp4")
    frames, _ = read_video(video)
    assert len(frames) >= 3
    assert frames[0].shape == (HEIGHT, WIDTH, 3)

    session.until(lambda: (key("1"), list(tmp_path.glob("own/*.csv")))[1], "a digit taught")
    own = Collection(tmp_path / "own")
    assert {entry.name for entry in own.entries()} == {"1"}
    key("u")

    key("q")
    out, printed = session.ended()
    assert out == ""
    assert f"saved {saved.stem}.png and {saved.name}" in printed
    assert f"recorded {video.name}: {len(frames)} frames" in printed


@pytest.mark.parametrize("name", ["q", "Escape"])
def test_a_picture_waits_for_a_key_and_another_ends_the_program(start, tmp_path, name):
    for each, ground in (("a.png", 60), ("b.png", 30)):
        write_picture(tmp_path / each, board(HEIGHT, WIDTH, ground=ground))
    session = start("--source", tmp_path)
    session.until(lambda: greens(session.frame()).sum() > 500, "the reading")
    session.until(session.stands_still, "the picture standing")
    session.display.key("space")
    session.until(lambda: session.frame()[600, 300, 0] == 30, "the next picture")
    session.display.key(name)
    out, printed = session.ended()
    assert out == ""
    assert "2 pictures" in printed
    assert "2 frames in" in printed
