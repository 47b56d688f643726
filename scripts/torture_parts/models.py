"""Model files of both networks: damaged, of another task, made to lie, to run code, to fill memory.

Damaged .tflite files without a JSON are opened in a process each: LiteRT may crash on them, and
how often is counted.
"""

import functools
import json
import multiprocessing
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits_tf import files, recognition
from digits_tf.detection import detector
from digits_tf.errors import DigitsError
from digits_tf.recognition.classifier import Classifier
from digits_tf.recognition.registry import shipped_saved_model
from torture_parts import Trial, check_refusal, keras_files, pick
from torture_parts.mutations import mutated

COUNT, SECONDS, MEGABYTES = 3_000, 20.0, None

_LITERT_S = 10  # after which LiteRT hangs
_CROPS: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)


def start(folder: Path) -> Trial:
    """Prepares the trials."""
    models = _Models(folder)
    kinds = (
        *((0.38, models.with_json), (0.38, models.alone), (0.1, models.lying)),
        *((0.02, models.other), (0.05, models.damaged_keras), (0.04, models.hostile_keras)),
        (0.03, models.saved_model),
    )
    shares = np.array([share for share, _ in kinds])

    def trial(rng: np.random.Generator) -> tuple[str, str]:
        _, tried = kinds[int(rng.choice(len(kinds), p=shares))]
        place = folder / "tried"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        result = tried(rng, place)
        if models.witness.exists():
            raise AssertionError("code out of the file has run")
        return result

    return trial


