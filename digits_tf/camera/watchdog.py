"""Tells systemd that frames are being read, by its sd_notify protocol."""

import contextlib
import os
import socket
from collections.abc import Mapping

# Often enough to be precise, seldom enough to cost nothing.
_INTERVAL_S = 0.5


class Watchdog:
    """Sends to $NOTIFY_SOCKET what a unit with Type=notify and WatchdogSec waits for.

    A camera that is lost and tried again and again sends nothing, so that systemd starts the
    program anew: that cures a driver or library in a state that nothing else does.

    Args:
        environment: where systemd says what it wants; without NOTIFY_SOCKET nothing is sent.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ):
        name = environment.get("NOTIFY_SOCKET", "")
        # "@" stands for the 0 that begins a name in Linux' abstract space.
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        self._interval = _interval(environment)
        self._ready, self._due = False, 0.0

    def ping(self, now: float) -> None:
        """Says that a frame has been read; the first time also that the start is over.

        Args:
            now: seconds of a clock that never goes back.
        """
        if not self._ready:
            self._ready = True
            self._send("READY=1")
        if self._interval is not None and now >= self._due:
            self._due = now + self._interval
            self._send("WATCHDOG=1")

    def stop(self) -> None:
        """Says that the program is ending: to close a recording may take a while."""
        self._send("STOPPING=1")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        # That systemd does not listen is no reason to stop reading.
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection,
        ):
            connection.setblocking(False)
            connection.sendto(state.encode(), self._address)


def _interval(environment: Mapping[str, str]) -> float | None:
    """Seconds between two pings, at most half of what is allowed; None: none are wanted."""
    limit, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    # Both pass to programs that are started from here, for which they are not meant.
    if not limit.isdecimal() or process not in ("", str(os.getpid())):
        return None
    return min(_INTERVAL_S, int(limit) / 2e6)
