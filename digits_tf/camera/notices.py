"""What the user is told beside the readings."""

import sys
import time

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
