"""Programs of this package in processes of their own."""

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import digits_tf
from digits_tf.errors import DigitsError

_REASON = 300  # letters of a failed program's last words
# A Raspberry Pi takes seconds, an emulated one a minute.
_LONGEST_S = 600.0


class Child:
    """A program that has just been started.

    Args:
        module: such as "digits_tf.camera".
        *words: its command line.

    Raises:
        DigitsError: if it cannot be started.
    """

    def __init__(self, module: str, *words: str):
        self._module = module
        # A file, which never fills up as a pipe does that nobody reads.
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *words],
                # A clone need not be installed.
                cwd=Path(digits_tf.__file__).resolve().parent.parent,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._words,
                text=True,
                encoding="utf-8",
            )
        except OSError as error:
            self._words.close()
            raise DigitsError(f"{module} cannot be started ({error.strerror or error})") from None
        self._timer = threading.Timer(_LONGEST_S, self._process.kill)
        self._timer.start()

    def __enter__(self) -> "Child":
        """Itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Ends it if it still runs."""
        self._timer.cancel()
        self._process.kill()
        with self._process:  # waits, and closes its pipe
            self._words.close()

    def line(self) -> str:
        """Its next line on standard output; empty when there is none any more."""
        return self._process.stdout.readline() if self._process.stdout else ""

    def end(self) -> None:
        """Waits until it ends.

        Raises:
            DigitsError: if it failed or took far too long.
        """
        if self._process.stdout:
            self._process.stdout.read()
        if self._process.wait():
            self._words.seek(0)
            words = self._words.read().decode(errors="replace").strip()
            reason = words[-_REASON:] or f"ended with {self._process.returncode}"
            raise DigitsError(f"{self._module} failed: {reason}")
