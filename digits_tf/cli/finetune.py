"""What `train --finetune` does: a model of one's own, from a trained one and one's own digits."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digits_tf import files, runtime
from digits_tf.cli import data_flags, run_flags
from digits_tf.data import mnist
from digits_tf.data.digits import BACKGROUND, Joined
from digits_tf.errors import DigitsError
from digits_tf.evaluation.score import score
from digits_tf.recognition.registry import SHIPPED, shipped_saved_model
from digits_tf.runtime import counted

if TYPE_CHECKING:
    from digits_tf.training.finetune import Comparison
    from digits_tf.training.run import Run

# All else that a training has flags for is settled.
_TAKEN = frozenset(("finetune", "data_dir", "run", "seed"))
_LEAST = 5  # pictures, one for each part of the cross-validation
_BATCH = 500


def main(name: str, run_folder: Path) -> None:
    """Trains, compares, and exports what is better.

    Args:
        name: of the model to go on from.
        run_folder: gets the run.
    """
    if extra := sorted(set(run_flags.given()) - _TAKEN):
        raise DigitsError(f"--finetune settles that itself: leave out --{' --'.join(extra)}")
    folder = Path(data_flags.selection().get("data_dir", "own"))
    images, labels = _own(folder)
    digits = mnist.find()
    with run_flags.locked(run_folder):
        _train(name, folder, images, labels, digits, run_folder)


def _train(
    name: str,
    folder: Path,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    digits: mnist.Mnist,
    run_folder: Path,
) -> None:
    runtime.import_tensorflow()
    from digits_tf.training import device, finetune
    from digits_tf.training.run import Run

    chosen = device.choose("float32")
    base, arguments = finetune.open_base(
        shipped_saved_model(name) if name in SHIPPED else Path(name)
    )
    if base.output_shape[-1] == BACKGROUND:
        is_digit = labels != BACKGROUND
        images, labels = images[is_digit], labels[is_digit]
    print(
        f"{name} and {counted(len(images), 'picture')} of your own in {folder}, with MNIST's so "
        "that nothing is forgotten",
        file=sys.stderr,
    )
    seed = run_flags.SEED.value
    whole = _rehearsal(digits, base.output_shape[-1] > BACKGROUND, seed)
    train, held_out = finetune.split(whole)
    parts = len(np.unique(finetune.folds(labels, seed)))
    nothing = np.full(len(held_out.background), BACKGROUND, np.uint8)
    measured = {
        "MNIST's, held out": (held_out.images, held_out.labels),
        "no digit": (held_out.background, nothing),
        "MNIST's test digits": digits.test.read(),
    }
    with runtime.bar((parts + 1) * finetune.STEPS, "train", "step", leave=False) as bar:
        tuner = finetune.Tuner(base, train, seed, bar.update)
        own = tuner.cross_validate(images, labels)
        tuner.tune(images, labels)
    compared = {"your own": finetune.Comparison(finetune.is_right(base, images, labels), own)}
    for part, pictures in measured.items():
        before, after = (finetune.is_right(model, *pictures) for model in (base, tuner.model))
        compared[part] = finetune.Comparison(before, after)
    is_better = compared["your own"].won > 0 and not any(
        compared[part].is_worse for part in ("MNIST's, held out", "no digit")
    )
    run = Run(run_folder)
    settings = finetune.settings(arguments, seed, digits, (images, labels), name)
    with files.replacing(run.best_file) as beside:
        tuner.model.save(beside)
    found = score(
        lambda some: finetune.probabilities(tuner.model, some), digits.test.batches(_BATCH)
    )
    files.write_json(run.result_file, found.as_dict())
    # The last, as what it tells of is whole then.
    run.begin(settings, str(chosen), flags=run_flags.given(), compared=_as_words(compared))
    _tell(run, name, compared, is_better, digits)


def _own(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One's own pictures, uint8 (n, 28, 28), and their labels (n,), `BACKGROUND` for no digit."""
    if not folder.is_dir():
        raise DigitsError(f"{folder}: no digits of your own: collect some with digits-tf teach")
    found = mnist.in_folder(folder)
    parts = [found.train, found.test] if mnist.is_collection(folder) else [found.train]
    images, labels = Joined([*parts, *filter(None, [found.background])]).read()
    if len(images) < _LEAST:
        raise DigitsError(
            f"{folder}: expected at least {_LEAST} pictures, found {len(images)}: add some with "
            "digits-tf teach"
        )
    return images, labels


def _as_words(compared: "dict[str, Comparison]") -> dict[str, str]:
    return {part: str(each) for part, each in compared.items()}


def _rehearsal(digits: mnist.Mnist, has_background: bool, seed: int) -> "Any":
    """MNIST's digits, and pictures of no digit, which take a while to draw."""
    from digits_tf.synthetic.background import background_crops
    from digits_tf.training import finetune

    images, labels = digits.train.read()
    made = np.zeros((0, *images.shape[1:]), np.uint8)
    if has_background:
        step = 50
        with runtime.bar(finetune.BACKGROUNDS, "no digits", leave=False) as bar:
            for first in range(0, finetune.BACKGROUNDS, step):
                made = np.concatenate([made, background_crops(images, labels, step, seed, first)])
                bar.update(step)
    return finetune.Rehearsal(images, labels, made)


def _tell(
    run: "Run",
    name: str,
    compared: "dict[str, Comparison]",
    is_better: bool,
    digits: mnist.Mnist,
) -> None:
    """Says what came out, and exports it if it is better."""
    from digits_tf.export import exporter

    print(f"read rightly, by {name} -> by the new model:", file=sys.stderr)
    for part, each in compared.items():
        print(f"  {part:<20} {each}", file=sys.stderr)
    if not is_better:
        print(
            f"the new model is no better: go on with {name}, and collect more of what it misreads",
            file=sys.stderr,
        )
        return
    exporter.export(run, digits, formats=("mixed",))
    path = shlex.quote(exporter.path_of(run.folder, "digits", "mixed").as_posix())
    print(f"to read with it: python -m digits_tf.camera --model={path}", file=sys.stderr)
