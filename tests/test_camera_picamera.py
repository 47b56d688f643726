"""The camera at a Raspberry Pi's ribbon cable, by picamera2's documented interface."""

import atexit
import json
import logging
import subprocess
import sys
import time

import numpy as np
import pytest

import picamera2_fake
from camera_fakes import read_video
from conftest import ROOT
from digits_tf.camera.sources import (
    CameraSettings,
    controls,
    list_cameras,
    live,
    open_source,
    picamera,
)
from digits_tf.errors import DigitsError


@pytest.fixture
def pi(monkeypatch):
    """A Raspberry Pi with one camera; a test may change what it can do."""
    for name in ("libcamera", "picamera2"):
        # So that what `install` puts there is taken away again.
        monkeypatch.setitem(sys.modules, name, None)
    picamera2_fake.install()
    fake = type("Pi", (picamera2_fake.Picamera2,), {})
    sys.modules["picamera2"].Picamera2 = fake
    monkeypatch.setattr(picamera2_fake.Picamera2, "made", [])
    yield fake
    logging.getLogger("picamera2").setLevel(logging.NOTSET)


def open_pi(where="picamera", notify=pytest.fail, **settings):
    return open_source(where, CameraSettings(**settings), notify)


def next_frame(source):
    frame = source.read(1.0)
    assert frame is not None
    return frame


# Pictures


def test_without_a_window_only_the_grey_stream_is_fetched(pi):
    source = open_pi(width=1000, height=480)
    frame = next_frame(source)
    # Rows are padded to 1024, and U and V lie below.
    assert frame.picture.shape == (480, 1000)
    assert np.ptp(frame.picture) == 0
    assert frame.colour is None
    assert frame.shown is frame.picture
    (camera,) = pi.made
    assert camera.configuration["main"]["format"] == "YUV420"
    assert camera.configuration["lores"]["format"] == "YUV420"
    assert set(camera.fetched) == {"lores"}
    assert camera.configuration["raw"] is None
    # Else black is 16 and white is 235.
    assert camera.configuration["colour_space"].name == "sYCC"
    source.release()
    assert camera.closed


def test_the_colour_picture_is_of_the_same_frame(pi):
    source = open_pi(width=1000, height=480, colour=True)
    for _ in range(20):
        frame = next_frame(source)
        level = frame.picture[0, 0]
        assert frame.shown is frame.colour
        assert frame.colour.shape == (480, 1000, 3)
        assert (frame.colour == np.array([level, 2, 3])).all()
        assert (frame.picture == level).all()
    assert pi.made[0].configuration["main"]["format"] == "RGB888"
    assert set(pi.made[0].fetched) == {"lores", "main"}
    source.release()


@pytest.mark.parametrize("colour", [False, True])
def test_a_frame_stays_while_the_camera_continues(pi, colour):
    """The camera has its buffer back at once, as frames are copies."""
    source = open_pi(width=64, height=48, colour=colour)
    first = next_frame(source)
    level = int(first.picture[0, 0])
    (camera,) = pi.made
    seen = camera.count
    while camera.count < seen + 20:
        time.sleep(0.005)
    assert (first.picture == level).all()
    assert (first.shown[..., 0] == level).all()
    assert next_frame(source).picture[0, 0] != level
    source.release()
    assert len(camera.free) == camera.configuration["buffer_count"]


def test_a_size_rounded_by_the_hardware(pi):
    pi.granule = 32
    source = open_pi(width=1000, height=481, colour=True)
    assert source.description.startswith("picamera: 992x480 grey")
    assert next_frame(source).colour.shape == (480, 992, 3)
    source.release()


def test_a_failed_read_releases_its_buffer(pi):
    device = picamera.PiCamera(CameraSettings(width=64, height=48))
    (camera,) = pi.made
    camera.fails = True
    for _ in range(9):
        with pytest.raises(RuntimeError, match="not supported"):
            device.read(None)
    assert len(camera.free) == camera.configuration["buffer_count"]
    device.release()


# What is asked for


