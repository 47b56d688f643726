"""How many digits are found, what else is taken for one, what is read then, and how long it takes.

Everything on made-up frames is drawn with what training did not see: fonts, photographs, digits.
"""

import difflib
import itertools
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from photograph_list import Photograph

from digits_tf import benchmark
from digits_tf.detection.crops import digit_crop
from digits_tf.detection.detector import LEAST, Detector, shrunk
from digits_tf.images import read_picture
from digits_tf.recognition import text as text_of
from digits_tf.recognition.classifier import THRESHOLD
from digits_tf.synthetic import textures
from digits_tf.synthetic.assets import Assets
from digits_tf.synthetic.canvas import UNSURE, Canvas, Frame
from digits_tf.synthetic.crops import overlap
from digits_tf.synthetic.frames import frame
from report_parts import readings, signs, table
from report_parts.net import Net

TITLE = "Finding digits"
# Pixels of the finest plane that the detector sees.
_HEIGHTS = (0, 8, 12, 20, 40, 110, np.inf)
_SAME, _ELSEWHERE = 0.5, 0.05  # overlap: a digit is found; a box is of something else
_SEED = 90
# Without those that a hand writes as it writes a digit.
LETTERS = "".join(
    letter
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    if letter not in "OolISZszbgqDijJyY"
)
_GRID_LINES = 9  # a sudoku's
_TIMED, _WARM_UP = 60, 8  # frames
_STILL = benchmark.Size(4000, 3000)


def about(path: Path) -> dict[str, Any]:
    """The detector's size: "bytes" and, if the JSON beside it says so, "parameters"."""
    card = path.with_suffix(".json")
    noted = json.loads(card.read_text()) if card.is_file() else {}
    return {"bytes": path.stat().st_size, "parameters": noted.get("parameters")}


def made_up(
    nets: Sequence[Net],
    detector: Detector,
    digits: tuple[np.ndarray, np.ndarray],
    world: Assets | None,
    count: int,
) -> dict[str, Any]:
    """Counts what is found and read on made-up frames.

    Args:
        nets: one of each model.
        detector: finds digits.
        digits: uint8 (n, 28, 28), bright on 0, and their labels, (n,).
        world: fonts and photographs, or None.
        count: frames.
    """
    names = [net.model for net in nets]
    rows: list[dict[str, Any]] = [
        {"digits": 0, "found": 0, "boxes": 0, "true": 0, "right": dict.fromkeys(names, 0)}
        for _ in _HEIGHTS[1:]
    ]
    labels = {name: {"labels": 0, "true": 0, "frames": 0} for name in names}
    empty = 0
    for number in range(count):
        made = frame(np.random.default_rng((_SEED, number)), *digits, world)
        scale = shrunk(made.image)[-1].shape[0] / made.image.shape[0]
        for label, height in zip(made.labels, made.boxes[:, 3], strict=True):
            rows[_row_of(height * scale)]["digits"] += int(label != UNSURE)
        empty += not len(made.boxes)
        seen = list(_seen(detector, made))
        read = {net.model: net.read(_stack(crop for _, _, crop in seen)) for net in nets}
        for index, (height, place, _) in enumerate(seen):
            # Found boxes count by their own height, digits by theirs.
            rows[_row_of(height * scale)]["boxes"] += 1
            rows[_row_of(height * scale)]["true"] += place >= 0
            own = rows[_row_of(made.boxes[place, 3] * scale)] if place >= 0 else None
            if own:
                own["found"] += 1
            for name, each in read.items():
                if each[index].max() > THRESHOLD:
                    labels[name]["labels"] += 1
                    labels[name]["true"] += place >= 0
                    if own and each[index].argmax() == made.labels[place]:
                        own["right"][name] += 1
        if not len(made.boxes):
            for name, each in read.items():
                labels[name]["frames"] += bool((each.max(axis=1) > THRESHOLD).any())
    return {"n": count, "empty": empty, "heights": rows, "labels": labels, "drawn": bool(world)}


