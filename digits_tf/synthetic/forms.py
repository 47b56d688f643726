"""The forms of digits and letters as strokes, read from forms.txt beside this file."""

import dataclasses
from pathlib import Path

import numpy as np

from digits_tf.synthetic import Points

Strokes = tuple[Points, ...]

# Drawn like a digit by one hand or another: not among the letters.
LIKE_DIGITS = frozenset("OoDQlIiJjSsZzbqgBGTyY")


@dataclasses.dataclass(frozen=True, eq=False)
class Form:
    """A way to write a sign.

    Attributes:
        weight: how often it is chosen, against the sign's other forms.
        strokes: (n, 2) each, see `parse`.
        far: as many points, another extreme of the form; what is written lies between the two.
    """

    weight: float
    strokes: Strokes
    far: Strokes

    def between(self, share: float) -> Strokes:
        """The form so far on the way to its other extreme: 0..1."""
        pairs = zip(self.strokes, self.far, strict=True)
        return tuple(near + share * (far - near) for near, far in pairs)


def parse(text: str) -> Strokes:
    """Strokes from the notation of forms.txt.

    Returns:
        float64 (n, 2) each, x and y in heights; a point given twice is a corner.
    """
    strokes = []
    for stroke in text.split("/"):
        points = []
        for point in stroke.split(","):
            x, y = point.strip().removesuffix("!").split()
            points += [(int(x), int(y))] * (2 if "!" in point else 1)
        strokes.append(np.array(points) / 100)
    return tuple(strokes)


def random_form(digit: int, rng: np.random.Generator) -> Strokes:
    """A form of a digit by the weights, somewhere between its extremes."""
    forms = DIGITS[digit]
    weights = np.array([form.weight for form in forms])
    form = forms[rng.choice(len(forms), p=weights / weights.sum())]
    return form.between(rng.random())


def _read() -> dict[str, list[Form]]:
    """The forms of each sign."""
    forms: dict[str, list[Form]] = {}
    name, weight = "", 1.0
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    # A line that goes on is one with the line before it.
    text = text.replace("\n  ~", "~").replace("\n  /", "/")
    for line in text.splitlines():
        if line.startswith("    "):
            near, _, far = line.partition("~")
            forms[name].append(Form(weight, parse(near), parse(far or near)))
        elif line and not line.startswith("#"):
            name, number, _ = f"{line} 1 ".split(" ", 2)
            weight = float(number)
            forms.setdefault(name, [])
    return forms


_FORMS = _read()
DIGITS = tuple(_FORMS[str(digit)] for digit in range(10))
LETTERS = {name: forms for name, forms in _FORMS.items() if not name.isdecimal()}
