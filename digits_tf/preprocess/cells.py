"""Places of a text, each with the ways in which its ink may be taken for digits."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from digits_tf.preprocess import company
from digits_tf.preprocess.crop import Crop
from digits_tf.preprocess.groups import Group
from digits_tf.preprocess.ink import FAINT_LEVEL, LEAST_LEVEL, Ink
from digits_tf.preprocess.patch import Patch, cut_out
from digits_tf.preprocess.plane import Plane

# Ink stands out of the noise by more than the pixels that were taken for ink do; its strokes are
# thin for their length; and it ends at its edge. Clusters of noise, the edges of shadows and
# smudges differ in one of these. Made-up scenes: of digits 1 in 100 has a level below 2.1 noise
# floors, a stroke above 0.24 or surroundings above 0.09; of other marks half have a level below
# 1.7, a stroke above 0.25, surroundings above 0.2.
_WIDEST_STROKE, _MOST_AROUND = 0.3, 0.15
# What is a little less distinct may still be a digit beside one that is none of these.
_FAINT_AROUND = 0.22
# Bold ink is believed where it is crisp.
_BOLD, _CRISP = 0.42, 0.03
# From this aspect on, two digits that touch are thought of; from the other on, one digit is
# unlikely, and the more so the wider.
_MAYBE_TWO, _UNLIKELY_ONE = 1.0, 1.15
_COST_WIDE, _COST_CUT, _COST_STROKE = 0.8, 0.1, 0.3
# Parts less high than this share of the whole are pieces of a digit.
_LEAST_PART = 0.55
# A digit with its neighbour is about so wide, in heights.
_ADVANCE = 0.75
_MOST_PARTS = 5
# Two marks side by side may be one broken digit if the gap is at most this share of the height
# and both together are no wider than this.
_BROKEN_GAP, _BROKEN_ASPECT = 0.25, 1.1
_COST_JOINED, _COST_GAP = 0.1, 0.6
# Digits of one number stand on one line; halves of a digit do not.
_UNEVEN, _COST_UNEVEN = 0.2, 0.25


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """A digit in a frame.

    Attributes:
        crop: uint8 (28, 28), ink bright on 0, its longer side 20 pixels, centre of mass at 14, 14.
        box: x, y, width, height in pixels of the frame.
        line: the line of text that it stands in, 0 is the uppermost.
        weigh: says how much ink it has and how well it stands out, to compare ways of finding.
    """

    crop: np.ndarray
    box: tuple[int, int, int, int]
    line: int
    weigh: Callable[[], float]


@dataclasses.dataclass(frozen=True, eq=False)
class Option:
    """One way to take a cell's ink.

    Attributes:
        found: its digits, left to right.
        cost: what its shape says against it, in units of probability.
        as_drawn: whether its digits are marks as they stand, neither cut nor joined, which may be
            no digits at all.
    """

    found: list[Found]
    cost: float = 0.0
    as_drawn: bool = True


Cell = list[Option]  # at least one


class CellMaker:
    """Makes cells of groups.

    Args:
        ink: where the groups were found.
        plane: likewise.
    """

    def __init__(self, ink: Ink, plane: Plane):
        self._ink, self._plane = ink, plane
        self._patches: dict[int, Patch] = {}

    def crop(self, group: Group) -> Crop | None:
        """The ink of a group; None if it is no ink."""
        patch = self._patches[id(group)] = cut_out(group, self._ink, self._plane)
        crop = patch.crop()
        if crop is None or crop.level < FAINT_LEVEL * patch.floor:
            return None
        widest = _BOLD if crop.surround < _CRISP else _WIDEST_STROKE
        if crop.stroke > widest or crop.surround > _FAINT_AROUND:
            return None
        faint = crop.level < LEAST_LEVEL * patch.floor or crop.surround > _MOST_AROUND
        return dataclasses.replace(crop, faint=True) if faint else crop

    def cells(self, kept: Sequence[tuple[Group, Crop]]) -> list[Cell]:
        """The cells of a text.

        Args:
            kept: groups that were cropped by this object, in reading order.
        """
        cells, index = [], 0
        while index < len(kept):
            here = kept[index]
            following = kept[index + 1] if index + 1 < len(kept) else None
            if following and _maybe_one(here[0], following[0]):
                cells.append(self._broken(here, following))
                index += 2
            else:
                cells.append(self._touching(*here))
                index += 1
        return cells

    def _found(self, group: Group, crop: Crop, patch: Patch, parts: int = 1) -> Found:
        """A digit that has its share of a group's ink."""

        def weigh() -> float:
            return self._plane.factor**2 * company.ink((group, crop)) / parts

        return Found(crop.image, patch.frame_box(crop), group.line, weigh)

    def _whole(self, group: Group, crop: Crop) -> Found:
        return self._found(group, crop, self._patches[id(group)])

    def _broken(self, one: tuple[Group, Crop], other: tuple[Group, Crop]) -> Cell:
        """Two marks as two digits or as one."""
        apart = Option([self._whole(*one), self._whole(*other)])
        joined = Group(one[0].marks + other[0].marks)
        joined.line = one[0].line
        crop = self.crop(joined)
        if crop is None:
            return [apart]
        height = joined.h
        gap = max(0, other[0].x - one[0].x - one[0].w) / height
        bottoms = abs(one[0].y + one[0].h - other[0].y - other[0].h) / height
        if bottoms > _UNEVEN:
            apart = dataclasses.replace(apart, cost=_COST_UNEVEN)
        cost = _COST_JOINED + _COST_GAP * gap
        return [apart, Option([self._whole(joined, crop)], cost, as_drawn=False)]

    def _touching(self, group: Group, crop: Crop) -> Cell:
        """A wide mark as one digit or as several."""
        aspect = group.w / group.h
        cell = [
            Option([self._whole(group, crop)], _COST_WIDE * max(0.0, aspect - _UNLIKELY_ONE)),
        ]
        if aspect < _MAYBE_TWO:
            return cell
        patch = self._patches[id(group)]
        solid = cv2.bitwise_and(patch.mask, cv2.compare(patch.contrast, patch.floor, cv2.CMP_GT))
        tall = _LEAST_PART * crop.box[3]
        for cuts in _cuts(solid, aspect):
            parts = [patch.crop(slice(*ends)) for ends in itertools.pairwise((0, *cuts, None))]
            found = [
                self._found(group, part, patch, len(parts))
                for part in parts
                if part and part.box[3] > tall
            ]
            if len(found) == len(parts):
                cost = _COST_CUT + _COST_STROKE * _strokes_cut(solid, cuts)
                cell.append(Option(found, cost, as_drawn=False))
        return cell


