"""Sources that are files: pictures and videos."""

import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from camera_fakes import FakeCapture, flat, write_picture, write_video
from digits_tf.camera.sources import CameraSettings, Frame, open_source
from digits_tf.errors import DigitsError


def open_quietly(where):
    return open_source(str(where), CameraSettings(), lambda line: pytest.fail(line))


def read_all(source):
    frames = []
    while True:
        frame = source.read(0.0)
        if frame is None:
            assert source.ended
            source.release()
            return frames
        frames.append((int(frame.picture.mean().round()), frame.seconds, frame.path))


# Pictures


def test_a_picture_is_one_frame(tmp_path):
    path = write_picture(tmp_path / "é 1.png", flat(7))
    source = open_quietly(path)
    assert source.still
    assert not source.live
    assert read_all(source) == [(7, 0.0, str(path))]


def test_a_folder_gives_its_pictures_in_order_and_leaves_out_broken_ones(tmp_path):
    for level, name in enumerate(["c.bmp", "a.png", "b.PNG"]):
        write_picture(tmp_path / name, flat(level))
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "aa.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "ab.jpg").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no picture")
    messages = []
    source = open_source(str(tmp_path), CameraSettings(), messages.append)
    names = [(level, path.rpartition("/")[2]) for level, _, path in read_all(source)]
    assert names == [(1, "a.png"), (2, "b.PNG"), (0, "c.bmp")]
    assert [line.startswith("left out: ") for line in messages] == [True, True]
    assert "aa.png" in messages[0]


def test_a_folder_says_how_many_pictures_it_has(tmp_path):
    for name, expected in (("a.png", "1 picture"), ("b.png", "2 pictures")):
        write_picture(tmp_path / name, flat(7))
        assert open_quietly(tmp_path).description == f"{tmp_path}: {expected}"


def test_a_pattern_gives_the_pictures_that_it_names(tmp_path):
    for level, name in enumerate(["1.png", "2.png", "10.jpg"]):
        write_picture(tmp_path / name, flat(level))
    assert [level for level, _, _ in read_all(open_quietly(tmp_path / "*.png"))] == [0, 1]
    # In the order in which people count.
    assert [level for level, _, _ in read_all(open_quietly(tmp_path))] == [0, 1, 2]
    # A name that pictures like a pattern and is a file is that file.
    path = write_picture(tmp_path / "[x].png", flat(9))
    assert [level for level, _, _ in read_all(open_quietly(path))] == [9]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_frames_are_rotated_clockwise(tmp_path, degrees):
    corner = np.zeros((48, 64, 3), np.uint8)
    corner[:10, :10] = (200, 90, 20)
    path = write_picture(tmp_path / "a.png", corner)
    source = open_source(str(path), CameraSettings(rotate=degrees), print)
    frame = source.read(0.0).rotated(source.rotate)
    np.testing.assert_array_equal(frame.picture, np.rot90(corner, -degrees // 90))
    assert frame.path == str(path)
    grey = Frame(corner[..., 0], 1.0, colour=corner).rotated(degrees)
    np.testing.assert_array_equal(grey.picture, np.rot90(corner[..., 0], -degrees // 90))
    np.testing.assert_array_equal(grey.shown, np.rot90(corner, -degrees // 90))
    assert grey.seconds == 1.0


# Videos


def test_a_video_gives_every_frame_in_its_time(tmp_path):
    path = write_video(tmp_path / "clip.avi", [0, 80, 160])
    source = open_quietly(path)
    assert source.fps == 25
    assert source.description == f"{path}: 64x48, 25 FPS"
    frames = read_all(source)
    assert [level for level, _, _ in frames] == pytest.approx([0, 80, 160], abs=4)
    assert [seconds for _, seconds, _ in frames] == pytest.approx([0, 0.04, 0.08])


def test_a_gif_is_a_video(tmp_path):
    first, *others = (Image.fromarray(flat(level)[..., 0]) for level in (0, 80, 160))
    first.save(tmp_path / "clip.gif", save_all=True, append_images=others, duration=40)
    assert len(read_all(open_quietly(tmp_path / "clip.gif"))) == 3


def test_a_cut_video_gives_its_frames_and_a_message(tmp_path):
    path = write_video(tmp_path / "clip.avi", [100] * 60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    messages = []
    frames = read_all(open_source(str(path), CameraSettings(), messages.append))
    assert 10 < len(frames) < 50
    assert len(messages) == 1
    assert messages[0].startswith(f"{path} ended early, after {len(frames)} of 60 frames")


def broken():
    raise cv2.error("broken")


@pytest.mark.parametrize(
    "given",
    [None, np.zeros((48, 64, 3)), np.zeros((0, 0, 3), np.uint8), broken],
    ids=["nothing", "floats", "empty", "an error"],
)
def test_a_video_ends_where_something_else_than_pictures_comes(tmp_path, monkeypatch, given):
    class Capture(FakeCapture):
        def read(self, spare=None):
            good, frame = super().read(spare)
            return (good, frame) if not callable(frame) else frame()

        def get(self, name):
            return 25.0 if name == cv2.CAP_PROP_FPS else 9.0

    odd = (True, given) if given is not broken else broken
    (tmp_path / "clip.avi").write_bytes(b"")
    monkeypatch.setattr(cv2, "VideoCapture", lambda *a: Capture([flat(1), flat(2), odd]))
    messages = []
    frames = read_all(open_source(str(tmp_path / "clip.avi"), CameraSettings(), messages.append))
    assert [level for level, _, _ in frames] == [1, 2]
    assert "ended early, after 2 of 9 frames" in messages[0]
    monkeypatch.setattr(cv2, "VideoCapture", lambda *a: Capture([odd]))
    with pytest.raises(DigitsError, match="found nothing that OpenCV can read"):
        open_quietly(tmp_path / "clip.avi")


# What is not there


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope.png", "no such file"),
        ("9999999999", "no such file"),
        ("empty", "expected pictures there"),
        ("empty/*.png", "expected pictures there"),
        ("text.txt", "found nothing that OpenCV can read"),
        ("hollow.mp4", "found nothing that OpenCV can read"),
        ("broken.png", "broken.png"),
    ],
)
def test_a_wrong_source_is_an_error_of_one_line(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no video")
    (tmp_path / "hollow.mp4").write_bytes(b"")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    with pytest.raises(DigitsError, match=message) as raised:
        read_all(open_quietly(tmp_path / name))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("where", ["", " "])
def test_an_empty_name_is_an_error(where):
    with pytest.raises(DigitsError, match="no such file"):
        open_quietly(where)


def test_a_folder_of_broken_pictures_is_an_error(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DigitsError, match="none of them can be read"):
        read_all(open_source(str(tmp_path), CameraSettings(), lambda line: None))


def test_picamera2_is_imported_only_when_needed(tmp_path):
    read_all(open_quietly(write_picture(tmp_path / "a.png", flat(1))))
    assert "picamera2" not in sys.modules
