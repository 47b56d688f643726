"""The model card: what the models are, how they were trained, and the report."""

import re
import statistics
from typing import Any

from digits_tf import recognition
from report_parts import quantisation, table

_HEAD = """\
# The shipped models

`tiny` is what `--tflite` and `Recognizer.load()` read with, on a Raspberry Pi and on anything else.
`resnet` is the reference, the seed's network; it is larger and slower. Both read 28x28 pictures of
one digit, ink bright on 0, pixels 0 to 255, and give ten probabilities. What these lack of 1 is
the probability that the picture is **no digit**: a letter, a scribble, a line, half a digit, two.

`detector` finds the digits in a frame, before either of them reads. It sees the frame in grey, four
pixels of a row as one position, and answers for each cell of 4x4 pixels how likely a digit's centre
lies there and where its box ends (`digits_tf/detection/network.py`).

"""
_FILES = {
    "saved_models/NAME/1": "SavedModel, for TensorFlow and TensorFlow Serving (`serving_default`)",
    "tflite/NAME_float32.tflite": "floats throughout",
    "tflite/NAME_float16.tflite": "weights of 16 bits, floats in and out",
    "tflite/NAME_int8.tflite": "8-bit integers throughout, uint8 in and out",
    "tflite/NAME_mixed.tflite": "8-bit convolutions, the end in floats, floats in and out",
    "tflite/detector.tflite": "8-bit integers, for frames of any size",
}
_USE = """
Beside each lies a JSON file with its layout, figures, SHA-256, recipe and versions. A file that
does not match is refused. A SavedModel is a program: open only those that you trust.

```python
from digits_tf import Recognizer

recognizer = Recognizer.load()  # tiny
recognizer = Recognizer.load("resnet")
```

## Training

```sh
digits-tf scenes-fetch                # fonts and photographs to draw frames with
digits-tf train-detector --run=runs/detector
cp runs/detector/detector/detector.* tflite/
digits-tf scenes --out runs/scenes    # what the others are trained on
python scripts/train_shipped.py                 # all seeds of both, then the export of seed 0
python scripts/quantisation.py runs/tiny-0      # the forms of it, and which one to ship
python scripts/report.py --card=saved_models/README.md
```

The detector has seen frames that the program makes: MNIST's training digits but for 5,000 held out,
digits that the program writes itself (closed 4s, crossed 7s, slashed 0s, 1s with a flag or a foot),
and digits of fonts; on paper, boards and screens, among letters, lines, grids and things; and
photographs without a digit. The epoch is chosen on frames of other digits, fonts and photographs.

The models that read have seen the same training digits as they are; digits as the detector cuts
them out of such frames; MNIST's brought to a coarse grid, as small scanned collections keep them;
and, for the class "no digit", letters, symbols, shapes, scribbles, lines, clutter, parts and pairs
of digits, and what the detector takes for a digit. All of that is made by `digits_tf.scenes`; each
epoch changes every picture anew (recipes: `digits_tf/train/recipes`). The epoch is chosen on the
held-out digits; on these the temperature is fitted that the exported models have built in.

No photograph of handwriting was trained on, and nothing of MNIST's test part.
"""
_LIMITS = """\
## Limits

- Letters that are drawn like digits (O, l, S, Z) are read as digits, and any single stroke is a 1.
- A 4 that is closed, with a pointed head and no crossbar beyond its stem, may be read as 9.
- Digits of less than about 1/36 of the frame's shorter side are missed.
- Only Western Arabic digits, upright to about 30 degrees.
"""
_PICTURE = re.compile(r"\]\(([\w-]+\.(?:png|json))\)")


def card(
    page: str,
    runs: dict[str, list[dict[str, Any]]],
    pictures: str,
    forms: dict[str, Any] | None = None,
    sources: dict[str, dict[str, str]] | None = None,
) -> str:
    """Writes the card.

    Args:
        page: the report, in Markdown.
        runs: of each model the runs that scripts/train_shipped.py has noted.
        pictures: where the report's pictures are, from the card's folder.
        forms: what scripts/quantisation.py has written; None: the card says nothing of it.
        sources: "kind", "version" and "licence" of packages of fonts and pictures, by their names.

    Returns:
        Markdown.
    """
    # One title a page: the report's becomes a section, and its sections smaller ones.
    report = re.sub(r"^#", "##", page, flags=re.MULTILINE)
    report = _PICTURE.sub(rf"]({pictures}/\1)", report)
    parts = [_HEAD + _files(), _USE, *(_seeds(name, rows) for name, rows in runs.items())]
    if forms:
        parts.append(quantisation.text(forms) + "\n")
    if sources:
        parts.append(_sources(sources))
    return "\n".join([*parts, _LIMITS, report])


def _sources(packages: dict[str, dict[str, str]]) -> str:
    """The packages by what they are and their licence."""
    lines = [
        "## Sources",
        "Frames are drawn with fonts of npm's packages `@fontsource/NAME` and pictures of Debian's "
        "packages. None of them is shipped; `digits-tf scenes-fetch` gets them, each "
        "with its licence. An eighth of them is kept out of training.",
    ]
    groups: dict[tuple[str, str], list[str]] = {}
    for name, each in sorted(packages.items()):
        words = f"{name} {each['version']}"
        groups.setdefault((each["kind"], each["licence"]), []).append(words)
    for (kind, licence), names in sorted(groups.items()):
        lines.append(f"- **{kind}**, {licence}: {', '.join(names)}")
    return "\n\n".join(lines) + "\n"


def _files() -> str:
    """What lies where, and which file is read with by default."""
    default = recognition.shipped_model("tiny").name.replace("tiny", "NAME")
    rows = [
        [f"`{path}`", words + ("; the default" if path.endswith(default) else "")]
        for path, words in _FILES.items()
    ]
    return table.table(["file", "what it is"], rows)


def _seeds(name: str, rows: list[dict[str, Any]]) -> str:
    """All runs of a model, and their mean."""
    accuracies = [100 * row["test_accuracy"] for row in rows]
    count = f"{len(rows)} seed{'s' if len(rows) > 1 else ''}"
    spread = f" ± {statistics.stdev(accuracies):.3f}" if len(rows) > 1 else ""
    cells = [
        [
            str(row["seed"]),
            f"{100 * row['test_accuracy']:.2f} %",
            f"{100 * row['held_out_accuracy']:.2f} %",
            f"{row['epochs']} x {row['digits_an_epoch']:,}",
            f"{row['minutes']:.0f}",
        ]
        for row in rows
    ]
    head = ["seed", "MNIST's test digits", "held out", "epochs x pictures", "minutes"]
    machine, versions = rows[-1]["machine"], rows[-1]["versions"]
    return (
        f"### `{name}`: {statistics.mean(accuracies):.2f}{spread} % over {count}\n\n"
        f"{table.table(head, cells)}\n\n"
        f"On {machine}, TensorFlow {versions['tensorflow']}, Keras {versions['keras']}; other "
        "programs ran beside them. Seed 0 is shipped, whatever it is worth beside the others.\n"
    )
