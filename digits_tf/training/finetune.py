"""A model of one's own, from one that is trained already and some digits of one's own.

What the model knew is trained on as well, so that it is not forgotten: rehearsal, as in Robins,
"Catastrophic forgetting, rehearsal and pseudorehearsal" (Connection Science 7, 1995). And the new
weights stay near the old ones: Wortsman et al., "Robust fine-tuning of zero-shot models"
(https://arxiv.org/abs/2109.01903).
"""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digits_tf.data.digits import BACKGROUND, ArrayDigits, Joined
from digits_tf.data.mnist import Mnist, hold_out
from digits_tf.errors import DigitsError
from digits_tf.files import read_json
from digits_tf.models.resnet import resnet
from digits_tf.recognition.classifier import THRESHOLD, softmax
from digits_tf.recognition.tensorflow_models import ends_in_probabilities, open_model
from digits_tf.training import dataset
from digits_tf.training.callbacks import assign, values_of
from digits_tf.training.optimizers import optimizer
from digits_tf.training.recipes import FINETUNE
from digits_tf.training.run import Run

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]

STEPS = 200
# Of the pictures in a batch, so many are MNIST's, no digits, and one's own.
_SHARES = (0.65, 0.2, 0.15)
# How far the weights go from the base's to the trained ones. All the way, more of what the base
# knew is lost, and no more is won.
_WAY = 0.7
_FOLDS = 5
# What comes of a JSON that does not fit its SavedModel, beside TensorFlow's own errors.
_DAMAGES = (AttributeError, KeyError, MemoryError, OSError, TypeError, ValueError)
_BATCH = 500
# So many pictures of what is no digit are made, and so many of them are measured on.
BACKGROUNDS, BACKGROUNDS_HELD_OUT = 2000, 500


@dataclasses.dataclass(frozen=True)
class Rehearsal:
    """What the model shall not forget.

    Attributes:
        images: uint8 (n, 28, 28), digits.
        labels: (n,), 0 to 9.
        background: uint8 (m, 28, 28), what is no digit; empty for a model of ten classes.
    """

    images: Images
    labels: Labels
    background: Images


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How two models read the same pictures.

    Attributes:
        before: whether the first reads each rightly, bool (n,).
        after: whether the second does.
    """

    before: NDArray[np.bool_]
    after: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many pictures."""
        return len(self.before)

    @property
    def won(self) -> int:
        """By how many pictures the second reads more; below 0: fewer."""
        return int(self.after.sum()) - int(self.before.sum())

    @property
    def is_worse(self) -> bool:
        """Whether the second is worse, and not by chance.

        That is by more than two deviations of the pictures that only one of them reads: McNemar,
        "Note on the sampling error of the difference between correlated proportions"
        (Psychometrika 12, 1947).
        """
        lost = int((self.before & ~self.after).sum())
        won = int((self.after & ~self.before).sum())
        return lost - won > 2 * math.sqrt(lost + won)

    def __str__(self) -> str:
        """Both shares in per cent."""
        if not self.count:
            return "not measured"
        return f"{self.before.mean():.2%} -> {self.after.mean():.2%} of {self.count:,}"


def open_base(path: Path) -> tuple[keras.Model, dict[str, Any]]:
    """Opens a model to go on from.

    Args:
        path: a .keras file; a run folder; or a SavedModel of this project, with its JSON beside it.

    Returns:
        The model, and its arguments for `resnet` as far as they are known.

    Raises:
        DigitsError: if it is none of these, or gives probabilities in place of logits.
    """
    if (path / "best.keras").is_file():
        return open_base(path / "best.keras")[0], Run(path).settings()["model"]
    card = path.with_suffix(".json")
    if not path.is_dir() or not card.is_file():
        model = open_model(path)
        if ends_in_probabilities(model):
            raise DigitsError(f"{path}: expected a model that gives logits, found probabilities")
        return model, {"name": model.name, "classes": model.output_shape[-1]}
    # A SavedModel holds no layers, but their weights in the same order.
    try:
        arguments = read_json(card)["architecture"]
        model = resnet(**arguments)
        saved = tf.saved_model.load(str(path / "1")).weights
        for variable, value in zip(model.weights, saved, strict=True):
            variable.assign(value)
    except (*_DAMAGES, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())
        raise DigitsError(f"{path}: not a model that can be trained further ({reason})") from None
    return model, arguments


