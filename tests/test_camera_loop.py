"""The loop, its printed lines, and the actions of the user."""

import json
import time

import cv2
import numpy as np
import pytest

from camera_fakes import FakeDisplay, FakeFile, FakeRecognizer, digit, flat, read_video
from digits_tf.annotators import Overlay
from digits_tf.camera import recording
from digits_tf.camera.display import Action, FrameResult, Lines, StatusLine
from digits_tf.camera.loop import FpsMeter, Loop
from digits_tf.camera.smoother import Smoother
from digits_tf.camera.sources import Frame
from digits_tf.errors import DigitsError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(source, display, reading=(), paced=False, recognizer=None):
    recognizer = recognizer or FakeRecognizer(reading)
    return Loop(source, recognizer, display, StatusLine(), Smoother(0.5), Overlay(), paced)


def levels(display):
    return [int(view.frame.picture.flat[0]) for view in display.results]


def test_every_frame_of_a_file_is_shown():
    display = FakeDisplay(draws=False)
    loop = make(FakeFile(9), display, [digit()])
    loop.run()
    assert [view.index for view in display.results] == list(range(9))
    assert all(picture is None for picture in display.pictures), "nobody asked for drawings"


def test_limits_of_frames_and_seconds_end_the_loop():
    display = FakeDisplay(draws=False)
    make(FakeFile(9), display).run(frames=4)
    assert len(display.results) == 4
    start = time.monotonic()
    make(FakeFile(1000, fps=100.0), display, paced=True).run(seconds=0.2)
    assert 0.1 < time.monotonic() - start < 1.0


def test_the_loop_keeps_to_the_rate_of_the_source():
    display = FakeDisplay()
    start = time.monotonic()
    make(FakeFile(11, fps=50.0), display, paced=True).run()
    assert 0.19 < time.monotonic() - start < 1.0


def test_readings_of_a_stream_are_smoothed_and_those_of_pictures_are_not():
    def reading(frame):
        return [digit(1 if frame.flat[0] == 3 else 7)]

    for still, expected in ((False, [7] * 6), (True, [7, 7, 7, 1, 7, 7])):
        display = FakeDisplay(draws=False)
        make(FakeFile(6, fps=30.0, still=still), display, reading).run()
        assert [view.digits[0].label for view in display.results] == expected


def test_frames_are_read_without_a_copy():
    recognizer, source = FakeRecognizer([digit()]), FakeFile(3, shape=(480, 640))
    given = []
    read = source.read
    source.read = lambda timeout: given.append(read(timeout)) or given[-1]
    make(source, FakeDisplay(draws=False), recognizer=recognizer).run()
    for frame, seen in zip(given, recognizer.seen, strict=False):
        assert seen is frame.picture


def test_a_frame_is_rotated_before_it_is_read_and_shown():
    recognizer, display = FakeRecognizer(), FakeDisplay()
    source = FakeFile(2)
    source.rotate = 90
    make(source, display, recognizer=recognizer).run()
    assert [seen.shape for seen in recognizer.seen] == [(64, 48, 3)] * 2
    assert display.results[0].frame.shown.shape == (64, 48, 3)
    height, width = display.pictures[0].shape[:2]
    assert height > width


def test_switch_camera(capsys):
    display = FakeDisplay([None, Action.PAUSE, Action.SWITCH_CAMERA, None, None, Action.QUIT])
    source = FakeFile(99)
    loop = make(source, display)
    loop.run()
    assert "c goes to the next camera, and this source is none" in capsys.readouterr().err
    assert display.badges[-1] == "PAUSED", "the loop goes on"
    asked = []
    source.switch = lambda: asked.append(1)
    display.actions = iter([None, Action.PAUSE, Action.SWITCH_CAMERA, None, Action.QUIT])
    loop.run()
    assert asked == [1]
    assert display.badges[-1] == "", "a new camera is not held"


def test_quit_ends_the_loop():
    display = FakeDisplay([None, None, Action.QUIT])
    make(FakeFile(99), display).run()
    assert len(display.results) == 3


def test_pause_and_resume():
    display = FakeDisplay([None, Action.PAUSE, None, None, None, Action.PAUSE, None, Action.QUIT])
    make(FakeFile(99), display).run()
    assert display.badges == ["", "", "PAUSED", "", "", ""]
    assert levels(display) == [0, 1, 1, 1, 2, 3]


def test_a_limit_ends_a_paused_loop():
    start = time.monotonic()
    make(FakeFile(99), FakeDisplay([Action.PAUSE])).run(seconds=0.2)
    assert 0.15 < time.monotonic() - start < 1.0