@pytest.mark.parametrize(
    ("fps", "duration", "description"),
    [(30.0, 33_333, "30 FPS"), (120.0, 21_021, "47.57 FPS"), (2.5, 400_000, "2.5 FPS")],
)
def test_the_rate_is_limited_to_what_the_sensor_can_do(pi, fps, duration, description):
    source = open_pi(fps=fps, width=640, height=480)
    assert f"640x480 grey, {description}" in source.description
    assert source.description.endswith(f"(asked for 640x480, {fps:.4g} FPS)")
    assert pi.made[0].set["FrameDurationLimits"] == (duration, duration)
    source.release()


def test_autofocus_unless_the_lens_position_is_set(pi):
    source = open_pi(width=64, height=48)
    assert pi.made[0].set["AfMode"] == 2
    assert ", autofocus" in source.description
    source.release()
    source = open_pi(width=64, height=48, controls={"LensPosition": "4"})
    assert pi.made[1].set["AfMode"] == 0
    assert pi.made[1].set["LensPosition"] == 4.0
    assert "autofocus" not in source.description
    source.release()
    pi.focuses = False
    source = open_pi(width=64, height=48)
    assert "AfMode" not in pi.made[2].set
    source.release()


def test_controls_get_their_types(pi):
    text = "ExposureTime=8000, AnalogueGain=2,ColourGains=1.5:2,AeEnable=false,ScalerCrop=0:0:64:64"
    source = open_pi(width=64, height=48, controls=controls.parse(text))
    chosen = pi.made[0].set
    assert chosen["ExposureTime"] == 8000
    assert isinstance(chosen["ExposureTime"], int)
    assert isinstance(chosen["AnalogueGain"], float)
    assert chosen["ColourGains"] == (1.5, 2.0)
    assert chosen["AeEnable"] is False
    assert chosen["ScalerCrop"] == (0, 0, 64, 64)
    source.release()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exposuretime=1", "no such control; the nearest is ExposureTime"),
        ("AnalogGain=1", "no such control; the nearest is AnalogueGain"),
        ("ExposureTime=8ms", "expected a whole number, received '8ms'"),
        ("ExposureTime=1.5", "expected a whole number, received '1.5'"),
        ("ExposureTime=1:2", "expected a whole number, received '1:2'"),
        ("AnalogueGain=99", "expected 1.123 to 16, received '99'"),
        ("AnalogueGain=nan", "expected 1.123 to 16, received 'nan'"),
        ("AeEnable=perhaps", "expected true or false, received 'perhaps'"),
        ("ColourGains=1", "expected 2 values with : between, each a number, received '1'"),
        ("ScalerCrop=1:2", "expected 4 values with : between, each a whole number"),
        ("FrameRate=30", "--fps sets the rate"),
        ("FrameDurationLimits=1:2", "--fps sets the rate"),
    ],
)
def test_an_unknown_control_or_value_is_an_error(pi, text, message):
    with pytest.raises(DigitsError) as raised:
        open_pi(controls=controls.parse(text))
    assert message in str(raised.value)
    assert f"--controls {text.partition('=')[0]}: " in str(raised.value)
    assert "\n" not in str(raised.value)
    assert pi.made[0].closed


@pytest.mark.parametrize("text", ["ExposureTime", "=3", "ExposureTime=", "a=1,b"])
def test_controls_of_another_form_are_an_error(text):
    with pytest.raises(DigitsError, match="--controls expected NAME=VALUE"):
        controls.parse(text)


def test_no_controls_are_none():
    assert controls.parse("") == controls.parse(" , ") == {}


@pytest.mark.parametrize("where", ["0", "demo", "clip.mp4", "rtsp://127.0.0.1/x"])
def test_controls_of_another_source_are_an_error(where):
    with pytest.raises(DigitsError, match="--controls is for --source picamera alone"):
        open_source(where, CameraSettings(controls={"AeEnable": "1"}), print)


@pytest.mark.parametrize(("rotate", "left"), [(0, 0), (90, 90), (180, 0), (270, 90)])
def test_the_camera_rotates_by_180_degrees_itself(pi, rotate, left):
    """It never mirrors, as a mirrored digit is another one."""
    source = open_pi(width=64, height=48, rotate=rotate)
    transform = pi.made[0].configuration["transform"]
    assert transform.hflip == transform.vflip == (rotate >= 180)
    assert source.rotate == left
    source.release()


