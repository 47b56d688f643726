"""Programs of this package in processes of their own."""

import subprocess
import sys
from pathlib import Path

import digits_tf
from digits_tf.errors import DigitsError

_REASON = 300  # letters of a failed program's last words


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
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *words],
                # A clone need not be installed.
                cwd=Path(digits_tf.__file__).resolve().parent.parent,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        except OSError as error:
            raise DigitsError(f"{module} cannot be started ({error.strerror or error})") from None

    def line(self) -> str:
        """Its next line on standard output; empty when there is none any more."""
        return self._process.stdout.readline() if self._process.stdout else ""

    def end(self) -> None:
        """Waits until it ends.

        Raises:
            DigitsError: if it failed.
        """
        _, words = self._process.communicate()
        if self._process.returncode:
            raise DigitsError(f"{self._module} failed: {words.strip()[-_REASON:]}")
