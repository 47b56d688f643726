"""Tells systemd that frames are being read, by its sd_notify protocol."""

import contextlib
import os
import socket
from collections.abc import Mapping

_INTERVAL_S = 0.5


class Watchdog:
    """Sends to $NOTIFY_SOCKET what a unit with Type=notify and WatchdogSec waits for.

    While a camera is lost, nothing is sent, so that systemd restarts the program. That also cures a
    driver or library that only a restart can cure.

    Args:
        environment: where systemd sets NOTIFY_SOCKET; without it nothing is sent.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ):
        name = environment.get("NOTIFY_SOCKET", "")
        # "@" stands for the null byte that begins a name in Linux' abstract namespace.
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        limit, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
        # Child processes inherit both variables and must not send pings.
        self._pings = limit.isdecimal() and process in ("", str(os.getpid()))
        # systemd wants a ping after at most half of the limit.
        self._interval = min(_INTERVAL_S, int(limit) / 2e6) if self._pings else 0.0
        self._ready, self._due = False, 0.0

    def ping(self, now: float) -> None:
        """Says that a frame has been read; the first time also that the program has started.

        Args:
            now: seconds of a clock that never goes back.
        """
        if not self._ready:
            self._ready = True
            self._send("READY=1")
        if self._pings and now >= self._due:
            self._due = now + self._interval
            self._send("WATCHDOG=1")

    def stop(self) -> None:
        """Says that the program is ending, as closing a recording may take a while."""
        self._send("STOPPING=1")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        # If systemd does not listen, reading goes on.
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection,
        ):
            connection.setblocking(False)
            connection.sendto(state.encode(), self._address)