# Which camera


def test_cameras_at_usb_are_not_counted(pi):
    first = {"Model": "imx219", "Id": "/base/axi/pcie@120000/rp1/i2c@80000/imx219@10", "Num": 1}
    usb = {"Model": "C270", "Id": "/base/axi/pcie@120000/rp1/usb@200000-1.4:1.0-046d", "Num": 2}
    pi.infos = (usb, *picamera2_fake.Picamera2.infos, first)
    for where, number in (("picamera", 0), ("picamera:0", 0), ("picamera:1", 1)):
        source = open_pi(where, width=64, height=48)
        assert pi.made[-1].number == number
        assert source.description.startswith(f"{where}: 64x48")
        source.release()
    with pytest.raises(DigitsError, match=r"no camera picamera:2: expected 0 to 1"):
        open_pi("picamera:2")
    pi.infos = (usb,)
    with pytest.raises(DigitsError, match=r"no camera at this Raspberry Pi.* --source 0"):
        open_pi()


def test_switch_to_the_second_camera_and_back(pi):
    second = {"Model": "imx219", "Id": "/base/soc/i2c0mux/i2c@0/imx219@10", "Num": 1}
    pi.infos = (*picamera2_fake.Picamera2.infos, second)
    messages = []
    source = open_pi("picamera:0", messages.append, width=64, height=48)
    for name, number in (("picamera:1", 1), ("picamera", 0)):
        source.switch()
        end = time.monotonic() + 5.0
        while not messages:
            source.read(0.02)
            assert time.monotonic() < end, messages
        assert messages[-1].startswith(f"{name}: 64x48 grey")
        assert pi.made[-1].number == number
        assert all(camera.closed for camera in pi.made[:-1])
        messages.clear()
    source.release()
    listed = [line for line in list_cameras(CameraSettings(64, 48)) if "picamera" in line]
    assert [line.split(",")[0] for line in listed] == [
        "--source picamera: 64x48 grey",
        "--source picamera:1: 64x48 grey",
    ]


@pytest.mark.parametrize("where", ["picamera:", "picamera:x", "picamera2", "picamera:100"])
def test_similar_names_are_other_sources(where):
    with pytest.raises(DigitsError, match="no such file"):
        open_pi(where)


# What goes wrong


def test_a_missing_camera_is_an_error(pi):
    pi.infos = ()
    with pytest.raises(DigitsError, match=r"ribbon cable.*rpicam-hello --list-cameras"):
        open_pi()
    assert pi.made == []


def test_a_camera_in_use_is_an_error(pi, capfd):
    pi.busy = True
    with pytest.raises(DigitsError, match=r"resource busy\): another program uses it"):
        open_pi()
    assert capfd.readouterr().err == "", "picamera2 logs it as well: once is enough"


def test_a_camera_that_does_not_start_is_closed(pi):
    pi.starts = False
    with pytest.raises(DigitsError, match=r"Cannot allocate memory\): .*add --width 1280"):
        open_pi()
    assert pi.made[0].closed


def test_a_camera_with_another_format_is_closed(pi):
    pi.gives = "YUYV"
    with pytest.raises(DigitsError, match="gives YUYV, not YUV420"):
        open_pi()
    assert pi.made[0].closed


def test_an_old_picamera2_is_an_error(pi, monkeypatch):
    monkeypatch.delattr(picamera2_fake.Picamera2, "cancel_all_and_flush")
    with pytest.raises(DigitsError, match="picamera2 is too old: sudo apt update"):
        open_pi()


class Broken:
    """An import hook under which picamera2 fails to load."""

    def __init__(self, error):
        self.error = error

    def find_spec(self, name, path=None, target=None):
        if name in ("libcamera", "picamera2"):
            raise self.error
        return None


