"""The page in the browser: what is served, read and refused, and the live view."""

import asyncio
import base64
import contextlib
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

import cv2
import numpy as np
import pytest

from camera_fakes import write_video
from conftest import ROOT, assert_one_line_error, run
from digits_tf.data.collection import Collection
from digits_tf.recognition import Recognizer, as_json, text
from drawn import one, rng, row

pytest.importorskip("uvicorn", reason="needs digits_tf[web]")
pytest.importorskip("starlette", reason="needs digits_tf[web]")
STATIC = ROOT / "digits_tf" / "web" / "static"


@contextlib.contextmanager
def serving(*words, cwd=STATIC, first=""):
    """A server on a free port; gives the process and the address that it printed.

    `first` is what it executes before all else.
    """
    code = f"{first}\nfrom digits_tf.cli import command\ncommand.start('web')"
    command = [sys.executable, "-c", code, "--port=0", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, **pipes, text=True, cwd=cwd)
    try:
        link = re.search(r"http://\S+", process.stdout.readline())
        assert link, process.stderr.read()
        yield process, urllib.parse.urlsplit(link.group())
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder that the server runs in, and collects in."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def server(home):
    with serving("--source=demo", cwd=home) as (_, address):
        yield address


def ask(address, path, body=None, method=None, **headers):
    """An answer: its status, its headers, its body."""
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=60)
    with contextlib.closing(connection):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method or ("GET" if body is None else "POST"), path, body, named)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def png(frame):
    return cv2.imencode(".png", frame)[1].tobytes()


def numbers(seed=1):
    return row([3, 1, 4, 7], rng(seed)).on(230)


def test_the_page_and_all_it_names_come_from_this_server(server):
    status, headers, page = ask(server, "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    named = re.findall(r'(?:src|href)="([^"]+)"', page.decode())
    assert "static/app.js" in named
    for path in named:
        assert ask(server, f"/{path}")[0] == 200, path
    for file in STATIC.iterdir():
        # An SVG names its standard; nothing else may name another place.
        words = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://(?!localhost|127\.0\.0\.1)[\w.]+\.\w", words), file


def test_every_word_of_the_page_is_there_in_both_languages():
    words = (STATIC / "words.js").read_text(encoding="utf-8")
    english, chinese = re.findall(r"\b(?:en|zh): \{(.*?)\n  \}", words, re.DOTALL)
    keys = [set(re.findall(r'(?:^|[ {])"?([a-z-]+)"?: "', each)) for each in (english, chinese)]
    assert keys[0] == keys[1]
    page = (STATIC / "index.html").read_text()
    used = set(re.findall(r'data-say(?:-\w+)?="([a-z-]+)"', page))
    used |= set(re.findall(r'say\("([a-z-]+)"\)', (STATIC / "app.js").read_text()))
    assert used == keys[0]


def test_a_picture_is_read_as_from_python(server):
    frame = numbers()
    digits = Recognizer.load().read(frame)
    status, _, body = ask(server, "/read", png(frame))
    reading = json.loads(body)
    assert (status, reading["text"]) == (200, text(digits))
    assert reading["text"] == "3147"
    assert reading["digits"] == [as_json(digit) for digit in digits]
    assert reading["size"] == {"width": 640, "height": 480}
    crops = json.loads(ask(server, "/read?crops", png(frame))[2])["digits"]
    assert all(each["crop"].startswith("iVBOR") for each in crops)


def test_a_reading_is_put_right_and_taken_back(server, home):
    seen = json.loads(ask(server, "/read?crops", png(one(5, rng(3)).on(230)))[2])["digits"][0]
    crop = base64.b64decode(seen["crop"])
    kept = [json.loads(ask(server, f"/teach?label={name}", crop)[2]) for name in "665"]
    assert kept == [
        {"label": "6", "kept": True, "count": 1},
        {"label": "6", "kept": False, "count": 1},
        {"label": "5", "kept": True, "count": 1},
    ]
    images, labels = Collection(home / "own").read()
    assert labels.tolist() == [5]
    assert (images[0] == cv2.imdecode(np.frombuffer(crop, np.uint8), 0)).all()
    for _ in range(2):
        undone = json.loads(ask(server, "/teach", method="DELETE")[2])
        assert undone["count"] == 0
    assert undone["label"] is None


def test_what_cannot_be_taught_gets_a_line(server, home):
    crop = png(np.zeros((28, 28), np.uint8))
    refused = [
        ask(server, "/teach?label=11", crop),
        ask(server, "/teach", crop),
        ask(server, "/teach?label=1", png(numbers())),
        ask(server, "/teach?label=1", b"none"),
        ask(server, "/teach?label=1", bytes(65 << 10)),
        ask(server, "/teach?label=1", crop, Origin="http://elsewhere.org"),
    ]
    assert [status for status, _, _ in refused] == [422, 422, 422, 422, 413, 403]
    assert all(json.loads(body)["error"] for _, _, body in refused)
    assert Collection(home / "own").entries() == []


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 422, "picture"),
        (b"no picture at all", 422, "picture"),
        (png(np.zeros((30, 30), np.uint8))[:60], 422, "picture"),
        (b"\xff" * ((20 << 20) + 1), 413, "20 MB"),
    ],
    ids=["empty", "garbage", "cut", "large"],
)
def test_what_is_no_picture_gets_a_line(server, body, status, says):
    answer = ask(server, "/read", body)
    assert answer[0] == status
    error = json.loads(answer[2])["error"]
    assert says in error and "\n" not in error


