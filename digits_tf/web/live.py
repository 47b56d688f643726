"""The live view: one camera and one recogniser for any number of viewers."""

import asyncio
import base64
import contextlib
import dataclasses
import functools
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits_tf.camera.display import Action, Display, FrameResult
from digits_tf.images import import_cv2
from digits_tf.recognition import Digit

# Enough to look right on a projector; half the bytes of OpenCV's 95.
_JPEG_QUALITY = 80
# A viewer that hears nothing for so long is told that the server is still there.
HEARTBEAT_S = 10.0
_NOBODY_S = 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """A frame as viewers get it.

    Attributes:
        jpeg: the picture with what was read drawn onto it.
        reading: as `FrameResult.as_json` gives it.
        digits: the same digits.
    """

    jpeg: bytes = b""
    reading: dict[str, Any] = dataclasses.field(default_factory=dict)
    digits: Sequence[Digit] = ()

    @functools.cached_property
    def reading_with_crops(self) -> dict[str, Any]:
        """The reading with each digit's "crop"; made once for all viewers that want it."""
        return with_crops(self.reading, self.digits)


class Broadcast(Display):
    """Shows readings to everyone who watches in a browser.

    It is the display of a `camera.loop.Loop`, which runs in a thread of its own, while viewers wait
    in the server's event loop. Each gets the newest view when it is ready for one, so that a slow
    viewer misses some and holds up nobody. While nobody watches, no frame is read.

    Args:
        events: the server's event loop.
    """

    draws = True

    def __init__(self, events: asyncio.AbstractEventLoop):
        self._events = events
        self._changed = asyncio.Event()
        self._number, self._view = 0, View()
        self._watched, self._ended = threading.Event(), threading.Event()
        self.viewers = 0

    def show(self, result: FrameResult, picture: NDArray[np.uint8] | None) -> None:
        """Sends a result to all viewers; called by the loop's thread."""
        if picture is None:
            return
        view = View(_jpeg(picture), result.as_json(), result.digits)
        with contextlib.suppress(RuntimeError):  # The server has ended meanwhile.
            self._events.call_soon_threadsafe(self._put, view)

    def wait(self, seconds: float) -> Action | None:
        """Waits for the time, and until somebody watches."""
        if self._ended.wait(seconds) if seconds > 0 else self._ended.is_set():
            return Action.QUIT
        while not self._watched.wait(_NOBODY_S):
            if self._ended.is_set():
                return Action.QUIT
        return None

    def end(self) -> None:
        """Ends the loop and the viewers' streams; a signal handler may call it."""
        self._ended.set()
        with contextlib.suppress(RuntimeError):  # The server has ended meanwhile.
            self._events.call_soon_threadsafe(self._changed.set)

    @contextlib.contextmanager
    def viewer(self) -> Iterator[None]:
        """Counts a viewer for as long as it watches."""
        self.viewers += 1
        self._watched.set()
        try:
            yield
        finally:
            self.viewers -= 1
            if not self.viewers:
                self._watched.clear()

    async def views(self) -> AsyncIterator[View | None]:
        """The newest view, again and again.

        None is given where nothing new has come for `HEARTBEAT_S` seconds. It ends with the loop.
        """
        number = 0
        with self.viewer():
            while not self._ended.is_set():
                if self._number == number:
                    try:
                        await asyncio.wait_for(self._changed.wait(), HEARTBEAT_S)
                    except TimeoutError:
                        yield None
                    continue
                number = self._number
                yield self._view

    def _put(self, view: View) -> None:
        self._number += 1
        self._view = view
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Thread(threading.Thread):
    """Runs a loop beside the server, and keeps what it failed of.

    Args:
        run: what runs until the source or the server ends.
        broadcast: ends with it.
    """

    def __init__(self, run: Callable[[], None], broadcast: Broadcast):
        super().__init__(name="live view", daemon=True)
        self._run, self._broadcast, self.failure = run, broadcast, ""

    def run(self) -> None:
        """Runs; see `threading.Thread`."""
        try:
            self._run()
        # Whatever it is, the page says it; drawing and pictures go on.
        except Exception as error:
            self.failure = str(error)
        finally:
            self._broadcast.end()


def with_crops(reading: dict[str, Any], digits: Sequence[Digit]) -> dict[str, Any]:
    """A reading with each digit's "crop" in it: what the network saw, a PNG in base64."""
    cv2 = import_cv2()
    rows = []
    for row, digit in zip(reading["digits"], digits, strict=True):
        png = cv2.imencode(".png", digit.crop)[1].tobytes()
        rows.append({**row, "crop": base64.b64encode(png).decode()})
    return {**reading, "digits": rows}


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    cv2 = import_cv2()
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1])
