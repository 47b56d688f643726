"""Measures the shipped models and writes one page about it, with tables and pictures.

python scripts/report.py
python scripts/report.py --models=tiny --formats=float32,int8 --limit=100 --out=runs/report
python scripts/report.py --models=tiny --formats=mixed --only=detection --out=runs/report

MNIST's test digits, digits found in made-up frames, corrupted digits, what is no digit, calibration
and time; photographs, pictures and other collections where a flag names them; for the Keras model,
the SavedModel and the TFLite files side by side. The first two of these need TensorFlow.
digits-tf scenes-fetch, before it, gets the fonts and photographs for the frames.
"""

import datetime
import importlib.metadata
import json
import os
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

import digits_tf
from digits_tf import files as storage
from digits_tf import runtime
from digits_tf.cli import command
from digits_tf.cli import data_flags as data_flags
from digits_tf.cli.reading_flags import DETECTOR
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2

if TYPE_CHECKING:
    from report_parts.net import Net

    from digits_tf.data.mnist import Mnist
    from digits_tf.detection.detector import Detector

_ROOT = Path(__file__).resolve().parent.parent

_MODELS = flags.DEFINE_list("models", ["tiny", "resnet"], "Names of the models, by commas.")
_FORMATS = flags.DEFINE_list(
    "formats", None, "Out of keras, saved_model, float32, float16, int8, mixed; default: all."
)
_EXPORTS = flags.DEFINE_string(
    "exports", str(_ROOT), "Folder with tflite/ and saved_models/; default: this clone's."
)
_OUT = flags.DEFINE_string("out", "docs/report", "Folder of the page and its pictures.")
_CARD = flags.DEFINE_string(
    "card",
    None,
    "Also write a model card into this file, with runs.json and quantisation.json beside it.",
)
_ONLY = flags.DEFINE_enum("only", None, ["detection"], "Measure this alone; no pictures are drawn.")
_PHOTOS = flags.DEFINE_string("photos", None, "Folder with single.csv and rows.csv.")
_ROWS = flags.DEFINE_list(
    "rows", [], "CSV files of pictures with rows, pages, grids, by commas: columns file and text."
)
_NONE = flags.DEFINE_string("none", None, "Folder of pictures without a digit.")
_SEED_PICTURES = flags.DEFINE_string("seed_pictures", None, "Folder with test_imgs/ and real_img/.")
_FASHION = flags.DEFINE_string("fashion_dir", None, "Folder with Fashion-MNIST's idx files.")
_LETTERS = flags.DEFINE_string("letters_dir", None, "Folder with EMNIST-letters' idx files.")
_USPS = flags.DEFINE_string("usps", None, "USPS in LIBSVM's format, raw or .bz2.")
_SEMEION = flags.DEFINE_string("semeion", None, "The file semeion.data.")
_ALL = flags.DEFINE_boolean("all", False, "Corrupt all test digits instead of 2,000.")
_CROPS = flags.DEFINE_integer("crops", 500, "Crops of each set of no digits.", lower_bound=1)
_FRAMES = flags.DEFINE_integer("frames", 150, "Frames of each set of no digits.", lower_bound=1)
_MADE_UP = flags.DEFINE_integer(
    "made_up", 1500, "Frames to find digits in, and half as many letters.", lower_bound=1
)
_LIMIT = flags.DEFINE_integer("limit", None, "The most pictures of anything.", lower_bound=1)
flags.declare_key_flag("detector")
flags.adopt_module_key_flags(data_flags)

_CORRUPTED = 2000
_SHOWN_DIGITS, _SHOWN_CROPS, _SHOWN_FRAMES = 5, 12, 8
_THUMBNAIL = 96  # pixels
_START = time.monotonic()


