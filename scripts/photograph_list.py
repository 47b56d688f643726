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
        text: the digits that are written there, left to right; a line a line.
        writer: who wrote them; empty: the list does not say.
    """

    path: Path
    text: str
    writer: str


def listed(path: Path) -> list[Photograph]:
    """Reads a list: file (beside the CSV file), label or text, writer if known.

    In a text | stands between lines.

    Raises:
        DigitsError: if it is no CSV file with these columns.
        OSError: if it cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    except UnicodeDecodeError:
        raise DigitsError(f"{path}: expected a CSV file, found something else") from None
    if not rows or "file" not in rows[0] or not {"label", "text"} & set(rows[0]):
        raise DigitsError(f"{path}: expected columns file, and label or text")
    key = "text" if "text" in rows[0] else "label"
    return [
        Photograph(path.parent / row["file"], row[key].replace("|", "\n"), row.get("writer") or "")
        for row in rows
    ]
