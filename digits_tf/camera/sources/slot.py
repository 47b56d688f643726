"""Room for one picture between two threads."""

import threading
import time

from digits_tf.camera.sources.shot import Shot


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
