r"""Reads the digits in pictures: a line each, with how sure the least sure digit is.

    python -m digits_tf.predict photo.jpg
    python -m digits_tf.predict photos/ "more/*.png" --json
    python -m digits_tf.predict photos/ --csv readings.csv
    python -m digits_tf.predict photos/ --annotate boxes/ --crops crops/ --idx own
    curl -s https://example.org/7.png | python -m digits_tf.predict -

Files, folders (with the folders in them), globs, and - for a picture on standard input. Needs no
TensorFlow. In a terminal, a picture is a line of text. With --json, and where a program or a file
takes the output (unless --nojson), it is a JSON object a line: {"path", "text", "digits":
[{"label", "confidence", "box", "probabilities"}], "ms"}; "text" has lines of text joined by "\n",
and a blank between two numbers of a line that stand far apart; "box" is x, y, width, height in
pixels; "ms" is decoding and reading. A picture that cannot be read is {"path", "error"}, or a line
of text on standard error; the others are read all the same, and the exit code is 1.
"""

import contextlib
import csv
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from absl import flags

from digits_tf.cli import command
from digits_tf.cli import reading_flags as model_flags
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2
from digits_tf.runtime import counted

if TYPE_CHECKING:
    from digits_tf.cli.predict_inputs import Input
    from digits_tf.cli.predict_outputs import Output
    from digits_tf.recognition import Digit, Recognizer

_JSON = flags.DEFINE_boolean(
    "json",
    None,
    "Print one JSON object a line; default: where standard output is no terminal. --nojson: plain "
    "lines there too.",
)
_CSV = flags.DEFINE_string(
    "csv",
    None,
    "Write a row a picture into this new file: path, text, confidence of the least sure digit, "
    "unsure marks, error.",
)
_ANNOTATE = flags.DEFINE_string(
    "annotate", None, "Write the pictures with boxes and labels into this folder."
)
_CROPS = flags.DEFINE_string(
    "crops",
    None,
    "Write what the net saw into this folder: 28x28 PNG files like photo_00_7.png, with x for 7 "
    "where it was not sure.",
)
_IDX = flags.DEFINE_string(
    "idx",
    None,
    "Write the same as PREFIX-images-idx3-ubyte and, with what was read, PREFIX-labels-idx1-ubyte; "
    "without those that have no label.",
)

_EXIT_SOME_FAILED = 1
flags.adopt_module_key_flags(model_flags)


def main(words: Sequence[str]) -> int:
    """Reads the pictures; returns the exit code."""
    folders = [Path(each) for each in (_ANNOTATE.value, _CROPS.value) if each is not None]
    for folder in folders:
        if folder.exists() and not folder.is_dir():
            raise DigitsError(f"{folder}: expected a folder to write into, found a file")
    if _CSV.value is not None and os.path.lexists(_CSV.value):
        raise _there_already(_CSV.value)
    import_cv2()
    from digits_tf.cli.predict_inputs import find
    from digits_tf.recognition import Recognizer

    pictures = find(words, folders)
    if all(each.problem for each in pictures):
        more = f" (and {len(pictures) - 1} more)" if len(pictures) > 1 else ""
        raise DigitsError(pictures[0].problem + more)
    recognizer = Recognizer.load(
        model_flags.MODEL.value,
        model_flags.THREADS.value,
        model_flags.THRESHOLD.value,
        model_flags.DETECTOR.value,
    )
    model_flags.say_which()
    return _read_all(pictures, recognizer)


def _read_all(pictures: Sequence["Input"], recognizer: "Recognizer") -> int:
    from digits_tf.cli import predict_outputs

    failed = False
    as_json = not sys.stdout.isatty() if _JSON.value is None else _JSON.value
    outputs = _outputs(pictures)
    with contextlib.ExitStack() as stack:
        for output in outputs:
            # Also after Ctrl-C: what was read is kept.
            stack.callback(output.close)
        add_row = _table(stack)
        for each in pictures:
            try:
                digits, line = _read(each, recognizer, outputs, as_json)
                add_row(predict_outputs.reading_row(each.name, digits))
                print(line, flush=True)
            except DigitsError as error:
                failed = True
                if as_json:
                    print(predict_outputs.error_json(each.name, str(error)), flush=True)
                else:
                    predict_outputs.tell(f"error: {error}")
                add_row(predict_outputs.error_row(each.name, str(error)))
    for note in filter(None, (output.note() for output in outputs)):
        predict_outputs.tell(note)
    if _CSV.value is not None:
        predict_outputs.tell(f"{_CSV.value}: {counted(len(pictures), 'row')} written")
    return _EXIT_SOME_FAILED if failed else 0


def _table(stack: contextlib.ExitStack) -> Callable[[Sequence[object]], object]:
    """What adds a row to --csv, which is kept whatever comes later; without it, nothing."""
    from digits_tf.cli import predict_outputs

    if _CSV.value is None:
        return lambda row: None
    path = Path(_CSV.value)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = stack.enter_context(path.open("x", 1, encoding="utf-8", newline=""))
    except FileExistsError:
        raise _there_already(_CSV.value) from None
    add_row = csv.writer(file).writerow
    add_row(predict_outputs.COLUMNS)
    return add_row


def _there_already(path: str) -> DigitsError:
    return DigitsError(f"--csv {path}: is there already: delete it or name another file")


def _read(
    each: "Input", recognizer: "Recognizer", outputs: Sequence["Output"], as_json: bool
) -> tuple[list["Digit"], str]:
    """Reads one picture; returns its digits and its line."""
    from digits_tf.cli import predict_outputs

    start = time.perf_counter()
    picture = each.read()
    digits = recognizer.read(picture)
    milliseconds = 1000 * (time.perf_counter() - start)
    for output in outputs:
        output.add(each.place, picture, digits)
    if as_json:
        return digits, predict_outputs.reading_json(each.name, digits, milliseconds)
    return digits, predict_outputs.reading(each.name, digits)


def _outputs(pictures: Sequence["Input"]) -> list["Output"]:
    from digits_tf.cli.predict_outputs import Annotated, Crops, Idx, Names

    outputs: list[Output] = []
    names = Names(Path(each.name) for each in pictures)
    if _ANNOTATE.value is not None:
        outputs.append(Annotated(Path(_ANNOTATE.value), names))
    if _CROPS.value is not None:
        outputs.append(Crops(Path(_CROPS.value), names))
    if _IDX.value is not None:
        outputs.append(Idx(_IDX.value))
    return outputs


def start() -> NoReturn:
    """Runs the command."""
    command.run(main, __doc__, positional=(1, None))
