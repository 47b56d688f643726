"""Whether there is a display to open a window on, and how large it is."""

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2

_TIMEOUT_S = 2.0
_COOKIE = b"MIT-MAGIC-COOKIE-1"
_CORE_GRAPHICS = "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics"


def has_display() -> bool:
    """Whether a window can be opened. Asks before anything is risked: OpenCV would abort."""
    framework = _framework()
    if not framework:
        return False
    if not sys.platform.startswith("linux"):
        return True
    display = os.environ.get("DISPLAY")
    if display and _greeting(display):
        return True
    # Qt in OpenCV's wheels speaks X11 alone and aborts on Wayland without it.
    return not framework.startswith("QT") and bool(os.environ.get("WAYLAND_DISPLAY"))


def screen_size() -> tuple[int, int] | None:
    """Width and height of the display in pixels, as its windows count them; None: unknown.

    Under X11 several monitors are one display.
    """
    try:
        if sys.platform == "win32":
            metrics = ctypes.windll.user32.GetSystemMetrics
            return _known(metrics(0), metrics(1))
        if sys.platform == "darwin":
            graphics = ctypes.CDLL(_CORE_GRAPHICS)
            main = graphics.CGMainDisplayID()
            return _known(graphics.CGDisplayPixelsWide(main), graphics.CGDisplayPixelsHigh(main))
        greeting = _greeting(os.environ.get("DISPLAY", ""))
        # Behind what the server says of itself: its maker's name, pixel formats, the first screen.
        vendor, formats = struct.unpack_from("<H3xB", greeting, 24)
        start = 40 + len(_padded(bytes(vendor))) + 8 * formats
        return _known(*struct.unpack_from("<HH", greeting, start + 20))
    except (AttributeError, OSError, struct.error):
        return None


def _known(width: int, height: int) -> tuple[int, int] | None:
    return (width, height) if width > 0 and height > 0 else None


def _framework() -> str:
    """OpenCV's window system, in capitals; empty if it is built without."""
    if hasattr(cv2, "currentUIFramework"):
        return cv2.currentUIFramework().upper()
    # OpenCV 4.6 tells it only in a report: "  GUI:                           GTK3", or NONE.
    for line in cv2.getBuildInformation().splitlines():
        name, _, value = line.strip().partition(":")
        if name == "GUI":
            return "" if value.strip().upper() in ("", "NONE", "NO") else value.strip().upper()
    return ""


def _greeting(display: str) -> bytes:
    """What an X server says when it lets us in: DISPLAY outlives its server in tmux, ssh and sudo.

    Args:
        display: such as ":0", "localhost:10.0" or "unix:1".

    Returns:
        As the X protocol has it, in little-endian order; empty if there is none or it refuses.
    """
    host, _, rest = display.rpartition(":")
    number = rest.partition(".")[0]
    if not number.isdecimal():
        return b""
    for cookie in (*_cookies(number), b""):
        try:
            with _connect(host, int(number)) as connection:
                name = _COOKIE if cookie else b""
                connection.sendall(
                    struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie))
                    + _padded(name)
                    + _padded(cookie)
                )
                with connection.makefile("rb") as answer:
                    head = answer.read(8)
                    # 0: refused, 1: welcome, 2: it wants to know more.
                    if head[:1] == b"\x01":
                        return head + answer.read(4 * int.from_bytes(head[6:8], "little"))
        except (OSError, OverflowError):
            return b""
    return b""


def _connect(host: str, number: int) -> socket.socket:
    if host not in ("", "unix"):
        return socket.create_connection((host, 6000 + number), _TIMEOUT_S)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_TIMEOUT_S)
    path = f"/tmp/.X11-unix/X{number}"
    try:
        connection.connect(path)
    except OSError:
        # The same name in Linux' abstract space, where a container may lack the file.
        try:
            connection.connect(f"\0{path}")
        except OSError:
            connection.close()
            raise
    return connection


def _cookies(number: str) -> Iterator[bytes]:
    """The passwords that the user's Xauthority file has for a display, by its number."""
    path = os.environ.get("XAUTHORITY")
    try:
        content = (Path(path) if path else Path.home() / ".Xauthority").read_bytes()
    except (OSError, RuntimeError):
        return
    fields: list[bytes] = []
    at = 0
    while at + 2 <= len(content):
        # Entries of a family and four counted strings: address, number, kind, password.
        if len(fields) % 5 == 0:
            fields.append(content[at : at + 2])
            at += 2
            continue
        (length,) = struct.unpack_from(">H", content, at)
        fields.append(content[at + 2 : at + 2 + length])
        at += 2 + length
    for entry in range(0, len(fields) - 4, 5):
        _, _, its_number, kind, password = fields[entry : entry + 5]
        if kind == _COOKIE and its_number in (number.encode(), b""):
            yield password


def _padded(text: bytes) -> bytes:
    return text + bytes(-len(text) % 4)