class Tuner:
    """Trains a copy of a model on one's own pictures and on what it shall not forget.

    The normalization keeps its statistics: few writers' digits would move them too far.

    Args:
        base: from uint8 pixels as floats to logits; left as it is.
        rehearsal: what shall not be forgotten.
        seed: of the order and the augmentation.
        on_step: is called after each of the `STEPS` steps.

    Attributes:
        model: the copy.
    """

    def __init__(
        self,
        base: keras.Model,
        rehearsal: Rehearsal,
        seed: int,
        on_step: Callable[[], Any] = lambda: None,
    ):
        self._rehearsal, self._seed = rehearsal, seed
        self.model = keras.models.clone_model(base)
        for layer in self.model.layers:
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model.compile(optimizer(FINETUNE, STEPS), loss)
        self.model.optimizer.build(self.model.trainable_variables)
        self._start = base.get_weights(), values_of(self.model.optimizer.variables)
        self._on_batch = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: on_step()
        )

    def tune(self, images: Images, labels: Labels) -> None:
        """Trains the model anew, from the base.

        Args:
            images: uint8 (n, 28, 28), one's own, n at least 1.
            labels: (n,), 0 to 9, or `BACKGROUND` if the model has a class for that.
        """
        keras.utils.set_random_seed(self._seed)
        weights, state = self._start
        self.model.set_weights(weights)
        assign(self.model.optimizer.variables, state)
        self.model.fit(
            _batches(images, labels, self._rehearsal, self._seed),
            steps_per_epoch=STEPS,
            shuffle=False,
            verbose=0,
            callbacks=[self._on_batch],
        )
        trained = self.model.get_weights()
        self.model.set_weights(
            [old + _WAY * (new - old) for old, new in zip(weights, trained, strict=True)]
        )

    def cross_validate(self, images: Images, labels: Labels) -> NDArray[np.bool_]:
        """Whether each picture is read rightly by a model that was not tuned on it.

        Five times a fifth is kept out. Args are those of `tune`; bool (n,).
        """
        right = np.zeros(len(images), bool)
        fold = folds(labels, self._seed)
        for each in np.unique(fold):
            out = fold == each
            self.tune(images[~out], labels[~out])
            right[out] = is_right(self.model, images[out], labels[out])
        return right


def probabilities(model: keras.Model, images: Images) -> NDArray[np.float32]:
    """The ten digits' probabilities, float32 (n, 10), of uint8 (n, 28, 28)."""
    # Whole batches alone: Keras would compile the model anew for each other size.
    blank = np.zeros((-len(images) % _BATCH, *images.shape[1:]), np.uint8)
    inputs = np.concatenate([images, blank])[..., None].astype(np.float32)
    logits = np.asarray(model.predict(inputs, batch_size=_BATCH, verbose=0))
    return softmax(logits[: len(images)])


def is_right(model: keras.Model, images: Images, labels: Labels) -> NDArray[np.bool_]:
    """Whether a model reads each picture rightly: no label is right for what is no digit."""
    if not len(images):
        return np.zeros(0, bool)
    rows = probabilities(model, images)
    read = np.where(rows.max(axis=1) > THRESHOLD, rows.argmax(axis=1), BACKGROUND)
    right: NDArray[np.bool_] = read == labels
    return right


def settings(
    arguments: dict[str, Any], seed: int, digits: Mnist, own: tuple[Images, Labels], base: str
) -> dict[str, Any]:
    """What decides how it ends, for a run's config.json, as far as an export needs it."""
    images, labels = own
    return {
        "recipe": dataclasses.asdict(FINETUNE),
        "model": arguments,
        "seed": seed,
        "policy": "float32",
        "finetune": {"base": base, "own": ArrayDigits(images, labels, "").hashes()},
        "data": {"sha256": digits.hashes(), "selection": {}},
    }


def folds(labels: Labels, seed: int) -> NDArray[np.int64]:
    """Deals pictures into five parts, those of each label evenly; returns the part of each."""
    rng = np.random.default_rng(seed)
    fold = np.zeros(len(labels), np.int64)
    first = 0
    for label in np.unique(labels):
        chosen = rng.permutation(np.flatnonzero(labels == label))
        fold[chosen] = (first + np.arange(len(chosen))) % _FOLDS
        first += len(chosen)
    return fold


def split(whole: Rehearsal) -> tuple[Rehearsal, Rehearsal]:
    """Parts what is trained on from what is measured on: of the digits as `hold_out` does."""
    is_held_out = np.zeros(len(whole.images), bool)
    is_held_out[hold_out(len(whole.images))] = True
    cut = max(0, len(whole.background) - BACKGROUNDS_HELD_OUT)
    return (
        Rehearsal(whole.images[~is_held_out], whole.labels[~is_held_out], whole.background[:cut]),
        Rehearsal(whole.images[is_held_out], whole.labels[is_held_out], whole.background[cut:]),
    )


def _batches(images: Images, labels: Labels, rehearsal: Rehearsal, seed: int) -> tf.data.Dataset:
    """Batches in which each kind has its share: the rarer ones are repeated, distorted anew."""
    kinds = [
        (rehearsal.images, rehearsal.labels),
        (rehearsal.background, np.full(len(rehearsal.background), BACKGROUND, np.uint8)),
        (images, labels),
    ]
    # All that the steps will take, and some to choose from.
    needed = 2 * STEPS * FINETUNE.batch_size
    rng = np.random.default_rng(seed)
    parts = []
    for (some, names), share in zip(kinds, _SHARES, strict=True):
        if len(some):
            which = rng.permutation(math.ceil(share * needed)) % len(some)
            parts.append(ArrayDigits(some[which], names[which], ""))
    digits = Joined(parts)
    data = dataset.TrainingData(
        digits, np.zeros(0, np.int64), np.arange(digits.count), stream=False
    )
    return dataset.training_batches(
        data,
        seed=seed,
        first_epoch=0,
        epochs=1,
        batch_size=FINETUNE.batch_size,
        steps=STEPS,
        augmentation=FINETUNE.augmentation,
    )
