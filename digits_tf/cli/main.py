"""Finds and reads handwritten digits in pictures and from a camera.

digits-tf COMMAND ...
python -m digits_tf COMMAND ...
"""

import difflib
from collections.abc import Sequence
from typing import NoReturn

from absl import flags

from digits_tf import __version__
from digits_tf.cli import command
from digits_tf.errors import DigitsError

# Written down here because importing the commands would take seconds.
COMMANDS = {
    "camera": "Reads digits from a camera and shows them in a window.",
    "web": "Serves a page for the browser: draw, drop a picture, watch a camera.",
    "predict": "Reads the digits in pictures.",
    "teach": "Keeps digits of your own with their right labels.",
    "train": "Trains a network that reads digits.",
    "evaluate": "Measures a model on labelled digits.",
    "export": "Exports a trained run as SavedModel and TFLite.",
    "data": "Fetches MNIST, checks it, and shows what is in it.",
    "scenes": "Makes training digits from drawn scenes.",
    "scenes-fetch": "Fetches fonts and pictures to draw scenes with.",
    "train-detector": "Trains the network that finds digits.",
    "benchmark": "Measures how fast this machine reads digits.",
    "model": "Prints a network's layers, and draws them.",
}

_LIST = "\n".join(f"  {name:<15} {line}" for name, line in COMMANDS.items())
_DOC = f"{(__doc__ or '').strip()}\n\n{_LIST}\n\nAdd --help to a command to list its flags."

_VERSION = flags.DEFINE_boolean("version", False, "Print the version.")


def main(words: Sequence[str]) -> None:
    """Runs the command that the first word names with the other words."""
    if _VERSION.value:
        print(f"digits_tf {__version__}")
    elif not words:
        print(_DOC)
    elif words[0] in COMMANDS:
        # All flags from here on are the command's.
        del flags.FLAGS.version
        flags.FLAGS.set_gnu_getopt(True)
        command.call(words[0], words[1:])
    else:
        near = difflib.get_close_matches(words[0], COMMANDS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise DigitsError(f"no command {words[0]!r}: {hint}There are {', '.join(COMMANDS)}")


def start() -> NoReturn:
    """Runs the command; the script digits-tf calls this."""
    # This program's own flags end at the first word.
    flags.FLAGS.set_gnu_getopt(False)
    command.run(main, _DOC, positional=(0, None))
