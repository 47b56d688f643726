"""The window, whether a display has room for it, and its keys."""

import ctypes
import os
import sys
from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf.camera import cards
from digits_tf.camera.display import Action, Display, FrameResult, StatusLine
from digits_tf.camera.teaching import Teacher
from digits_tf.errors import DigitsError
from digits_tf.runtime import standard_error

_TITLE = "digits"
_ACTIONS = {
    "q": Action.QUIT,
    "\x1b": Action.QUIT,
    " ": Action.PAUSE,
    "s": Action.SAVE,
    "r": Action.RECORD,
    "c": Action.SWITCH_CAMERA,
}
_LESSONS = "0123456789x"
# Pixels: a screen of unknown size, and what a desktop's frames, bars and docks take.
_UNKNOWN_SCREEN = (1280, 720)
_DESKTOP = (16, 80)
_CORE_GRAPHICS = "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics"


class Window(Display):
    """Shows each frame with its digits, and a panel beside it.

    Make one only if `has_display()`: without a display OpenCV ends the process.

    Args:
        stages: returns pictures of the detector's stages for the last frame, by name.
        status: has messages to show.
        teacher: takes the keys 0 to 9, x and u, and clicks; None: nobody is taught.

    Raises:
        DigitsError: if OpenCV cannot open the window.
    """

    draws = True

    def __init__(
        self,
        stages: Callable[[], Mapping[str, NDArray[np.uint8]]],
        status: StatusLine,
        teacher: Teacher | None = None,
    ):
        self._stages, self._status, self._teacher = stages, status, teacher
        self._shows_stages = self._shows_keys = False
        self._shown: tuple[FrameResult, NDArray[np.uint8]] | None = None
        self._canvas: NDArray[np.uint8] | None = None
        self._message, self._size, self._bars = "", (0, 0), (0, 0)
        # The Qt of OpenCV's wheels prints dozens of warnings about fonts that it does not need.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
        try:
            # Without OpenCV's own buttons and status line.
            flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
            cv2.namedWindow(_TITLE, flags)
        except cv2.error as error:
            reason = str(error).strip().splitlines()[-1]
            raise DigitsError(f"no window can be opened ({reason}): add --headless") from None
        if teacher:
            cv2.setMouseCallback(_TITLE, self._on_mouse)

    def show(self, result: FrameResult, picture: NDArray[np.uint8] | None) -> None:
        """Draws the result."""
        if picture is not None:
            self._shown = result, picture
            self._draw()

    def wait(self, seconds: float) -> Action | None:
        """Waits for a key. Keys that only change the drawing are handled here."""
        key = cv2.waitKey(max(1, round(1000 * seconds)))
        try:
            closed = cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # some window systems do not know a closed window
            closed = True
        if closed:
            return Action.QUIT
        letter = chr(key & 0xFF).lower() if key >= 0 else ""
        if letter == "d":
            self._shows_stages = not self._shows_stages
        elif letter == "f":
            self._toggle_full_screen()
        elif letter and letter in "?h":
            self._shows_keys = not self._shows_keys
        elif self._teacher and self._shown and letter and letter in _LESSONS:
            self._teacher.teach(self._shown[0], letter)
        elif self._teacher and letter == "u":
            self._teacher.undo()
        elif letter:
            return _ACTIONS.get(letter, Action.NEXT)
        if letter or self._message != self._status.current() or self._size != _window_size():
            self._draw()
        return None

    def close(self) -> None:
        """Closes the window."""
        cv2.destroyAllWindows()

    def _on_mouse(self, event: int, x: int, y: int, flags: int, data: object) -> None:
        if event == cv2.EVENT_LBUTTONDOWN and self._teacher and self._shown:
            left, top = self._bars
            self._teacher.choose(self._shown[0], x - left, y - top)

    def _draw(self) -> None:
        if self._shown is None:
            return
        result, picture = self._shown
        height, width = picture.shape[:2]
        if self._canvas is None:
            self._canvas = np.zeros((height, width + cards.WIDTH, 3), np.uint8)
            size = fit((width + cards.WIDTH, height), screen_size())
            cv2.resizeWindow(_TITLE, *size)
        left, right = self._canvas[:, :width], self._canvas[:, width:]
        if self._shows_stages:
            cards.draw_stages(left, self._stages())
        else:
            left[:] = picture
        if self._shows_keys:
            cards.draw_keys(left)
        self._message = self._status.current()
        if self._message or result.frame.path:
            cards.draw_message(left, self._message or result.frame.path)
        cards.draw_panel(right, result, self.badge)
        self._size = _window_size()
        barred = _add_bars(self._canvas, self._size)
        extra = np.subtract(barred.shape, self._canvas.shape)
        self._bars = int(extra[1]) // 2, int(extra[0]) // 2
        cv2.imshow(_TITLE, barred)

    def _toggle_full_screen(self) -> None:
        try:
            full = cv2.getWindowProperty(_TITLE, cv2.WND_PROP_FULLSCREEN) == cv2.WINDOW_FULLSCREEN
            state = cv2.WINDOW_NORMAL if full else cv2.WINDOW_FULLSCREEN
            cv2.setWindowProperty(_TITLE, cv2.WND_PROP_FULLSCREEN, state)
        except cv2.error:
            self._status.notify("this OpenCV has no full screen")


