"""The newest frame of a device, read in a thread of its own."""

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from digits_tf.camera.sources.base import Frame, Source
from digits_tf.errors import DigitsError

# Some cameras take up to 5 s to open and to give a first frame; an address may be slow as well.
_START_S = 10.0
# Without a frame for this long a device counts as lost, even if it reports no error.
_STALL_S = 4.0
# A USB camera may fail to give a frame now and then, above all the first ones.
_READ_RETRIES_S, _READ_PAUSE_S = 1.0, 0.05
# Releasing a camera takes a fraction of a second, or up to 3 s while a frame is being waited for.
# A program that ends before that may crash in the camera's library. A release may also block for
# ever, so the wait has a limit.
_RELEASE_S = 3.5
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0


class Device(Protocol):
    """An opened camera or stream.

    Attributes:
        details: what it gives, to show after the size of its frames.
    """

    details: str

    def read(self, spare: Frame | None) -> Frame | None:
        """Waits for the next frame, whose time is that of `time.monotonic()`.

        Args:
            spare: a frame that nobody needs any more; its memory may be written over.

        Returns:
            None if that failed.
        """

    def release(self) -> None:
        """Releases the device."""


class LatestFrame:
    """Hands frames from one thread to another and keeps only the newest."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: Frame | None = None
        self._taken: Frame | None = None
        self._spare: Frame | None = None
        self._failure: Exception | None = None

    def put(self, frame: Frame) -> Frame | None:
        """Replaces the frame that nobody has taken.

        Returns:
            An older frame that nobody needs any more, to be written over; None: there is none.
        """
        with self._changed:
            spare, self._spare = self._waiting or self._spare, None
            self._waiting = frame
            self._changed.notify()
        return spare

    def fail(self, failure: Exception) -> None:
        """Says that no more frames will come."""
        with self._changed:
            self._failure = failure
            self._changed.notify()

    def take(self, timeout: float) -> Frame | None:
        """Takes the newest frame. The frame taken before may be written over from now on.

        Args:
            timeout: seconds to wait for one.

        Returns:
            None if there is none yet.

        Raises:
            Exception: what `fail` was given, once no frame is left.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._failure, timeout)
            if self._waiting is None:
                if self._failure:
                    raise self._failure
                return None
            frame, self._waiting = self._waiting, None
            self._spare, self._taken = self._taken, frame
            return frame


