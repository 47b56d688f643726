"""A window of OpenCV's, and its keys."""

import os
import sys
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from digits_tf.camera.display import Display, Notices, View, Wish
from digits_tf.camera.screen import screen_size
from digits_tf.camera.window import cards
from digits_tf.camera.window.cards import GROUND
from digits_tf.errors import DigitsError

_TITLE = "digits"
_WISHES = {
    "q": Wish.END,
    "\x1b": Wish.END,
    " ": Wish.HOLD,
    "s": Wish.SAVE,
    "r": Wish.RECORD,
    "c": Wish.CAMERA,
}
# Pixels: a screen whose size nobody knows, and what frames, bars and docks of a desktop take.
_UNKNOWN_SCREEN = (1280, 720)
_DESKTOP = (16, 80)


class Window(Display):
    """Shows the frame with its reading and a panel beside it.

    Make one only where `screen.has_display` is true: without a display OpenCV ends the process.

    Args:
        stages: gives the pictures of what the detector saw of the last frame, by name.
        notices: what the user is told.

    Raises:
        DigitsError: if OpenCV cannot open it.
    """

    draws = True

    def __init__(self, stages: Callable[[], Mapping[str, np.ndarray]], notices: Notices):
        self._stages, self._notices = stages, notices
        self._shows_stages = self._shows_keys = False
        self._shown: tuple[View, np.ndarray] | None = None
        self._canvas: np.ndarray | None = None
        self._note, self._size = "", (0, 0)
        # The wheels' Qt complains, dozens of times, of fonts that it does not need here.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
        try:
            # Without OpenCV's own buttons and status line.
            flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
            cv2.namedWindow(_TITLE, flags)
        except cv2.error as error:
            reason = str(error).strip().splitlines()[-1]
            raise DigitsError(f"no window can be opened ({reason}): add --headless") from None

    def show(self, view: View, picture: np.ndarray | None) -> None:
        """Draws the view."""
        if picture is not None:
            self._shown = view, picture
            self._draw()

    def wait(self, seconds: float) -> Wish | None:
        """Waits for a key; those that only change what is shown are done with here."""
        key = cv2.waitKey(max(1, round(1000 * seconds)))
        try:
            closed = cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # some window systems know nothing of a window that is closed
            closed = True
        if closed:
            return Wish.END
        letter = chr(key & 0xFF).lower() if key >= 0 else ""
        if letter == "d":
            self._shows_stages = not self._shows_stages
        elif letter == "f":
            self._toggle_full_screen()
        elif letter and letter in "?h":
            self._shows_keys = not self._shows_keys
        elif letter:
            return _WISHES.get(letter, Wish.NEXT)
        if letter or self._note != self._notices.current() or self._size != _size():
            self._draw()
        return None

    def close(self) -> None:
        """Closes the window."""
        cv2.destroyAllWindows()

    def _draw(self) -> None:
        if self._shown is None:
            return
        view, picture = self._shown
        height, width = picture.shape[:2]
        if self._canvas is None:
            self._canvas = np.zeros((height, width + cards.WIDTH, 3), np.uint8)
            cv2.resizeWindow(_TITLE, *fitting((width + cards.WIDTH, height), screen_size()))
        left, right = self._canvas[:, :width], self._canvas[:, width:]
        if self._shows_stages:
            cards.draw_stages(left, self._stages())
        else:
            left[:] = picture
        if self._shows_keys:
            cards.draw_keys(left)
        self._note = self._notices.current()
        if self._note or view.frame.path:
            cards.draw_line(left, self._note or view.frame.path)
        cards.draw(right, view, self.badge)
        self._size = _size()
        cv2.imshow(_TITLE, _with_bars(self._canvas, self._size))

    def _toggle_full_screen(self) -> None:
        try:
            full = cv2.getWindowProperty(_TITLE, cv2.WND_PROP_FULLSCREEN) == cv2.WINDOW_FULLSCREEN
            state = cv2.WINDOW_NORMAL if full else cv2.WINDOW_FULLSCREEN
            cv2.setWindowProperty(_TITLE, cv2.WND_PROP_FULLSCREEN, state)
        except cv2.error:
            self._notices.tell("this OpenCV has no full screen")


def fitting(wanted: tuple[int, int], screen: tuple[int, int] | None) -> tuple[int, int]:
    """The size of a window that fits the screen, as wide for its height as what it shows.

    Args:
        wanted: width and height of what it shows, pixels.
        screen: width and height, pixels; None: unknown.

    Returns:
        Width and height in pixels, at most those wanted.
    """
    width, height = screen or _UNKNOWN_SCREEN
    if width > 2.5 * height:  # probably two monitors side by side
        width = height * 16 // 9
    scale = min(1.0, (width - _DESKTOP[0]) / wanted[0], (height - _DESKTOP[1]) / wanted[1])
    return max(1, int(scale * wanted[0])), max(1, int(scale * wanted[1]))


def _size() -> tuple[int, int]:
    """Width and height of the window's inside; below 1 if they are of no matter, or unknown."""
    # Qt and GTK keep the aspect, and say how large the picture is, not the inside.
    if sys.platform.startswith("linux"):
        return 0, 0
    try:
        return cv2.getWindowImageRect(_TITLE)[2:]
    except cv2.error:
        return 0, 0


def _with_bars(canvas: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The canvas as wide for its height as the window, for systems that stretch it."""
    height, width = canvas.shape[:2]
    if min(size) < 1:
        return canvas
    x = max(0, round(height * size[0] / size[1]) - width)
    y = max(0, round(width * size[1] / size[0]) - height)
    # Of less than a hundredth, the window's size was rounded.
    if x <= width // 100 and y <= height // 100:
        return canvas
    return cv2.copyMakeBorder(
        canvas, y // 2, y - y // 2, x // 2, x - x // 2, cv2.BORDER_CONSTANT, value=GROUND
    )
