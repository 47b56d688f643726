"""The seed's 37 pictures and its nine photographs of a board."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from digits_tf.cli import predict_inputs
from digits_tf.images import read_picture
from digits_tf.recognition import text as text_of
from report_parts import readings, table
from report_parts.net import Net, by_net

TITLE = "The seed's pictures"
# Folders below the seed's, and what their pictures are. A name begins with its digit.
_FOLDERS = {"test_imgs": "pictures of one digit", "real_img": "photographs of a board"}


def measure(nets: Sequence[Net], folder: Path, limit: int | None) -> dict[str, Any]:
    """Reads the pictures as the camera program does.

    Args:
        nets: what is measured.
        folder: holds test_imgs/ and real_img/.
        limit: the most pictures of each; None: all.
    """
    found: dict[str, Any] = {"sets": {}, "misread": []}
    for name, words in _FOLDERS.items():
        paths = [Path(each.name) for each in predict_inputs.find([str(folder / name)])][:limit]
        written = [path.name[0] for path in paths]
        digits = readings.read(nets, map(read_picture, paths))
        texts = {net: [text_of(each) for each in digits[net]] for net in nets}

        def right(net: Net, texts=texts, written=written) -> int:
            return sum(a == b for a, b in zip(texts[net], written, strict=True))

        found["sets"][words] = {"n": len(paths), "right": by_net(nets, right)}
        found["misread"] += readings.misread([path.name for path in paths], written, texts)
    return found


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    sets = section["sets"]
    first = next(iter(sets.values()))["right"]
    figures: table.Figures = {
        model: {
            kind: {words: (each["right"][model][kind], each["n"]) for words, each in sets.items()}
            for kind in formats
        }
        for model, formats in first.items()
    }

    def row(words: str) -> table.Row:
        return words, lambda each: "{} of {}".format(*each[words])

    return (
        "Found and read by `Recognizer`; one counts if its digit is read, and nothing else.\n\n"
        + table.side_by_side(figures, names, [row(words) for words in sets])
        + "\n\n"
        + readings.misread_text(section["misread"], names)
    )
