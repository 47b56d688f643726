"""Which groups of marks are digits of one hand, and which are something else."""

from digits_tf.preprocess.crop import Crop
from digits_tf.preprocess.groups import Group

Cropped = tuple[Group, Crop]

# Shares of the main group's height, contrast and stroke below which a group is something else.
_HEIGHT, _LEVEL, _STROKE = 0.3, 0.5, 0.25
# One that stands on a line with an accepted one and is about as high may be fainter and thinner
# than that: the pen ran dry, the chalk was pressed less.
_BESIDE_LEVEL, _BESIDE_STROKE = 0.3, 0.2
_BESIDE_HEIGHTS = 0.45, 1.6
_BESIDE_OVERLAP = 0.5
# A straight bar is a 1, an edge of something or the trace of a sponge. It has to match better.
_BAR_WEIGHT = 0.25
_BAR_HEIGHTS, _BAR_LEVEL, _BESIDE_BAR = (0.6, 1.4), 0.7, 0.35
# What touches the border counts less: it is often the edge of the paper or of a table.
_TOUCHING = 0.2
# Lying on its side it is no digit at all.
_DASH = 2.5


def of_one_hand(cropped: list[Cropped]) -> list[Cropped]:
    """Keeps the digits.

    Args:
        cropped: groups and what their ink is like, in any order. Those that touch the border are
            kept only beside others that do not, or if there is little else.
    """
    cropped = [pair for pair in cropped if pair[0].w < _DASH * pair[0].h]
    sure = [pair for pair in cropped if not pair[1].faint]
    if not sure:
        return []
    main = _main(sure)
    inner = [pair for pair in sure if bool(pair[0].contact) == bool(main[0].contact)]
    kept = [pair for pair in inner if pair is main or _matches(pair, main)]
    added = kept
    while added:  # a faint digit may stand beside a faint one
        added = [
            pair
            for pair in cropped
            if not any(pair is other for other in kept)
            and any(_stands_beside(pair, other, main) for other in kept)
        ]
        kept += added
    return kept


def ink(pair: Cropped) -> float:
    """How much ink it has, and how well it stands out; less for what may be no digit."""
    return (_BAR_WEIGHT if pair[0].is_bar else 1.0) * _as_no_bar(pair)


def _as_no_bar(pair: Cropped) -> float:
    each, crop = pair
    weight = _TOUCHING if each.contact else 1.0
    return weight * (each.w + each.h) * _width(pair) * crop.level**2


def _main(sure: list[Cropped]) -> Cropped:
    """The one with the most ink."""
    first, *others = sorted(sure, key=_as_no_bar, reverse=True)
    for other in others:
        # Whether it is a bar takes longer to say than all else here, and can only lessen it.
        if _as_no_bar(other) <= ink(first):
            break
        first = max(first, other, key=ink)
    return first


def _width(pair: Cropped) -> float:
    """Of the strokes, in pixels of the plane."""
    each, crop = pair
    return crop.stroke * max(each.w, each.h)


def _matches(pair: Cropped, main: Cropped) -> bool:
    each, crop = pair
    if each.h < _HEIGHT * main[0].h or crop.level < _LEVEL * main[1].level:
        return False
    low, high = _BAR_HEIGHTS
    as_bar = low <= each.h / main[0].h <= high and crop.level >= _BAR_LEVEL * main[1].level
    as_stroke = _width(pair) >= _STROKE * _width(main)
    if as_bar == as_stroke:
        return as_bar
    return as_bar if each.is_bar and not main[0].is_bar else as_stroke


def _stands_beside(pair: Cropped, other: Cropped, main: Cropped) -> bool:
    (each, crop), (accepted, _) = pair, other
    low, high = _BAR_HEIGHTS if each.is_bar or crop.faint else _BESIDE_HEIGHTS
    shared = min(each.y + each.h, accepted.y + accepted.h) - max(each.y, accepted.y)
    return (
        low <= each.h / accepted.h <= high
        and shared >= _BESIDE_OVERLAP * min(each.h, accepted.h)
        and crop.level >= _BESIDE_LEVEL * main[1].level
        and _width(pair) >= _BESIDE_STROKE * _width(main)
        and (not crop.faint or not (each.contact or each.is_bar))
        and (not each.is_bar or (not each.contact and crop.level >= _BESIDE_BAR * main[1].level))
    )
