"""Trains the shipped models anew, seed by seed, and writes down what came out.

    digits-tf scenes-fetch
    digits-tf train-detector --run=runs/detector --precision=mixed_bfloat16
    python scripts/train_shipped.py --detector=runs/detector
    digits-tf scenes --out runs/scenes
    python scripts/train_shipped.py
    python scripts/train_shipped.py --models=tiny --seeds=0

--detector copies a trained detector to tflite/ and saved_models/, and does no more: it cuts out the
crops that the classifiers learn from, so it comes first.

Each run is `python -m digits_tf.train --recipe=MODEL --seed=SEED`, in runs/MODEL-SEED; one that is
finished is not repeated, one that was broken off goes on. Then saved_models/runs.json holds the
figures of all that are finished, and the model of seed 0, whatever it is worth beside the others,
is exported as MODEL.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from digits_tf import files
from digits_tf.cli import command
from digits_tf.errors import DigitsError
from digits_tf.training.recipes import RECIPES
from digits_tf.training.run import Run

_MODELS = flags.DEFINE_list("models", ["tiny", "resnet"], "Recipes to train by.")
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2", "3", "4"], "Seeds to train with.")
_DATA = flags.DEFINE_string("data_dir", "runs/scenes", "What digits-tf scenes has written.")
_RUNS = flags.DEFINE_string("runs", "runs", "Folder of the run folders.")
_DETECTOR = flags.DEFINE_string("detector", None, "Run folder of a detector to ship.")
_EXPORT = flags.DEFINE_boolean("export", True, "Whether to export seed 0's models.")
_FIGURES = Path("saved_models/runs.json")
_EXPORTED_SEED = "0"


def main(words: Sequence[str]) -> None:
    """Trains, notes the figures, exports."""
    if _DETECTOR.value:
        _ship(Path(_DETECTOR.value) / "detector")
        return
    if unknown := [name for name in _MODELS.value if name not in RECIPES]:
        raise DigitsError(f"expected --models out of {', '.join(RECIPES)}, found {unknown[0]}")
    if wrong := [seed for seed in _SEEDS.value if not seed.isdecimal()]:
        raise DigitsError(f"expected numbers as --seeds, found {wrong[0]!r}")
    for name in _MODELS.value:
        for seed in _SEEDS.value:
            run = Run(Path(_RUNS.value) / f"{name}-{seed}")
            if not run.result_file.exists():
                _module(
                    "train",
                    f"--recipe={name}",
                    f"--seed={seed}",
                    f"--data_dir={_DATA.value}",
                    f"--run={run.folder}",
                    *(["--resume"] if run.config_file.exists() else []),
                )
            _note(name, run)
        if _EXPORT.value and _EXPORTED_SEED in _SEEDS.value:
            folder = Path(_RUNS.value) / f"{name}-{_EXPORTED_SEED}"
            _module("export", str(folder), f"--name={name}", "--out=.")


def _ship(made: Path) -> None:
    """Copies a detector's files to where the program looks for them."""
    if not (made / "detector.tflite").is_file():
        raise DigitsError(f"{made}: no detector.tflite: the run is not finished")
    for name in ("detector.tflite", "detector.json"):
        files.write_bytes(Path("tflite") / name, (made / name).read_bytes())
    with tempfile.TemporaryDirectory(dir="saved_models") as folder:
        fresh = shutil.copytree(made / "detector", Path(folder) / "detector")
        files.replace_tree(fresh, Path("saved_models/detector"))


def _module(name: str, *words: str) -> None:
    process = subprocess.run([sys.executable, "-m", f"digits_tf.{name}", *words], check=False)
    if process.returncode:
        raise DigitsError(f"digits_tf.{name} {' '.join(words)} ended with {process.returncode}")


def _note(name: str, run: Run) -> None:
    """Puts a finished run into the figures' file and prints the mean so far."""
    config, result = run.config(), run.result()
    settings = config["settings"]
    row = {
        "seed": settings["seed"],
        "epochs": settings["recipe"]["epochs"],
        "digits_an_epoch": settings["data"]["train_count"],
        "minutes": round(result["train_seconds"] / 60, 1),
        "best_epoch": result["best_epoch"],
        "held_out_accuracy": result["held_out_accuracy"],
        "test_accuracy": result["accuracy"],
        "finished": result["finished"],
        "machine": config["machine"],
        "versions": config["versions"],
        "data": settings["data"]["sha256"],
    }
    figures: dict[str, list[dict[str, Any]]] = {}
    if _FIGURES.exists():
        figures = json.loads(_FIGURES.read_text())
    rows = [each for each in figures.get(name, []) if each["seed"] != row["seed"]]
    figures[name] = sorted([*rows, row], key=lambda each: each["seed"])
    files.write_json(_FIGURES, figures)
    accuracies = [100 * each["test_accuracy"] for each in figures[name]]
    spread = f" ± {statistics.stdev(accuracies):.3f}" if len(accuracies) > 1 else ""
    print(f"{name}: {statistics.mean(accuracies):.3f}{spread} % over {len(accuracies)} seeds")


if __name__ == "__main__":
    command.run(main, __doc__)
