"""How many photographs of handwritten digits are read right, writer by writer.

python scripts/writers.py photos/single.csv photos/rows.csv
python scripts/writers.py photos/single.csv --misread wrong.png

A CSV file has a line a photograph: file (beside the CSV file), writer, and what is written there in
label or text. A photograph counts if all of its digits are read, and nothing else.
"""

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf.cli import command
from digits_tf.cli.reading_flags import DETECTOR, MODEL
from digits_tf.images import import_cv2, read_picture, write_picture

flags.declare_key_flag("model")
flags.declare_key_flag("detector")
_JSON = flags.DEFINE_boolean("json", False, "Print one JSON object instead of a table.")
_MISREAD = flags.DEFINE_string("misread", None, "Draw what was misread into this PNG file.")

_TILE = 160  # pixels, of a misread photograph in the picture


def main(words: Sequence[str]) -> None:
    """Reads all photographs and prints the table."""
    import_cv2()
    from photograph_list import listed

    from digits_tf.recognition import Recognizer, text

    photographs = [each for word in words for each in listed(Path(word))]
    recognizer = Recognizer.load(MODEL.value, detector=DETECTOR.value)
    right: dict[str, list[bool]] = {}
    misread, tiles = [], []
    for each in photographs:
        frame = read_picture(each.path)
        digits = recognizer.read(frame)
        found = text(digits)
        right.setdefault(each.writer, []).append(found == each.text)
        if found != each.text:
            misread.append({"file": each.path.name, "written": each.text, "read": found})
            tiles.append(_tile(frame, [digit.crop for digit in digits]))
    shares = [statistics.mean(each) for each in right.values()]
    summary = {
        "right": sum(map(sum, right.values())),
        "photographs": len(photographs),
        "mean_of_writers": statistics.mean(shares),
        "writers": {writer: [sum(each), len(each)] for writer, each in sorted(right.items())},
        "misread": misread,
    }
    if _JSON.value:
        print(json.dumps(summary))
    else:
        _print(summary)
    if _MISREAD.value and tiles:
        _write(Path(_MISREAD.value), tiles)


def _print(summary: dict) -> None:
    print("| writer | read | of |\n|---|---|---|")
    for writer, (good, every) in summary["writers"].items():
        print(f"| {writer} | {good} | {every} |")
    print(
        f"\n{summary['right']} of {summary['photographs']}; mean of {len(summary['writers'])} "
        f"writers {100 * summary['mean_of_writers']:.1f} %"
    )
    for each in summary["misread"]:
        print(f"{each['file']}: written {each['written']!r}, read {each['read']!r}")


def _tile(frame: np.ndarray, crops: list[np.ndarray]) -> np.ndarray:
    """A photograph above what the net saw of it, uint8 (160 + 28, 160, 3)."""
    import cv2

    scale = _TILE / max(frame.shape[:2])
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    tile = np.full((_TILE + 28, _TILE, 3), 40, np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    for index, crop in enumerate(crops[: _TILE // 28]):
        tile[_TILE:, 28 * index : 28 * index + 28] = crop[..., None]
    return tile


def _write(path: Path, tiles: list[np.ndarray]) -> None:
    a_row = 8
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % a_row if len(tiles) > a_row else 0)
    rows = [np.hstack(tiles[start : start + a_row]) for start in range(0, len(tiles), a_row)]
    write_picture(path, np.vstack(rows))
    print(f"misread: {path}")


if __name__ == "__main__":
    command.run(main, __doc__, positional=(1, None))
