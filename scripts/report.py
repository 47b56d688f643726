"""Measures the shipped models and writes one page about it, with tables and pictures.

python scripts/report.py
python scripts/report.py --photos=single.csv --rows=rows.csv,pages.csv --none=FOLDER
python scripts/report.py --models=tiny --formats=float32,int8 --limit=100 --out=runs/report
python scripts/report.py --models=tiny --formats=mixed --only=detection --out=runs/report

MNIST's test digits with time and calibration, digits found in made-up frames, your pictures where a
flag names them, corrupted digits, and what is no digit; for the SavedModel, which needs TensorFlow,
and the TFLite files side by side. digits-tf scenes-fetch, before it, gets the fonts and
photographs for the frames.
"""

import importlib.metadata
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf import files
from digits_tf.cli import command
from digits_tf.cli import data_flags as data_flags
from digits_tf.cli.reading_flags import DETECTOR
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2

if TYPE_CHECKING:
    from report_parts.models import Model
    from report_parts.pictures import Picture

    from digits_tf.data.mnist import Mnist
    from digits_tf.detection.detector import Detector

_ROOT = Path(__file__).resolve().parent.parent

_MODELS = flags.DEFINE_list("models", ["tiny", "resnet"], "Names of the models, by commas.")
_FORMATS = flags.DEFINE_list(
    "formats", None, "Out of saved_model, float32, float16, int8, mixed; default: all."
)
_EXPORTS = flags.DEFINE_string(
    "exports", str(_ROOT), "Folder with tflite/ and saved_models/; default: this clone's."
)
_OUT = flags.DEFINE_string("out", "docs/report", "Folder of the page and its pictures.")
_CARD = flags.DEFINE_string(
    "card", None, "Also put the page into this model card, in place of the one at its end."
)
_ONLY = flags.DEFINE_enum(
    "only", None, ["detection"], "Measure the frames and your pictures alone; draw nothing."
)
_PHOTOS = flags.DEFINE_list(
    "photos", [], "CSV files of pictures of one digit, by commas: columns file and label."
)
_ROWS = flags.DEFINE_list(
    "rows", [], "CSV files of pictures with rows, pages, grids, by commas: columns file and text."
)
_NONE = flags.DEFINE_string("none", None, "Folder of pictures without a digit.")
_CROPS = flags.DEFINE_integer("crops", 500, "Crops of each set of no digits.", lower_bound=1)
_MADE_UP = flags.DEFINE_integer(
    "made_up", 1500, "Frames to find digits in, and half as many letters.", lower_bound=1
)
_LIMIT = flags.DEFINE_integer("limit", None, "The most pictures of anything.", lower_bound=1)
flags.declare_key_flag("detector")
flags.adopt_module_key_flags(data_flags)

_TITLE = "The shipped models, measured"
_CORRUPTED = 2000
_SHOWN_DIGITS, _SHOWN_CROPS = 5, 12
_START = time.monotonic()


