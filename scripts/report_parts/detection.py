"""How many digits are found, what else is taken for one, what is read then, and how long it takes.

Everything on made-up frames is drawn with what training did not see: fonts, photographs, digits.
"""

import itertools
import json
import string
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digits_tf import benchmark
from digits_tf.detection.crops import digit_crop
from digits_tf.detection.detector import SCORE_THRESHOLD, Detector
from digits_tf.detection.pyramid import level_sizes
from digits_tf.recognition import text as text_of
from digits_tf.recognition.classifier import THRESHOLD
from digits_tf.synthetic import textures
from digits_tf.synthetic.assets import Assets
from digits_tf.synthetic.canvas import UNSURE, Canvas, Frame
from digits_tf.synthetic.crops import overlap
from digits_tf.synthetic.frames import frame
from report_parts import figures
from report_parts.models import Model

TITLE = "Finding digits"
# Pixels of the finest plane that the detector sees.
_HEIGHTS = (0, 8, 12, 20, 40, 110, np.inf)
_SAME, _ELSEWHERE = 0.5, 0.05  # overlap: a digit is found; a box is of something else
_SEED = 90
# Those that a hand writes as it writes a digit, and the others.
LIKE_DIGITS = "OolISZszbgqDijJyY"
LETTERS = "".join(
    each for each in string.ascii_uppercase + string.ascii_lowercase if each not in LIKE_DIGITS
)
_TIMED, _WARM_UP = 60, 8  # frames
_STILL = benchmark.Size(4000, 3000)


def about(path: Path) -> dict[str, Any]:
    """The detector's size: "bytes" and, if the JSON beside it says so, "parameters"."""
    card = path.with_suffix(".json")
    noted = json.loads(card.read_text()) if card.is_file() else {}
    return {"bytes": path.stat().st_size, "parameters": noted.get("parameters")}


def made_up(
    models: Sequence[Model],
    detector: Detector,
    digits: tuple[np.ndarray, np.ndarray],
    world: Assets | None,
    count: int,
) -> dict[str, Any]:
    """Counts what is found and read on made-up frames.

    Args:
        models: one format of each.
        detector: finds digits.
        digits: uint8 (n, 28, 28), bright on 0, and their labels, (n,).
        world: fonts and photographs, or None.
        count: frames.
    """
    names = [model.name for model in models]
    rows: list[dict[str, Any]] = [
        {"digits": 0, "found": 0, "boxes": 0, "true": 0, "right": dict.fromkeys(names, 0)}
        for _ in _HEIGHTS[1:]
    ]
    labels = {name: {"labels": 0, "true": 0, "frames": 0} for name in names}
    empty = 0
    for number in range(count):
        made = frame(np.random.default_rng((_SEED, number)), *digits, world)
        scale = level_sizes(made.image.shape)[-1][1] / made.image.shape[0]
        for label, height in zip(made.labels, made.boxes[:, 3], strict=True):
            rows[_row_of(height * scale)]["digits"] += int(label != UNSURE)
        empty += not len(made.boxes)
        seen = list(_seen(detector, made))
        read = {model.name: model.read(_stack(crop for _, _, crop in seen)) for model in models}
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


def letters(models: Sequence[Model], fonts: Sequence[Path], count: int) -> dict[str, Any]:
    """Reads handwritten letters and, to compare them with, digits; each alone on paper or a board.

    Args:
        models: one format of each.
        fonts: TrueType files of handwriting.
        count: letters at most, and digits; each of a font is drawn as often as the others.
    """
    section: dict[str, Any] = {"fonts": len(fonts)}
    for kind, characters in (("letters", LETTERS), ("digits", "0123456789")):
        every = list(itertools.product(fonts, characters))
        some = np.random.default_rng(_SEED).permutation(len(every))
        chosen = [every[each] for each in np.resize(some, min(count, 4 * len(every)))]
        read: dict[str, list[str]] = {model.name: [] for model in models}
        for number, (font, character) in enumerate(chosen):
            picture = _alone(np.random.default_rng((_SEED, number)), font, character)
            for model in models:
                read[model.name].append(text_of(model.recognizer.read(picture)))
        section[kind] = {
            "n": len(chosen),
            "labelled": {name: sum(map(bool, texts)) for name, texts in read.items()},
            "right": {
                name: sum(text == sign for text, (_, sign) in zip(texts, chosen, strict=True))
                for name, texts in read.items()
            },
        }
    return section


def words(
    models: Sequence[Model], digits: tuple[np.ndarray, np.ndarray], world: Assets, count: int
) -> dict[str, Any]:
    """Counts the frames of words, without a digit, that get a label; arguments as `made_up`'s."""
    labelled = dict.fromkeys([model.name for model in models], 0)
    for number in range(count):
        made = frame(np.random.default_rng((_SEED, 1, number)), *digits, world, only_words=True)
        for model in models:
            labelled[model.name] += bool(text_of(model.recognizer.read(made.image)))
    return {"n": count, "labelled": labelled}


