"""Cameras and streams: the newest frame, and what happens when none comes."""

import contextlib
import http.server
import sys
import threading
import time

import cv2
import numpy as np
import pytest

from camera_fakes import FakeCapture, flat
from digits_tf.camera.sources import CameraSettings, Frame, list_cameras, live, open_source, opencv
from digits_tf.camera.sources.live import LatestFrame, Live
from digits_tf.errors import DigitsError


@pytest.fixture
def quick(monkeypatch):
    """Shortens the limits from seconds to tenths."""
    monkeypatch.setattr(live, "_START_S", 0.5)
    monkeypatch.setattr(live, "_STALL_S", 0.2)
    monkeypatch.setattr(live, "_READ_RETRIES_S", 0.05)
    monkeypatch.setattr(live, "_READ_PAUSE_S", 0.01)
    monkeypatch.setattr(live, "_FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(live, "_LONGEST_PAUSE_S", 0.2)


@pytest.fixture
def cameras(monkeypatch):
    """Replaces cv2.VideoCapture: each opening takes the next of a queue and is logged."""
    queue, opened = [], []

    def take(*arguments):
        opened.append((time.monotonic(), arguments))
        return queue.pop(0) if queue else FakeCapture(opened=False)

    monkeypatch.setattr(cv2, "VideoCapture", take)
    queue_and_log = type("Cameras", (), {"queue": queue, "opened": opened})
    return queue_and_log


def read_for(source, seconds):
    """The grey levels of the frames that come within a time."""
    levels, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        frame = source.read(0.02)
        if frame:
            levels.append(int(frame.picture[0, 0, 0]))
    return levels


def forever(level):
    """A camera whose frames do not end."""
    return FakeCapture([flat(level)] * 2000, pause=0.005)


def test_a_camera_gets_the_settings_and_describes_what_it_gives(cameras):
    camera = FakeCapture([flat(9)] * 100, fps=25.0, pause=0.005)
    cameras.queue.append(camera)
    source = open_source("0", CameraSettings(1280, 720, 60.0), print)
    assert source.description == "camera 0: 64x48, 25 FPS (asked for 1280x720, 60 FPS)"
    assert camera.settings[cv2.CAP_PROP_FRAME_WIDTH] == 1280
    assert camera.settings[cv2.CAP_PROP_FRAME_HEIGHT] == 720
    assert camera.settings[cv2.CAP_PROP_FPS] == 60.0
    assert source.live
    frame = source.read(1.0)
    assert frame.picture.shape == (48, 64, 3)
    assert frame.seconds == 0.0
    assert source.read(1.0).seconds > 0
    source.release()
    assert camera.released.is_set()


def test_only_the_newest_frame_is_kept(cameras):
    cameras.queue.append(FakeCapture([flat(level) for level in range(1, 250)], pause=0.004))
    source = open_source("0", CameraSettings(), print)
    source.read(1.0)
    time.sleep(0.2)
    late = int(source.read(1.0).picture[0, 0, 0])
    assert late > 20
    assert 1 <= int(source.read(1.0).picture[0, 0, 0]) - late <= 10
    source.release()


def test_single_failed_reads_are_ignored(cameras, quick):
    messages = []
    frames = [None, flat(1), None, None, flat(2), flat(3), *[flat(4)] * 500]
    cameras.queue.append(FakeCapture(frames, pause=0.002))
    source = open_source("0", CameraSettings(), messages.append)
    assert 4 in read_for(source, 0.2)
    source.release()
    assert messages == []
    assert len(cameras.opened) == 1


NO_PICTURES = {
    "nothing": None,
    "empty": np.zeros((0, 0, 3), np.uint8),
    "no width": np.zeros((48, 0, 3), np.uint8),
    "16 bits": np.zeros((48, 64, 3), np.uint16),
    "floats": np.zeros((48, 64, 3)),
    "truths": np.zeros((48, 64, 3), bool),
    "two channels": np.zeros((48, 64, 2), np.uint8),
    "a row": np.zeros(48, np.uint8),
    "four dimensions": np.zeros((1, 48, 64, 3), np.uint8),
    "a list": [1, 2],
}


@pytest.mark.parametrize("given", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_counts_as_a_failed_read(cameras, quick, monkeypatch, given):
    monkeypatch.setattr(live, "_READ_RETRIES_S", 5.0)
    messages, camera = [], FakeCapture([flat(1), *[(True, given)] * 3, *[flat(4)] * 500])
    camera.pause = 0.002
    cameras.queue.append(camera)
    source = open_source("0", CameraSettings(), messages.append)
    assert set(read_for(source, 0.1)) <= {1, 4}
    source.release()
    assert messages == []


def test_a_camera_without_a_single_picture_is_an_error(cameras, quick):
    for given in NO_PICTURES.values():
        cameras.queue.append(FakeCapture([(True, given)] * 500, pause=0.002))
        with pytest.raises(DigitsError, match="camera 0 opens but gives no picture"):
            open_source("0", CameraSettings(), print)


def test_size_and_channels_may_change(cameras):
    shapes = [(48, 64, 3), (48, 64), (30, 20, 1), (48, 64, 4), (1, 1, 3), (480, 640, 3)]
    pictures = [np.full(shape, 10 + n, np.uint8) for n, shape in enumerate(shapes)]
    cameras.queue.append(FakeCapture(pictures * 30, pause=0.01))
    source, seen = open_source("0", CameraSettings(), print), set()
    for _ in range(60):
        picture = source.read(1.0).picture
        assert picture.dtype == np.uint8
        assert (picture == picture.flat[0]).all(), "whole, whatever came before it in its memory"
        seen.add((picture.flat[0] - 10, picture.shape))
    source.release()
    given = {shape for _, shape in seen}
    assert given <= {(48, 64, 3), (48, 64), (30, 20), (1, 1, 3), (480, 640, 3)}
    assert len(given) > 3
    assert (3, (48, 64, 3)) in seen, "BGRA becomes BGR"


FAILURES = {
    "OpenCV": (cv2.error("not\nthere"), "error: not"),
    "a driver": (RuntimeError("no buffers"), "RuntimeError: no buffers"),
    "memory": (MemoryError(), "MemoryError"),
}


@pytest.mark.parametrize(("failure", "words"), FAILURES.values(), ids=FAILURES)
def test_whatever_a_driver_raises_at_the_start_is_an_error(cameras, quick, failure, words):
    def fail(*arguments):
        raise failure

    for name in ("isOpened", "set", "get", "read"):
        camera = FakeCapture([flat(1)])
        setattr(camera, name, fail)
        cameras.queue.append(camera)
        with pytest.raises(DigitsError, match=rf"camera 0 does not open \({words}"):
            open_source("0", CameraSettings(), print)


def test_a_thread_that_does_not_start_is_tried_again(cameras, quick, monkeypatch):
    cameras.queue += [FakeCapture([flat(1)]), forever(2)]
    source = open_source("0", CameraSettings(), lambda message: None)
    start, failures = threading.Thread.start, [RuntimeError("can't start new thread")]

    def fail_once(thread):
        if failures:
            raise failures.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fail_once)
    assert read_for(source, 1.0)[-1] == 2
    assert not failures
    source.release()


def test_an_unplugged_camera_is_opened_again(cameras, quick):
    """There are two messages, and the pauses between the tries grow."""
    messages = []
    pulled = FakeCapture([flat(1)] * 3, pause=0.01)
    cameras.queue += [pulled, *(FakeCapture(opened=False) for _ in range(3)), forever(2)]
    source = open_source("0", CameraSettings(), messages.append)
    levels = read_for(source, 1.5)
    source.release()
    assert levels[0] == 1
    assert levels[-1] == 2
    assert pulled.released.is_set()
    assert len(messages) == 2
    assert messages[0].startswith("camera 0 sends no more pictures: is it still connected?")
    assert messages[1] == "camera 0 is back"
    tries = np.diff([when for when, _ in cameras.opened])[1:]
    assert len(tries) == 3
    assert tries[0] >= 0.09
    assert tries[1] >= 0.19
    # 0.05 doubled twice is 0.2, the longest.
    assert 0.19 <= tries[2] < 0.4


def test_a_stalled_stream_is_opened_again(cameras, quick):
    """The thread blocks in OpenCV; the program continues and can end."""
    messages, hanging = [], threading.Event()
    stalled = FakeCapture([flat(1), hanging])
    cameras.queue += [stalled, forever(2)]
    source = open_source("rtsp://127.0.0.1/x", CameraSettings(), messages.append)
    assert source.read(0.1) is not None
    start = time.monotonic()
    assert source.read(0.05) is None
    assert time.monotonic() - start < 0.15
    assert 2 in read_for(source, 0.8)
    assert len(messages) == 2
    assert messages[0].startswith("rtsp://127.0.0.1/x has sent nothing for")
    assert not stalled.released.is_set()
    start = time.monotonic()
    source.release()
    assert time.monotonic() - start < 0.5
    hanging.set()
    assert stalled.released.wait(2.0), "the thread that hung gives its stream back at last"


def test_release_does_not_wait_for_a_blocked_thread(cameras, quick):
    hanging = threading.Event()
    cameras.queue.append(FakeCapture([flat(1), hanging]))
    source = open_source("0", CameraSettings(), print)
    start = time.monotonic()
    source.release()
    assert time.monotonic() - start < 4.0
    hanging.set()


def test_waiting_takes_no_processor_time(cameras, quick, monkeypatch):
    monkeypatch.setattr(live, "_STALL_S", 10.0)
    hanging = threading.Event()
    cameras.queue.append(FakeCapture([flat(1), hanging]))
    source = open_source("0", CameraSettings(), print)
    before = time.process_time()
    read_for(source, 0.6)
    assert time.process_time() - before < 0.2
    hanging.set()
    source.release()


def test_a_camera_without_frames_is_an_error(cameras, quick):
    silent = FakeCapture()
    cameras.queue.append(silent)
    with pytest.raises(DigitsError, match=r"camera 3 opens but gives no picture: .*--source picam"):
        open_source("3", CameraSettings(), print)
    assert silent.released.is_set()


def test_a_camera_that_blocks_is_an_error(cameras, quick):
    hanging = threading.Event()
    cameras.queue.append(FakeCapture([hanging]))
    start = time.monotonic()
    with pytest.raises(DigitsError, match="opens but gives no picture"):
        open_source("0", CameraSettings(), print)
    assert time.monotonic() - start < 5.0
    hanging.set()


def test_a_missing_camera_or_stream_is_an_error(cameras):
    with pytest.raises(DigitsError, match=r"no camera 99: check that it is plugged in"):
        open_source("/dev/video99", CameraSettings(), print)
    with pytest.raises(DigitsError, match=r"http://127\.0\.0\.1:9/: no pictures from this address"):
        open_source("http://127.0.0.1:9/", CameraSettings(), print)


@pytest.fixture
def three(monkeypatch):
    monkeypatch.setattr(opencv, "camera_numbers", lambda: [0, 1, 2])


def test_switch_takes_the_next_camera_that_opens(cameras, quick, three):
    """The camera before is released first, as two may be too much for one USB controller."""
    messages, first, second = [], forever(1), forever(2)
    cameras.queue += [first, FakeCapture(opened=False), second, FakeCapture([flat(3)] * 9)]
    source = open_source("0", CameraSettings(), messages.append)
    before = source.read(0.1).seconds
    source.switch()
    assert 2 in read_for(source, 0.5)
    assert first.released.is_set()
    assert [arguments[0] for _, arguments in cameras.opened] == [0, 1, 2]
    assert source.description.startswith("camera 2: 64x48")
    assert messages == [source.description]
    assert source.read(0.1).seconds > before
    source.switch()
    assert 3 in read_for(source, 0.3)
    assert cameras.opened[3][1][0] == 0, "after the last comes the first"
    source.release()
    assert second.released.is_set()


def test_switch_returns_to_the_camera_if_no_other_opens(cameras, quick, three):
    messages, silent = [], FakeCapture()
    cameras.queue += [forever(1), silent, FakeCapture(opened=False), forever(4)]
    source = open_source("1", CameraSettings(), messages.append)
    source.switch()
    assert 4 in read_for(source, 0.6)
    assert [arguments[0] for _, arguments in cameras.opened] == [1, 2, 0, 1]
    assert silent.released.is_set()
    assert messages == ["no camera opens but camera 1"]
    source.release()


def test_a_camera_lost_during_a_switch_is_opened_again(cameras, quick, three):
    messages = []
    cameras.queue += [forever(1), *(FakeCapture(opened=False) for _ in range(3)), forever(4)]
    source = open_source("0", CameraSettings(), messages.append)
    source.switch()
    assert 4 in read_for(source, 1.0)
    source.release()
    assert len(messages) == 2
    assert messages[0].startswith("camera 0 sends no more pictures")
    assert messages[1] == "camera 0 is back"


def test_switch_without_another_camera_is_an_error(cameras, monkeypatch):
    monkeypatch.setattr(opencv, "camera_numbers", lambda: [0])
    cameras.queue += [forever(1), forever(2)]
    for where, message in (("0", "no camera but camera 0"), ("rtsp://127.0.0.1/x", "is none")):
        source = open_source(where, CameraSettings(), print)
        with pytest.raises(DigitsError, match=message):
            source.switch()
        assert source.read(1.0) is not None
        source.release()


def test_list_cameras_names_those_that_open(cameras, quick, three):
    cameras.queue += [forever(1), FakeCapture(opened=False), forever(2)]
    given = "64x48, 30 FPS (asked for 1920x1080, 30 FPS)"
    assert list(list_cameras(CameraSettings())) == [f"--source 0: {given}", f"--source 2: {given}"]


def test_camera_numbers(monkeypatch, tmp_path):
    names = {0: "C270 WEBCAM", 1: "C270 WEBCAM", 10: "bcm2835-codec-decode", 3: "unicam-image"}
    for number, name in names.items():
        folder = tmp_path / f"video{number}"
        folder.mkdir()
        (folder / "name").write_text(f"{name}\n")
    (tmp_path / "v4l-subdev0").mkdir()
    monkeypatch.setattr(opencv, "_DEVICES", tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    assert opencv.camera_numbers() == [0, 1]
    monkeypatch.setattr(sys, "platform", "win32")
    assert list(opencv.camera_numbers()[:2]) == [0, 1]


def test_a_frame_in_use_is_not_written_over():
    """Memory is used again, but neither that of the frame being read nor of the one that waits."""
    latest, spares = LatestFrame(), []
    latest.put(Frame(flat(1), 0.0))
    first = latest.take(0.0)
    for level in range(2, 9):
        spare = latest.put(Frame(flat(level), 0.0))
        spares.append(spare)
        assert spare is not first
    assert [None if spare is None else int(spare.picture[0, 0, 0]) for spare in spares] == [
        None, 2, 3, 4, 5, 6, 7
    ]  # fmt: skip
    second = latest.take(0.0)
    assert second.picture[0, 0, 0] == 8
    assert latest.put(Frame(flat(9), 0.0)) is first
    assert latest.take(0.0).picture[0, 0, 0] == 9
    assert latest.take(0.01) is None


def test_any_exception_of_a_device_means_lost(quick):
    messages, tries = [], []

    class Moody:
        details = ""

        def read(self, spare):
            if len(tries) == 1:
                tries.append("read")
                return Frame(flat(1), 0.0)
            raise RuntimeError("driver")

        def release(self):
            pass

    def connect(name):
        tries.append("open")
        return Moody()

    source = Live("it", connect, "advice", messages.append)
    source.read(0.1)
    read_for(source, 0.3)
    source.release()
    assert len(messages) == 1
    assert tries.count("open") >= 2


class Mjpeg(http.server.BaseHTTPRequestHandler):
    """Sends some pictures, then stalls until told to end."""

    pictures, go_on = 12, threading.Event()

    def handle(self):
        # Whoever watches hangs up in the middle of a picture.
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for index in range(self.pictures):
            jpeg = cv2.imencode(".jpg", flat(10 * index, 120, 160))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            time.sleep(0.02)
        self.go_on.wait(10.0)

    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize("stops", [False, True], ids=["stalls", "stops"])
def test_a_real_http_stream_that_stalls_or_stops_is_opened_again(quick, monkeypatch, stops):
    if cv2.CAP_FFMPEG not in cv2.videoio_registry.getStreamBackends():
        pytest.skip("this OpenCV is built without FFmpeg")
    monkeypatch.setattr(live, "_START_S", 10.0)
    monkeypatch.setattr(live, "_STALL_S", 0.5)
    monkeypatch.setattr(opencv, "_READ_MS", 1000)
    monkeypatch.setattr(Mjpeg, "go_on", threading.Event())
    if stops:
        Mjpeg.go_on.set()
    messages, server = [], serving()
    try:
        address = f"http://127.0.0.1:{server.server_port}/"
        source = open_source(address, CameraSettings(), messages.append)
        assert "160x120" in source.description
        if stops:
            server.shutdown()
            server.server_close()
        read_for(source, 1.2)
        assert messages
        assert "sends no more" in messages[0] or (not stops and "has sent nothing" in messages[0])
        if stops:
            assert len(messages) == 1
            server = serving(server.server_port)
        assert read_for(source, 1.2)
        source.release()
        assert len(messages) >= 2
        assert messages[1].endswith("is back")
    finally:
        Mjpeg.go_on.set()
        server.shutdown()
        server.server_close()


def serving(port=0):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Mjpeg)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server
