"""What all command lines share: parsing, `--help`, and errors in one line."""

import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from absl import flags

from digits_tf.errors import DigitsError

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class Terminated(KeyboardInterrupt):
    """SIGTERM: the usual end of a program that runs until it is told to end."""


def fail(message: str) -> NoReturn:
    """Prints one line to standard error and exits with 2."""
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr)
    sys.exit(EXIT_USAGE)


def counted(number: int, noun: str) -> str:
    """As in "1 frame" and "2 frames"."""
    return f"{number} {noun}{'s' if number != 1 else ''}"


def run(
    main: Callable[[Sequence[str]], int | None],
    doc: str,
    positional: tuple[int, int | None] = (0, 0),
) -> NoReturn:
    """Parses the flags, calls `main` with the words that are no flags, and exits.

    absl's own `app.run` ends `--help` with 1 and shows tracebacks; here `--help` ends with 0, a
    wrong flag or bad input with one line and 2, Ctrl-C and SIGTERM with one line and 130 (a `main`
    for which SIGTERM is no failure catches `Terminated`).

    Args:
        main: takes the positional words, returns the exit code (None: 0).
        doc: the command's docstring, shown above the flags by `--help`.
        positional: least and greatest number of positional words; None: any number.
    """
    # TensorFlow's start-up notices are for its developers. Set before anything imports it.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name may have letters that the terminal lacks: no reason to stop.
        sys.stdout.reconfigure(errors="backslashreplace")
    program = _program_name()
    # Not where this module is imported: a program of yours may have its own --help.
    help_flag = flags.DEFINE_boolean("help", False, "Show this help.", short_name="h")
    try:
        words = flags.FLAGS(sys.argv)[1:]
    except flags.Error as error:
        fail(f"{error} ({program} --help lists the flags)")
    if help_flag.value:
        print(doc.strip(), "\n\nFlags:\n", _flags_help(), sep="")
        sys.exit(0)
    least, most = positional
    if len(words) < least:
        fail(f"expected a path after {program} (--help shows how)")
    if most is not None and len(words) > most:
        extra = " ".join(words[most:])
        fail(f"did not expect {extra!r} (flags begin with --; --help lists them)")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = main(words)
        sys.stdout.flush()
    except DigitsError as error:
        fail(str(error))
    except KeyboardInterrupt as interrupt:
        hint = f"; {interrupt}" if str(interrupt) else ""
        print(f"\nstopped{hint}", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone: nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        fail(describe(error))
    sys.exit(code or 0)


def describe(error: OSError) -> str:
    """One line about a failed read or write: the file, the reason, what to do."""
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}the disk is full: free some space"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where}no permission ({error.strerror})"
    return f"{where}{error.strerror or error}"


def _interrupt(signum: int, frame: object) -> NoReturn:
    raise Terminated


def _program_name() -> str:
    """What was typed to start this program, for hints."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is None:
        return f"python {sys.argv[0]}"
    return f"python -m {spec.name.removesuffix('.__main__')}"


def _flags_help() -> str:
    """The flags of the command and of the modules it adopted, without absl's own."""
    return flags.FLAGS.main_module_help().partition("\n")[2].lstrip("\n")