def main(words: Sequence[str]) -> None:
    """Measures everything and writes the page."""
    # Resizing and blurring such small pictures is slower in several threads.
    import_cv2().setNumThreads(1)
    from report_parts import net, page

    from digits_tf.detection import detector as detection

    kinds = _FORMATS.value or list(net.FORMATS)
    if wrong := [kind for kind in kinds if kind not in net.FORMATS]:
        raise DigitsError(f"--formats: expected some of {','.join(net.FORMATS)}, found {wrong[0]}")
    folder, out = Path(_EXPORTS.value), Path(_OUT.value)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    detector = detection.load(_detector_file())
    nets = [net.open_net(name, kind, folder, detector) for name in _MODELS.value for kind in kinds]
    results: dict[str, Any] = {
        "models": {name: _summary(net.card(name, folder)) for name in _MODELS.value},
        "formats": {kind: net.FORMATS[kind] for kind in kinds},
        "machine": runtime.describe(),
        "versions": _versions(kinds),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "load": load,
        "limit": _LIMIT.value,
        "command": shlex.join(["python", *sys.argv]),
    }
    digits = data_flags.find(data_flags.selection())
    # The camera reads with mixed.
    few = [each for each in nets if each.kind == ("mixed" if "mixed" in kinds else kinds[0])]
    _say("digits in frames")
    results["detection"] = _detection(few, detector, digits)
    if not _ONLY.value:
        images, labels = _test_digits(digits, _LIMIT.value)
        sets = _crop_sets(images, labels)
        results |= _measured(nets, images, labels, sets)
        _say("pictures")
        _draw_all(results, images[_one_each(labels)], sets, out)
    results["sources"] = _sources()
    results["seconds"] = time.monotonic() - _START
    storage.write_json(out / "report.json", results)
    text = page.page(results)
    storage.write_bytes(out / "README.md", text.encode())
    print(f"report: {out / 'README.md'}")
    if _CARD.value:
        _write_card(Path(_CARD.value), text, out, results["sources"])


def _write_card(path: Path, page: str, pictures: Path, sources: dict[str, Any]) -> None:
    from report_parts import card

    runs = path.with_name("runs.json")
    noted = json.loads(runs.read_text()) if runs.is_file() else {}
    forms = path.with_name("quantisation.json")
    tried = json.loads(forms.read_text()) if forms.is_file() else None
    place = Path(os.path.relpath(pictures, path.parent)).as_posix()
    storage.write_bytes(path, card.card(page, noted, place, tried, sources).encode())
    print(f"model card: {path}")


def _measured(
    nets: list["Net"], images: np.ndarray, labels: np.ndarray, sets: dict[str, np.ndarray]
) -> dict[str, Any]:
    """The figures of each section."""
    from report_parts import others
    from report_parts.sections import (
        calibration,
        corruptions,
        foreign,
        mnist,
        photographs,
        rejection,
        seed,
    )

    _say("MNIST's test digits")
    read = {each: each.read(images) for each in nets}
    found: dict[str, Any] = {"mnist": mnist.measure(nets, images, labels, read)}
    found["calibration"] = {"MNIST's test digits": calibration.measure(nets, labels, read)}
    if _SEED_PICTURES.value:
        _say("the seed's pictures")
        found["seed"] = seed.measure(nets, Path(_SEED_PICTURES.value), _LIMIT.value)
    _say("corruptions")
    few = _some(len(images), len(images) if _ALL.value else _CORRUPTED)
    found["corruptions"] = corruptions.measure(nets, images[few], labels[few])
    _say("crops of what is no digit")
    surest = {each: read[each].max(axis=1) for each in nets}
    found["rejection"] = {"crops": rejection.crops(nets, sets, surest)}
    _say("frames of what is no digit")
    found["rejection"]["frames"] = rejection.frames(
        nets, others.frames(), _least(_FRAMES.value), images, labels
    )
    if _PHOTOS.value:
        _say("photographs")
        lists = photographs.find(Path(_PHOTOS.value), _LIMIT.value)
        readings = photographs.read(nets, lists)
        found["photographs"] = photographs.measure(nets, lists, readings)
        figures = calibration.measure_photographs(nets, lists, readings)
        found["calibration"]["photographs"] = figures
        found["rejection"]["photographs"] = rejection.photographs(nets, readings)
    files = {"USPS": _USPS.value, "Semeion": _SEMEION.value}
    if given := {name: Path(path) for name, path in files.items() if path}:
        _say("other collections")
        found["foreign"] = foreign.measure(nets, given, _LIMIT.value)
    return found