def test_a_decompression_bomb_is_refused_at_once(server):
    # 1 GB of one grey in a file of a megabyte.
    bomb = png(np.zeros((16_000, 16_000), np.uint8))
    start = time.monotonic()
    status, _, body = ask(server, "/read", bomb)
    assert status == 422, body
    assert "pixels" in json.loads(body)["error"]
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "[::1", ""])
def test_another_hosts_name_is_refused(server, host):
    assert ask(server, "/health", Host=host)[0] == 421


def test_other_sites_are_refused_and_the_own_page_is_not(server):
    body = png(numbers())
    assert ask(server, "/read", body, Origin="http://evil.example")[0] == 403
    assert ask(server, "/read", body, Origin="null")[0] == 403
    assert ask(server, "/read", body, Origin=f"http://127.0.0.1:{server.port}")[0] == 200


def test_unknown_paths_and_methods_get_json(server):
    assert ask(server, "/../../etc/passwd")[0] == 404
    assert ask(server, "/static/../app.py")[0] == 404
    status, _, body = ask(server, "/read")
    assert status == 405 and "error" in json.loads(body)


def test_openapi_names_what_is_served(server):
    paths = json.loads(ask(server, "/openapi.json")[2])["paths"]
    assert set(paths) == {"/read", "/teach", "/events", "/video", "/health"}
    assert ask(server, "/docs")[0] == 200
    assert json.loads(ask(server, "/health")[2])["source"] == "demo"


def follow(address, path, take):
    """Opens an endless answer and gives what `take` takes of it."""
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", path)
        return take(connection.getresponse())


def readings(answer, count):
    lines = iter(answer.readline, b"")
    found = (json.loads(line[6:]) for line in lines if line.startswith(b"data: "))
    return [next(found) for _ in range(count)]


def test_viewers_get_readings_and_frames_of_one_source(server):
    found = follow(server, "/events", lambda answer: readings(answer, 5))
    frames = [each["frame"] for each in found]
    assert frames == sorted(set(frames))
    assert set(found[0]) >= {"text", "digits", "fps", "time"}

    def jpeg(answer):
        assert answer.headers["content-type"].startswith("multipart/x-mixed-replace")
        assert answer.readline() == b"--frame\r\n"
        assert answer.readline() == b"Content-Type: image/jpeg\r\n"
        size = int(answer.readline().split()[1])
        assert re.fullmatch(rb"X-Frame: \d+\r\n", answer.readline())
        answer.readline()
        return cv2.imdecode(np.frombuffer(answer.read(size), np.uint8), cv2.IMREAD_COLOR)

    assert follow(server, "/video", jpeg).shape == (720, 1280, 3)


def wait_for_viewers(address, count):
    end = time.monotonic() + 20
    while (found := json.loads(ask(address, "/health")[2])["viewers"]) != count:
        assert time.monotonic() < end, found
        time.sleep(0.05)


def test_nobody_watches_and_no_frame_is_read(server):
    last = follow(server, "/events", lambda answer: readings(answer, 1))[0]["frame"]
    wait_for_viewers(server, 0)
    time.sleep(1.0)
    after = follow(server, "/events", lambda answer: readings(answer, 1))[0]["frame"]
    # The view that was there is shown at once; at 30 frames a second 30 more would have been read.
    assert after - last < 20


