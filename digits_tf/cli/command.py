"""What all commands share: parsing, `--help`, errors in one line, and how they end."""

import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from absl import flags

from digits_tf.errors import DigitsError, describe, printable

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Seconds that a command, and each of its worker processes, may take to tidy up after a signal.
_TIDY_S, _WORKER_TIDY_S = 3.0, 1.0

# What the user typed to start a command that `call` has started.
_typed: str | None = None
_is_told_to_end = False


class Terminated(KeyboardInterrupt):
    """SIGTERM: the usual end of a program that runs until it is told to end."""


def run(
    main: Callable[[Sequence[str]], int | None],
    doc: str | None,
    positional: tuple[int, int | None] = (0, 0),
) -> NoReturn:
    """Parses the flags, calls `main` with the words that are no flags, and exits.

    absl's own `app.run` ends `--help` with 1 and shows tracebacks. Here `--help` ends with 0; a
    wrong flag or bad input ends with one line and 2; Ctrl-C and SIGTERM end with one line and 130.
    A `main` for which SIGTERM is no failure catches `Terminated`.

    Args:
        main: takes the positional words and returns the exit code (None: 0).
        doc: the command's docstring; `--help` shows it above the flags.
        positional: the least and the greatest number of positional words; None: any number.
    """
    # Silences TensorFlow's notices at its start. Set before anything imports it.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name may have letters that the terminal lacks; that must not end the program.
        sys.stdout.reconfigure(errors="backslashreplace")
    _take_signals()
    # Defined here and not on import: a program that imports this may have its own --help.
    if "help" not in flags.FLAGS:  # it is there where one command calls another
        flags.DEFINE_boolean("help", False, "Show this help.", short_name="h")
    try:
        words = _parse(*positional)
        code = None
        if flags.FLAGS["help"].value:
            print(_help(doc or "", main.__module__))
        else:
            code = main(words)
        sys.stdout.flush()
    except DigitsError as error:
        fail(str(error))
    except KeyboardInterrupt as interrupt:
        _stop(f"; {interrupt}" if str(interrupt) else "")
    except BrokenPipeError:
        # Whatever read the output (`| head`) has ended, so nobody misses the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        fail(describe(error))
    except Exception:
        # After a signal, other errors may follow: a pool breaks when its workers end.
        if not _is_told_to_end:
            raise
        _stop("")
    sys.exit(code or 0)


def start(name: str) -> NoReturn:
    """Runs a command of the package.

    Args:
        name: of its module in `digits_tf.cli`; - may stand for _. The module has a docstring,
            `main` and, if the command takes words that are no flags, `POSITIONAL`; see `run`.
    """
    module = importlib.import_module(f"digits_tf.cli.{name.replace('-', '_')}")
    run(module.main, module.__doc__, getattr(module, "POSITIONAL", (0, 0)))


def call(name: str, words: Sequence[str]) -> NoReturn:
    """Runs a command from within another one.

    Args:
        name: its name, as the user typed it behind this program's.
        words: its flags and positional words.
    """
    global _typed
    _typed = f"{program()} {name}"
    sys.argv[1:] = words
    start(name)


def program() -> str:
    """What the user types to start this program, for hints."""
    if _typed:
        return _typed
    if spec := getattr(sys.modules["__main__"], "__spec__", None):
        return f"python -m {spec.name.removesuffix('.__main__')}"
    path = Path(sys.argv[0])
    # The shell finds the script that pip made by its name alone.
    return path.stem if path.stem == "digits-tf" else f"python {path}"


def tell(line: str) -> None:
    """Prints a line on standard error, with control characters escaped."""
    print(printable(line), file=sys.stderr, flush=True)


def fail(message: str) -> NoReturn:
    """Prints one line to standard error and exits with 2."""
    print(f"error: {printable(' '.join(message.split()))}", file=sys.stderr)
    sys.exit(EXIT_USAGE)


def _parse(least: int, most: int | None) -> Sequence[str]:
    """Parses the flags; returns the positional words."""
    try:
        words: list[str] = flags.FLAGS(sys.argv)[1:]
    except flags.Error as error:
        fail(f"{error} ({program()} --help lists the flags)")
    if flags.FLAGS["help"].value:
        return words
    if len(words) < least:
        fail(f"expected a path after {program()} (--help shows how)")
    if most is not None and len(words) > most:
        extra = " ".join(words[most:])
        fail(f"did not expect {extra!r} (flags begin with --; --help lists them)")
    return words


def _help(doc: str, module: str) -> str:
    # The flags of the command and of the modules it adopted. absl puts the file's path above them.
    listed = flags.FLAGS.module_help(module).strip().partition("\n")[2]
    return f"{doc.strip()}\n\nFlags:\n{listed}"


def _stop(hint: str) -> NoReturn:
    print(f"\nstopped{hint}", file=sys.stderr)
    _end_within(_TIDY_S)
    sys.exit(EXIT_INTERRUPTED)


# Signals


def _take_signals() -> None:
    process = os.getpid()

    def interrupt(number: int, frame: FrameType | None) -> None:
        # Worker processes inherit this handler.
        if os.getpid() == process:
            _interrupt_command(number)
        elif number == signal.SIGTERM:
            _end_worker()
        # Ctrl-C reaches all processes, but the first one ends the workers.

    for each in _SIGNALS:
        # A shell starts its background jobs deaf to Ctrl-C, and they stay so.
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, interrupt)


def _interrupt_command(number: int) -> NoReturn:
    """Ends the workers, and `main` by an exception."""
    global _is_told_to_end
    _is_told_to_end = True
    for each in _SIGNALS:
        # A library may swallow the exception, or take long: a second signal sets a time limit.
        signal.signal(each, lambda number, frame: _end_within(_TIDY_S))
    # Python would report at length a swallowed exception, and threads that miss their workers.
    sys.unraisablehook = lambda args: None
    threading.excepthook = lambda args: None
    for child in _children():
        child.terminate()
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated


def _end_worker() -> NoReturn:
    # A pool may catch this exit and go on with the next task, or print a traceback of it.
    _end_within(_WORKER_TIDY_S)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.exit(EXIT_INTERRUPTED)


def _end_within(seconds: float) -> None:
    """Ignores all further signals, and ends the process after some seconds at the latest."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    timer = threading.Timer(seconds, _kill)
    timer.daemon = True
    timer.start()


def _kill() -> None:
    for child in _children():
        child.kill()
    os._exit(EXIT_INTERRUPTED)


def _children() -> "list[BaseProcess]":
    """The worker processes. A program that has some has imported multiprocessing already."""
    processes = sys.modules.get("multiprocessing.process")
    children: list[BaseProcess] = processes.active_children() if processes else []
    return children
