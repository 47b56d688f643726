"""Measures the shipped models and writes one page about it, with tables and pictures.

python scripts/report.py
python scripts/report.py --models=tiny --formats=float32,int8 --limit=100 --out=runs/report

MNIST's test digits, the seed's pictures, photographs by writer, corrupted digits, what is no digit,
and calibration; for the Keras model, the SavedModel and the TFLite files side by side. The Keras
model and the SavedModel need TensorFlow. A part whose pictures are not at hand is left out, and the
page says so. Without --data_dir, MNIST is taken from ../shared/data/mnist if that is there.
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
from digits_tf import command, machine, storage
from digits_tf.data import flags as data_flags
from digits_tf.errors import DigitsError
from digits_tf.opencv import import_cv2

if TYPE_CHECKING:
    from report_parts.net import Net

_ROOT = Path(__file__).resolve().parent.parent
_SHARED = _ROOT.parent / "shared" / "data"

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
_PHOTOS = flags.DEFINE_string(
    "photos", str(_SHARED / "photos"), "Folder with single.csv and rows.csv."
)
_SEED_PICTURES = flags.DEFINE_string(
    "seed_pictures", str(_SHARED / "seed"), "Folder with test_imgs/ and real_img/."
)
_FASHION = flags.DEFINE_string("fashion_dir", None, "Folder with Fashion-MNIST's idx files.")
_LETTERS = flags.DEFINE_string("letters_dir", None, "Folder with EMNIST-letters' idx files.")
_USPS = flags.DEFINE_string("usps", None, "USPS in LIBSVM's format, raw or .bz2.")
_SEMEION = flags.DEFINE_string("semeion", None, "The file semeion.data.")
_ALL = flags.DEFINE_boolean("all", False, "Corrupt all test digits instead of 2,000.")
_CROPS = flags.DEFINE_integer("crops", 500, "Crops of each set of no digits.", lower_bound=1)
_FRAMES = flags.DEFINE_integer("frames", 150, "Frames of each set of no digits.", lower_bound=1)
_LIMIT = flags.DEFINE_integer("limit", None, "The most pictures of anything.", lower_bound=1)
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

    kinds = _FORMATS.value or list(net.FORMATS)
    if wrong := [kind for kind in kinds if kind not in net.FORMATS]:
        raise DigitsError(f"--formats: expected some of {','.join(net.FORMATS)}, found {wrong[0]}")
    folder, out = Path(_EXPORTS.value), Path(_OUT.value)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    nets = [net.open_net(name, kind, folder) for name in _MODELS.value for kind in kinds]
    results: dict[str, Any] = {
        "models": {name: _summary(net.card(name, folder)) for name in _MODELS.value},
        "formats": {kind: net.FORMATS[kind] for kind in kinds},
        "machine": machine.describe(),
        "versions": _versions(kinds),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "load": load,
        "limit": _LIMIT.value,
        "command": shlex.join(["python", *sys.argv]),
    }
    images, labels = _test_digits(_LIMIT.value)
    sets = _crop_sets(images, labels)
    results |= _measured(nets, images, labels, sets)
    _say("pictures")
    _draw_all(results, images[_one_each(labels)], sets, out)
    results["seconds"] = time.monotonic() - _START
    storage.write_json(out / "report.json", results)
    text = page.page(results)
    storage.write_bytes(out / "README.md", text.encode())
    print(f"report: {out / 'README.md'}")
    if _CARD.value:
        _write_card(Path(_CARD.value), text, out)


def _write_card(path: Path, page: str, pictures: Path) -> None:
    from report_parts import card

    runs = path.with_name("runs.json")
    noted = json.loads(runs.read_text()) if runs.is_file() else {}
    forms = path.with_name("quantisation.json")
    tried = json.loads(forms.read_text()) if forms.is_file() else None
    place = Path(os.path.relpath(pictures, path.parent)).as_posix()
    storage.write_bytes(path, card.card(page, noted, place, tried).encode())
    print(f"model card: {path}")


def _measured(
    nets: list["Net"], images: np.ndarray, labels: np.ndarray, sets: dict[str, np.ndarray]
) -> dict[str, Any]:
    """The figures of each section."""
    from report_parts import others
    from report_parts.sections import calibration, corruptions, mnist, rejection

    _say("MNIST's test digits")
    read = {each: each.read(images) for each in nets}
    found: dict[str, Any] = {"mnist": mnist.measure(nets, images, labels, read)}
    found["calibration"] = {"MNIST's test digits": calibration.measure(nets, labels, read)}
    _say("the seed's pictures")
    found["seed"] = _seed(nets)
    _say("photographs")
    found["photographs"], lists, readings = _photographs(nets)
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
    if lists:
        figures = calibration.measure_photographs(nets, lists, readings)
        found["calibration"]["photographs"] = figures
        found["rejection"]["photographs"] = rejection.photographs(nets, readings)
    _say("other collections")
    found["foreign"] = _foreign(nets)
    return found


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
    # The camera reads with mixed.
    kind = "mixed" if "mixed" in formats else next(iter(formats))
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


def _test_digits(limit: int | None) -> tuple[np.ndarray, np.ndarray]:
    chosen = data_flags.selection()
    if not chosen and (_SHARED / "mnist").is_dir():
        chosen = {"data_dir": str(_SHARED / "mnist")}
    images, labels = data_flags.find(chosen).test.read()
    some = _some(len(images), limit or len(images))
    return images[some], labels[some]


def _some(whole: int, count: int) -> np.ndarray:
    """Places of some of so many, in order, the same in each run."""
    chosen = np.random.default_rng(0).permutation(whole)[:count]
    return np.sort(chosen)


def _one_each(labels: np.ndarray) -> np.ndarray:
    """Where the first of each of a few digits stands."""
    return np.unique(labels, return_index=True)[1][2 : 2 + _SHOWN_DIGITS]


def _seed(nets: list["Net"]) -> dict[str, Any]:
    from report_parts.sections import seed

    folder = Path(_SEED_PICTURES.value)
    if not folder.is_dir():
        return {"skipped": f"no folder {folder} (--seed_pictures)"}
    return seed.measure(nets, folder, _LIMIT.value)


def _photographs(nets: list["Net"]) -> tuple[dict[str, Any], dict, dict]:
    """The section, the lists of photographs, and what was read of them."""
    from report_parts.sections import photographs

    folder = Path(_PHOTOS.value)
    if not folder.is_dir():
        return {"skipped": f"no folder {folder} (--photos)"}, {}, {}
    lists = photographs.find(folder, _LIMIT.value)
    found = photographs.read(nets, lists)
    return photographs.measure(nets, lists, found), lists, found


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


def _foreign(nets: list["Net"]) -> dict[str, Any]:
    from report_parts.sections import foreign

    files = {"USPS": _USPS.value, "Semeion": _SEMEION.value}
    paths = {name: Path(path) if path else None for name, path in files.items()}
    return foreign.measure(nets, paths, _LIMIT.value)


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
