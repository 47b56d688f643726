"""Trains the network that finds digits, on frames that the program makes."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digits_tf import __version__
from digits_tf.data.download import cache_folder
from digits_tf.data.mnist import Mnist, hold_out
from digits_tf.errors import DigitsError
from digits_tf.synthetic.assets import Assets
from digits_tf.synthetic.assets import load as load_assets
from digits_tf.training.recipes import Recipe

if TYPE_CHECKING:
    import keras

    from digits_tf.synthetic.canvas import Frame
    from digits_tf.training.checkpoint import Checkpoint
    from digits_tf.training.device import Device
    from digits_tf.training.run import Run
    from digits_tf.training.trainer import Limits, Task

# Frames and steps that the best epoch is chosen on.
_HELD_OUT, _HELD_OUT_STEPS = 400, 20
# What there is to draw with, see `Assets`.
_KINDS = ("handwriting", "printed", "photographs", "stamps")


@dataclasses.dataclass(frozen=True)
class DetectorSettings:
    """The choices that decide what a training ends with, besides the digits and the fonts.

    Attributes:
        frames: frames to make and to train on.
        epochs: passes of `steps_per_epoch` steps.
        steps_per_epoch: batches in an epoch.
        batch_size: windows in a batch.
        learning_rate: the highest one.
        seed: seed of the random numbers.
        start: a .keras file; training begins with its weights. None: with new ones.
        frames_folder: where the frames are kept; None: in the cache.
    """

    frames: int = 32_000
    epochs: int = 26
    steps_per_epoch: int = 1000
    batch_size: int = 64
    learning_rate: float = 2e-2
    seed: int = 0
    start: str | None = None
    frames_folder: Path | None = None

    @property
    def recipe(self) -> Recipe:
        """How to train."""
        return Recipe(
            architecture="detector",
            epochs=self.epochs,
            batch_size=self.batch_size,
            optimizer="muon",
            learning_rate=self.learning_rate,
            warmup=0.1,
            weight_decay=0.01,
            average=0.998,
        )

    def as_json(self, digits: Mnist, assets: Assets | None, policy: str) -> dict[str, Any]:
        """All of it, for a run's config.json.

        Args:
            digits: those that the frames are made of.
            assets: the fonts and pictures that the frames are drawn with; None: none.
            policy: Keras' dtype policy.
        """
        settings = {
            "recipe": dataclasses.asdict(self.recipe),
            "model": {"name": "detector", "start": self.start},
            "seed": self.seed,
            "policy": policy,
            "steps_per_epoch": self.steps_per_epoch,
            "data": {
                "train": digits.train.origin,
                "sha256": digits.hashes(),
                "is_sample": digits.is_sample,
                "frames": self.frames,
                "world": {kind: len(getattr(assets, kind)) for kind in _KINDS} if assets else None,
            },
        }
        # As it will be read back: tuples become lists.
        read_back: dict[str, Any] = json.loads(json.dumps(settings))
        return read_back


def train(
    run: "Run",
    settings: DetectorSettings,
    digits: Mnist,
    assets: Assets | None,
    device: "Device",
    limits: "Limits",
    start: "Checkpoint | None" = None,
    callbacks: "Sequence[keras.callbacks.Callback]" = (),
) -> Path:
    """Makes frames, trains on them, and exports the model of the best epoch.

    Args:
        run: the folder; it has begun with what `settings.as_json` gives.
        settings: how to train.
        digits: those that the frames are made of.
        assets: the fonts and pictures that the frames are drawn with; None: none.
        device: where to train.
        limits: what shortens the run.
        start: the checkpoint to go on from; None: from the beginning.
        callbacks: further callbacks.

    Returns:
        The folder of the exported detector.

    Raises:
        DigitsError: if a file of frames is damaged, or the loss is not finite.
        OSError: if the folder cannot be written.
    """
    from digits_tf.export.exporter import export_detector
    from digits_tf.training import trainer

    frames, held_out = _make_frames(settings, digits, assets)
    task = _task(settings, frames, held_out)
    trainer.fit(run, task, settings.recipe, settings.seed, device, limits, start, [*callbacks])
    exported = run.folder / "detector"
    export_detector(run.best_file, exported, held_out)
    return exported


def _make_frames(
    settings: DetectorSettings, digits: Mnist, assets: Assets | None
) -> "tuple[list[Frame], list[Frame]]":
    """Frames to train on, and frames of other digits, fonts and pictures to choose the epoch on."""
    from digits_tf.detection import windows

    folder = settings.frames_folder or _cache(settings, digits, assets)
    images, labels = digits.train.read()
    is_held_out = np.zeros(len(images), bool)
    is_held_out[hold_out(len(images))] = True
    source = windows.Source(images[~is_held_out], labels[~is_held_out], assets, (settings.seed, 0))
    other = windows.Source(
        images[is_held_out],
        labels[is_held_out],
        load_assets(held_out=True),
        (settings.seed, 1),
    )
    return (
        windows.load(windows.make(folder / "train", settings.frames, source)),
        windows.load(windows.make(folder / "held_out", _HELD_OUT, other)),
    )


def _cache(settings: DetectorSettings, digits: Mnist, assets: Assets | None) -> Path:
    """The folder of all frames that are made of the same digits, fonts and pictures by one seed."""
    data = settings.as_json(digits, assets, "")["data"]
    made_of = json.dumps([data["sha256"], data["world"], settings.seed, __version__])
    return cache_folder() / "frames" / hashlib.sha256(made_of.encode()).hexdigest()[:12]


def _task(settings: DetectorSettings, frames: "list[Frame]", held_out: "list[Frame]") -> "Task":
    """The network, its loss, and batches of windows of the frames."""
    import tensorflow as tf

    from digits_tf.detection import network, windows
    from digits_tf.training import trainer

    size, seed, steps = settings.batch_size, settings.seed, settings.steps_per_epoch
    signature = (
        tf.TensorSpec((size, *windows.PICTURE_SHAPE), tf.uint8),
        tf.TensorSpec((size, *windows.TARGET_SHAPE), tf.float32),
    )

    def batches(first_epoch: int) -> tf.data.Dataset:
        def every() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
            for epoch in range(first_epoch, settings.epochs):
                yield from windows.batches(frames, size, steps, (seed, epoch))

        return tf.data.Dataset.from_generator(every, output_signature=signature).prefetch(8)

    some = windows.batches(held_out, size, _HELD_OUT_STEPS, (seed, -1 % 2**31))
    arrays = tuple(np.concatenate(each) for each in zip(*some, strict=True))
    return trainer.Task(
        build=lambda: _build(settings.start),
        loss=network.DetectionLoss(),
        metric=network.Found,
        batches=batches,
        held_out=tf.data.Dataset.from_tensor_slices(arrays).batch(size),
        steps=steps,
    )


def _build(start: str | None) -> "keras.Model":
    from digits_tf.detection.network import detector
    from digits_tf.recognition.tensorflow_models import open_any

    model = detector()
    if start:
        try:
            model.set_weights(open_any(Path(start)).get_weights())
        except ValueError:
            raise DigitsError(f"{start}: expected a detector of digits-tf train-detector") from None
    return model
