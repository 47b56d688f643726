r"""Reads the digits in pictures and prints a line for each picture.

    python -m digits_tf.predict photo.jpg
    python -m digits_tf.predict photos/ "more/*.png" --json
    python -m digits_tf.predict photos/ --csv readings.csv
    python -m digits_tf.predict photos/ --annotate boxes/ --crops crops/ --idx page
    python -m digits_tf.predict scans/ s3://bucket/scans --out results --engine=ray
    curl -s https://example.org/7.png | python -m digits_tf.predict -

Takes files, folders (with the folders in them), patterns, addresses of object stores (s3://...,
gs://..., with the extra "ray"), and - for a picture on standard input. Needs no TensorFlow.

A terminal gets a line of text: the path, the digits, and how sure the least sure digit is. With
--json, and where a program or a file takes the output (unless --nojson), each line is a JSON
object: {"path", "text", "digits": [{"label", "confidence", "box", "probabilities"}], "ms"}.
"text" separates lines of text by "\n", and numbers that stand far apart on one line by a blank;
"box" is x, y, width, height in pixels; "ms" is the time to decode and read the picture.

A picture that cannot be read gives {"path", "error"}, or a line of text on standard error. The
others are read all the same, and the exit code is 1.

For very many pictures, --out writes these objects into files, with absolute paths. If the run is
broken off, the same command goes on where it was. --engine=ray reads with every processor core of
this machine, or of the Ray cluster that it belongs to.
"""

import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from digits_tf.cli import command, reading_flags
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2

if TYPE_CHECKING:
    from digits_tf.cli.predict_inputs import Input
    from digits_tf.cli.predict_outputs import Output, Reading
    from digits_tf.recognition import Recognizer

_JSON = flags.DEFINE_boolean(
    "json",
    None,
    "Print a JSON object for each picture; --nojson prints a line of text. Default: text on a "
    "terminal, JSON elsewhere.",
)
_CSV = flags.DEFINE_string(
    "csv",
    None,
    "Write a row a picture into this new file: path, text, confidence of the least sure digit, "
    "number of unsure marks, error.",
)
_ANNOTATE = flags.DEFINE_string(
    "annotate", None, "Write the pictures with boxes and labels into this folder."
)
_CROPS = flags.DEFINE_string(
    "crops",
    None,
    "Write what the network saw into this folder: 28x28 PNG files such as photo_00_7.png, with x "
    "in place of 7 where it was not sure.",
)
_IDX = flags.DEFINE_string(
    "idx",
    None,
    "Write the crops that have a label as PREFIX-images-idx3-ubyte, and their labels as "
    "PREFIX-labels-idx1-ubyte.",
)
_OUT = flags.DEFINE_string(
    "out",
    None,
    "Write a row a picture into files in this folder: JSON lines, or Parquet if its name ends in "
    ".parquet. Pictures that have a row in it already are not read again.",
)
_ENGINE = flags.DEFINE_enum(
    "engine",
    "local",
    ("local", "ray"),
    "What reads for --out: this program alone, or Ray, with a worker a core; the environment's "
    "RAY_ADDRESS names a cluster.",
)
flags.adopt_module_key_flags(reading_flags)

POSITIONAL = (1, None)


def main(words: Sequence[str]) -> int:
    """Reads the pictures; returns the exit code."""
    _check_flags()
    folders = [Path(each) for each in (_ANNOTATE.value, _CROPS.value) if each is not None]
    for folder in folders:
        if folder.exists() and not folder.is_dir():
            raise DigitsError(f"{folder}: expected a folder to write into, found a file")
    import_cv2()
    # What needs OpenCV is imported from here on.
    if _OUT.value is not None:
        from digits_tf.cli import predict_many

        return predict_many.run(words, Path(_OUT.value), with_ray=_ENGINE.value == "ray")
    from digits_tf.cli.predict_inputs import find

    pictures = list(find(words, folders))
    if all(each.problem for each in pictures):
        more = f" (and {len(pictures) - 1} more)" if len(pictures) > 1 else ""
        raise DigitsError(pictures[0].problem + more)
    recognizer = reading_flags.load_recognizer()
    outputs = _outputs(pictures)
    failed = False
    with contextlib.ExitStack() as stack:
        for output in outputs:
            # After Ctrl-C too: what was read is kept.
            stack.callback(output.close)
        for each in pictures:
            try:
                reading = _read(each, recognizer)
                for output in outputs:
                    output.add(reading)
            except DigitsError as error:
                failed = True
                for output in outputs:
                    output.fail(each.name, str(error))
    for line in filter(None, (output.summary() for output in outputs)):
        command.tell(line)
    return command.EXIT_FAILED if failed else 0


def _check_flags() -> None:
    if _OUT.value is None:
        if _ENGINE.value != "local":
            raise DigitsError(f"--engine={_ENGINE.value} needs --out FOLDER for what it reads")
        return
    for flag in (_JSON, _CSV, _ANNOTATE, _CROPS, _IDX):
        if flag.value is not None:
            raise DigitsError(f"expected --out alone, found --{flag.name} as well: leave one out")
    if _ENGINE.value == "ray" and reading_flags.THREADS.value > 1:
        raise DigitsError(
            f"expected one thread with --engine=ray, which has a worker a core, found "
            f"--threads={reading_flags.THREADS.value}"
        )


def _outputs(pictures: Sequence["Input"]) -> list["Output"]:
    from digits_tf.cli import predict_outputs

    outputs: list[Output] = []
    names = predict_outputs.Names(Path(each.name) for each in pictures)
    if _ANNOTATE.value is not None:
        outputs.append(predict_outputs.Annotated(Path(_ANNOTATE.value), names))
    if _CROPS.value is not None:
        outputs.append(predict_outputs.Crops(Path(_CROPS.value), names))
    if _IDX.value is not None:
        outputs.append(predict_outputs.Idx(_IDX.value))
    if _CSV.value is not None:
        outputs.append(predict_outputs.Table(Path(_CSV.value)))
    as_json = not sys.stdout.isatty() if _JSON.value is None else _JSON.value
    # The last: a picture that one of the others cannot write counts as one that cannot be read.
    outputs.append(predict_outputs.JSONLines() if as_json else predict_outputs.TextLines())
    return outputs


def _read(each: "Input", recognizer: "Recognizer") -> "Reading":
    from digits_tf.cli.predict_outputs import Reading

    start = time.perf_counter()
    picture = each.read()
    digits = recognizer.read(picture)
    milliseconds = 1000 * (time.perf_counter() - start)
    return Reading(each.name, each.place, picture, digits, milliseconds)
