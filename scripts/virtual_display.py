"""A display of its own on which a program can be driven and looked at: Xvfb and xdotool."""

import ctypes
import ctypes.util
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import ClassVar

import numpy as np

_TIMEOUT_S = 20.0
_CLIENT_MESSAGE = 33  # X.h
# An X window dump begins with 25 numbers, big-endian; these are the ones of use.
_HEADER_SIZE, _WIDTH, _HEIGHT, _LINE_BYTES, _COLOURS = 0, 4, 5, 12, 19
_COLOUR_BYTES = 12


class _ClientMessage(ctypes.Structure):
    """Xlib's XClientMessageEvent, in the room of an XEvent."""

    _fields_: ClassVar = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 24),
    ]


class VirtualDisplay:
    """An X server without a screen; a context manager.

    Attributes:
        environment: of a process that is to use it.

    Raises:
        RuntimeError: on entering, if Xvfb or xdotool is missing or does not start.
    """

    def __init__(self, width: int = 1680, height: int = 800):
        self._size = width, height
        self.environment: dict[str, str] = {}

    def __enter__(self) -> "VirtualDisplay":
        """Starts the server."""
        for program in ("Xvfb", "xdotool"):
            if shutil.which(program) is None:
                raise RuntimeError(f"{program} is not installed (sudo apt install xvfb xdotool)")
        self._folder = tempfile.TemporaryDirectory()
        ours, theirs = os.pipe()
        width, height = self._size
        # It chooses a free display by itself and keeps its picture in a file.
        command = [
            *("Xvfb", "-displayfd", str(theirs), "-nolisten", "tcp"),
            # Without -noreset it begins anew, and forgets windows, when its last client leaves.
            "-noreset",
            *("-screen", "0", f"{width}x{height}x24", "-fbdir", self._folder.name),
        ]
        self._server = subprocess.Popen(command, pass_fds=[theirs], stderr=subprocess.DEVNULL)
        os.close(theirs)
        with os.fdopen(ours) as pipe:
            number = pipe.readline().strip()
        if not number:
            self.__exit__()
            raise RuntimeError("Xvfb does not start")
        self.environment = {**os.environ, "DISPLAY": f":{number}"}
        # Another window system must not be preferred.
        self.environment.pop("WAYLAND_DISPLAY", None)
        return self

    def __exit__(self, *error: object) -> None:
        """Ends the server."""
        self._server.terminate()
        self._server.wait()
        self._folder.cleanup()

    def window(self, title: str) -> str:
        """Waits for a window, gives it the keyboard, returns its number."""
        end, number = time.monotonic() + _TIMEOUT_S, ""
        # Its own way of waiting fails where a window goes as it looks.
        while not number:
            if time.monotonic() > end:
                raise RuntimeError(f"no window {title!r}")
            words = "search", "--onlyvisible", "--name", f"^{title}$"
            number = self._xdotool(*words, check=False)
        self._xdotool("windowmove", "--sync", number, "0", "0", check=False)
        self._xdotool("windowfocus", "--sync", number)
        return number

    def key(self, name: str) -> None:
        """Presses a key by its X11 name, such as "space"."""
        self._xdotool("key", name)

    def close_window(self, number: str) -> None:
        """Closes a window as its close button does."""
        # xdotool has this only since 2021.
        library = ctypes.util.find_library("X11")
        if library is None:
            raise RuntimeError("libX11 is missing")
        x11 = ctypes.CDLL(library)
        x11.XOpenDisplay.restype = x11.XInternAtom.restype = ctypes.c_void_p
        name = self.environment["DISPLAY"].encode()
        display = ctypes.c_void_p(x11.XOpenDisplay(name))
        protocols, delete = (
            x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")
        )
        event = _ClientMessage(
            type=_CLIENT_MESSAGE, window=int(number), message_type=protocols, format=32
        )
        event.data[0] = delete
        x11.XSendEvent(display, ctypes.c_ulong(int(number)), 0, 0, ctypes.byref(event))
        x11.XCloseDisplay(display)

    def picture(self) -> np.ndarray:
        """What is on the display now, uint8 (h, w, 3), BGR."""
        content = (Path(self._folder.name) / "Xvfb_screen0").read_bytes()
        header = np.frombuffer(content, ">u4", 25)
        start = int(header[_HEADER_SIZE] + header[_COLOURS] * _COLOUR_BYTES)
        width, height = int(header[_WIDTH]), int(header[_HEIGHT])
        line = int(header[_LINE_BYTES])
        pixels = np.frombuffer(content, np.uint8, line * height, start).reshape(height, line)
        return pixels[:, : 4 * width].reshape(height, width, 4)[..., :3].copy()

    def _xdotool(self, *words: str, check: bool = True) -> str:
        result = subprocess.run(
            ["xdotool", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=check,
        )
        return result.stdout.split("\n")[0]
