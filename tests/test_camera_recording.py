"""Recordings: whole, of the right length, or said to be neither."""

import os
import shutil

import cv2
import numpy as np
import pytest

from camera_fakes import flat, read_video
from digits_tf.camera.recording import Recording, find_path, recover
from digits_tf.errors import DigitsError


def test_each_frame_of_a_file_is_one_frame(tmp_path):
    path = tmp_path / "new" / "out.mp4"
    record = Recording(path, 12.5, real_time=False)
    for level in (0, 80, 160):
        # When it was written is of no matter.
        record.write(flat(level), now=0.0)
    assert not path.exists()
    assert record.close() == f"recorded {path}: 3 frames, 0.2 s"
    frames, fps = read_video(path)
    assert [frame.mean() for frame in frames] == pytest.approx([0, 80, 160], abs=4)
    assert frames[0].shape == (48, 64, 3)
    assert fps == pytest.approx(12.5)
    assert [each.name for each in path.parent.iterdir()] == ["out.mp4"]


def test_a_live_recording_runs_in_real_time(tmp_path):
    """Slow frames are repeated, fast ones left out."""
    path = tmp_path / "out.mp4"
    record = Recording(path, 10.0, real_time=True)
    record.write(flat(0), now=100.0)
    record.write(flat(100), now=100.5)
    for step in range(50):
        record.write(flat(200), now=101.0 + step / 50)
    record.close()
    frames, fps = read_video(path)
    assert fps == pytest.approx(10)
    levels = [round(float(frame.mean()), -1) for frame in frames]
    assert levels == [0] * 5 + [100] * 5 + [200] * 10


def test_a_live_recording_continues_without_new_frames(tmp_path):
    path = tmp_path / "out.mp4"
    record = Recording(path, 10.0, real_time=True)
    record.repeat(99.0)
    record.write(flat(100), now=100.0)
    for step in range(1, 11):
        record.repeat(100.0 + step / 10)
    assert record.seconds == pytest.approx(1.0, abs=0.11)
    record.close()
    assert len(read_video(path)[0]) == pytest.approx(10, abs=1)


def test_a_long_stop_is_filled_a_second_at_a_time(tmp_path):
    """After Ctrl-Z and fg, or a computer's sleep, the program is not to hang for minutes."""
    record = Recording(tmp_path / "out.mp4", 10.0, real_time=True)
    record.write(flat(100), now=0.0)
    record.repeat(1000.0)
    assert record.seconds == pytest.approx(1.0, abs=0.11)
    record.write(flat(200), now=1000.0)
    assert record.seconds <= 2.3
    record.close()


def test_a_recording_without_frames_leaves_no_file(tmp_path):
    record = Recording(tmp_path / "out.mp4", 30.0, real_time=False)
    assert record.close() == f"{tmp_path / 'out.mp4'}: nothing was recorded"
    assert record.close() == ""
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_and_the_recording_stays(tmp_path, monkeypatch):
    path = tmp_path / "out.mp4"
    record = Recording(path, 30.0, real_time=False)
    for _ in range(30):
        record.write(flat(5), now=0.0)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(9, 9, 0))
    with pytest.raises(DigitsError, match=r"out\.mp4: the disk is full"):
        record.write(flat(5), now=0.0)
    record.close()
    assert len(read_video(path)[0]) == 30


def test_a_file_that_is_gone_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "new" / "out.mp4"
    record = Recording(path, 30.0, real_time=False)
    record.write(flat(5), now=0.0)
    shutil.rmtree(path.parent)
    with pytest.raises(FileNotFoundError) as raised:
        for _ in range(30):
            record.write(flat(5), now=0.0)
    assert raised.value.filename == str(path)
    with pytest.raises(DigitsError, match="cannot be played"):
        record.close()


def test_frames_that_the_disk_did_not_take_are_not_counted(tmp_path, monkeypatch):
    """It may be full for a moment between two looks at it, of which OpenCV says nothing."""
    real = cv2.VideoWriter

    class Full:
        fourcc = real.fourcc

        def __init__(self, *arguments):
            self.writer, self.left = real(*arguments), 7
            self.isOpened, self.release = self.writer.isOpened, self.writer.release

        def write(self, picture):
            self.left -= 1
            if self.left >= 0:
                self.writer.write(picture)

    monkeypatch.setattr(cv2, "VideoWriter", Full)
    record = Recording(tmp_path / "out.mp4", 10.0, real_time=False)
    for _ in range(20):
        record.write(flat(5), now=0.0)
    assert record.close() == f"recorded {tmp_path / 'out.mp4'}: 7 frames, 0.7 s"


def test_recordings_of_one_name_get_numbers(tmp_path):
    """Two programs may start in the same second, and a name may be taken meanwhile."""
    path = tmp_path / "out.mp4"
    path.write_bytes(b"before")
    records = [Recording(path, 30.0, real_time=False) for _ in range(2)]
    for level, record in enumerate(records):
        record.write(flat(100 + 100 * level), now=0.0)
    messages = [record.close() for record in records]
    assert path.read_bytes() == b"before"
    for number, level, message in ((2, 100, messages[0]), (3, 200, messages[1])):
        assert message.startswith(f"recorded {tmp_path / f'out-{number}.mp4'}: 1 frame")
        (frame,), _ = read_video(tmp_path / f"out-{number}.mp4")
        assert frame.mean() == pytest.approx(level, abs=4)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_that_cannot_be_played_is_an_error(tmp_path, monkeypatch):
    class Broken:
        def __init__(self, name, *arguments):
            self.name = name

        def isOpened(self):
            return True

        def write(self, picture):
            pass

        def release(self):
            pass

    monkeypatch.setattr(cv2, "VideoWriter", type("W", (Broken,), {"fourcc": lambda *a: 0}))
    record = Recording(tmp_path / "out.mp4", 30.0, real_time=False)
    record.write(flat(5), now=0.0)
    with pytest.raises(DigitsError, match="cannot be played"):
        record.close()
    assert list(tmp_path.iterdir()) == []