def fit(size: tuple[int, int], screen: tuple[int, int] | None) -> tuple[int, int]:
    """Shrinks a window to fit the screen, with the aspect ratio of its content.

    Args:
        size: width and height of the content, pixels.
        screen: width and height, pixels; None: unknown.

    Returns:
        Width and height in pixels, at most the content's.
    """
    width, height = screen or _UNKNOWN_SCREEN
    if width > 2.5 * height:  # probably two monitors side by side
        width = height * 16 // 9
    scale = min(1.0, (width - _DESKTOP[0]) / size[0], (height - _DESKTOP[1]) / size[1])
    return max(1, int(scale * size[0])), max(1, int(scale * size[1]))


def _window_size() -> tuple[int, int]:
    """Returns width and height inside the window; below 1 if unknown or not needed."""
    # Qt and GTK keep the aspect ratio, and report the size of the picture instead.
    if sys.platform.startswith("linux"):
        return 0, 0
    try:
        _, _, width, height = cv2.getWindowImageRect(_TITLE)
    except cv2.error:
        return 0, 0
    return width, height


def _add_bars(canvas: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Pads the canvas to the aspect ratio of the window, for systems that stretch it."""
    height, width = canvas.shape[:2]
    if min(size) < 1:
        return canvas
    x = max(0, round(height * size[0] / size[1]) - width)
    y = max(0, round(width * size[1] / size[0]) - height)
    # Less than a hundredth comes from rounding the window's size.
    if x <= width // 100 and y <= height // 100:
        return canvas
    left, top = x // 2, y // 2
    padded: NDArray[np.uint8] = cv2.copyMakeBorder(
        canvas, top, y - top, left, x - left, cv2.BORDER_CONSTANT, value=cards.GROUND
    )
    return padded


def has_display() -> bool:
    """Returns whether a window can be opened, so that OpenCV need not abort to say so."""
    framework = _framework()
    if not framework:
        return False
    if not sys.platform.startswith("linux") or _x11_size() is not None:
        return True
    # Qt in OpenCV's wheels can only use X11 and aborts on Wayland without it.
    return not framework.startswith("QT") and bool(os.environ.get("WAYLAND_DISPLAY"))


def screen_size() -> tuple[int, int] | None:
    """Returns width and height of the display in the pixels of its windows; None: unknown.

    Under X11 several monitors are one display.
    """
    try:
        if sys.platform == "win32":
            metrics = ctypes.windll.user32.GetSystemMetrics
            return _positive(metrics(0), metrics(1))
        if sys.platform == "darwin":
            graphics = ctypes.CDLL(_CORE_GRAPHICS)
            main = graphics.CGMainDisplayID()
            return _positive(graphics.CGDisplayPixelsWide(main), graphics.CGDisplayPixelsHigh(main))
        return _x11_size()
    except (AttributeError, OSError):
        return None


def _positive(width: int, height: int) -> tuple[int, int] | None:
    return (width, height) if width > 0 and height > 0 else None


def _x11_size() -> tuple[int, int] | None:
    """Returns width and height of the X11 screen; None if no X server lets us in."""
    # Is set, but without a server, in tmux, ssh and sudo.
    if not os.environ.get("DISPLAY"):
        return None
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        return None
    x11.XOpenDisplay.restype = ctypes.c_void_p
    # Xlib itself prints a line if the server refuses.
    with standard_error():
        display = ctypes.c_void_p(x11.XOpenDisplay(None))
    if not display:
        return None
    screen = x11.XDefaultScreen(display)
    size = x11.XDisplayWidth(display, screen), x11.XDisplayHeight(display, screen)
    x11.XCloseDisplay(display)
    return size


def _framework() -> str:
    """Returns OpenCV's window system, in capitals; empty if it is built without."""
    if hasattr(cv2, "currentUIFramework"):
        return cv2.currentUIFramework().upper()
    # OpenCV 4.6 has it only in a report: "  GUI:                           GTK3", or NONE.
    for line in cv2.getBuildInformation().splitlines():
        name, _, value = line.strip().partition(":")
        if name == "GUI":
            return "" if value.strip().upper() in ("", "NONE", "NO") else value.strip().upper()
    return ""
