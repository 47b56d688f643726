"""Where readings are shown; printed lines are one way, `window.Window` is the other."""

import abc
import dataclasses
import enum
import json
import sys
import time

import numpy as np

from digits_tf.camera.sources import Frame
from digits_tf.recognition import Digit, text
from digits_tf.recognition.digit import as_json
from digits_tf.runtime import printable


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """A frame and what was read in it.

    Attributes:
        frame: the frame.
        index: of the frame, from 0.
        digits: in reading order.
        fps: frames per second; 0.0 where that says nothing.
        milliseconds: what each stage took: "capture", "find", "net" and, where pictures are drawn,
            "draw".
    """

    frame: Frame
    index: int
    digits: list[Digit]
    fps: float
    milliseconds: dict[str, float]

    @property
    def text(self) -> str:
        """The numbers that were read, line by line."""
        return text(self.digits)

    def as_json(self) -> dict:
        """The reading as `python -m digits_tf.predict --json` has it, with time and rate.

        "time" is in seconds since the first frame, "ms" from the frame to its reading.
        """
        reading = {"path": self.frame.path} if self.frame.path else {}
        times = self.milliseconds
        return reading | {
            "time": round(self.frame.seconds, 3),
            "frame": self.index,
            "text": self.text,
            "digits": [as_json(digit) for digit in self.digits],
            "fps": round(self.fps, 1),
            "ms": round(times.get("find", 0.0) + times.get("net", 0.0), 2),
        }


class Wish(enum.Enum):
    """What the user wants."""

    END = enum.auto()
    HOLD = enum.auto()
    NEXT = enum.auto()
    SAVE = enum.auto()
    RECORD = enum.auto()
    CAMERA = enum.auto()


class Display(abc.ABC):
    """Shows views.

    Attributes:
        draws: whether it wants a picture with the reading drawn onto it.
        badge: a word to be shown with each view, such as that it is recording.
    """

    draws = False
    badge = ""

    @abc.abstractmethod
    def show(self, view: View, picture: np.ndarray | None) -> None:
        """Shows a view.

        Args:
            view: the frame and its reading.
            picture: uint8 (h, w, 3), BGR, as `Overlay.draw` makes it; None if nothing draws.
        """

    @abc.abstractmethod
    def wait(self, seconds: float) -> Wish | None:
        """Leaves it standing for a time, or until the user wants something; says what."""

    def close(self) -> None:
        """Takes it off the screen; may be called twice."""
        return


class Lines(Display):
    """Prints a line on standard output: a JSON object, or what a person wants to know.

    Args:
        every_frame: whether for each frame, or only where the reading has changed. A picture is
            printed always.
        plain: whether for people: "9 1 3 5", with " / " between lines of text.
    """

    def __init__(self, every_frame: bool, plain: bool = False):
        self._every_frame, self._plain = every_frame, plain
        self._last: str | None = None

    def show(self, view: View, picture: np.ndarray | None = None) -> None:
        """Prints the view, unless it says what the one before said."""
        text = view.text
        if self._every_frame or view.frame.path or text != self._last:
            line = _words(view) if self._plain else json.dumps(view.as_json(), ensure_ascii=False)
            print(line, flush=True)
        self._last = text

    def wait(self, seconds: float) -> None:
        """Nobody looks: sleeps."""
        # Even to sleep for no time costs more than all else that the loop does.
        if seconds > 0:
            time.sleep(seconds)


def _words(view: View) -> str:
    path = f"{printable(view.frame.path)}: " if view.frame.path else ""
    lines = [" ".join(line) for line in view.text.splitlines()]
    return path + (" / ".join(lines) or "no digit")


_SHOWN_S = 4.0


class Notices:
    """Tells lines on standard error, so that standard output stays pure, and keeps the last one."""

    def __init__(self) -> None:
        self._last, self._until = "", 0.0

    def tell(self, line: str) -> None:
        """Prints a line; a window shows it for some seconds too."""
        self._last, self._until = line, time.monotonic() + _SHOWN_S
        print(line, file=sys.stderr, flush=True)

    def current(self) -> str:
        """The last line, while it is fresh; else an empty one."""
        return self._last if time.monotonic() < self._until else ""
