"""What all command lines share: parsing, `--help`, errors in one line, and how they end."""

import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from absl import flags

from digits_tf.errors import DigitsError, describe

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# What a command, and each of its worker processes, may take to tidy up when it is told to hurry.
_TIDY_S, _WORKER_TIDY_S = 3.0, 1.0

# Where one command has called another: what is typed to start that.
_typed: str | None = None
_is_told_to_end = False


class Terminated(KeyboardInterrupt):
    """SIGTERM: the usual end of a program that runs until it is told to end."""


def fail(message: str) -> NoReturn:
    """Prints one line to standard error and exits with 2."""
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr)
    sys.exit(EXIT_USAGE)


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
    _take_signals()
    # Not where this module is imported: a program of yours may have its own --help.
    if "help" not in flags.FLAGS:  # it is where one command calls another
        flags.DEFINE_boolean("help", False, "Show this help.", short_name="h")
    try:
        words = _words(*positional)
        code = None
        if flags.FLAGS["help"].value:
            print(_help(doc, main.__module__))
        else:
            code = main(words)
        sys.stdout.flush()
    except DigitsError as error:
        fail(str(error))
    except KeyboardInterrupt as interrupt:
        _stop(f"; {interrupt}" if str(interrupt) else "")
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone: nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        fail(describe(error))
    except Exception:
        # What was raised at a signal may have been swallowed; a pool without workers breaks.
        if not _is_told_to_end:
            raise
        _stop("")
    sys.exit(code or 0)


def call(name: str, words: Sequence[str]) -> None:
    """Runs another command of the package.

    Args:
        name: the command's, which was typed behind this program's.
        words: its flags and the other words.
    """
    global _typed
    _typed = f"{program()} {name}"
    sys.argv[1:] = words
    importlib.import_module(f"digits_tf.cli.{name.replace('-', '_')}").start()


def program() -> str:
    """What is typed to start this program, for hints."""
    if _typed:
        return _typed
    if spec := getattr(sys.modules["__main__"], "__spec__", None):
        return f"python -m {spec.name.removesuffix('.__main__')}"
    path = Path(sys.argv[0])
    # A script that pip has made is found by its name alone.
    return path.stem if path.stem == "digits-tf" else f"python {path}"


def _words(least: int, most: int | None) -> Sequence[str]:
    """Parses the flags; returns the other words."""
    try:
        words = flags.FLAGS(sys.argv)[1:]
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
    # The command's flags and those of the modules it adopted. absl puts the file's path above them.
    listed = flags.FLAGS.module_help(module).strip().partition("\n")[2]
    return f"{doc.strip()}\n\nFlags:\n{listed}"


def _stop(hint: str) -> NoReturn:
    print(f"\nstopped{hint}", file=sys.stderr)
    _end_within(_TIDY_S)
    sys.exit(EXIT_INTERRUPTED)


def _take_signals() -> None:
    process = os.getpid()

    def interrupt(signum: int, frame: object) -> None:
        """Ends `main` in order, and all worker processes, which inherit this."""
        is_worker = os.getpid() != process
        if is_worker and signum == signal.SIGINT:
            return  # Ctrl-C reaches all of them: the first process ends the others.
        if is_worker:
            # A pool keeps what is raised here, and goes on with the next task; or tells of it.
            _end_within(_WORKER_TIDY_S)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            sys.exit(EXIT_INTERRUPTED)
        for each in _SIGNALS:
            # Whatever holds up the end, or has swallowed what is raised here.
            signal.signal(each, lambda signum, frame: _end_within(_TIDY_S))
        global _is_told_to_end
        _is_told_to_end = True
        # Python would tell at length of where it is swallowed, and of threads that miss workers.
        sys.unraisablehook = lambda args: None
        threading.excepthook = lambda args: None
        for child in _children():
            child.terminate()
        raise KeyboardInterrupt if signum == signal.SIGINT else Terminated

    for each in _SIGNALS:
        # A shell's background jobs are not meant to hear of Ctrl-C.
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, interrupt)


def _end_within(seconds: float) -> None:
    """Lets no signal disturb the end any more, and nothing hold it up for longer."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    timer = threading.Timer(seconds, _give_up)
    timer.daemon = True
    timer.start()


def _give_up() -> None:
    for child in _children():
        child.kill()
    os._exit(EXIT_INTERRUPTED)


def _children() -> list[Any]:
    """The worker processes; who has some has imported this, which takes a while."""
    processes = sys.modules.get("multiprocessing.process")
    return processes.active_children() if processes else []