def test_a_video_that_ends_ends_its_streams(tmp_path):
    write_video(tmp_path / "clip.avi", [60, 90, 120])
    with serving(f"--source={tmp_path / 'clip.avi'}") as (_, address):
        lines = follow(address, "/events", lambda answer: answer.read().count(b"data: "))
        assert lines >= 1
        assert json.loads(ask(address, "/health")[2])["live"] is False
        status, _, body = ask(address, "/events")
        assert status == 410 and "ended" in json.loads(body)["error"]


def test_a_viewer_that_takes_nothing_holds_up_nobody(server):
    idle = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=60) for _ in range(3)]
    with contextlib.ExitStack() as stack:
        for each in idle:
            stack.enter_context(contextlib.closing(each))
            each.request("GET", "/video")
        follow(server, "/events", lambda answer: readings(answer, 20))
        assert json.loads(ask(server, "/read", png(numbers()))[2])["text"] == "3147"


def open_video(address):
    """A connection that takes nothing of the live view until it is read from."""
    viewer = socket.socket()
    # A phone's network holds little; this machine's own would hold megabytes.
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 10)
    viewer.settimeout(30)
    viewer.connect(("127.0.0.1", address.port))
    viewer.sendall(b"GET /video HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return viewer


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="the system has no such limit")
def test_a_viewer_that_was_slow_sees_what_is_new(server):
    with open_video(server) as viewer:
        before = follow(server, "/events", lambda answer: readings(answer, 40))[-1]["frame"]
        answer, found = viewer.makefile("rb"), []
        while not found or found[-1] < before:
            line = answer.readline()
            if line.startswith(b"X-Frame: "):
                found.append(int(line.split()[1]))
    # What was on its way, and no more.
    assert len(found) < 8


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_viewer_that_takes_nothing_is_cut_and_one_that_takes_little_is_not():
    patience = "from digits_tf.web import connection; connection.GONE_S = 1.0"
    with contextlib.ExitStack() as stack:
        process, address = stack.enter_context(serving("--source=demo", first=patience))
        gone, slow = (stack.enter_context(open_video(address)) for _ in range(2))
        silent = stack.enter_context(socket.create_connection(("127.0.0.1", address.port), 30))
        silent.sendall(b"GET /")
        end = time.monotonic() + 3
        while time.monotonic() < end:
            assert slow.recv(20_000)
            time.sleep(0.2)
        wait_for_viewers(address, 1)
        for each in (gone, silent):
            with contextlib.suppress(ConnectionResetError):
                while each.recv(1 << 20):  # what was on its way
                    pass
        # The end does not wait for the other, and nobody need hear of either.
        stack.enter_context(open_video(address))
        wait_for_viewers(address, 2)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) in (0, 130)
        assert "ERROR" not in process.stderr.read()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_signal_ends_it_while_a_picture_arrives():
    with (
        serving() as (process, address),
        socket.create_connection(("127.0.0.1", address.port), 10) as client,
    ):
        head = b"POST /read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
        client.sendall(head + b"half")
        ask(address, "/health")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) in (0, 130)
        assert b"503" in client.recv(1 << 16)
        assert "Traceback" not in process.stderr.read()


def test_whoever_never_ends_a_second_request_is_cut_too():
    """Otherwise such connections would take all the room there is, one after the other."""
    patience = "from digits_tf.web import connection; connection.GONE_S = 1.0"
    with (
        serving(first=patience) as (_, address),
        socket.create_connection(("127.0.0.1", address.port), 10) as client,
    ):
        client.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 200")
        end = time.monotonic() + 10
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < end:
                client.sendall(b"GET /")
                time.sleep(0.2)
        assert time.monotonic() < end


def test_pictures_are_shown_one_after_the_other_and_again(tmp_path, monkeypatch):
    from digits_tf.annotators import Overlay
    from digits_tf.camera.display import StatusLine
    from digits_tf.camera.loop import Loop
    from digits_tf.camera.smoother import Smoother
    from digits_tf.camera.sources import CameraSettings, open_source
    from digits_tf.web import live

    monkeypatch.setattr(live, "_PICTURE_S", 0.2)
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(png(numbers()))
    (tmp_path / "3.png").write_bytes(b"none")
    messages = []
    source = open_source(str(tmp_path), CameraSettings(colour=True), messages.append)
    source.repeats = True

    async def watch():
        broadcast = live.Broadcast(asyncio.get_running_loop())
        parts = Recognizer.load(), broadcast, StatusLine(), Smoother(0.5), Overlay()
        thread = live.Thread(Loop(source, *parts).run, broadcast)
        thread.start()
        shown, start = [], time.monotonic()
        async for view in broadcast.views():
            if not shown or view.reading["path"] != shown[-1]:
                shown.append(view.reading["path"])
            if len(shown) == 5:
                break
        broadcast.end()
        await asyncio.to_thread(thread.join, 10)
        return shown, time.monotonic() - start, thread.failure

    shown, seconds, failure = asyncio.run(asyncio.wait_for(watch(), 30))
    assert [path.rpartition("/")[2] for path in shown] == ["1.png", "2.png"] * 2 + ["1.png"]
    assert (failure, len(messages)) == ("", 1)
    assert 4 * 0.2 <= seconds < 10