def test_missing_frames_are_shown(monkeypatch):
    monkeypatch.setattr("digits_tf.camera.loop._NO_FRAME_S", 0.05)
    source, display = FakeFile(4), FakeDisplay()
    source.live = True
    read, start = source.read, time.monotonic()

    def pause(timeout):
        time.sleep(0.005)
        silent = source.next == 2 and time.monotonic() - start < 0.2
        return None if silent else read(timeout)

    source.read = pause
    make(source, display).run()
    assert display.badges == ["", "", "NO PICTURE", "", ""]


def test_a_picture_stays_until_a_key():
    actions = [None, None, Action.NEXT, None, Action.PAUSE, None, Action.QUIT]
    display = FakeDisplay(actions)
    make(FakeFile(9, still=True), display).run()
    shown = levels(display)
    assert sorted(set(shown)) == [0, 1, 2]
    assert set(display.badges) == {""}


def test_without_a_window_pictures_do_not_wait_for_keys():
    display = FakeDisplay(draws=False)
    make(FakeFile(9, still=True), display).run()
    assert len(display.results) == 9


def test_save_writes_the_frame_and_its_reading(here, capsys):
    display = FakeDisplay([None, Action.SAVE, Action.SAVE, Action.QUIT])
    make(FakeFile(99), display, [digit(7, 0.9)]).run()
    pictures = sorted(here.glob("digits-*.png"))
    assert len(pictures) == 2, "the second in the same second has its own name"
    saved = [int(cv2.imread(str(path))[0, 0, 0]) for path in pictures]
    assert sorted(saved) == [1, 2]
    printed = capsys.readouterr().err
    for path in pictures:
        assert f"saved {path.name} and {path.stem}.json" in printed
        reading = json.loads(path.with_suffix(".json").read_text())
        assert reading["text"] == "7"
        assert reading["digits"][0]["box"] == [100, 100, 40, 60]
    assert len(list(here.iterdir())) == 4


def test_record_starts_and_ends_a_recording(here, capsys):
    actions = [None, Action.RECORD, None, None, Action.RECORD, None, Action.QUIT]
    display = FakeDisplay(actions)
    loop = make(FakeFile(99, fps=30.0), display, [digit()])
    loop.run()
    loop.close()
    (path,) = here.iterdir()
    frames, fps = read_video(path)
    assert fps == 30
    assert len(frames) == 3
    assert any(badge.startswith("REC 0:0") for badge in display.badges)
    assert display.badges[0] == display.badges[-1] == ""
    assert f"recorded {path.name}: 3 frames" in capsys.readouterr().err


def test_a_recording_lasts_through_a_pause_until_the_end(here):
    display = FakeDisplay([None, Action.PAUSE, None, Action.PAUSE, None, None])
    loop = make(FakeFile(6), display)
    loop.record(here / "out.mp4")
    loop.run()
    loop.close()
    loop.close()
    assert len(read_video(here / "out.mp4")[0]) == 6


def test_a_frame_in_colour_is_shown_recorded_and_saved(here):
    recognizer, source = FakeRecognizer([digit()]), FakeFile(9, fps=30.0)
    grey, colour = (
        np.full((480, 640), 90, np.uint8),
        np.full((480, 640, 3), (200, 90, 20), np.uint8),
    )
    source.read = lambda timeout: Frame(grey, 0.0, colour=colour)
    display = FakeDisplay([None, Action.SAVE, Action.QUIT])
    loop = make(source, display, recognizer=recognizer)
    loop.record(here / "out.mp4")
    loop.run()
    loop.close()
    assert all(seen is grey for seen in recognizer.seen)
    assert display.pictures[0][0, 0].tolist() == [200, 90, 20]
    (saved,) = here.glob("digits-*.png")
    assert (cv2.imread(str(saved)) == colour).all()
    blue, green, red = read_video(here / "out.mp4")[0][0][0, 0].tolist()
    assert blue > green + 50 > red + 50


def test_the_loop_continues_after_a_failed_save(here, monkeypatch, capsys):
    def full(view, folder):
        raise OSError(28, "No space left on device", "x.png")

    monkeypatch.setattr(recording, "save", full)
    display = FakeDisplay([Action.SAVE, None, None, Action.QUIT])
    make(FakeFile(99), display).run()
    assert len(set(levels(display))) == 4
    assert "x.png: the disk is full" in capsys.readouterr().err


def test_a_failed_recording_ends_the_loop(here, monkeypatch):
    loop = make(FakeFile(99), FakeDisplay())
    loop.record(here / "out.mp4")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 0}))
    with pytest.raises(DigitsError, match="the disk is full"):
        loop.run()