# Killed programs


def killed(folder, stem, frames=90):
    """What a program leaves that is killed while it records."""
    record = Recording(folder / "x" / f"{stem}.mp4", 30.0, real_time=False)
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    for _ in range(frames):
        record.write(noise, now=0.0)
    (part,) = (folder / "x").iterdir()
    shutil.copy(part, folder)
    record.close()
    shutil.rmtree(folder / "x")


def test_a_killed_recording_plays_up_to_there(tmp_path):
    killed(tmp_path, "out")
    (tmp_path / "out-recovered.mp4").write_bytes(b"of an earlier kill")
    path = tmp_path / "out-recovered-2.mp4"
    assert list(recover(tmp_path)) == [f"recovered {path}: the program that recorded it was killed"]
    frames, fps = read_video(path)
    # FFmpeg writes 256 KiB at a time, here some ten frames.
    assert 60 < len(frames) <= 90
    assert fps == pytest.approx(30)
    assert len(list(tmp_path.iterdir())) == 2
    assert list(recover(tmp_path)) == []


def test_what_another_program_records_is_left_alone(tmp_path):
    record = Recording(tmp_path / "out.mp4", 30.0, real_time=False)
    assert list(recover(tmp_path)) == []
    record.write(flat(5), now=0.0)
    assert list(recover(tmp_path)) == []
    assert record.close().startswith("recorded")
    assert len(read_video(tmp_path / "out.mp4")[0]) == 1


def test_a_killed_recording_of_nothing_is_removed_and_others_are_kept(tmp_path):
    (tmp_path / ".recording-a.ismv").write_bytes(b"")
    (tmp_path / ".recording-b.ismv").write_bytes(b"no video")
    (tmp_path / "c.ismv").write_bytes(b"another's")
    said = list(recover(tmp_path))
    assert said == [
        f"{tmp_path / 'a.mp4'}: nothing was recorded before its program was killed",
        f"recovered {tmp_path / 'b-recovered.mp4'}: the program that recorded it was killed, but "
        "it cannot be played",
    ]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b-recovered.mp4", "c.ismv"]


def test_a_folder_that_is_not_there_has_nothing_to_recover(tmp_path):
    assert list(recover(tmp_path / "none")) == []


def test_what_cannot_be_renamed_is_left_alone(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "in use")

    killed(tmp_path, "out")
    monkeypatch.setattr("pathlib.Path.rename", refuse)
    assert list(recover(tmp_path)) == []
    assert [each.name for each in tmp_path.iterdir()] == [".recording-out.ismv"]


# Names


@pytest.mark.parametrize("name", ["out.avi", "out", ""])
def test_a_name_without_mp4_is_an_error(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DigitsError, match=r"expected a name that ends in \.mp4"):
        find_path(name, "demo")


def link(path, other):
    """Makes a symlink; skips the test where the system has none."""
    try:
        path.symlink_to(other)
    except OSError as error:
        pytest.skip(str(error))


def swapped(path):
    """The same name in the other case."""
    other = path.with_name(path.name.swapcase())
    if not other.exists():
        pytest.skip("this file system tells A from a")
    return other


NAMES = {
    "itself": lambda path: path,
    "another way": lambda path: path.parent / "new" / ".." / path.name,
    "a symlink": lambda path: link(path.with_name("b.mp4"), path) or path.with_name("b.mp4"),
    "a hard link": lambda path: (
        path.with_name("b.mp4").hardlink_to(path) or path.with_name("b.mp4")
    ),
    "the other case": swapped,
}


@pytest.mark.parametrize("name", NAMES)
def test_the_source_is_never_replaced(tmp_path, name):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"clip")
    (tmp_path / "new").mkdir()
    other = NAMES[name](path)
    before = sorted(tmp_path.rglob("*"))
    message = r"is the file that is to be read: give another name, or a folder"
    with pytest.raises(DigitsError, match=message):
        find_path(str(other), str(path))
    assert path.read_bytes() == b"clip"
    assert sorted(tmp_path.rglob("*")) == before


def test_no_file_is_replaced_and_a_folder_gives_new_names(tmp_path):
    path = tmp_path / "out.mp4"
    path.write_bytes(b"before")
    link(tmp_path / "link.mp4", tmp_path / "nothing")
    for taken in (path, tmp_path / "link.mp4"):
        with pytest.raises(DigitsError, match=r"is there already: give another name"):
            find_path(str(taken), "0")
    first = find_path(str(tmp_path), "0")
    first.write_bytes(b"first")
    second = find_path(str(tmp_path), "0")
    assert first.parent == second.parent == tmp_path
    assert first != second
    assert first.suffix == second.suffix == ".mp4"


@pytest.mark.skipif(os.name == "nt", reason="Windows tells it when the file is written")
def test_a_name_that_is_too_long_is_an_error(tmp_path):
    with pytest.raises(OSError, match="too long"):
        find_path(str(tmp_path / f"{300 * 'x'}.mp4"), "demo")


def test_a_path_below_a_file_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DigitsError, match="file: expected a folder"):
        find_path(str(tmp_path / "file" / "out.mp4"), "demo")
    wanted = tmp_path / "new" / "out.mp4"
    assert find_path(str(wanted), "demo") == wanted
    assert list((tmp_path / "new").iterdir()) == []