@pytest.mark.parametrize(
    ("error", "installed", "parts"),
    [
        (
            ModuleNotFoundError("No module named 'picamera2'", name="picamera2"),
            False,
            ["picamera2 is missing: sudo apt install python3-picamera2", "--system-site-packages"],
        ),
        (
            ModuleNotFoundError("No module named 'libcamera'", name="libcamera"),
            True,
            ["picamera2 is installed, but the Python of", "does not look there", "--clear"],
        ),
        (
            ValueError("numpy.dtype size changed, may indicate binary incompatibility"),
            True,
            ["pip's numpy does not fit apt's picamera2", "pip uninstall numpy"],
        ),
        (
            ImportError("numpy.core.multiarray failed to import"),
            True,
            ["pip's numpy does not fit", "pip uninstall numpy"],
        ),
        (
            ModuleNotFoundError("No module named 'libcamera._libcamera'", name="libcamera._x"),
            True,
            ["is there but does not load (No module named 'libcamera._l", "apt install --reinst"],
        ),
    ],
)
def test_a_failed_import_says_what_to_do(monkeypatch, tmp_path, error, installed, parts):
    for name in ("libcamera", "picamera2"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(error), *sys.meta_path])
    monkeypatch.setattr(picamera, "_SYSTEM_COPY", tmp_path if installed else tmp_path / "none")
    with pytest.raises(DigitsError) as raised:
        open_pi()
    for part in parts:
        assert part in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(picamera, "_WAIT_S", 0.1)
    monkeypatch.setattr(live, "_READ_RETRIES_S", 0.05)
    monkeypatch.setattr(live, "_FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(live, "_RELEASE_S", 0.2)


def test_a_lost_camera_is_opened_again(pi, quick):
    messages = []
    pi.dies_after = 3
    source = open_pi(notify=messages.append, width=64, height=48)
    end = time.monotonic() + 5
    while len(messages) < 2 and time.monotonic() < end:
        source.read(0.02)
        if messages:
            pi.dies_after = None
    source.release()
    assert messages[0].startswith("picamera sends no more pictures: is it still connected?")
    assert messages[1] == "picamera is back"
    assert pi.made[0].closed
    assert len(pi.made) >= 2
    assert all(camera.closed for camera in pi.made)


def test_release_does_not_wait_for_a_blocked_camera(pi, quick):
    pi.blocks = True
    source = open_pi(width=64, height=48)
    next_frame(source)
    start = time.monotonic()
    source.release()
    assert time.monotonic() - start < 1.0


# The program

PROGRAM = """
import sys
import picamera2_fake
picamera2_fake.install()
picamera2_fake.Picamera2.blocks = "blocks" in sys.argv
if "blocks" in sys.argv:
    sys.argv.remove("blocks")
from digits_tf.cli import camera, command


def main(words):
    camera.main(words)
    (used,) = picamera2_fake.Picamera2.made
    print("STREAMS", used.configuration["main"]["format"], *sorted(set(used.fetched)))


command.run(main, camera.__doc__)
"""


def run_program(*words):
    return subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, "--source", "picamera", "--headless"),
            *("--width", "640", "--height", "480", *map(str, words)),
        ],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_program_asks_for_colour_only_to_record(tmp_path):
    plain = run_program("--frames", 5, "--every_frame")
    assert plain.returncode == 0, plain.stderr
    *lines, streams = plain.stdout.splitlines()
    assert streams == "STREAMS YUV420 lores"
    assert len([json.loads(line) for line in lines]) == 5
    out = tmp_path / "out.mp4"
    recorded = run_program("--seconds", 1, "--record", out, "--controls", "AnalogueGain=2")
    assert recorded.returncode == 0, recorded.stderr
    assert recorded.stdout.splitlines()[-1] == "STREAMS RGB888 lores main"
    frames, _ = read_video(out)
    blue, green, _ = np.array([frame[0, 0] for frame in frames], int).max(axis=0)
    assert blue > green + 3, "the blue that the camera gave, not grey"


def test_the_program_ends_even_if_the_camera_blocks():
    """Neither its own release nor picamera2's at exit may wait for ever."""
    result = run_program("--frames", 5, "blocks")
    assert result.returncode == 0, result.stderr
    assert "5 frames in" in result.stderr


def test_nothing_is_left_to_do_at_exit(pi, monkeypatch):
    registered = []
    monkeypatch.setattr(atexit, "register", lambda call: registered.append(call))
    monkeypatch.setattr(atexit, "unregister", registered.remove)
    source = open_pi(width=64, height=48)
    source.release()
    assert registered == []
