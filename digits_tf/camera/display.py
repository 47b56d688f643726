"""Where readings are shown: a window, or printed lines."""

import abc
import dataclasses
import enum
import os
import sys

import cv2
import numpy as np

from digits_tf.camera.overlay import annotate
from digits_tf.camera.reading import Reading
from digits_tf.errors import DigitsError

_TITLE = "digits"
_ESCAPE = 27
# A window on a 1920x1080 frame would cover the whole of most screens.
_LARGEST_WINDOW = (1280, 720)


@dataclasses.dataclass(frozen=True)
class View:
    """What there is to show.

    Attributes:
        frame: uint8 (h, w, 3), BGR.
        reading: what was read in it.
        fps: frames per second, 0.0 where that says nothing.
        seconds: since the start.
        caption: the name of a picture; empty for a frame of a stream.
    """

    frame: np.ndarray
    reading: Reading
    fps: float
    seconds: float
    caption: str = ""

    def annotated(self) -> np.ndarray:
        """The frame with what was read drawn onto it, see `overlay.annotate`."""
        return annotate(self.frame, self.reading, self.fps)


class Wish(enum.Enum):
    """What the user wants."""

    NOTHING = enum.auto()
    NEXT = enum.auto()
    END = enum.auto()


class Display(abc.ABC):
    """Shows views."""

    @abc.abstractmethod
    def show(self, view: View) -> Wish:
        """Shows a view and says what the user wants."""

    @abc.abstractmethod
    def wait(self) -> Wish:
        """Leaves it standing for a moment and says what the user wants."""

    def close(self) -> None:
        """Takes it off the screen; may be called twice."""
        return


class Lines(Display):
    """Prints a line for each picture and for each change in a stream."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._started = False

    def show(self, view: View) -> Wish:
        """Prints the view, unless it is as the one before."""
        if view.caption:
            print(f"{view.caption}  {view.reading}".rstrip(), flush=True)
        elif not self._started or view.reading.digit != self._last:
            rate = f"{view.fps:5.0f} FPS" if view.fps else ""
            print(f"{view.seconds:5.1f} s  {view.reading}{rate}".rstrip(), flush=True)
        self._started, self._last = True, view.reading.digit
        return Wish.NEXT

    def wait(self) -> Wish:
        """Nobody looks: goes on."""
        return Wish.NEXT


class Window(Display):
    """A window; ESC, q or closing it ends, any other key goes on to the next picture.

    Make one only where `has_display` is true: without a display OpenCV ends the process.

    Raises:
        DigitsError: if OpenCV cannot open it.
    """

    def __init__(self) -> None:
        # The wheels' Qt complains, dozens of times, of fonts that it does not need here.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
        try:
            cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as error:
            reason = str(error).strip().splitlines()[-1]
            raise DigitsError(f"no window can be opened ({reason}): add --headless") from None
        self._size: tuple[int, int] | None = None

    def show(self, view: View) -> Wish:
        """Draws the view."""
        frame = view.annotated()
        if self._size is None:
            self._size = frame.shape[1], frame.shape[0]
            width, height = self._size
            share = min(1.0, _LARGEST_WINDOW[0] / width, _LARGEST_WINDOW[1] / height)
            cv2.resizeWindow(_TITLE, max(1, round(share * width)), max(1, round(share * height)))
        cv2.imshow(_TITLE, frame)
        return self._poll(1)

    def wait(self) -> Wish:
        """Waits for a key, 50 ms."""
        return self._poll(50)

    def close(self) -> None:
        """Closes the window."""
        cv2.destroyAllWindows()

    def _poll(self, milliseconds: int) -> Wish:
        key = cv2.waitKey(milliseconds)
        try:
            closed = cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:  # some window systems know nothing of a window that is closed
            closed = True
        if closed or (key >= 0 and key & 0xFF in (_ESCAPE, ord("q"), ord("Q"))):
            return Wish.END
        return Wish.NOTHING if key < 0 else Wish.NEXT


def has_display() -> bool:
    """Whether a window can be opened. Asks before anything is risked: OpenCV would abort."""
    framework = _framework()
    if not framework:
        return False
    if not sys.platform.startswith("linux"):
        return True
    # Qt in OpenCV's wheels speaks X11 alone and aborts on Wayland without it.
    names = ["DISPLAY"] if framework.startswith("QT") else ["DISPLAY", "WAYLAND_DISPLAY"]
    return any(os.environ.get(name) for name in names)


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
