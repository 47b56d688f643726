"""Photographs of handwriting, writer by writer: single digits and rows."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from photograph_list import Photograph, listed

from digits_tf.errors import DigitsError
from digits_tf.images import read_picture
from digits_tf.recognition import Digit
from digits_tf.recognition import text as text_of
from report_parts import readings, table
from report_parts.net import Net, by_net

TITLE = "Photographs by writer"
# CSV files in the folder, and what they list.
_LISTS = {"single.csv": "single digits", "rows.csv": "rows of digits"}


def find(folder: Path, limit: int | None) -> dict[str, list[Photograph]]:
    """The folder's photographs by what they show.

    Args:
        folder: holds single.csv and rows.csv.
        limit: the most of each; None: all.

    Raises:
        DigitsError: if a list is missing or is none.
    """
    if missing := [name for name in _LISTS if not (folder / name).is_file()]:
        raise DigitsError(f"{folder}: expected {' and '.join(missing)}, found none")
    return {words: listed(folder / name)[:limit] for name, words in _LISTS.items()}


def read(nets: Sequence[Net], lists: Mapping[str, list[Photograph]]) -> dict:
    """What each net reads of each list, see `readings.read`."""
    return {
        words: readings.read(nets, (read_picture(each.path) for each in photographs))
        for words, photographs in lists.items()
    }


def measure(
    nets: Sequence[Net],
    lists: Mapping[str, list[Photograph]],
    found: Mapping[str, readings.Readings],
) -> dict[str, Any]:
    """Counts photographs of which all digits are read, and nothing else.

    Args:
        nets: what is measured.
        lists: see `find`.
        found: see `read`.
    """
    section: dict[str, Any] = {"lists": {}, "misread": []}
    for words, photographs in lists.items():
        texts = {net: [text_of(digits) for digits in found[words][net]] for net in nets}

        def figures(net: Net, photographs=photographs, texts=texts) -> dict[str, Any]:
            right: dict[str, list[bool]] = {}
            for each, read in zip(photographs, texts[net], strict=True):
                right.setdefault(each.writer, []).append(read == each.text)
            shares = [statistics.mean(each) for each in right.values()]
            return {
                "mean": statistics.mean(shares),
                "deviation": statistics.stdev(shares) if len(shares) > 1 else None,
                "right": sum(map(sum, right.values())),
                "of": len(photographs),
                "writers": {who: [sum(each), len(each)] for who, each in sorted(right.items())},
            }

        section["lists"][words] = by_net(nets, figures)
        names = [each.path.name for each in photographs]
        written = [each.text for each in photographs]
        section["misread"] += readings.misread(names, written, texts)
    return section


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    parts = [
        "Found and read by `Recognizer`. A photograph counts if all that is on it is read, and "
        "nothing else. The mean is that of the writers, ± the standard deviation between them."
    ]
    for words, figures in section["lists"].items():
        first = next(iter(next(iter(figures.values())).values()))
        rows: list[table.Row] = [
            ("mean of writers", _mean),
            ("all", lambda each: f"{each['right']} of {each['of']}"),
            *(_row(writer) for writer in first["writers"]),
        ]
        parts += [f"### {words.capitalize()}", table.side_by_side(figures, names, rows)]
    return "\n\n".join([*parts, readings.misread_text(section["misread"], names)])


def confidences(
    lists: Mapping[str, list[Photograph]], found: Mapping[str, list[list[Digit]]]
) -> tuple[list[float], list[bool], int]:
    """How sure a net is of the digits in photographs, and whether it is right.

    Only photographs on which as many digits are found as are written: elsewhere nobody can say
    which is which.

    Args:
        lists: see `find`.
        found: by the same words, the digits that one net read.

    Returns:
        Confidences, 0 to 1; whether each was right; and how many photographs were left out.
    """
    sure, right, left_out = [], [], 0
    for words, photographs in lists.items():
        for each, digits in zip(photographs, found[words], strict=True):
            if len(digits) != len(each.text):
                left_out += 1
                continue
            for digit, sign in zip(digits, each.text, strict=True):
                sure.append(digit.confidence)
                right.append(str(int(digit.probabilities.argmax())) == sign)
    return sure, right, left_out


def _row(writer: str) -> table.Row:
    return writer, lambda each: "{} of {}".format(*each["writers"][writer])


def _mean(each: dict[str, Any]) -> str:
    deviation = each["deviation"]
    if deviation is None:
        return table.percent(each["mean"])
    return f"{100 * each['mean']:.1f} ± {100 * deviation:.1f} %"
