"""The command: what it prints, how it ends, what it never imports nor calls."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from camera_fakes import SEVEN, board, flat, read_video, write_picture, write_video
from conftest import ROOT, assert_one_line_error
from conftest import run as run_module

# Whatever opens a window ends the process, and so does a large package.
COMMAND = f"""
{SEVEN}
import os
import cv2

for name in ("namedWindow", "imshow", "waitKey", "waitKeyEx", "pollKey", "destroyAllWindows",
             "destroyWindow", "resizeWindow", "getWindowProperty", "startWindowThread"):
    setattr(cv2, name, lambda *arguments: os._exit(99))

def main(words):
    camera.main(words)
    for name in ("tensorflow", "keras", "matplotlib", "picamera2"):
        if name in sys.modules:
            sys.exit(f"imported {{name}}")

command.run(main, camera.__doc__)
"""


def environment(**more):
    """No display, unless one is given."""
    kept = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
    kept.pop("DISPLAY", None)
    return kept | {"PYTHONPATH": str(ROOT)} | more


def run(*words, cwd=None, code=COMMAND, **more):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=cwd or ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_answers():
    result = run_module("digits_tf.camera", "--help")
    assert result.returncode == 0
    for flag in (
        *("source", "tflite", "model", "width", "height", "fps", "threshold", "threads"),
        *("headless", "every_frame", "json", "record", "frames", "seconds", "mirror"),
        *("controls", "rotate", "list_cameras", "mqtt"),
    ):
        assert f"--{flag}" in result.stdout or f"--[no]{flag}" in result.stdout


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--source", "nope.png"], "no such file"),
        (["--source", "99"], "no camera 99"),
        (["--source", "picamera"], "sudo apt install python3-picamera2"),
        (["--record", "out.avi"], ".mp4"),
        (["--record", "/proc/none/out.mp4"], "/proc/none"),
        (["--notflite"], "--model"),
        (["--tflite", "--model", "best.keras"], "contradicts"),
        (["--threshold", "2"], "threshold"),
        (["--fps", "0"], "fps"),
        (["--rotate", "45"], "rotate"),
        (["--controls", "ExposureTime"], "--controls expected NAME=VALUE"),
        (["--controls", "ExposureTime=1"], "--controls is for --source picamera alone"),
        (["stray"], "stray"),
    ],
)
def test_a_wrong_flag_is_one_line_and_exit_code_2(words, part):
    result = run(*words)
    assert_one_line_error(result, part)
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_shipped_model_is_known_by_its_name():
    result = run("--tflite", "--model", "resnet", "--source", "demo", "--frames", "60")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1])["text"]


def test_opencv_and_ffmpeg_are_silent(tmp_path):
    whole = write_video(tmp_path / "whole.mp4", [0, 90], codec="mp4v").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    result = run("--source", tmp_path / "cut.mp4")
    assert_one_line_error(result, "cut.mp4", "whole")
    assert result.stderr.count("\n") == 1


def test_list_cameras_without_a_camera_is_an_error(tmp_path):
    before = "from digits_tf.camera.sources import opencv\nopencv.camera_numbers = list\n"
    result = run("--list_cameras", cwd=tmp_path, code=before + COMMAND)
    assert_one_line_error(result, "no camera opens", "--source demo")
    assert result.stdout == ""


@pytest.mark.parametrize("display", [{}, {"DISPLAY": ":4711"}])
def test_without_a_display_the_program_says_so_and_opens_no_window(display):
    result = run("--frames", 40, **display)
    assert result.returncode == 0, result.stderr
    messages = result.stderr.splitlines()
    assert messages[0].startswith("demo: a board of 1280x720")
    assert messages[1] == "no display: printing what is read"
    assert messages[2].startswith("40 frames in ")
    assert len(messages) == 3
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[0]["frame"] == 0
    # A digit that is half written stands in a line of its own.
    assert set("".join(line["text"] for line in lines)) - {"\n"} == {"7"}
    assert len({line["text"] for line in lines}) <= len(lines) < 40


@pytest.mark.parametrize("json_too", [False, True])
def test_a_terminal_shows_digits_and_json_only_with_the_flag(tmp_path, json_too):
    """In a pipe it is always JSON, see the other tests."""
    pty = pytest.importorskip("pty")
    path = write_picture(tmp_path / "board.png", board())
    leader, terminal = pty.openpty()
    words = ["--headless", "--source", path.name, *(["--json"] if json_too else [])]
    with os.fdopen(leader, "rb", 0) as shown:
        try:
            subprocess.run(
                [sys.executable, "-c", COMMAND, *words], cwd=tmp_path, env=environment(),
                stdout=terminal, stderr=subprocess.PIPE, check=True, timeout=60,
            )  # fmt: skip
            line = shown.read(4096).decode().strip()
        finally:
            os.close(terminal)
    assert json.loads(line)["text"] == "7" if json_too else line == "board.png: 7"


def test_every_frame_of_a_folder_in_a_pipe(tmp_path):
    path = write_picture(tmp_path / "board.png", board())
    write_picture(tmp_path / "empty.png", flat(60, 48, 64))
    (tmp_path / "cut.png").write_bytes(path.read_bytes()[:100])
    result = run("--headless", "--source", tmp_path)
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["path"].rpartition("/")[2] for line in lines] == ["board.png", "empty.png"]
    assert [line["text"] for line in lines] == ["7", ""]
    assert "--headless: printing what is read" in result.stderr
    assert "left out: " in result.stderr


def test_a_video_is_read_whole_and_recorded_at_its_own_rate(tmp_path):
    clip = write_video(tmp_path / "clip.avi", range(0, 200, 10), fps=12.5)
    out = tmp_path / "new" / "out.mp4"
    result = run("--headless", "--every_frame", "--source", clip, "--record", out, "--mirror")
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["frame"] for line in lines] == list(range(20))
    assert lines[5]["time"] == pytest.approx(0.4)
    frames, fps = read_video(out)
    assert len(frames) == 20
    assert fps == pytest.approx(12.5)
    assert frames[0].shape == (480, 640, 3)
    assert f"recorded {out}: 20 frames, 1.6 s" in result.stderr


def test_a_recording_does_not_replace_its_source(tmp_path):
    clip = write_video(tmp_path / "clip.mp4", [0, 90], codec="mp4v")
    before = clip.read_bytes()
    result = run("--headless", "--source", clip, "--record", tmp_path / "." / "clip.mp4")
    assert_one_line_error(result, clip, "give another name")
    assert clip.read_bytes() == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_closes_the_recording(tmp_path, number, code):
    """Systemd ends programs by SIGTERM, which is no failure."""
    out = tmp_path / "out.mp4"
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "--record", str(out)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Under a shell that ignores Ctrl-C in the background, we would ignore it as well.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        for line in process.stdout:
            if json.loads(line)["text"]:
                break
        time.sleep(0.5)
        start = time.monotonic()
        process.send_signal(number)
        _, messages = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == code
    assert time.monotonic() - start < 5
    assert "Traceback" not in messages
    assert f"recorded {out}" in messages
    assert " FPS; ms a frame: " in messages
    assert messages.rstrip().endswith("stopped") == (number == signal.SIGINT)
    assert len(read_video(out)[0]) > 3
    assert [each.name for each in tmp_path.iterdir()] == ["out.mp4"]


def test_a_closed_pipe_is_no_error(tmp_path):
    """`| head` ends it, and the recording is whole."""
    out = tmp_path / "out.mp4"
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "--every_frame", "--record", str(out)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    process.stdout.close()
    messages = process.stderr.read()
    process.stderr.close()
    assert process.wait(20) == 0
    assert "Traceback" not in messages
    assert len(read_video(out)[0]) >= 1


def test_a_picture_is_read_in_about_a_second(tmp_path):
    """Interpreter, imports, model and all; the best of three, on a machine that may be busy."""
    path = write_picture(tmp_path / "board.png", board(number=3))
    words = [sys.executable, "-m", "digits_tf.camera", "--tflite", "--headless"]
    best = 100.0
    for _ in range(3):
        start = time.perf_counter()
        result = subprocess.run(
            [*words, "--source", str(path)],
            cwd=ROOT, env=environment(), capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        best = min(best, time.perf_counter() - start)
    assert json.loads(result.stdout)["text"] == "3"
    assert best < 3.0
