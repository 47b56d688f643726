"""Whether there is a display is known before anything is risked."""

import ctypes
import socket
import struct
import sys
import threading
import types

import cv2
import pytest

from digits_tf.camera import screen


@pytest.fixture
def no_display(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XAUTHORITY", str(tmp_path / "none"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("framework", "platform", "names", "expected"),
    [
        ("", "linux", ["DISPLAY"], False),
        ("", "win32", [], False),
        ("QT", "linux", [], False),
        ("QT", "linux", ["DISPLAY"], True),
        ("QT", "linux", ["WAYLAND_DISPLAY"], False),
        ("GTK3", "linux", ["WAYLAND_DISPLAY"], True),
        ("GTK3", "linux", ["DISPLAY"], True),
        ("GTK3", "linux", [], False),
        ("WIN32", "win32", [], True),
        ("COCOA", "darwin", [], True),
    ],
)
def test_a_window_needs_opencv_and_a_display(
    no_display, monkeypatch, framework, platform, names, expected
):
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: framework, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(screen, "_greeting", lambda display: display == ":0")
    for name in names:
        monkeypatch.setenv(name, ":0")
    assert screen.has_display() is expected


@pytest.mark.parametrize(("value", "expected"), [("GTK3", True), ("NONE", False), ("", False)])
def test_an_old_opencv_is_asked_for_its_report(no_display, monkeypatch, value, expected):
    report = f"\n  Version: 4.6\n\n  GUI:                           {value}\n    GTK+: YES\n"
    monkeypatch.delattr(cv2, "currentUIFramework", raising=False)
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: report)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert screen.has_display() is expected


@pytest.mark.parametrize("display", [":4711", "localhost:4711.0", "junk", ":", ":99999999", "a:b"])
def test_a_display_that_is_gone_is_none(no_display, monkeypatch, display):
    """DISPLAY outlives its server in tmux and ssh; OpenCV would abort the process."""
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "QT", raising=False)
    monkeypatch.setenv("DISPLAY", display)
    assert not screen.has_display()


class Server:
    """An X server as far as its door: lets in who knows the password."""

    def __init__(self, password):
        self.password, self.listener = password, socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    def connect(self, host, number):
        return socket.create_connection(self.listener.getsockname())

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                order, major, name, data = struct.unpack("<BxHxxHHxx", connection.recv(12))
                assert (order, major) == (ord("l"), 11)
                rest = connection.recv(200) if name else b""
                start = -(-name // 4) * 4
                good = rest[start : start + data] == self.password
                connection.sendall(bytes([good]) + bytes(7))


@pytest.fixture
def serve(monkeypatch):
    servers = []

    def start(password):
        server = Server(password)
        servers.append(server)
        monkeypatch.setattr(screen, "_connect", server.connect)

    yield start
    for server in servers:
        server.listener.close()


def entry(number, kind, password):
    """A line of an Xauthority file."""
    fields = (socket.gethostname().encode(), number, kind, password)
    return struct.pack(">H", 256) + b"".join(struct.pack(">H", len(each)) + each for each in fields)


def test_the_password_of_the_display_is_found(no_display, serve, monkeypatch, tmp_path):
    password = bytes(range(16))
    serve(password)
    assert not screen._greeting(":5")
    kind = b"MIT-MAGIC-COOKIE-1"
    others = entry(b"4", kind, bytes(16)) + entry(b"5", b"XDM-AUTHORIZATION-1", bytes(16))
    path = tmp_path / "authority"
    monkeypatch.setenv("XAUTHORITY", str(path))
    path.write_bytes(others)
    assert not screen._greeting(":5")
    path.write_bytes(others + entry(b"5", kind, password))
    assert screen._greeting(":5.0")
    path.write_bytes((others + entry(b"5", kind, password))[:-3])
    assert not screen._greeting(":5")


# A server's greeting as Xvfb sends it: a vendor of 20 letters, 7 pixel formats, a screen.
GREETING = (
    struct.pack("<BxHHHIIII", 1, 11, 0, 65, 12101007, 0x200000, 0x1FFFFF, 256)
    + struct.pack("<HHBBBBBBBB4x", 20, 65535, 1, 7, 0, 0, 32, 32, 8, 255)
    + b"The X.Org Foundation"
    + 7 * struct.pack("<BBB5x", 24, 32, 32)
    + struct.pack("<IIIIIHHHH", 0x50A, 0x20, 0xFFFFFF, 0, 0, 1366, 768, 361, 203)
)
GREETING += bytes(8 + 4 * 65 - len(GREETING))


@pytest.mark.parametrize(
    ("greeting", "expected"), [(GREETING, (1366, 768)), (GREETING[:100], None), (b"", None)]
)
def test_the_display_says_how_large_it_is(no_display, monkeypatch, greeting, expected):
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(screen, "_connect", lambda host, number: ours)
    monkeypatch.setenv("DISPLAY", ":5")
    with theirs:
        theirs.sendall(greeting)
        theirs.shutdown(socket.SHUT_WR)
        assert screen.screen_size() == expected


def test_no_display_has_no_size(no_display):
    assert screen.screen_size() is None


def test_other_systems_are_asked_for_their_size(monkeypatch):
    def metrics(which):
        return (1536, 864)[which]

    windows = types.SimpleNamespace(user32=types.SimpleNamespace(GetSystemMetrics=metrics))
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "windll", windows, raising=False)
    assert screen.screen_size() == (1536, 864)
    mac = types.SimpleNamespace(
        CGMainDisplayID=lambda: 7,
        CGDisplayPixelsWide=lambda which: 1440 * (which == 7),
        CGDisplayPixelsHigh=lambda which: 900 * (which == 7),
    )
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda path: mac)
    assert screen.screen_size() == (1440, 900)
    mac.CGMainDisplayID = lambda: 0  # over ssh
    assert screen.screen_size() is None


def test_an_open_door_needs_no_password(no_display, serve):
    serve(b"")
    assert screen._greeting(":5")
