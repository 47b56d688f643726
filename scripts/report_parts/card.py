"""The model card: what the models are, how they were trained, and the report."""

import re
import statistics
from typing import Any

from digits_tf import classifier
from report_parts import quantisation, table

_HEAD = """\
# The shipped models

`tiny` is what `--tflite` and `Recognizer.load()` read with, on a Raspberry Pi and on anything else.
`resnet` is the reference, the seed's network; it is larger and slower. Both read 28x28 pictures of
one digit, ink bright on 0, pixels 0 to 255, and give ten probabilities. What these lack of 1 is
the probability that the picture is **no digit**: a letter, a scribble, a line, half a digit, two.

"""
_FILES = {
    "saved_models/NAME/1": "SavedModel, for TensorFlow and TensorFlow Serving (`serving_default`)",
    "tflite/NAME_float32.tflite": "floats throughout",
    "tflite/NAME_float16.tflite": "weights of 16 bits, floats in and out",
    "tflite/NAME_int8.tflite": "8-bit integers throughout, uint8 in and out",
    "tflite/NAME_mixed.tflite": "8-bit convolutions, the end in floats, floats in and out",
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
python -m digits_tf.scenes --out runs/scenes    # what they are trained on, about 12 minutes
python scripts/train_shipped.py                 # all seeds of both, then the export of seed 0
python scripts/quantisation.py runs/tiny-0      # the forms of it, and which one to ship
python scripts/report.py --card=saved_models/README.md
```

They have seen MNIST's training digits but for 5,000 held out; the same as the preprocessing
cuts them out of made-up photographs; digits that the program writes itself, in forms that MNIST
lacks (closed 4s, crossed 7s, slashed 0s, 1s with a flag or a foot), photographed likewise; MNIST's
brought to a coarse grid, as small scanned collections keep them; and, for the class "no digit",
letters, symbols, shapes, scribbles, lines, clutter, parts and pairs of digits. All of that is made
by `digits_tf.scenes`; each epoch changes every picture anew (recipes: `digits_tf/train/recipes`).
No real photograph was trained on, and nothing of MNIST's test part. The epoch is chosen on the
held-out digits; on these the temperature is fitted that the exported models have built in.
"""
_LIMITS = """\
## Limits

- Letters that are drawn like digits (O, l, S, Z) are read as digits, and any single stroke is a 1.
- A 4 that is closed, with a pointed head and no crossbar beyond its stem, may be read as 9.
- A digit far fainter than the others in its row, or in the edge of a deep shadow, may be missed.
- Digits that touch along a side are often read as one or as none.
- Only Western Arabic digits, upright to about 30 degrees.
"""
_PICTURE = re.compile(r"\]\(([\w-]+\.(?:png|json))\)")


def card(
    page: str,
    runs: dict[str, list[dict[str, Any]]],
    pictures: str,
    forms: dict[str, Any] | None = None,
) -> str:
    """Writes the card.

    Args:
        page: the report, in Markdown.
        runs: of each model the runs that scripts/train_shipped.py has noted.
        pictures: where the report's pictures are, from the card's folder.
        forms: what scripts/quantisation.py has written; None: the card says nothing of it.

    Returns:
        Markdown.
    """
    # One title a page: the report's becomes a section, and its sections smaller ones.
    report = re.sub(r"^#", "##", page, flags=re.MULTILINE)
    report = _PICTURE.sub(rf"]({pictures}/\1)", report)
    parts = [_HEAD + _files(), _USE, *(_seeds(name, rows) for name, rows in runs.items())]
    if forms:
        parts.append(quantisation.text(forms) + "\n")
    return "\n".join([*parts, _LIMITS, report])


def _files() -> str:
    """What lies where, and which file is read with by default."""
    default = classifier.shipped_model("tiny").name.replace("tiny", "NAME")
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
