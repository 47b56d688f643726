"""`digits-tf web` in a process of its own, for scripts."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from digits_tf.errors import DigitsError

_ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def serving() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Serves the demo board on a free port.

    Yields:
        The process and its port.

    Raises:
        DigitsError: if it does not start.
    """
    words = [sys.executable, "-m", "digits_tf.web", "--port=0", "--source=demo"]
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    # Elsewhere, so that a developer's own digits change nothing.
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            words, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment
        ) as process,
    ):
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not (found := re.search(r":(\d+) ", line)):
                raise DigitsError(f"expected the server's address, found {line.strip()!r}")
            yield process, int(found[1])
        finally:
            process.terminate()
