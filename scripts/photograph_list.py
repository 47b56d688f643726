"""Lists of photographs of handwriting, as CSV files."""

import csv
import dataclasses
from pathlib import Path

from digits_tf.errors import DigitsError


@dataclasses.dataclass(frozen=True)
class Photograph:
    """A line of a CSV file.

    Attributes:
        path: the picture.
        text: the digits that are written there, left to right.
        writer: who wrote them.
    """

    path: Path
    text: str
    writer: str


def listed(path: Path) -> list[Photograph]:
    """Reads a list: file (beside the CSV file), writer, and what is written in label or text.

    Raises:
        DigitsError: if it is no CSV file with these columns.
        OSError: if it cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    except UnicodeDecodeError:
        raise DigitsError(f"{path}: expected a CSV file, found something else") from None
    if not rows or not {"file", "writer"} <= set(rows[0]) or not {"label", "text"} & set(rows[0]):
        raise DigitsError(f"{path}: expected columns file, writer, and label or text")
    return [
        Photograph(path.parent / row["file"], row.get("text") or row["label"], row["writer"])
        for row in rows
    ]