def _seen(detector: Detector, made: Frame) -> Iterator[tuple[float, int, np.ndarray]]:
    """Of what is found: its height, which digit it is or -1, its crop; unsure ones are left out."""
    sure = made.labels != UNSURE
    left = sure.copy()
    for each in detector.find(made.image):
        overlaps = overlap(np.array(each.box), made.boxes)
        place = int(np.where(left, overlaps, 0).argmax()) if len(overlaps) else -1
        if place < 0 or not left[place] or overlaps[place] < _SAME:
            if (overlaps[~sure] >= _ELSEWHERE).any():
                continue
            place = -1
        else:
            left[place] = False
        crop = digit_crop(made.image, each.box)
        yield each.box[3], place, np.zeros((28, 28), np.uint8) if crop is None else crop


def _stack(crops: Iterable[np.ndarray]) -> np.ndarray:
    return np.array(list(crops), np.uint8).reshape(-1, 28, 28)


def _row_of(height: float) -> int:
    return int(np.searchsorted(_HEIGHTS, height, "right")) - 1


def letters(nets: Sequence[Net], fonts: Sequence[Path], count: int) -> dict[str, Any]:
    """Reads handwritten letters and, to compare them with, digits; each alone on paper or a board.

    Args:
        nets: one of each model.
        fonts: TrueType files of handwriting.
        count: letters at most, and digits; each of a font is drawn as often as the others.
    """
    section: dict[str, Any] = {"fonts": len(fonts)}
    for kind, characters in (("letters", LETTERS), ("digits", "0123456789")):
        every = list(itertools.product(fonts, characters))
        some = np.random.default_rng(_SEED).permutation(len(every))
        chosen = [every[each] for each in np.resize(some, min(count, 4 * len(every)))]
        read: dict[str, list[str]] = {net.model: [] for net in nets}
        for number, (font, character) in enumerate(chosen):
            picture = _alone(np.random.default_rng((_SEED, number)), font, character)
            for net in nets:
                read[net.model].append(text_of(net.recognizer.read(picture)))
        section[kind] = {
            "n": len(chosen),
            "labelled": {name: sum(map(bool, texts)) for name, texts in read.items()},
            "right": {
                name: sum(text == sign for text, (_, sign) in zip(texts, chosen, strict=True))
                for name, texts in read.items()
            },
        }
    return section


def _alone(rng: np.random.Generator, font: Path, character: str) -> np.ndarray:
    """A photograph of one sign, uint8 (h, w), grey."""
    width, height = 320, 240
    surface = (textures.board if rng.random() < 0.3 else textures.paper)(rng, (height, width))
    sheet = np.ascontiguousarray(surface.reflectance.mean(axis=2), np.float32)
    canvas = Canvas(sheet, surface.light_ink, (0, 0, width, height))
    ink = signs.typed(font, character)
    scale = rng.uniform(30, 150) / max(ink.shape)
    angle = np.radians(rng.normal(0, 5))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([width, height]) * rng.uniform(0.35, 0.65, 2)
    shift = middle - turn @ np.array(ink.shape[::-1]) / 2
    paper = float(sheet.mean())
    level = paper + ((1 - paper) if surface.light_ink else -paper) * rng.uniform(0.5, 1)
    canvas.ink(ink, np.concatenate([turn, shift[:, None]], axis=1), level)
    return canvas.photographed(rng).image


