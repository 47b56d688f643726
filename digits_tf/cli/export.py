"""Exports a trained run as SavedModel and TFLite, after comparing each file on real digits.

    python -m digits_tf.export
    python -m digits_tf.export runs/run-001 --out=FOLDER
    python -m digits_tf.export runs/run-001 --formats=saved_model,mixed

Writes saved_models/digits/1 (for TensorFlow Serving) and tflite/digits_float32.tflite, _float16,
_int8 and _mixed into the run folder, each with a JSON file beside it. Without a run folder, it
exports the newest run in runs/. A file that does not read the test digits like the run's model is
not written unless you add --force; the exit code is then 1.
"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from digits_tf.cli import command, data_flags
from digits_tf.errors import DigitsError
from digits_tf.export.exporter import Export, export_run
from digits_tf.export.parity import TOLERANCES

_OUT = flags.DEFINE_string(
    "out", None, "Folder that gets saved_models/ and tflite/. Default: the run folder."
)
_NAME = flags.DEFINE_string("name", "digits", "Name of the exported model.")
_FORMATS = flags.DEFINE_list("formats", list(TOLERANCES), "The formats to write.")
_FORCE = flags.DEFINE_boolean(
    "force", False, "Also write files that read worse than the run's model."
)
flags.adopt_module_key_flags(data_flags)

POSITIONAL = (0, 1)


def main(words: Sequence[str]) -> int:
    """Exports, compares, and puts the files in their places; returns the exit code."""
    from digits_tf.training.run import Run, newest_folder

    folder = Path(words[0]) if words else newest_folder(Path("runs"))
    if folder is None:
        raise DigitsError("no run in runs/: train one first with python -m digits_tf.train")
    if not folder.is_dir():
        raise DigitsError(f"{folder}: expected a run folder")
    out = folder if _OUT.value is None else Path(_OUT.value)
    export = Export(out, _NAME.value, _FORMATS.value, _FORCE.value)
    run = Run(folder)
    settings = run.config()["settings"]
    run.result()  # before the digits are looked for: an unfinished run cannot be exported
    digits = data_flags.find(data_flags.selection() or settings["data"]["selection"])
    written = export_run(run, digits, export)
    _tell(export, written)
    return 0 if set(written) == set(export.formats) else command.EXIT_FAILED


def _tell(export: Export, written: Sequence[str]) -> None:
    """Says where the files are, and how to read with them."""
    for kind in TOLERANCES:
        path = export.path(kind)
        if kind in written:
            print(f"written: {path}", file=sys.stderr)
        elif path.exists():
            print(f"left as it was, of an earlier export: {path}", file=sys.stderr)
    # The last format is the fastest.
    model = shlex.quote(export.path(written[-1]).as_posix())
    print(f"to read with it: python -m digits_tf.camera --model={model}", file=sys.stderr)
