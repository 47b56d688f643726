"""Letters and symbols as they are printed, without those that look like digits."""

import functools

import cv2
import numpy as np

from digits_tf.synthetic.background.letters import LIKE_DIGITS

# A ? whose dot is lost is a 2; of other scripts, what is like a digit of ours is left out.
_LATIN = "".join(sorted(set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") - LIKE_DIGITS))
_SIGNS = '&@#%!+=*()[]{}<>~^"$€£×÷±≠≈≤≥∞√∑∏∇∈∀⊕⊗∪∩⊂⊃'
_ARROWS = "←↑→↓↔↕↖↗↘↙⇐⇒⇑⇓⇔↺↻"
_PICTURES = "✓✔✕✗✘★☆✦✶✿❄♥♡♠♤♣♧♦♢☺☹☻♪♫♀♂☀☁☂☎☠☢☯♔♕♞♟⌂⌘⚓⚙⚡✂✈✉✌©®™"
_GREEK = "αγεηκλμνξπρφχψωΓΔΛΞΠΣΦΨΩ"
_CYRILLIC = "ЖИКЛМНПФХЦШЩЮЯДЄжикмнпфхцшщюядл"
_OTHERS = "אבחטמעשתԽՓՔՖամնشⵣⵥⴵ"
_MONO = "@#&%{}[]<>~^*+=!$→←↑↓" + _LATIN
# Those of TeX have other signs in the places of the signs.
TABLES = {
    "DejaVu Sans": (*(2 * _LATIN, _SIGNS, _ARROWS, _PICTURES, _GREEK, _CYRILLIC, _OTHERS),),
    "DejaVu Sans Mono": (_MONO,),
    "cmr10": (_LATIN,),
    "cmmi10": (_LATIN,),
}
_SHARES = (0.6, 0.14, 0.13, 0.13)
_SIDE, _INK_SIDE, _ENLARGED = 56, 40, 4
_TURN, _SLANT, _ASPECT = 15.0, 0.15, 0.15  # degrees at most; deviations
_BOLDER = (-1.2, 3.0)  # pixels of the glyph by which strokes are widened


def symbol(rng: np.random.Generator) -> np.ndarray:
    """Prints a letter or symbol, warped, thinner or bolder, uint8 (56, 56), bright on 0."""
    families = list(TABLES)
    family = families[rng.choice(len(families), p=_SHARES)]
    tables = TABLES[family]
    characters = tables[rng.integers(len(tables))]
    outlines = _outlines(family, characters[rng.integers(len(characters))])
    warp = _warp(rng)
    outlines = [outline @ warp for outline in outlines]
    every = np.concatenate(outlines)
    low, high = every.min(axis=0), every.max(axis=0)
    scale = _ENLARGED * _INK_SIDE / (high - low).max()
    middle = _SIDE * _ENLARGED / 2
    points = [
        np.round((outline - (low + high) / 2) * scale + middle).astype(np.int32)
        for outline in outlines
    ]
    large = np.zeros((_SIDE * _ENLARGED, _SIDE * _ENLARGED), np.uint8)
    cv2.fillPoly(large, points, 255)
    return _bolder(cv2.resize(large, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), rng)


@functools.cache
def _outlines(family: str, character: str) -> list[np.ndarray]:
    """A character's outlines, float (n, 2) each, y down."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), character, size=100, prop=FontProperties(family=family))
    outlines = [np.array(outline) * [1.0, -1.0] for outline in path.to_polygons()]
    return [outline for outline in outlines if len(outline) > 2]


def _warp(rng: np.random.Generator) -> np.ndarray:
    turn = np.deg2rad(rng.uniform(-_TURN, _TURN))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    slant = np.array([[1.0, 0.0], [rng.normal(0, _SLANT), 1.0]])
    return np.diag([np.exp(rng.normal(0, _ASPECT)), 1.0]) @ slant @ rotation


def _bolder(glyph: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    width = round(rng.uniform(*_BOLDER))
    if not width:
        return glyph
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(width) + 1, abs(width) + 1))
    changed = (cv2.dilate if width > 0 else cv2.erode)(glyph, brush)
    # Thin strokes do not survive being made thinner.
    return changed if np.count_nonzero(changed) > 0.4 * np.count_nonzero(glyph) else glyph