def main(words: Sequence[str]) -> None:
    """Measures everything and writes the page."""
    # Resizing and blurring such small pictures is slower in several threads.
    import_cv2().setNumThreads(1)
    # What is wrong with the words is said before anything is measured.
    lists = _lists()
    card = _above_page(Path(_CARD.value)) if _CARD.value else ""
    from report_parts import models, pictures

    from digits_tf.benchmark import conditions
    from digits_tf.detection import detector as detection

    kinds = _FORMATS.value or list(models.FORMATS)
    if wrong := [kind for kind in kinds if kind not in models.FORMATS]:
        raise DigitsError(
            f"--formats: expected some of {','.join(models.FORMATS)}, found {wrong[0]}"
        )
    folder, out = Path(_EXPORTS.value), Path(_OUT.value)
    detector = detection.load(_detector_file())
    every = [models.load(name, kind, folder, detector) for name in _MODELS.value for kind in kinds]
    # The camera reads with mixed.
    few = [each for each in every if each.format == ("mixed" if "mixed" in kinds else kinds[0])]
    results: dict[str, Any] = {
        "models": {name: models.summary(name, folder) for name in _MODELS.value},
        "formats": {kind: models.FORMATS[kind] for kind in kinds},
        "conditions": conditions(),
        "limit": _LIMIT.value,
        "command": shlex.join(["python", *sys.argv]),
    }
    if "saved_model" in kinds:
        results["conditions"]["versions"]["tensorflow"] = importlib.metadata.version("tensorflow")
    digits = data_flags.find(data_flags.selection())
    _say("digits in frames")
    results["detection"] = _measure_detection(few, detector, digits)
    if lists:
        _say("pictures")
        results["pictures"] = pictures.measure(few, lists)
    if not _ONLY.value:
        _measure_classifiers(results, every, *_some(digits.test.read(), _LIMIT.value), out)
    results["seconds"] = time.monotonic() - _START
    files.write_json(out / "report.json", results)
    page = write_page(results)
    files.write_bytes(out / "README.md", page.encode())
    print(f"report: {out / 'README.md'}")
    if _CARD.value:
        path = Path(_CARD.value)
        files.write_bytes(path, (card + as_section(page, out, path.parent)).encode())
        print(f"model card: {path}")


def write_page(results: dict[str, Any]) -> str:
    """The page in Markdown, whose pictures are beside it.

    Args:
        results: "models", "formats" (their names by their keys), "conditions", "limit",
            "seconds", "command", and what the parts of the report measured: "mnist", "detection",
            "pictures", "corruptions", "rejection"; what is missing has no section.
    """
    from report_parts import corruptions, detection, figures, models, pictures, rejection

    head = ["model", "architecture", "parameters", "seed", "trained"]
    rows = [
        [
            f"**{name}**",
            str(each["architecture"]),
            f"{each['parameters']:,}",
            str(each["seed"]),
            str(each["date"]),
        ]
        for name, each in results["models"].items()
    ]
    parts = [f"# {_TITLE}", figures.table(head, rows), _describe_run(results)]
    for key, title, text in (
        ("mnist", "MNIST's test digits", models.text),
        ("detection", detection.TITLE, detection.text),
        ("pictures", pictures.TITLE, pictures.text),
        ("corruptions", corruptions.TITLE, corruptions.text),
        ("rejection", rejection.TITLE, rejection.text),
    ):
        if section := results.get(key):
            parts += [f"## {title}", text(section, results["formats"])]
    return "\n\n".join(parts) + "\n"


def as_section(page: str, pictures: Path, folder: Path) -> str:
    """The page as a section of a file in `folder`: smaller headings, longer links.

    Args:
        page: see `write_page`.
        pictures: the page's folder.
        folder: the other file's.
    """
    lower = re.sub(r"^#", "##", page, flags=re.MULTILINE)
    place = Path(os.path.relpath(pictures, folder)).as_posix()
    return re.sub(r"\]\(([\w-]+\.(?:png|json))\)", rf"]({place}/\1)", lower)


def _describe_run(results: dict[str, Any]) -> str:
    conditions = results["conditions"]
    versions = ", ".join(f"{name} {version}" for name, version in conditions["versions"].items())
    limit = results["limit"]
    few = f" **Only {limit} pictures of each kind were read: a trial.**" if limit else ""
    return (
        f"Made by `{results['command']}` on {conditions['date']} in {results['seconds'] / 60:.1f} "
        f"minutes, on {conditions['machine']}; {versions}.{few} "
        "All figures are in [report.json](report.json)."
    )


def _lists() -> dict[str, "list[Picture]"]:
    """The pictures that flags name, by what is on them."""
    from report_parts.pictures import listed, without_digits

    names = [*_PHOTOS.value, *_ROWS.value]
    lists = {Path(name).stem: listed(Path(name)) for name in names}
    if len(lists) < len(names):
        raise DigitsError("expected CSV files of different names, found two alike: rename one")
    if _NONE.value:
        lists["pictures without a digit, nothing read"] = without_digits(Path(_NONE.value))
    return {name: each[: _LIMIT.value] for name, each in lists.items()}