def test_the_watchdog_is_pinged_at_each_frame_only():
    """Without frames from a lost camera, systemd restarts the program."""
    pings, source = [], FakeFile(2)
    source.live = True
    read, start = source.read, time.monotonic()
    source.read = lambda timeout: (
        None if source.next == 2 and time.monotonic() - start < 0.2 else read(timeout)
    )
    watchdog = type("Pings", (), {"ping": lambda self, now: pings.append(now)})()
    parts = FakeRecognizer(), FakeDisplay(draws=False), StatusLine(), Smoother(0.5), Overlay()
    Loop(source, *parts, paced=False, watchdog=watchdog).run()
    assert len(pings) == 2


def test_the_listener_is_given_each_result_once():
    """A display shows some again: here when the loop is paused and goes on."""
    heard, display = [], FakeDisplay([None, Action.PAUSE, Action.PAUSE])
    parts = FakeRecognizer([digit()]), display, StatusLine(), Smoother(0.5), Overlay()
    Loop(FakeFile(3), *parts, paced=False, listener=heard.append).run()
    assert [result.index for result in heard] == [0, 1, 2]
    assert len(display.results) > 3


def test_the_summary_has_the_time_of_each_stage(capsys):
    loop = make(FakeFile(9), FakeDisplay(draws=False))
    loop.run()
    loop.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("9 frames in 0.")
    assert "find 1.00, net 0.50" in line


def test_the_loop_takes_little_time_itself():
    """Without the recognizer and a window, where nothing changes."""
    row = [digit(place % 10, box=(60 * place, 100, 40, 60)) for place in range(12)]
    frame = Frame(flat(1), 0.0)
    source = FakeFile(2000)
    source.read = lambda timeout: frame
    loop = make(source, Lines(every_frame=False), row)
    best = min(timed(lambda: loop.run(frames=loop._count + 100)) for _ in range(5)) / 100
    assert best < 0.0005


def timed(call):
    start = time.process_time()
    call()
    return time.process_time() - start


def test_the_meter_measures_the_rate_of_the_last_frames():
    meter = FpsMeter(frames=10)
    assert meter.tick(0.0) == 0.0
    assert meter.tick(0.0) == 0.0
    for index in range(1, 30):
        rate = meter.tick(index / 10)
    assert rate == pytest.approx(10)
    for index in range(1, 12):
        rate = meter.tick(2.9 + index / 20)
    assert rate == pytest.approx(20)


# Printed lines


def view(*labels, index=0, path=""):
    digits = [digit(label, box=(60 * place, 0, 40, 60)) for place, label in enumerate(labels)]
    frame = Frame(np.zeros((4, 4), np.uint8), index / 30, path)
    return FrameResult(frame, index, digits, 29.97, {"capture": 9.0, "find": 1.234, "net": 0.5})


def test_lines_print_changes_of_a_stream(capsys):
    lines = Lines(every_frame=False)
    for index, labels in enumerate([(), (), (7,), (7,), (7, 3), (7, None), ()]):
        lines.show(view(*labels, index=index))
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["frame"], line["text"]) for line in printed] == [
        (0, ""), (2, "7"), (4, "73"), (5, "7"), (6, "")
    ]  # fmt: skip
    assert list(printed[1]) == ["time", "frame", "text", "digits", "fps", "ms"]
    assert printed[1]["time"] == 0.067
    assert printed[1]["fps"] == 30.0
    assert printed[1]["ms"] == 1.73
    assert list(printed[1]["digits"][0]) == ["label", "confidence", "box", "probabilities"]
    assert printed[3]["digits"][1]["label"] is None


def test_plain_lines_print_the_digits_only(capsys):
    lines = Lines(every_frame=False, plain=True)
    for index, labels in enumerate([(), (9, 1, 3, 5), (9, 1, 3, 5), (7, None), ()]):
        lines.show(view(*labels, index=index))
    rows = [digit(4, line=0), digit(2, line=0), digit(8, line=1)]
    lines.show(FrameResult(Frame(flat(1), 1.0), 9, rows, 30.0, {}))
    lines.show(view(6, path="a\nb.png"))
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["no digit", "9 1 3 5", "7", "no digit", "4 2 / 8", r"a\nb.png: 6"]


def test_lines_print_every_frame_if_asked_and_every_picture(capsys):
    lines = Lines(every_frame=True)
    for index in range(3):
        lines.show(view(7, index=index))
    assert len(capsys.readouterr().out.splitlines()) == 3
    lines = Lines(every_frame=False)
    for name in ("a.png", "é.png"):
        lines.show(view(7, path=name))
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["path"] for line in printed] == ["a.png", "é.png"]