def test_two_hundred_clients_at_once_half_of_them_misbehaving(server):
    good, statuses, lock = png(numbers()), [], threading.Lock()
    end = time.monotonic() + 90

    def client(number):
        body = good if number % 2 else [b"", b"\0" * 5000, good[:200], b"GIF89a" * 50][number % 4]
        # One that is told to wait tries again, as the answer says.
        while (status := ask(server, "/read", body)[0]) == 503 and time.monotonic() < end:
            time.sleep(1.0)
        with lock:
            statuses.append((number % 2, status))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(statuses) == 200
    assert set(statuses) == {(1, 200), (0, 422)}


def test_an_address_of_the_network_asks_for_the_token():
    with serving("--host=0.0.0.0") as (_, address):
        token = urllib.parse.parse_qs(address.query)["token"][0]
        assert len(token) > 20
        status, _, body = ask(address, "/health")
        assert status == 401 and "token" in json.loads(body)["error"]
        assert ask(address, "/health", Authorization="Bearer wrong")[0] == 401
        assert ask(address, "/health?token=wrong")[0] == 401
        assert ask(address, "/health", Authorization=f"Bearer {token}")[0] == 200
        status, headers, _ = ask(address, f"/?token={token}")
        assert (status, headers["location"]) == (303, "/")
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie
        assert ask(address, "/health", Cookie=cookie.partition(";")[0])[0] == 200
        assert ask(address, "/events", Authorization=f"Bearer {token}")[0] == 404


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_signal_ends_it_while_someone_watches():
    with serving("--source=demo") as (process, address):
        connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", "/events")
            readings(connection.getresponse(), 1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) in (0, 130)
        assert "Traceback" not in process.stderr.read()


def test_a_port_in_use_and_a_missing_source_are_said_in_a_line(server, tmp_path):
    result = run("digits_tf.web", f"--port={server.port}")
    assert_one_line_error(result, str(server.port), "try another --port")
    result = run("digits_tf.web", f"--source={tmp_path / 'none.mp4'}")
    assert_one_line_error(result, "none.mp4")


def test_a_body_that_never_ends_is_given_up(monkeypatch):
    from starlette.exceptions import HTTPException

    from digits_tf.web import reader

    class Request:
        async def stream(self):
            while True:
                yield b"x"
                await asyncio.sleep(0.01)

    monkeypatch.setattr(reader, "_BODY_S", 0.1)
    recognizer = Recognizer.load()
    with pytest.raises(HTTPException) as caught:
        asyncio.run(reader.Reader(recognizer).read(Request(), crops=False))
    assert caught.value.status_code == 408