class _Models:
    """Whole models, and what is tried with them: each method draws what, and returns what came.

    Args:
        folder: for whole models and for the witness, which code out of a file would make.
    """

    def __init__(self, folder: Path):
        kind = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        self._context: Any = multiprocessing.get_context(kind)
        if kind == "forkserver":
            preload = ["torture_parts.models", "digits_tf.recognition.recognizer"]
            self._context.set_forkserver_preload(preload)
        self._shipped = {"classifier": recognition.shipped_model(), "detector": detector.shipped()}
        self._whole = {name: path.read_bytes() for name, path in self._shipped.items()}
        self._saved_model = shipped_saved_model("tiny")
        self._folder, self.witness = folder, folder / "witness"

    @functools.cached_property
    def _keras(self) -> bytes:
        return keras_files.whole(self._folder / "whole.keras")

    @functools.cached_property
    def _hostile(self) -> dict[str, bytes]:
        return keras_files.hostile(self._keras, self.witness)

    def with_json(self, rng: np.random.Generator, place: Path) -> tuple[str, str]:
        """A damaged .tflite file beside the JSON of the whole one."""
        name = pick(rng, *self._whole)
        way, content = mutated(rng, self._whole[name])
        path = place / f"{name}.tflite"
        path.write_bytes(content)
        shutil.copy(self._shipped[name].with_suffix(".json"), path.with_suffix(".json"))
        happened = _opened(name, path)
        if happened != "refused" and content != self._whole[name]:
            raise AssertionError(f"a damaged file was {happened} beside its JSON")
        return f"{name} .tflite {way}, with its JSON", happened

    def alone(self, rng: np.random.Generator, place: Path) -> tuple[str, str]:
        """A damaged .tflite file alone."""
        name = pick(rng, *self._whole)
        way, content = mutated(rng, self._whole[name], self._whole[pick(rng, *self._whole)])
        path = place / f"{name}.tflite"
        path.write_bytes(content)
        tried = f"{name} .tflite {way}, alone"
        process = self._context.Process(target=_tell, args=(name, path))
        process.start()
        process.join(_LITERT_S)
        if process.is_alive():
            process.kill()
            process.join()
            return tried, "LiteRT hung"
        if process.exitcode:
            return tried, "LiteRT crashed"
        told = path.with_suffix(".txt").read_text()
        if told not in ("read", "refused"):
            raise AssertionError(told)
        return tried, told

    def lying(self, rng: np.random.Generator, place: Path) -> tuple[str, str]:
        """A whole .tflite file beside a JSON that does not tell the truth, or is none."""
        name, other = pick(rng, *self._whole), pick(rng, *self._whole)
        card = files.read_json(self._shipped[other].with_suffix(".json"))
        kind = pick(rng, "damaged", "of another model", "with other values", "of brackets", "of MB")
        if kind == "with other values":
            for _ in range(int(rng.integers(1, 4))):
                card[pick(rng, *card)] = keras_files.odd_value(rng)
        written = json.dumps(card).encode()
        if kind == "damaged":
            _, written = mutated(rng, written)
        elif kind == "of brackets":
            written = b'{"a":' + b"[" * 100_000
        elif kind == "of MB":
            written += b" " * (20 << 20)
        path = place / f"{name}.tflite"
        path.write_bytes(self._whole[name])
        path.with_suffix(".json").write_bytes(written)
        return f"a JSON {kind}", _opened(name, path)

    def other(self, rng: np.random.Generator, place: Path) -> tuple[str, str]:
        """A network for the other task."""
        name, taken = pick(rng, *self._whole), pick(rng, *self._whole)
        path = place / "other.tflite"
        path.write_bytes(self._whole[taken])
        happened = _opened(name, path)
        if (happened == "read") != (name == taken):
            raise AssertionError(f"a {taken} as {name} was {happened}")
        return f"a {taken} as {name}", happened

    def damaged_keras(self, rng: np.random.Generator, place: Path) -> tuple[str, str]:
        """A .keras file that is damaged, or whole with odd values in its config."""
        path = place / "net.keras"
        way, content = mutated(rng, self._keras)
        if rng.random() < 0.5:
            way, content = "with odd values", keras_files.with_odd_values(rng, self._keras)
        path.write_bytes(content)
        return f".keras {way}", _opened("classifier", path)

    def hostile_keras(self, rng: np.random.Generator, place: Path) -> tuple[str, str]:
        """A .keras file that means harm."""
        name = pick(rng, *self._hostile)
        path = place / "net.keras"
        path.write_bytes(self._hostile[name])
        happened = _opened("classifier", path)
        if happened != "refused":
            raise AssertionError(f".keras with {name} was {happened}")
        return f".keras with {name}", happened

    def saved_model(self, rng: np.random.Generator, place: Path) -> tuple[str, str]:
        """A damaged file in a SavedModel."""
        served = place / "served"
        shutil.copytree(self._saved_model, served)
        paths = sorted(path for path in served.rglob("*") if path.is_file())
        path = paths[int(rng.integers(len(paths)))]
        way, content = mutated(rng, path.read_bytes())
        path.write_bytes(content)
        return f"SavedModel, {path.name} {way}", _opened("classifier", served)


def _opened(name: str, path: Path) -> str:
    """Opens a model as a classifier or a detector, and reads with it."""
    try:
        if name == "detector":
            _look(detector.load(path))
        else:
            _classify(recognition.load(path))
    except DigitsError as error:
        # A JSON is named in place of its model, a version of a SavedModel in place of its folder.
        named = str(error).partition(": ")[0]
        if not named.startswith(str(path.with_suffix(""))):
            raise AssertionError(f"{error} does not name {path}") from None
        return check_refusal(error, named)
    return "read"


def _classify(model: Classifier) -> None:
    for count in (1, 3):
        rows = model.probabilities(_CROPS[:count])
        if rows.shape != (count, 10) or not np.isfinite(rows).all():
            raise AssertionError(f"probabilities {rows}")
        if rows.min() < -0.01 or rows.max() > 1.01:
            raise AssertionError(f"probabilities {rows}")


def _look(found: detector.Detector) -> None:
    rng = np.random.default_rng(1)
    for shape in ((40, 60), (300, 400)):
        for each in found.find(rng.integers(0, 256, shape).astype(np.uint8)):
            if not np.isfinite([*each.box, each.score]).all():
                raise AssertionError(f"{each}")


def _tell(name: str, path: Path) -> None:
    """Writes beside a model what opening it comes to."""
    try:
        told = _opened(name, path)
    except Exception as error:
        told = repr(error)
    path.with_suffix(".txt").write_text(told)
