"""Reads many pictures into a folder of results, here or with Ray; a broken run goes on."""

import contextlib
import os
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import digits_tf
from digits_tf import files, stores
from digits_tf.cli import command, predict_inputs, reading_flags
from digits_tf.data.collection import Collection
from digits_tf.detection import detector
from digits_tf.errors import DigitsError
from digits_tf.recognition import registry
from digits_tf.recognition.registry import SHIPPED
from digits_tf.recognition.results import Results, Row, open_results, read_row
from digits_tf.runtime import bar, counted

Rows = Generator[Row, None, None]


def run(words: Sequence[str], folder: Path, with_ray: bool) -> int:
    """Reads the pictures that have no row in the folder yet.

    Args:
        words: files, folders, patterns and addresses.
        folder: see `open_results`.
        with_ray: whether Ray reads, or this program.

    Returns:
        The exit code.

    Raises:
        DigitsError: if there is no picture, see `open_results` and `ray_engine.read_rows`.
        KeyboardInterrupt: after Ctrl-C; what was read is kept.
    """
    names, problems = _names(words)
    if not names:
        raise DigitsError(problems[0])
    for problem in problems:
        command.tell(f"error: {problem}")
    # With Ray too: what is wrong with a flag is to be told before Ray starts.
    recognizer = reading_flags.load_recognizer()
    options = reading_flags.options()
    if not options["collection"] or not Collection(options["collection"]).entries():
        options["collection"] = None
    for key in ("path", "detector", "collection"):
        if options[key] not in (None, *SHIPPED):
            options[key] = _absolute(options[key])
    with open_results(folder, _settings(options)) as results:
        missing = results.missing(names)
        rows: Rows = (read_row(recognizer, name) for name in missing)
        if with_ray:
            from digits_tf.recognition import ray_engine

            rows = ray_engine.read_rows(missing, options)
        failed = _keep(rows, results, len(names), len(missing)) if missing else 0
    unreadable = f", {failed} of them cannot be read" if failed else ""
    before = len(names) - len(missing)
    already = f"; {before} are there already" if before else ""
    command.tell(f"{folder}: {counted(len(missing), 'picture')} read{unreadable}{already}")
    return command.EXIT_FAILED if failed or problems else 0


def _names(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The pictures, each once, and what is wrong with words that mean none."""
    names: dict[str, None] = {}
    problems: list[str] = []
    for each in predict_inputs.find(words):
        if each.name == predict_inputs.STANDARD_INPUT:
            raise DigitsError("expected files and folders with --out, found standard input (-)")
        if each.problem:
            problems.append(each.problem)
        else:
            # Whoever reads the rows later, and wherever, is to know which picture is meant.
            names[each.name if stores.is_address(each.name) else _absolute(each.name)] = None
    return list(names), problems


def _absolute(path: str) -> str:
    # Path.absolute leaves .. in, and Path.resolve follows links.
    return os.path.abspath(path)  # noqa: PTH100


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    """What the readings depend on."""
    return {
        "model": options["path"] or SHIPPED[0],
        "model_sha256": files.sha256(registry.resolve(options["path"])),
        "detector": options["detector"],
        "detector_sha256": files.sha256(detector.resolve(options["detector"])),
        "collection": options["collection"],
        "threshold": options["threshold"],
        "version": digits_tf.__version__,
    }


def _keep(rows: Rows, results: Results, total: int, missing: int) -> int:
    """Writes the rows; returns how many pictures could not be read."""
    failed = 0
    # Ray's rows come a task at a time, so the time left is by the mean and not by the last ones.
    progress = bar(total, "reading", "picture", initial=total - missing, smoothing=0)
    # Ray prints its news on standard output.
    with contextlib.closing(rows), progress, contextlib.redirect_stdout(sys.stderr):
        try:
            for row in rows:
                results.add(row)
                failed += "error" in row
                progress.update()
        except KeyboardInterrupt:
            raise KeyboardInterrupt("the same command goes on where this one ended") from None
        finally:
            # Before Ray ends, which takes seconds.
            results.flush()
    return failed
