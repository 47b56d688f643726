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
from digits_tf.export import exporter
from digits_tf.export.exporter import FORMATS, ExportedFile

_OUT = flags.DEFINE_string(
    "out", None, "Folder that gets saved_models/ and tflite/. Default: the run folder."
)
_NAME = flags.DEFINE_string("name", "digits", "Name of the exported model.")
_FORMATS = flags.DEFINE_list("formats", list(FORMATS), "The formats to write.")
_FORCE = flags.DEFINE_boolean(
    "force", False, "Also write files that read worse than the run's model."
)
flags.adopt_module_key_flags(data_flags)

POSITIONAL = (0, 1)


def main(words: Sequence[str]) -> int:
    """Exports, and says what was written; returns the exit code."""
    from digits_tf.training.run import Run, newest_folder

    folder = Path(words[0]) if words else newest_folder(Path("runs"))
    if folder is None:
        raise DigitsError("no run in runs/: train one first with python -m digits_tf.train")
    if not folder.is_dir():
        raise DigitsError(f"{folder}: expected a run folder")
    if _NAME.value in ("", ".", "..") or any(sign in _NAME.value for sign in "/\\"):
        raise DigitsError(f"expected a --name without slashes, found {_NAME.value!r}")
    if not _FORMATS.value or not set(_FORMATS.value) <= set(FORMATS):
        raise DigitsError(
            f"expected --formats out of {','.join(FORMATS)}, found {','.join(_FORMATS.value)!r}"
        )
    run = Run(folder)
    if not data_flags.selection():
        data_flags.restore(run.settings()["data"], run.config_file)
    out = folder if _OUT.value is None else Path(_OUT.value)
    exported = exporter.export(
        run, data_flags.find(data_flags.selection()), out, _NAME.value, _FORMATS.value, _FORCE.value
    )
    print(
        f"temperature: {exported.temperature:.3f}, from {exported.held_out:,} held-out digits",
        file=sys.stderr,
    )
    for each in exported.files:
        _describe(each)
    written = [each.kind for each in exported.files if each.is_written]
    if not written:
        raise DigitsError("nothing was written: no file reads like the run's model (see above)")
    _tell(out, written)
    return 0 if len(written) == len(set(_FORMATS.value)) else command.EXIT_FAILED


def _describe(file: ExportedFile) -> None:
    """Says how a file reads the test digits, and what is wrong with it."""
    kind = "SavedModel" if file.kind == "saved_model" else f"TFLite {file.kind}"
    if file.score:
        print(
            f"{kind:<16} {file.size / 1e6:6.2f} MB  {file.score.accuracy:.2%} of "
            f"{file.score.count:,} test digits",
            file=sys.stderr,
        )
    if file.fault:
        does = "written all the same" if file.is_written else "not written"
        hint = " (--force writes it)" if file.score and not file.is_written else ""
        print(f"{kind}: {does}{hint}: {file.fault}", file=sys.stderr)


def _tell(out: Path, written: Sequence[str]) -> None:
    """Says what lies where, and how to read with it."""
    for kind in FORMATS:
        path = exporter.path_of(out, _NAME.value, kind)
        if kind in written:
            print(f"written: {path}", file=sys.stderr)
        elif path.exists():
            print(f"left as it was, of an earlier export: {path}", file=sys.stderr)
    # The last is the quickest.
    model = shlex.quote(exporter.path_of(out, _NAME.value, written[-1]).as_posix())
    print(f"to read with it: python -m digits_tf.camera --model={model}", file=sys.stderr)