def _detection(nets: list["Net"], detector: "Detector", digits: "Mnist") -> dict[str, Any]:
    """What is found with fonts, photographs and digits kept out, and on pictures at hand."""
    from photograph_list import Photograph, listed
    from report_parts.sections import detection

    from digits_tf.cli import predict_inputs
    from digits_tf.data.mnist import hold_out
    from digits_tf.synthetic import assets

    images, labels = digits.train.read()
    kept_out = hold_out(len(images))
    world, count = assets.load(held_out=True), _least(_MADE_UP.value)
    found: dict[str, Any] = {
        "kind": nets[0].kind,
        "detector": detection.about(_detector_file()),
        "made_up": detection.made_up(
            nets, detector, (images[kept_out], labels[kept_out]), world, count
        ),
        "speed": detection.speed(nets[0]),
    }
    if world and world.handwriting:
        found["letters"] = detection.letters(nets, world.handwriting, -(-count // 2))
    lists = {Path(name).stem: listed(Path(name)) for name in _ROWS.value}
    if _NONE.value:
        paths = (Path(each.name) for each in predict_inputs.find([_NONE.value]))
        lists["pictures without a digit, nothing read"] = [
            Photograph(path, "", "") for path in paths
        ]
    if lists:
        few = {name: each[: _LIMIT.value] for name, each in lists.items()}
        found["pictures"] = detection.pictures(nets, few)
    return found


def _detector_file() -> Path:
    from digits_tf.detection.detector import FILE
    from digits_tf.recognition.registry import shipped_file

    path = Path(DETECTOR.value) if DETECTOR.value else shipped_file(FILE)
    return path / "detector" / FILE if path.is_dir() else path


def _sources() -> dict[str, Any]:
    """Of each package of fonts or pictures that frames are drawn with: kind, version, licence."""
    from digits_tf.synthetic import assets

    if assets.load() is None:
        return {}
    packages = json.loads((assets.folder() / "index.json").read_text(encoding="utf-8"))
    return {
        name: {key: each[key] for key in ("kind", "version", "licence")}
        for name, each in packages.items()
    }


def _draw_all(
    results: dict[str, Any], digits: np.ndarray, sets: dict[str, np.ndarray], out: Path
) -> None:
    from report_parts import charts, others
    from report_parts.sections import calibration, corruptions, rejection

    frames = {
        name: [others.make(maker, number) for number in range(_SHOWN_FRAMES)]
        for name, maker in others.frames().items()
    }
    crops = {name: each[:_SHOWN_CROPS] for name, each in sets.items()}
    formats = results["formats"]
    kind = results["detection"]["kind"]
    pictures: dict[str, Callable[[Path], None]] = {
        corruptions.PICTURE: lambda path: charts.corruption_sheet(digits, path),
        rejection.CROPS_PICTURE: lambda path: charts.sheet(crops, path),
        rejection.FRAMES_PICTURE: lambda path: charts.sheet(frames, path, side=_THUMBNAIL),
        rejection.CHART: lambda path: charts.rejection(
            results["rejection"], kind, formats[kind], path
        ),
        calibration.PICTURE: lambda path: charts.reliability(results["calibration"], formats, path),
    }
    for name, draw in pictures.items():
        with storage.replacing(out / name) as beside:
            draw(beside)


def _test_digits(digits: "Mnist", limit: int | None) -> tuple[np.ndarray, np.ndarray]:
    images, labels = digits.test.read()
    some = _some(len(images), limit or len(images))
    return images[some], labels[some]


def _some(whole: int, count: int) -> np.ndarray:
    """Places of some of so many, in order, the same in each run."""
    chosen = np.random.default_rng(0).permutation(whole)[:count]
    return np.sort(chosen)


def _one_each(labels: np.ndarray) -> np.ndarray:
    """Where the first of each of a few digits stands."""
    return np.unique(labels, return_index=True)[1][2 : 2 + _SHOWN_DIGITS]


def _crop_sets(digits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    from report_parts import foreign_files, others

    count = _least(_CROPS.value)
    sets = {
        name: np.stack([others.make(maker, number) for number in range(count)])
        for name, maker in others.crops(digits, labels).items()
    }
    for name, folder in (("Fashion-MNIST", _FASHION.value), ("EMNIST-letters", _LETTERS.value)):
        if folder:
            sets[name] = foreign_files.pictures(Path(folder))[: _LIMIT.value]
    return sets


def _least(count: int) -> int:
    return min(count, _LIMIT.value or count)


def _summary(card: dict[str, Any]) -> dict[str, Any]:
    architecture = card["architecture"]
    return {
        "architecture": architecture.get("name", "resnet"),
        "classes": architecture.get("classes", 10),
        **{key: card.get(key) for key in ("parameters", "seed", "date")},
    }


def _versions(kinds: Sequence[str]) -> dict[str, str]:
    names = ["numpy", "ai-edge-litert"]
    if {"keras", "saved_model"} & set(kinds):
        names += ["tensorflow", "keras"]
    found = {name: importlib.metadata.version(name) for name in names}
    return {"digits_tf": digits_tf.__version__, "opencv": import_cv2().__version__, **found}


def _say(words: str) -> None:
    print(f"[{time.monotonic() - _START:5.0f} s] {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    command.run(main, __doc__)
