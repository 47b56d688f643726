"""What all commands share: parsing, `--help`, errors in one line, and how they end."""

import contextlib
import importlib
import io
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from absl import flags

from digits_tf.errors import DigitsError, describe, printable

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Seconds that a command may take to tidy up after a second signal, and a worker after the first.
_TIDY_S, _WORKER_TIDY_S = 1.0, 0.5

# What the user typed to start a command that `call` has started.
_typed: str | None = None
# The process that takes signals; its workers inherit the handlers.
_process = 0
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
    code = None
    with _errors_in_one_line():
        _take_signals()
        # Silences TensorFlow's notices at its start. Set before anything imports it.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A file's name may have letters that the terminal lacks; that must not end the program.
            sys.stdout.reconfigure(errors="backslashreplace")
        # Defined here and not on import: a program that imports this may have its own --help.
        if "help" not in flags.FLAGS:  # it is there where one command calls another
            flags.DEFINE_boolean("help", False, "Show this help.", short_name="h")
        words = _parse(*positional)
        if flags.FLAGS["help"].value:
            print(_help(doc or "", main.__module__))
        else:
            code = main(words)
        sys.stdout.flush()
        if _is_told_to_end:
            _exit(code or 0)
        _leave_signals()
    sys.exit(code or 0)


def start(name: str) -> NoReturn:
    """Runs a command of the package.

    Args:
        name: of its module in `digits_tf.cli`; - may stand for _. The module has a docstring,
            `main` and, if the command takes words that are no flags, `POSITIONAL`; see `run`.
    """
    with _errors_in_one_line():
        _take_signals()
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


def restore(values: Mapping[str, Any], origin: Path) -> None:
    """Gives flags the values that a file keeps. Those that this program does not have are left out.

    Args:
        values: by the flags' names, as JSON gives them.
        origin: the file, for messages.

    Raises:
        DigitsError: if one is a value that could not have been typed.
    """
    for name, value in values.items():
        if name not in flags.FLAGS:
            continue
        flag = flags.FLAGS[name]
        words = value if isinstance(value, list) else [value]
        try:
            if isinstance(value, list) and not all(isinstance(word, str) for word in words):
                raise TypeError("no words")
            # No word of a command line has a null character, and no path.
            if any(b"\0" in os.fsencode(word) for word in words if isinstance(word, str)):
                raise ValueError("a null character")
            parsed = None if value is None and flag.default is None else flag.parser.parse(value)
            is_right = parsed == value
        except (ValueError, TypeError, AttributeError, OverflowError):
            is_right = False
        if not is_right:
            raise DigitsError(
                f"{origin}: damaged: expected a value of --{name}, found {str(value)[:80]!r}"
            )
        flag.value = parsed


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


@contextlib.contextmanager
def _errors_in_one_line() -> Iterator[None]:
    """Ends the program with one line where something goes wrong."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        _stop(f"; {interrupt}" if str(interrupt) else "")
    except BrokenPipeError:
        # Whatever read the output (`| head`) has ended, so nobody misses the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        # After a signal, other errors may follow: an import fails, a pool breaks.
        if _is_told_to_end:
            _stop("")
        if isinstance(error, DigitsError):
            fail(str(error))
        if isinstance(error, OSError):
            fail(describe(error))
        raise


def _stop(hint: str) -> NoReturn:
    print(f"\nstopped{hint}", file=sys.stderr)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    _exit(EXIT_INTERRUPTED)


# Signals


def _take_signals() -> None:
    """Sets the handlers; they stay those of the first call."""
    global _process
    if _process:
        return
    _process = os.getpid()
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    # Worker processes share the socket.
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
    threading.Thread(target=_end_after_two_signals, args=(woken, waker), daemon=True).start()
    for each in _SIGNALS:
        # A shell starts its background jobs deaf to Ctrl-C, and they stay so.
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _on_signal)


def _leave_signals() -> None:
    """At the end a signal has nothing left to tidy up, and must not be reported at length."""
    for each in _SIGNALS:
        if signal.getsignal(each) is _on_signal:
            signal.signal(each, signal.SIG_DFL)


def _on_signal(number: int, frame: FrameType | None) -> None:
    """Ends the workers, and `main` by an exception; in a worker, ends it."""
    global _is_told_to_end
    if os.getpid() != _process:
        # Ctrl-C reaches all processes, but the first one ends the workers.
        if number == signal.SIGTERM:
            _end_worker()
        return
    if _is_told_to_end:
        return
    _is_told_to_end = True
    # Python would report at length a swallowed exception, and threads that miss their workers.
    sys.unraisablehook = lambda args: None
    threading.excepthook = lambda args: None
    for child in _children():
        child.terminate()
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated


def _end_after_two_signals(woken: socket.socket, waker: socket.socket) -> None:
    """Sets a time limit from the second signal on; a thread runs this.

    A library may swallow the exception of the first. Code in C that takes long, such as the look-up
    of a name in the network, holds up Python's handlers, but not this.

    Args:
        woken: gets a byte for each signal, its number.
        waker: the other end, which is closed when nobody holds it.
    """
    signals = 0
    while signals < 2:
        signals += sum(number in _SIGNALS for number in woken.recv(64))
    time.sleep(_TIDY_S)
    _exit(EXIT_INTERRUPTED)


def _end_worker() -> NoReturn:
    # A pool may catch this exit and go on with the next task, or print a traceback of it.
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    timer = threading.Timer(_WORKER_TIDY_S, os._exit, (EXIT_INTERRUPTED,))
    timer.daemon = True
    timer.start()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.exit(EXIT_INTERRUPTED)


def _exit(code: int) -> NoReturn:
    """Ends at once: a large library takes seconds to be unloaded, which no thread can cut short."""
    for child in _children():
        child.kill()
    os._exit(code)


def _children() -> "list[BaseProcess]":
    """The worker processes. A program that has some has imported multiprocessing already."""
    processes = sys.modules.get("multiprocessing.process")
    children: list[BaseProcess] = processes.active_children() if processes else []
    return children
