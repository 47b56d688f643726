"""The parts of `torture.py`: each a module that tries one kind of thing, again and again.

A part has a default number of trials (`COUNT`), the processor time that a trial may take
(`SECONDS`), by how much the process may grow (`MEGABYTES`; None: any), and

    start(folder: Path) -> Trial

which prepares all trials. A trial draws what it tries from a generator, so that one seed always
tries the same; writes its files into the folder, where they are found after a failure; and returns
what it tried and what came of it, in a few words each. It raises what it finds wrong.
"""

from collections.abc import Callable

import numpy as np

from digits_tf.errors import DigitsError

Trial = Callable[[np.random.Generator], tuple[str, str]]


def check_refusal(error: DigitsError, name: object) -> str:
    """Checks that an error is one line that names a file and a reason; returns "refused"."""
    message = str(error)
    start = f"{name}: "
    if not message.isprintable() or not message.startswith(start) or len(message) <= len(start):
        raise AssertionError(f"expected one line that begins with {start!r}, found {message!r}")
    return "refused"


def pick(rng: np.random.Generator, *choices: str) -> str:
    """One of several words."""
    return choices[int(rng.integers(len(choices)))]
