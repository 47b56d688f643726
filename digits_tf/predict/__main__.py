r"""Reads the digits in pictures: a line each, with how sure the least sure digit is.

    python -m digits_tf.predict photo.jpg
    python -m digits_tf.predict photos/ "more/*.png" --json
    python -m digits_tf.predict photos/ --annotate boxes/ --crops crops/ --idx own
    curl -s https://example.org/7.png | python -m digits_tf.predict -

Files, folders (with the folders in them), globs, and - for a picture on standard input. Needs no
TensorFlow. --json prints one object a line: {"path", "text", "digits": [{"label", "confidence",
"box", "probabilities"}], "ms"}; "text" has lines of text joined by "\n", "box" is x, y, width,
height in pixels, "ms" is decoding and reading. A picture that cannot be read is {"path", "error"},
without --json a line on standard error; the others are read all the same, and the exit code is 1.
"""

import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from digits_tf import command
from digits_tf.classifier import flags as model_flags
from digits_tf.errors import DigitsError
from digits_tf.opencv import import_cv2

if TYPE_CHECKING:
    from digits_tf.predict.inputs import Input
    from digits_tf.predict.outputs import Output
    from digits_tf.recognizer import Recognizer

_JSON = flags.DEFINE_boolean("json", False, "Print one JSON object a line.")
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
    import_cv2()
    from digits_tf.predict.inputs import find
    from digits_tf.recognizer import Recognizer

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
    from digits_tf.predict import lines

    failed = False
    outputs = _outputs(pictures)
    with contextlib.ExitStack() as stack:
        for output in outputs:
            # Also after Ctrl-C: what was read is kept.
            stack.callback(output.close)
        for each in pictures:
            try:
                print(_read(each, recognizer, outputs), flush=True)
            except DigitsError as error:
                failed = True
                if _JSON.value:
                    print(lines.error_json(each.name, str(error)), flush=True)
                else:
                    print(f"error: {lines.printable(str(error))}", file=sys.stderr)
    for note in filter(None, (output.note() for output in outputs)):
        print(lines.printable(note), file=sys.stderr)
    return _EXIT_SOME_FAILED if failed else 0


def _read(each: "Input", recognizer: "Recognizer", outputs: Sequence["Output"]) -> str:
    """Reads one picture; returns its line."""
    from digits_tf.predict import lines

    start = time.perf_counter()
    picture = each.read()
    digits = recognizer.read(picture)
    milliseconds = 1000 * (time.perf_counter() - start)
    for output in outputs:
        output.add(each.place, picture, digits)
    if _JSON.value:
        return lines.reading_json(each.name, digits, milliseconds)
    return lines.reading(each.name, digits)


def _outputs(pictures: Sequence["Input"]) -> list["Output"]:
    from digits_tf.predict.outputs import Annotated, Crops, Idx, Names

    outputs: list[Output] = []
    names = Names(Path(each.name) for each in pictures)
    if _ANNOTATE.value is not None:
        outputs.append(Annotated(Path(_ANNOTATE.value), names))
    if _CROPS.value is not None:
        outputs.append(Crops(Path(_CROPS.value), names))
    if _IDX.value is not None:
        outputs.append(Idx(_IDX.value))
    return outputs


if __name__ == "__main__":
    command.run(main, __doc__, positional=(1, None))