# In a browser

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with api.sync_playwright() as driver:
        words = ["--no-sandbox", "--disable-dev-shm-usage"]
        try:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=words)
        except api.Error as error:
            pytest.skip(f"{CHROMIUM} does not start: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def page(browser, server):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    problems = page.problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: line.type == "error" and problems.append(line.text))
    page.goto(f"http://127.0.0.1:{server.port}/")
    yield page
    page.close()
    assert problems == []


def draw_seven(page):
    page.get_by_role("tab", name="Draw").click()
    area = page.locator("#board").bounding_box()
    points = [(0.4, 0.25), (0.6, 0.25), (0.5, 0.75)]
    x, y = (
        [area[k] + area[s] * p[i] for p in points]
        for i, k, s in ((0, "x", "width"), (1, "y", "height"))
    )
    page.mouse.move(x[0], y[0])
    page.mouse.down()
    for place in zip(x[1:], y[1:], strict=True):
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def test_a_digit_drawn_with_the_mouse_is_read(page):
    from playwright.sync_api import expect

    draw_seven(page)
    expect(page.locator("#text")).to_have_text("7", timeout=20_000)
    expect(page.locator("#digits li .crop")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#text")).to_have_text("")


def test_a_drawn_digit_is_put_right(page, home):
    from playwright.sync_api import expect

    draw_seven(page)
    expect(page.locator("#text")).to_have_text("7", timeout=20_000)
    page.get_by_role("button", name="Put right").click()
    expect(page.get_by_role("dialog", name="What is this?")).to_be_visible()
    page.get_by_role("button", name="4", exact=True).click()
    expect(page.locator("#taught-words")).to_have_text("Kept as a 4. Your own digits: 1.")
    assert [entry.name for entry in Collection(home / "own").entries()] == ["4"]
    # By the keyboard, too, and away again.
    page.get_by_role("button", name="Put right").click()
    page.keyboard.press("2")
    expect(page.locator("#taught-words")).to_contain_text("Kept as a 2.")
    own = Collection(home / "own")
    assert own.entries()[-1].name == "2"
    page.locator("#untaught").click()
    expect(page.locator("#taught-words")).to_contain_text("Taken back.")
    while own.undo():
        pass


def test_a_digit_of_the_live_view_is_put_right(page, home):
    from playwright.sync_api import expect

    expect(page.locator("#digits .wrong").first).to_be_visible(timeout=20_000)
    # The cards stand still while the mouse is over them.
    page.locator("#digits").hover()
    page.locator("#digits .wrong").first.click(timeout=20_000)
    page.keyboard.press("x")
    expect(page.locator("#taught-words")).to_have_text("Kept as no digit. Your own digits: 1.")
    assert [entry.name for entry in Collection(home / "own").entries()] == ["x"]
    page.locator("#untaught").click()
    expect(page.locator("#taught-words")).to_have_text("Taken back. Your own digits: 0.")


def test_a_chosen_picture_is_read(page, tmp_path):
    from playwright.sync_api import expect

    file = tmp_path / "row.png"
    file.write_bytes(png(numbers()))
    page.get_by_role("tab", name="Picture").click()
    page.locator("#choose").set_input_files(file)
    expect(page.locator("#text")).to_have_text("3147", timeout=20_000)
    file.write_bytes(b"none")
    page.locator("#choose").set_input_files(file)
    expect(page.locator("#error")).to_contain_text("picture", timeout=20_000)
    # The browser tells of the refusal, too.
    assert [line for line in page.problems if "422" not in line] == []
    page.problems.clear()


def test_the_live_view_shows_frames_and_readings(page):
    from playwright.sync_api import expect

    expect(page.get_by_role("tab", name="Live")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#rate")).to_contain_text("frames per second", timeout=20_000)
    stream = page.locator("#stream")
    expect(stream).to_have_js_property("naturalWidth", 1280, timeout=20_000)


def test_a_page_that_nobody_sees_does_not_watch(page, server):
    def see(hidden):
        page.evaluate(
            "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, "
            "configurable: true}); document.dispatchEvent(new Event('visibilitychange')); }",
            hidden,
        )

    wait_for_viewers(server, 2)
    see(hidden=True)
    wait_for_viewers(server, 0)
    see(hidden=False)
    wait_for_viewers(server, 2)


def test_a_number_is_not_broken_over_two_lines(page):
    from playwright.sync_api import expect

    page.get_by_role("tab", name="Picture").click()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for name in ("page", "row"):
            read = text(Recognizer.load().read(ROOT / "samples" / f"{name}.jpg"))
            page.locator("#choose").set_input_files(ROOT / "samples" / f"{name}.jpg")
            expect(page.locator("#text")).to_have_text(read, timeout=20_000)
            tops = page.locator("#text").evaluate(
                "e => { const r = document.createRange(); r.selectNodeContents(e); "
                "return [...r.getClientRects()].filter(b => b.width).map(b => b.top); }"
            )
            assert len(set(tops)) == len(read.splitlines())
        # Nothing is wider than the page.
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_chinese_where_the_browser_asks_for_it(browser, server):
    page = browser.new_page(locale="zh-CN")
    page.goto(f"http://127.0.0.1:{server.port}/")
    assert page.get_by_role("tab", name="手写").is_visible()
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    page.close()


def test_one_digit_is_one_card(server):
    body = png(one(5, rng(3)).on(230))
    assert json.loads(ask(server, "/read", body)[2])["text"] == "5"