def pictures(nets: Sequence[Net], lists: Mapping[str, Sequence[Photograph]]) -> dict[str, Any]:
    """Reads pictures of several lines, and of nothing.

    Args:
        nets: one of each model.
        lists: by their names; a text has a line a line, and is empty where nothing may be read.
    """
    section: dict[str, Any] = {"lists": {}, "misread": []}
    for name, photographs in lists.items():
        read = readings.read(nets, (read_picture(each.path) for each in photographs))
        texts = {net: [text_of(digits) for digits in read[net]] for net in nets}
        written = [each.text for each in photographs]
        whole = [index for index, text in enumerate(written) if text.count("\n") + 1 < _GRID_LINES]
        grids = sorted(set(range(len(written))) - set(whole))
        section["lists"][name] = {
            "n": len(whole),
            "whole": {
                net.model: sum(_lines(each[index]) == _lines(written[index]) for index in whole)
                for net, each in texts.items()
            },
            "cells": sum(len(_flat(written[index])) for index in grids),
            "alike": {
                net.model: sum(_alike(each[index], written[index]) for index in grids)
                for net, each in texts.items()
            },
            "labels": {
                net.model: sum(len(_flat(each[index])) for index in grids)
                for net, each in texts.items()
            },
        }
        files = [photographs[index].path.name for index in whole]
        section["misread"] += [
            each
            for each in readings.misread(
                files,
                [written[index] for index in whole],
                {net: [each[index] for index in whole] for net, each in texts.items()},
            )
            if _lines(each["read"]) != _lines(each["written"])
        ]
    return section


def _lines(text: str) -> list[str]:
    """In whatever order: which of two numbers side by side comes first is a matter of taste."""
    return sorted(text.split("\n"))


def _flat(text: str) -> str:
    return text.replace("\n", "")


def _alike(read: str, written: str) -> int:
    """How many digits of a grid are read, in the order in which they stand."""
    matcher = difflib.SequenceMatcher(None, _flat(read), _flat(written), autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks())


