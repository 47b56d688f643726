"""What decides how a network that reads digits is trained, and what it sees in training."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from digits_tf import files, plots
from digits_tf.data.mnist import Mnist
from digits_tf.training import dataset
from digits_tf.training.recipes import Augmentation, Recipe

_PREVIEWED = 500  # digits


@dataclasses.dataclass(frozen=True)
class ClassifierSettings:
    """The choices that decide what a training ends with, besides the digits.

    Attributes:
        recipe: how to train.
        model: the arguments for `resnet`.
        seed: seed of the random numbers.
        policy: Keras' dtype policy.
        steps_per_epoch: at most this many steps an epoch; None: all.
    """

    recipe: Recipe
    model: dict[str, Any]
    seed: int = 0
    policy: str = "float32"
    steps_per_epoch: int | None = None

    def as_json(
        self, digits: Mnist, data: dataset.TrainingData, selection: dict[str, Any]
    ) -> dict[str, Any]:
        """All of it, for a run's config.json.

        Args:
            digits: the digits, as they were found.
            data: those that are trained on, and those that are held out.
            selection: how the digits can be found again.
        """
        settings = {
            **dataclasses.asdict(self),
            "data": {
                "train": digits.train.origin,
                "test": digits.test.origin,
                "train_count": len(data.train),
                "held_out_count": len(data.held_out),
                "test_count": digits.test.count,
                "sha256": digits.hashes(),
                "selection": selection,
                "is_sample": digits.is_sample,
                "stream": data.stream,
            },
        }
        # As it will be read back: tuples become lists.
        read_back: dict[str, Any] = json.loads(json.dumps(settings))
        return read_back


def preview(data: dataset.TrainingData, augmentation: Augmentation, seed: int, path: Path) -> None:
    """Draws digits as the network sees them in training into a PNG file."""
    batches = dataset.training_batches(
        data,
        seed=seed,
        first_epoch=0,
        epochs=1,
        batch_size=min(_PREVIEWED, len(data.train)),
        steps=1,
        augmentation=augmentation,
    )
    images, labels = next(iter(batches.as_numpy_iterator()))
    with files.replacing(path) as beside:
        plots.contact_sheet(np.squeeze(images, -1), labels, beside)