def _maybe_one(one: Group, other: Group) -> bool:
    if one.line != other.line:
        return False
    width = max(one.x + one.w, other.x + other.w) - one.x
    top, bottom = min(one.y, other.y), max(one.y + one.h, other.y + other.h)
    gap = other.x - one.x - one.w
    return width <= _BROKEN_ASPECT * (bottom - top) and gap <= _BROKEN_GAP * (bottom - top)


def _strokes_cut(solid: np.ndarray, cuts: tuple[int, ...]) -> float:
    """How many strokes a cut goes through beyond one: the ring of a 0 is cut twice."""
    columns = solid[:, list(cuts)] > 0
    starts = np.count_nonzero(columns[1:] & ~columns[:-1], axis=0)
    return float(np.maximum(starts - 1, 0).mean())


def _cuts(solid: np.ndarray, aspect: float) -> list[tuple[int, ...]]:
    """Columns at which to cut: in two at the two thinnest places, in more at the thinnest."""
    profile = np.convolve((solid > 0).sum(axis=0), np.ones(3) / 3, mode="same")
    width = len(profile)
    first = _thinnest(profile, 0.5, 0.25)
    ways: list[tuple[int, ...]] = [(first,)]
    rest = profile.astype(float).copy()
    rest[max(0, first - width // 10) : first + width // 10 + 1] = np.inf
    second = _thinnest(rest, 0.5, 0.25)
    if np.isfinite(rest[second]):
        ways.append((second,))
    for parts in range(3, min(_MOST_PARTS, round(aspect / _ADVANCE) + 1) + 1):
        ways.append(
            tuple(_thinnest(profile, each / parts, 0.3 / parts) for each in range(1, parts))
        )
    return [cuts for cuts in ways if list(cuts) == sorted(set(cuts)) and cuts[0] > 0]


def _thinnest(profile: np.ndarray, middle: float, reach: float) -> int:
    """The column with the least ink about a place, both as shares of the width."""
    width = len(profile)
    low, high = int((middle - reach) * width), int((middle + reach) * width) + 1
    return low + int(profile[low:high].argmin())