class Live(Source):
    """The newest frame of a device. A lost device is opened again.

    A thread of its own opens, reads and releases the device, which may block for any time without
    blocking the program.

    Args:
        name: of the device, in messages and for `connect`.
        connect: opens the device of a name; raises DigitsError if it cannot.
        advice: what to do if the device opens and gives no frame.
        notify: takes a message for the user.
        others: gives the names of the other cameras from a name on, in the order to try them;
            None: the device is no camera.

    Raises:
        DigitsError: if there is no first frame.
    """

    live = True

    def __init__(
        self,
        name: str,
        connect: Callable[[str], Device],
        advice: str,
        notify: Callable[[str], None],
        others: Callable[[str], Sequence[str]] | None = None,
    ):
        self._name, self._connect, self._notify, self._others = name, connect, notify, others
        # While it switches: the cameras to try if this one does not open, the old one last.
        self._untried: list[str] = []
        self._switching = False
        self._lost, self._pause, self._retry = False, _FIRST_PAUSE_S, 0.0
        self._reader: _Reader | None = _Reader(connect, name)
        self._deadline = time.monotonic() + _START_S
        self._first: Frame | None = None
        try:
            while self._first is None:
                # In short waits, so that every system reacts to Ctrl-C.
                self._first = self._reader.latest.take(0.1)
                if self._first is None and time.monotonic() > self._deadline:
                    raise _NoFrameError
        except DigitsError:
            raise
        except _NoFrameError:
            raise DigitsError(f"{name} opens but gives no picture: {advice}") from None
        except Exception as error:  # of a driver or its library
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            raise DigitsError(f"{name} does not open ({reason}): {advice}") from error
        finally:
            if self._first is None:
                self.release()
        self._start = self._first.seconds
        self.description = self._describe(self._first, self._reader)

    def read(self, timeout: float) -> Frame | None:
        """Returns the newest frame; None also while the device is lost."""
        frame, self._first = self._first, None
        if frame is None:
            frame = self._take(timeout)
        if frame is None:
            return None
        self._deadline = time.monotonic() + _STALL_S
        if self._lost:
            self._lost, self._pause = False, _FIRST_PAUSE_S
            self._notify(f"{self._name} is back")
        elif self._switching and self._reader:
            self.description = self._describe(frame, self._reader)
            none_opened = f"no camera opens but {self._name}"
            self._notify(self.description if self._untried else none_opened)
        self._switching, self._untried = False, []
        return dataclasses.replace(frame, seconds=frame.seconds - self._start)

    def switch(self) -> None:
        """Goes on with the next camera that opens, or with this one if no other does."""
        if self._others is None:
            super().switch()
        elif others := self._others(self._name):
            self._untried, self._first, self._lost = [*others, self._name], None, False
            self._try_next()
        else:
            raise DigitsError(f"there is no camera but {self._name}")

    def release(self) -> None:
        """Releases the device."""
        if self._reader:
            self._reader.stop()

    def _describe(self, frame: Frame, reader: "_Reader") -> str:
        # A camera does not always send the size that it reports.
        height, width = frame.picture.shape[:2]
        grey = " grey" if frame.picture.ndim == 2 else ""
        return f"{self._name}: {width}x{height}{grey}{reader.details}"

    def _try_next(self) -> None:
        self._name = self._untried.pop(0)
        self._reader, self._switching = _Reader(self._connect, self._name, self._reader), True
        self._deadline = time.monotonic() + _RELEASE_S + _START_S

    def _take(self, timeout: float) -> Frame | None:
        now = time.monotonic()
        if self._reader is None and now < self._retry:
            time.sleep(min(timeout, self._retry - now))
            return None
        try:
            if self._reader is None:
                self._reader = _Reader(self._connect, self._name)
                self._deadline = now + _START_S
            frame = self._reader.latest.take(timeout)
        except Exception:  # whatever ended the thread or kept it from starting may be over soon
            self._lose(f"{self._name} sends no more pictures")
            return None
        if frame is None and time.monotonic() > self._deadline:
            self._lose(f"{self._name} has sent nothing for {_STALL_S:.0f} s")
        return frame

    def _lose(self, reason: str) -> None:
        if self._untried:
            self._try_next()
            return
        if not self._lost:
            self._lost = True
            self._notify(f"{reason}: is it still connected? Trying again and again, Ctrl-C ends")
        if self._reader:
            self._reader.abandon()
            self._reader = None
        self._retry = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S)


class _NoFrameError(Exception):
    """A device opens and gives no frame."""


class _Reader:
    """One connection to a device and the thread that reads from it.

    Args:
        connect: opens the device of a name.
        name: of the device.
        before: ends first, as two cameras at once may be too much for one USB controller.

    Attributes:
        latest: the newest frame, or what ended the thread.
        details: of the device, once there is a frame.
    """

    def __init__(
        self, connect: Callable[[str], Device], name: str, before: "_Reader | None" = None
    ):
        self._connect, self._name, self._before = connect, name, before
        self._ending = threading.Event()
        self.latest, self.details = LatestFrame(), ""
        # A daemon, so that the program can end while this thread waits for a camera.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def abandon(self) -> None:
        """Tells the thread to end as soon as it can."""
        self._ending.set()

    def stop(self) -> None:
        """Ends the thread, which releases the device, unless it blocks."""
        self.abandon()
        self._thread.join(_RELEASE_S)

    def _run(self) -> None:
        try:
            if self._before:
                self._before.stop()
                self._before = None
            if self._ending.is_set():
                return
            device = self._connect(self._name)
            try:
                self.details = device.details
                spare = None
                while not self._ending.is_set():
                    spare = self.latest.put(self._read(device, spare))
            finally:
                device.release()
        except Exception as error:  # raised again in the main thread
            self.latest.fail(error)

    def _read(self, device: Device, spare: Frame | None) -> Frame:
        deadline = time.monotonic() + _READ_RETRIES_S
        while not self._ending.is_set():
            frame = device.read(spare)
            if frame is not None and frame.picture.size:
                return frame
            if time.monotonic() >= deadline:
                break
            self._ending.wait(_READ_PAUSE_S)
        raise _NoFrameError
