"""Photographs at hand: how many are read whole, and how far a confidence can be trusted."""

import csv
import difflib
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from digits_tf.cli import predict_inputs
from digits_tf.errors import DigitsError
from digits_tf.images import read_picture
from digits_tf.recognition import Digit
from digits_tf.recognition import text as text_of
from report_parts import figures
from report_parts.models import Model

TITLE = "Pictures"
_GRID_LINES = 9  # a sudoku's


class Picture(NamedTuple):
    """A picture and what is on it.

    Attributes:
        path: the file.
        text: the digits that are written there, left to right; a line a line; empty: none.
        writer: who wrote them; empty: unknown.
    """

    path: Path
    text: str
    writer: str = ""


def listed(path: Path) -> list[Picture]:
    """Reads a CSV file: file (beside it), label or text (| stands between lines), writer if known.

    Raises:
        DigitsError: if it is no CSV file with these columns, or names a picture that is missing.
    """
    expected = f"{path}: expected a CSV file with the columns file and text, found"
    if not path.is_file():
        what = "a folder: name the file in it" if path.is_dir() else "nothing: check the path"
        raise DigitsError(f"{expected} {what}")
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    except (UnicodeDecodeError, csv.Error):
        raise DigitsError(f"{expected} something else: name another file") from None
    columns = set(rows[0]) if rows else set()
    if "file" not in columns or not {"label", "text"} & columns:
        what = "others" if rows else "no rows"
        raise DigitsError(f"{expected} {what}: name another file or mend its first line")
    key = "text" if "text" in columns else "label"
    found = [
        Picture(
            path.parent / (row["file"] or ""),
            (row[key] or "").replace("|", "\n"),
            row.get("writer") or "",
        )
        for row in rows
    ]
    if missing := [each.path for each in found if not each.path.is_file()]:
        raise DigitsError(f"{path}: expected the picture {missing[0]}, found none: mend the list")
    return found


def without_digits(folder: Path) -> list[Picture]:
    """All pictures of a folder, on which nothing may be read.

    Raises:
        DigitsError: if there is no such folder, or no picture in it.
    """
    found = list(predict_inputs.find([str(folder)])) if folder.is_dir() else []
    if not found or any(each.problem for each in found):
        raise DigitsError(f"{folder}: expected a folder of pictures, found none: check the path")
    return [Picture(Path(each.name), "") for each in found]


def measure(models: Sequence[Model], lists: Mapping[str, Sequence[Picture]]) -> dict[str, Any]:
    """Reads all pictures.

    Args:
        models: one format of each.
        lists: by their names.
    """
    section: dict[str, Any] = {"lists": {}, "misread": []}
    sure: dict[str, list[tuple[float, bool]]] = {model.name: [] for model in models}
    for name, pictures in lists.items():
        # One picture at a time is held.
        read = [
            {model.name: model.recognizer.read(frame) for model in models}
            for frame in (read_picture(each.path) for each in pictures)
        ]
        section["lists"][name] = {
            model.name: _counts(pictures, [text_of(each[model.name]) for each in read])
            for model in models
        }
        for picture, found in zip(pictures, read, strict=True):
            for model in models:
                sure[model.name] += _confidences(picture, found[model.name])
                text = text_of(found[model.name])
                if not _is_grid(picture) and _lines(text) != _lines(picture.text):
                    mistake = {"file": picture.path.name, "written": picture.text, "read": text}
                    section["misread"].append({**mistake, "model": model.name})
    section["calibration"] = {
        model.name: {model.format: figures.calibration(*_columns(sure[model.name]))}
        for model in models
    }
    return section


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    models = list(section["calibration"])
    rows = []
    for name, by_model in section["lists"].items():
        first = by_model[models[0]]
        cells = [by_model[each] for each in models]
        if first["n"]:
            rows.append([name, *(f"{each['whole']} of {each['n']}" for each in cells)])
        if first["writers"]:
            words = f"{name}: mean of {first['writers']} writers ± deviation between them"
            rows.append([words, *(_mean(each) for each in cells)])
        if first["cells"]:
            words = f"{name}: digits in grids of nine lines"
            row = (f"{each['alike']} of {each['cells']}, {each['labels']} labels" for each in cells)
            rows.append([words, *row])
    ece = [next(iter(section["calibration"][each].values())) for each in models]
    rows.append(["ECE", *(f"{figures.decimal(each['ece'])} ({each['n']})" for each in ece)])
    return (
        "A picture counts if every line on it is read whole, and nothing else. In grids, such as "
        "sudokus, digits count that are read in their order. ECE: of how many digits, those of "
        "single lines on which as many are found as are written.\n\n"
        f"{figures.table(['', *models], rows)}\n\n{_misread(section['misread'])}"
    )


