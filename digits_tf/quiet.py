"""Holds back what native libraries write to standard error, past Python."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def standard_error() -> Iterator[Callable[[], str]]:
    """Redirects file descriptor 2 meanwhile; Python's own writes are held back too.

    Yields:
        A function that returns what was written so far.
    """
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all, as under pythonw
        yield lambda: ""
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:

        def written() -> str:
            held.seek(0)
            return held.read().decode(errors="replace")

        os.dup2(held.fileno(), 2)
        try:
            yield written
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
