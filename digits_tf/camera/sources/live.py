"""Room for one picture between two threads."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from digits_tf.camera.sources.source import Frame, Shot, Source
from digits_tf.errors import DigitsError


class Slot:
    """Keeps the newest picture only; whoever waits for one sleeps meanwhile."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: tuple[Shot, float] | None = None
        self._taken: Shot | None = None
        self._spare: Shot | None = None
        self._failure: Exception | None = None

    def put(self, shot: Shot) -> Shot | None:
        """Puts a picture in, in place of one that nobody took.

        Returns:
            An older picture that nobody needs any more, to be written over; None: there is none.
        """
        with self._changed:
            if self._waiting:
                self._spare = self._waiting[0]
            self._waiting = shot, time.monotonic()
            spare, self._spare = self._spare, None
            self._changed.notify()
        return spare

    def fail(self, failure: Exception) -> None:
        """Says that there will be no more pictures."""
        with self._changed:
            self._failure = failure
            self._changed.notify()

    def take(self, timeout: float) -> tuple[Shot, float] | None:
        """Takes the newest picture out; the one taken before may be written over from now on.

        Args:
            timeout: seconds to wait for one.

        Returns:
            The picture and the time.monotonic() of its arrival; None: there is none yet.

        Raises:
            Exception: what `fail` was given, once no picture is left.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._failure, timeout)
            if self._waiting is None:
                if self._failure:
                    raise self._failure
                return None
            taken, self._waiting = self._waiting, None
            self._spare, self._taken = self._taken, taken[0]
            return taken


# To open a camera and get its first picture takes some up to 5 s; an address may be slow as well.
_START_S = 10.0
# Without a picture for so long, a source is taken for lost, even if it does not say so.
_STALL_S = 4.0
# A USB camera may fail to give a frame now and then, above all the first ones.
_PATIENCE_S, _RETRY_S = 1.0, 0.05
# To give a camera back takes a fraction of a second, and up to 3 s if it is being waited for; a
# program that ends without may crash in the camera's library. It may block for ever, though.
_RELEASE_S = 3.5
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0


class Device(Protocol):
    """Something opened that gives pictures.

    Attributes:
        details: what it gives, to be said behind the size of its pictures.
    """

    details: str

    def read(self, spare: Shot | None) -> Shot | None:
        """Waits for the next picture; may write it into `spare`. None: that failed."""

    def release(self) -> None:
        """Gives it back."""


class Live(Source):
    """The newest frame of a device, which is opened again when it is lost.

    The device is opened, read and released in a thread of its own: it may block for as long as it
    likes without holding up the program.

    Args:
        connect: opens the device; raises DigitsError where it cannot.
        name: in messages.
        advice: what to do if it opens and gives no picture.
        tell: takes a line for the user.
        others: of a camera: given its name, the names of those that come next, in turn, and what
            opens them.

    Raises:
        DigitsError: if there is no first frame.
    """

    live = True

    def __init__(
        self,
        connect: Callable[[], Device],
        name: str,
        advice: str,
        tell: Callable[[str], None],
        others: Callable[[str], list[tuple[str, Callable[[], Device]]]] | None = None,
    ):
        self._connect, self._name, self._tell, self._others = connect, name, tell, others
        self._switching = False
        self._untried: list[tuple[str, Callable[[], Device]]] = []
        self._lost, self._pause, self._retry = False, _FIRST_PAUSE_S, 0.0
        self._reader: _Reader | None = _Reader(connect)
        self._deadline = time.monotonic() + _START_S
        self._first: tuple[Shot, float] | None = None
        try:
            while self._first is None:
                # In slices, so that Ctrl-C is heard on every system.
                self._first = self._reader.slot.take(0.1)
                if self._first is None and time.monotonic() > self._deadline:
                    raise DigitsError(f"{name} opens but gives no picture: {advice}")
        except NoPicture:
            raise DigitsError(f"{name} opens but gives no picture: {advice}") from None
        finally:
            if self._first is None:
                self.release()
        self._start = self._first[1]
        self.description = self._describe(self._first[0], self._reader)

    def read(self, timeout: float) -> Frame | None:
        """The newest frame; None also while the device is lost."""
        taken, self._first = self._first, None
        if taken is None:
            taken = self._take(timeout)
        if taken is None:
            return None
        self._deadline = time.monotonic() + _STALL_S
        shot, when = taken
        if self._lost:
            self._lost, self._pause = False, _FIRST_PAUSE_S
            self._tell(f"{self._name} is back")
        elif self._switching and self._reader:
            self.description = self._describe(shot, self._reader)
            self._tell(self.description if self._untried else f"no camera opens but {self._name}")
        self._switching, self._untried = False, []
        return Frame(shot.picture, when - self._start, colour=shot.colour)

    def switch(self) -> None:
        """Goes on with the next camera that opens; with this one, if no other does."""
        if self._others is None:
            super().switch()
        elif others := self._others(self._name):
            self._untried, self._first = [*others, (self._name, self._connect)], None
            self._lost = False
            self._try_next()
        else:
            raise DigitsError(f"there is no camera but {self._name}")

    def release(self) -> None:
        """Gives the device back."""
        if self._reader:
            self._reader.stop()

    def _describe(self, shot: Shot, reader: "_Reader") -> str:
        # What a camera says of its size is not always what it sends.
        height, width = shot.picture.shape[:2]
        return f"{self._name}: {width}x{height}{' grey' * (shot.picture.ndim == 2)}{reader.details}"

    def _try_next(self) -> None:
        (self._name, self._connect), *self._untried = self._untried
        self._reader, self._switching = _Reader(self._connect, self._reader), True
        self._deadline = time.monotonic() + _RELEASE_S + _START_S

    def _take(self, timeout: float) -> tuple[Shot, float] | None:
        now = time.monotonic()
        if self._reader is None:
            if now < self._retry:
                time.sleep(min(timeout, self._retry - now))
                return None
            self._reader, self._deadline = _Reader(self._connect), now + _START_S
        try:
            taken = self._reader.slot.take(timeout)
        except Exception:  # whatever ended the thread: the next try may do better
            self._lose(f"{self._name} sends no more pictures")
            return None
        if taken is None and time.monotonic() > self._deadline:
            self._lose(f"{self._name} has sent nothing for {_STALL_S:.0f} s")
        return taken

    def _lose(self, reason: str) -> None:
        if self._untried:
            self._try_next()
            return
        if not self._lost:
            self._lost = True
            self._tell(f"{reason}: is it still connected? Trying again and again, Ctrl-C ends")
        if self._reader:
            self._reader.abandon()
            self._reader = None
        self._retry = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S)


class NoPicture(Exception):
    """A device was opened, and gives nothing."""


class _Reader:
    """One connection and the thread that reads from it.

    Args:
        connect: opens the device.
        before: ends first: two cameras may be too much for one USB.

    Attributes:
        slot: where the newest picture is, or what ended the thread.
        details: of the device, once there is a picture.
    """

    def __init__(self, connect: Callable[[], Device], before: "_Reader | None" = None):
        self._connect, self._before, self._ending = connect, before, threading.Event()
        self.slot, self.details = Slot(), ""
        # A daemon: the program must be able to end while this thread waits for a camera.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def abandon(self) -> None:
        """Tells the thread to end as soon as it can."""
        self._ending.set()

    def stop(self) -> None:
        """Ends the thread and releases the device, unless it blocks."""
        self.abandon()
        self._thread.join(_RELEASE_S)

    def _run(self) -> None:
        try:
            if self._before:
                self._before.stop()
                self._before = None
            if self._ending.is_set():
                return
            device = self._connect()
            try:
                self.details = device.details
                spare = None
                while not self._ending.is_set():
                    spare = self.slot.put(self._read(device, spare))
            finally:
                device.release()
        except Exception as error:  # told by the main thread
            self.slot.fail(error)

    def _read(self, device: Device, spare: Shot | None) -> Shot:
        deadline = time.monotonic() + _PATIENCE_S
        while not self._ending.is_set():
            shot = device.read(spare)
            if shot is not None and shot.picture.size:
                return shot
            if time.monotonic() >= deadline:
                break
            self._ending.wait(_RETRY_S)
        raise NoPicture