def _counts(pictures: Sequence[Picture], texts: Sequence[str]) -> dict[str, Any]:
    """What one model reads of a list: whole pictures, and digits in grids."""
    pairs = list(zip(pictures, texts, strict=True))
    whole = [
        (each, _lines(read) == _lines(each.text)) for each, read in pairs if not _is_grid(each)
    ]
    grids = [(each, read) for each, read in pairs if _is_grid(each)]
    by_writer: dict[str, list[bool]] = {}
    for each, right in whole:
        if each.writer:
            by_writer.setdefault(each.writer, []).append(right)
    shares = [statistics.mean(each) for each in by_writer.values()]
    return {
        "n": len(whole),
        "whole": sum(right for _, right in whole),
        "writers": len(shares),
        "mean": statistics.mean(shares) if shares else None,
        "deviation": statistics.stdev(shares) if len(shares) > 1 else None,
        "cells": sum(len(_flat(each.text)) for each, _ in grids),
        "alike": sum(_alike(read, each.text) for each, read in grids),
        "labels": sum(len(_flat(read)) for _, read in grids),
    }


def _confidences(picture: Picture, digits: Sequence[Digit]) -> list[tuple[float, bool]]:
    """How sure a model is of each digit, and whether it is right.

    Of other pictures than those of one line, with as many digits found as written, nobody can say
    which digit is which.
    """
    if "\n" in picture.text or len(digits) != len(picture.text):
        return []
    return [
        (digit.confidence, str(int(digit.probabilities.argmax())) == sign)
        for digit, sign in zip(digits, picture.text, strict=True)
    ]


def _columns(pairs: Iterable[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    confidences, right = zip(*pairs, strict=True) if (pairs := list(pairs)) else ((), ())
    return np.array(confidences), np.array(right, bool)


def _is_grid(picture: Picture) -> bool:
    return picture.text.count("\n") + 1 >= _GRID_LINES


def _lines(text: str) -> list[str]:
    """In whatever order: which of two numbers side by side comes first is a matter of taste."""
    return sorted(text.split("\n"))


def _flat(text: str) -> str:
    return text.replace("\n", "")


def _alike(read: str, written: str) -> int:
    """How many digits of a grid are read, in the order in which they stand."""
    matcher = difflib.SequenceMatcher(None, _flat(read), _flat(written), autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks())


def _mean(counts: dict[str, Any]) -> str:
    if counts["deviation"] is None:
        return figures.percent(counts["mean"])
    return f"{100 * counts['mean']:.1f} ± {100 * counts['deviation']:.1f} %"


def _misread(mistakes: Sequence[dict[str, str]]) -> str:
    """A list in Markdown: pictures, what was read instead, and by which models."""
    by: dict[tuple[str, str, str], list[str]] = {}
    for each in mistakes:
        by.setdefault((each["file"], each["written"], each["read"]), []).append(each["model"])
    lines = [
        f"- {file}: written {_line(written)}, read {_line(read)} ({', '.join(models)})"
        for (file, written, read), models in by.items()
    ]
    return "\n".join(["Misread:", "", *lines]) if lines else "Nothing was misread."


def _line(text: str) -> str:
    return text.replace("\n", " / ") or "nothing"