def _above_page(path: Path) -> str:
    """What stands in a model card above the page, which this script puts at its end."""
    if not path.is_file():
        raise DigitsError(f"--card: expected a file, found none at {path}: check the path")
    above, heading, _ = path.read_text(encoding="utf-8").partition(f"\n## {_TITLE}\n")
    if not heading:
        raise DigitsError(f"{path}: expected a line '## {_TITLE}', found none: add it at the end")
    return above + "\n"


def _measure_detection(
    models: "Sequence[Model]", detector: "Detector", digits: "Mnist"
) -> dict[str, Any]:
    """What is found with fonts, photographs and digits that are kept out of training."""
    from report_parts import detection

    from digits_tf.data.mnist import hold_out
    from digits_tf.synthetic import assets

    images, labels = digits.train.read()
    kept_out = hold_out(len(images))
    held_out = images[kept_out], labels[kept_out]
    world, count = assets.load(held_out=True), _least(_MADE_UP.value)
    found: dict[str, Any] = {
        "format": models[0].format,
        "detector": detection.about(_detector_file()),
        "made_up": detection.made_up(models, detector, held_out, world, count),
        "speed": detection.speed(models[0]),
    }
    if world and world.handwriting:
        found["letters"] = detection.letters(models, world.handwriting, -(-count // 2))
        found["words"] = detection.words(models, held_out, world, -(-count // 4))
    return found


def _measure_classifiers(
    results: dict[str, Any],
    models: "Sequence[Model]",
    images: np.ndarray,
    labels: np.ndarray,
    out: Path,
) -> None:
    """Reads test digits, as they are and corrupted, and what is none; draws the pictures."""
    from report_parts import charts, corruptions, rejection
    from report_parts import models as mnist

    _say("MNIST's test digits")
    read = {model: model.read(images) for model in models}
    results["mnist"] = mnist.measure(models, images, labels, read)
    _say("corruptions")
    results["corruptions"] = corruptions.measure(models, *_some((images, labels), _CORRUPTED))
    _say("what is no digit")
    sets = rejection.crops(images, labels, _least(_CROPS.value))
    results["rejection"] = rejection.measure(models, sets, read)
    _say("charts")
    calibration = {"MNIST's test digits": _calibration(results["mnist"]["figures"])}
    if pictures := results.get("pictures"):
        calibration["pictures"] = pictures["calibration"]
    one_each = np.unique(labels, return_index=True)[1][2 : 2 + _SHOWN_DIGITS]
    crops = {name: each[:_SHOWN_CROPS] for name, each in sets.items()}
    draw: dict[str, Callable[[Path], None]] = {
        corruptions.PICTURE: lambda path: charts.corruption_sheet(images[one_each], path),
        rejection.PICTURE: lambda path: charts.sheet(crops, path),
        mnist.RELIABILITY: lambda path: charts.reliability(calibration, results["formats"], path),
    }
    for name, each in draw.items():
        with files.replacing(out / name) as beside:
            each(beside)


def _calibration(by_model: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        model: {kind: each["calibration"] for kind, each in formats.items()}
        for model, formats in by_model.items()
    }


def _detector_file() -> Path:
    from digits_tf.detection.detector import FILE
    from digits_tf.litert import shipped_file

    path = Path(DETECTOR.value) if DETECTOR.value else shipped_file(FILE)
    return path / "detector" / FILE if path.is_dir() else path


def _some(
    digits: tuple[np.ndarray, np.ndarray], count: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """So many digits at most, in order, the same in each run; None: all."""
    images, labels = digits
    chosen = np.sort(np.random.default_rng(0).permutation(len(images))[:count])
    return images[chosen], labels[chosen]


def _least(count: int) -> int:
    return min(count, _LIMIT.value or count)


def _say(words: str) -> None:
    print(f"[{time.monotonic() - _START:5.0f} s] {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    command.run(main, __doc__)