def speed(net: Net) -> dict[str, Any]:
    """Milliseconds a frame in one thread, of a board with twelve digits."""
    size = benchmark.SIZES["1080p"]
    ways = {
        "a camera's frame, 1920x1080": (size, True, _TIMED, _TIMED),
        "a picture, 1920x1080": (size, False, _TIMED, 4),
        "a picture, 4000x3000": (_STILL, False, _TIMED // 3, 1),
    }
    section = {}
    for name, (size, live, count, different) in ways.items():
        frames = [
            each.pixels for each in itertools.islice(benchmark.board_frames(size, 12), different)
        ]
        times: dict[str, list[float]] = {}
        for number in range(_WARM_UP + count):
            start = time.perf_counter()
            net.recognizer.read(frames[number % different], live)
            total = 1000 * (time.perf_counter() - start)
            if number >= _WARM_UP:
                for stage, taken in {**net.recognizer.milliseconds, "total": total}.items():
                    times.setdefault(stage, []).append(taken)
        section[name] = {stage: benchmark.summary(each) for stage, each in times.items()}
    return {"model": net.model, "kind": net.kind, "ways": section}


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    detector = section["detector"]
    size = f"{detector['bytes'] / 1e6:.2f} MB"
    if detector["parameters"]:
        size = f"{detector['parameters']:,} parameters, {size}"
    parts = [
        f"By the detector ({size}); what it finds is read by each model ({names[section['kind']]})."
    ]
    parts += _made_up_text(section["made_up"])
    if letters := section.get("letters"):
        parts += _letters_text(letters)
    if pictures := section.get("pictures"):
        parts += _pictures_text(pictures, names)
    return "\n\n".join([*parts, *_speed_text(section["speed"], names)])


def _made_up_text(made_up: dict[str, Any]) -> list[str]:
    whole: dict[str, Any] = {"right": {}}
    for row in made_up["heights"]:
        for key in ("digits", "found", "boxes", "true"):
            whole[key] = whole.get(key, 0) + row[key]
        for name, right in row["right"].items():
            whole["right"][name] = whole["right"].get(name, 0) + right
    models = list(whole["right"])
    head = ["height", "digits", "recall", "precision", *(f"{name} reads" for name in models)]
    heights = list(itertools.pairwise(_HEIGHTS))
    cells = [
        [
            _pixels(*between),
            f"{row['digits']:,}",
            _share(row["found"], row["digits"]),
            _share(row["true"], row["boxes"]),
            *(_share(row["right"][name], row["digits"]) for name in models),
        ]
        for between, row in [*zip(heights, made_up["heights"], strict=True), ((), whole)]
        if row["digits"] or row["boxes"]
    ]
    labels = made_up["labels"]
    rows = [
        [
            "labels that are on a digit",
            *(_share(labels[each]["true"], labels[each]["labels"]) for each in models),
        ],
        [
            f"of {made_up['empty']:,} frames without a digit, those with a label",
            *(f"{labels[each]['frames']:,}" for each in models),
        ],
    ]
    kept_out = "fonts, photographs and digits" if made_up["drawn"] else "digits"
    return [
        f"### Made-up frames\n\n{made_up['n']:,} frames, drawn with {kept_out} that are kept out "
        "of training; the epoch was chosen on other frames of the same. A digit is found if a box "
        f"overlaps its own by {_SAME:g} or more (intersection over union), with a score of "
        f"{LEAST:g} or more. Recall: the share of digits found. Precision: the share of boxes that "
        "are a digit's. Digits that are cut off, covered or hardly visible count neither way. "
        "Heights are in pixels of the finest plane that the detector sees, whose shorter side is "
        "at most 384; boxes count by their own height. The last columns: the share of digits that "
        "are found and get the right label.",
        table.table(head, cells),
        table.table(["", *models], rows),
    ]


def _letters_text(letters: dict[str, Any]) -> list[str]:
    models = list(letters["letters"]["labelled"])
    rows = [
        [f"{words} ({each['n']:,})", *(_share(each[key][name], each["n"]) for name in models)]
        for words, key, each in (
            ("letters that get a label", "labelled", letters["letters"]),
            ("digits read right", "right", letters["digits"]),
        )
    ]
    return [
        f"### Handwritten letters\n\nOf {letters['fonts']} fonts of handwriting that are kept out "
        "of training, each alone on made-up paper or a board; digits of the same fonts to compare "
        f"them with. Letters: {LETTERS}. The others look like digits.",
        table.table(["", *models], rows),
    ]


def _pictures_text(pictures: dict[str, Any], names: dict[str, str]) -> list[str]:
    models = list(next(iter(pictures["lists"].values()))["whole"])
    rows = []
    for name, each in pictures["lists"].items():
        if each["n"]:
            rows.append([name, *(f"{each['whole'][model]} of {each['n']}" for model in models)])
        if each["cells"]:
            rows.append(
                [
                    f"{name}: digits in grids of nine lines",
                    *(
                        f"{each['alike'][model]} of {each['cells']}, {each['labels'][model]} labels"
                        for model in models
                    ),
                ]
            )
    return [
        "### Pictures\n\nA picture counts if every line on it is read whole, and nothing else. In "
        "grids, such as sudokus, digits count that are read in their order.",
        table.table(["", *models], rows),
        readings.misread_text(pictures["misread"], names),
    ]


def _speed_text(speed: dict[str, Any], names: dict[str, str]) -> list[str]:
    rows = [
        [name, *(f"{each['median_ms']:.1f} ({each['p95_ms']:.1f})" for each in stages.values())]
        for name, stages in speed["ways"].items()
    ]
    head = ["", *next(iter(speed["ways"].values()))]
    return [
        f"### Time\n\nMilliseconds, median (95th percentile), in one thread, of a board with "
        f"twelve digits, read by {speed['model']} ({names[speed['kind']]}). A camera's frame is "
        "looked at in part; see docs/reading.md.",
        table.table(head, rows),
    ]


def _pixels(low: float = 0, high: float = np.inf) -> str:
    if np.isinf(high):
        return f"over {low:g}" if low else "**all**"
    return f"{low:g} to {high:g}" if low else f"under {high:g}"


def _share(part: int, whole: int) -> str:
    return table.percent(part / whole if whole else None)