def typed(font: Path, character: str) -> np.ndarray:
    """A sign of a TrueType font, uint8 (h, w), 255 is ink; about 150 pixels high."""
    loaded = ImageFont.truetype(str(font), 200)
    left, top, right, bottom = map(int, loaded.getbbox(character))
    picture = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(picture).text((2 - left, 2 - top), character, 255, font=loaded)
    return np.asarray(picture)


def _alone(rng: np.random.Generator, font: Path, character: str) -> np.ndarray:
    """A photograph of one sign, uint8 (h, w), grey."""
    width, height = 320, 240
    surface = (textures.board if rng.random() < 0.3 else textures.paper)(rng, (height, width))
    sheet = np.ascontiguousarray(surface.reflectance.mean(axis=2), np.float32)
    canvas = Canvas(sheet, surface.light_ink, (0, 0, width, height))
    ink = typed(font, character)
    scale = rng.uniform(30, 150) / max(ink.shape)
    angle = np.radians(rng.normal(0, 5))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([width, height]) * rng.uniform(0.35, 0.65, 2)
    shift = middle - turn @ np.array(ink.shape[::-1]) / 2
    paper = float(sheet.mean())
    level = paper + ((1 - paper) if surface.light_ink else -paper) * rng.uniform(0.5, 1)
    canvas.ink(ink, np.concatenate([turn, shift[:, None]], axis=1), level)
    return canvas.photographed(rng).image


def speed(model: Model) -> dict[str, Any]:
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
            model.recognizer.read(frames[number % different], live)
            total = 1000 * (time.perf_counter() - start)
            if number >= _WARM_UP:
                for stage, taken in {**model.recognizer.milliseconds, "total": total}.items():
                    times.setdefault(stage, []).append(taken)
        section[name] = {stage: benchmark.summary(each) for stage, each in times.items()}
    return {"model": model.name, "format": model.format, "ways": section}


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    detector = section["detector"]
    size = f"{detector['bytes'] / 1e6:.2f} MB"
    if detector["parameters"]:
        size = f"{detector['parameters']:,} parameters, {size}"
    parts = [
        f"By the detector ({size}); what it finds is read by each model "
        f"({names[section['format']]})."
    ]
    parts += _made_up_text(section["made_up"])
    if letters := section.get("letters"):
        parts += _letters_text(letters, section["words"])
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
            figures.part(row["found"], row["digits"]),
            figures.part(row["true"], row["boxes"]),
            *(figures.part(row["right"][name], row["digits"]) for name in models),
        ]
        for between, row in [*zip(heights, made_up["heights"], strict=True), ((), whole)]
        if row["digits"] or row["boxes"]
    ]
    labels = made_up["labels"]
    rows = [
        [
            "labels that are on a digit",
            *(figures.part(labels[each]["true"], labels[each]["labels"]) for each in models),
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
        f"{SCORE_THRESHOLD:g} or more. Recall: the share of digits found. Precision: the share of "
        "boxes that are a digit's. Digits that are cut off, covered or hardly visible count "
        "neither way. "
        "Heights are in pixels of the finest plane that the detector sees, whose shorter side is "
        "at most 384; boxes count by their own height. The last columns: the share of digits that "
        "are found and get the right label.",
        figures.table(head, cells),
        figures.table(["", *models], rows),
    ]


def _letters_text(letters: dict[str, Any], words: dict[str, Any]) -> list[str]:
    models = list(letters["letters"]["labelled"])
    rows = [
        [f"{words} ({each['n']:,})", *(figures.part(each[key][name], each["n"]) for name in models)]
        for words, key, each in (
            ("letters that get a label", "labelled", letters["letters"]),
            ("digits read right", "right", letters["digits"]),
            ("frames of words, without a digit, that get one", "labelled", words),
        )
    ]
    return [
        f"### Handwritten letters\n\nOf {letters['fonts']} fonts of handwriting that are kept out "
        "of training, each alone on made-up paper or a board; digits of the same fonts to compare "
        f"them with. Letters: {LETTERS}. The others look like digits. Words have all letters, also "
        "those of print; any label counts.",
        figures.table(["", *models], rows),
    ]


def _speed_text(speed: dict[str, Any], names: dict[str, str]) -> list[str]:
    rows = [
        [name, *(f"{each['median_ms']:.1f} ({each['p95_ms']:.1f})" for each in stages.values())]
        for name, stages in speed["ways"].items()
    ]
    head = ["", *next(iter(speed["ways"].values()))]
    return [
        f"### Time\n\nMilliseconds, median (95th percentile), in one thread, of a board with "
        f"twelve digits, read by {speed['model']} ({names[speed['format']]}). A camera's frame is "
        "looked at in part; see docs/reading.md.",
        figures.table(head, rows),
    ]


def _pixels(low: float = 0, high: float = np.inf) -> str:
    if np.isinf(high):
        return f"over {low:g}" if low else "**all**"
    return f"{low:g} to {high:g}" if low else f"under {high:g}"
