"""Where readings are shown: `Lines` prints them; `window.Window` is the other display."""

import abc
import dataclasses
import enum
import json
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits_tf.camera.sources import Frame
from digits_tf.recognition import Digit, text
from digits_tf.recognition.digit import as_json
from digits_tf.runtime import printable

# How long the window shows a message.
_MESSAGE_S = 4.0


@dataclasses.dataclass(frozen=True, eq=False)
class FrameResult:
    """A frame and what was read in it.

    Attributes:
        frame: the frame.
        index: of the frame, from 0.
        digits: in reading order.
        fps: frames per second; 0.0 where there is no rate.
        milliseconds: how long each stage took: "capture", "find", "net" and, where results are
            drawn, "draw".
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

    def as_json(self) -> dict[str, Any]:
        """Returns the reading as `python -m digits_tf.predict --json` has it, with time and rate.

        "time" is in seconds since the first frame, "ms" the time that reading took.
        """
        path = {"path": self.frame.path} if self.frame.path else {}
        times = self.milliseconds
        return path | {
            "time": round(self.frame.seconds, 3),
            "frame": self.index,
            "text": self.text,
            "digits": [as_json(digit) for digit in self.digits],
            "fps": round(self.fps, 1),
            "ms": round(times.get("find", 0.0) + times.get("net", 0.0), 2),
        }


class Changes:
    """Tells which results are news."""

    def __init__(self) -> None:
        self._last: str | None = None

    def has(self, result: FrameResult) -> bool:
        """Returns whether it reads differently from the one before, or is a picture file's."""
        before, self._last = self._last, result.text
        return bool(result.frame.path) or self._last != before


class Action(enum.Enum):
    """What the user asks for by a key."""

    QUIT = enum.auto()
    PAUSE = enum.auto()
    NEXT = enum.auto()
    SAVE = enum.auto()
    RECORD = enum.auto()
    SWITCH_CAMERA = enum.auto()


class Display(abc.ABC):
    """Shows results.

    Attributes:
        draws: whether it shows pictures with the digits drawn onto them.
        badge: a word to show with each result, such as that it is being recorded.
    """

    draws = False
    badge = ""

    @abc.abstractmethod
    def show(self, result: FrameResult, picture: NDArray[np.uint8] | None) -> None:
        """Shows a result.

        Args:
            result: a frame and what was read in it.
            picture: uint8 (h, w, 3), BGR, from `Overlay.draw`; None if nothing is drawn.
        """

    @abc.abstractmethod
    def wait(self, seconds: float) -> Action | None:
        """Waits, at most until the user asks for an action; returns that."""

    def close(self) -> None:
        """Closes the display; may be called twice."""
        return


class Lines(Display):
    """Prints a line on standard output: a JSON object, or the digits alone.

    Args:
        every_frame: whether to print a line for each frame, or only where the reading changes. A
            picture file always gets a line.
        plain: whether to print for people: "9 1 3 5", with " / " between lines of text.
    """

    def __init__(self, every_frame: bool, plain: bool = False):
        self._every_frame, self._plain = every_frame, plain
        self._changes = Changes()

    def show(self, result: FrameResult, picture: NDArray[np.uint8] | None = None) -> None:
        """Prints the result, unless it reads the same as the one before."""
        if self._every_frame or self._changes.has(result):
            print(_plain(result) if self._plain else _json(result), flush=True)

    def wait(self, seconds: float) -> None:
        """Sleeps: there are no keys."""
        # Even a sleep of no time costs more than the rest of the loop's own work.
        if seconds > 0:
            time.sleep(seconds)


def _json(result: FrameResult) -> str:
    return json.dumps(result.as_json(), ensure_ascii=False)


def _plain(result: FrameResult) -> str:
    path = f"{printable(result.frame.path)}: " if result.frame.path else ""
    lines = [" ".join(line) for line in result.text.splitlines()]
    return path + (" / ".join(lines) or "no digit")


class StatusLine:
    """Prints messages on standard error and keeps the last one for the window."""

    def __init__(self) -> None:
        self._last, self._until = "", 0.0

    def notify(self, message: str) -> None:
        """Prints a message of one line; a window shows it for some seconds too."""
        self._last, self._until = message, time.monotonic() + _MESSAGE_S
        print(message, file=sys.stderr, flush=True)

    def current(self) -> str:
        """Returns the last message while it is new, else an empty text."""
        return self._last if time.monotonic() < self._until else ""
