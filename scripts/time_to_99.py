"""Seconds of training to 99 % on MNIST's test set, beside the recipe of train_mnist_fast.

python scripts/time_to_99.py --data_dir FOLDER

Both recipes are fixed beforehand: so many steps, then the test set is read once. The time is that
of training, from a built and warmed-up network and digits in memory to the last step; importing,
tracing and reading files are left out for both. Each seed starts from new weights, and the two
recipes take turns, so that a busy machine hurts both.

train_mnist_fast: https://github.com/tuomaso/train_mnist_fast (215 k parameters, one epoch, digits
shuffled beforehand, batches of 256, Adam with betas 0.7 and 0.9, one-cycle to 1e-2), written here
in Keras.
"""

import dataclasses
import datetime
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf import runtime
from digits_tf.cli import command
from digits_tf.cli import data_flags as data_flags
from digits_tf.data.digits import Digits
from digits_tf.evaluation.score import score

_SEEDS = flags.DEFINE_integer("seeds", 5, "How many seeds.", lower_bound=1)
_ONLY = flags.DEFINE_enum("only", None, ["ours", "train_mnist_fast"], "Run one recipe alone.")
_JSON = flags.DEFINE_boolean("json", False, "Print one JSON object instead of a table.")
flags.adopt_module_key_flags(data_flags)

TARGET = 0.99
_OURS, _THEIRS = "ours", "train_mnist_fast"
_EVALUATION_BATCH = 1000


@dataclasses.dataclass(frozen=True)
class Contestant:
    """A recipe in the race.

    Attributes:
        build: makes the network, from pixels 0..255 (n, 28, 28, 1) to logits.
        steps: how many.
        batch_size: digits a step.
        shuffle: whether digits come in a new order in each pass, or in the first one's.
        peak: the highest learning rate of the one-cycle schedule.
        rise: share of the steps in which the rate rises.
        betas: Adam's momenta.
        smoothing: share of each label that is spread over all ten digits (Szegedy et al.,
            https://arxiv.org/abs/1512.00567); worth 0.2 points in so short a run.
    """

    build: Callable[[], Any]
    steps: int
    batch_size: int
    shuffle: bool
    peak: float
    rise: float
    betas: tuple[float, float]
    smoothing: float = 0.0


def contestants() -> dict[str, Contestant]:
    """The two recipes. Ours was chosen on 10,000 held-out training digits."""
    return {
        _OURS: Contestant(_our_net, 240, 256, True, 1.4e-2, 0.15, (0.7, 0.9), smoothing=0.1),
        _THEIRS: Contestant(_their_net, 235, 256, False, 1e-2, 0.3, (0.7, 0.9)),
    }


def _our_net() -> Any:
    """Two convolutions and two dense layers.

    The first convolution has a stride of 2 instead of max pooling behind it: on a CPU the gradient
    of that pooling took half of each step (20 of 40 ms, measured), and it reads no better.
    """
    import keras
    from keras import layers

    he = "he_normal"
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            _normalized(),
            layers.Conv2D(24, 5, strides=2, activation="relu", kernel_initializer=he),
            layers.Conv2D(32, 3, kernel_initializer=he),
            layers.MaxPooling2D(2),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(256, activation="relu", kernel_initializer=he),
            layers.Dense(10),
        ],
        name=_OURS,
    )


def _their_net() -> Any:
    import keras
    from keras import layers

    def torch_like(fan_in: int) -> dict[str, Any]:
        # PyTorch draws weights and biases evenly from ±1/sqrt(fan_in).
        bound = fan_in**-0.5
        uniform = keras.initializers.RandomUniform
        return {
            "kernel_initializer": uniform(-bound, bound),
            "bias_initializer": uniform(-bound, bound),
        }

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            _normalized(),
            layers.Conv2D(24, 5, **torch_like(25)),
            layers.MaxPooling2D(2),
            layers.ReLU(),
            layers.Conv2D(32, 3, **torch_like(9 * 24)),
            layers.MaxPooling2D(2),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(256, activation="relu", **torch_like(800)),
            layers.Dense(10, **torch_like(256)),
        ],
        name=_THEIRS,
    )


def _normalized() -> Any:
    """Pixels 0..255 to mean 0 and deviation 1, by MNIST's own 0.1307 and 0.3081."""
    from keras import layers

    return layers.Rescaling(1 / (255 * 0.3081), offset=-0.1307 / 0.3081)


def main(words: Sequence[str]) -> None:
    """Runs the race and prints its table."""
    mnist = data_flags.find(data_flags.selection())
    tf = runtime.import_tensorflow()
    import keras

    train = mnist.train.read()
    everyone = contestants()
    names = [_ONLY.value] if _ONLY.value else list(everyone)
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for seed in range(_SEEDS.value):
        for name in names:
            seconds, accuracy = _race(everyone[name], train, mnist.test, seed)
            rows[name].append((seconds, accuracy))
            print(f"seed {seed}, {name}: {seconds:.2f} s, {accuracy:.2%}", file=sys.stderr)
    result = {
        "recipes": {name: _summary(everyone[name], rows[name]) for name in names},
        "train_digits": len(train[0]),
        "test_digits": mnist.test.count,
        "sample": mnist.is_sample,
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
        "machine": runtime.describe(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    print(json.dumps(result)) if _JSON.value else _print(result)


def _race(
    recipe: Contestant,
    train: tuple[np.ndarray, np.ndarray],
    test: Digits,
    seed: int,
) -> tuple[float, float]:
    """Trains once; returns the seconds of training and the accuracy on the test set."""
    import keras
    import tensorflow as tf

    from digits_tf.training.optimizers import one_cycle

    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model = recipe.build()
    rate = one_cycle(recipe.peak, recipe.steps, recipe.rise)
    beta_1, beta_2 = recipe.betas
    optimizer = keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.smoothing)
    optimizer.build(model.trainable_variables)
    images, labels = tf.constant(train[0][..., None]), tf.one_hot(train[1], 10)
    variables = [variable.value for variable in (*model.variables, *optimizer.variables)]
    start = [variable.numpy() for variable in variables]

    @tf.function
    def step(rows):
        with tf.GradientTape() as tape:
            pixels = tf.cast(tf.gather(images, rows), tf.float32)
            value = loss(tf.gather(labels, rows), model(pixels, training=True))
        weights = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(value, weights), weights, strict=True))

    # Tracing and the first, slow steps are no training: their effect is undone.
    for _ in range(2):
        step(tf.range(recipe.batch_size))
    for variable, value in zip(variables, start, strict=True):
        variable.assign(value)

    begin = time.perf_counter()
    rng = np.random.default_rng(seed)
    for rows in _rows(recipe, len(train[0]), rng):
        step(rows)
    seconds = time.perf_counter() - begin
    return seconds, _accuracy(model, test)


def _rows(recipe: Contestant, count: int, rng: np.random.Generator) -> Iterator[Any]:
    """The indices of each step's digits, int32 (batch_size,)."""
    import tensorflow as tf

    a_pass = count // recipe.batch_size
    for number in range(recipe.steps):
        if number == 0 or (recipe.shuffle and number % a_pass == 0):
            order = rng.permutation(count).astype(np.int32)
        first = number % a_pass * recipe.batch_size
        yield tf.constant(order[first : first + recipe.batch_size])


def _accuracy(model: Any, test: Digits) -> float:
    def read(images: np.ndarray) -> np.ndarray:
        # Logits have their greatest where the probabilities have it.
        return model.predict_on_batch(images[..., None].astype(np.float32))

    return score(read, test.batches(_EVALUATION_BATCH)).accuracy


def _summary(recipe: Contestant, rows: list[tuple[float, float]]) -> dict[str, Any]:
    seconds, accuracy = np.array(rows).T
    return {
        "parameters": recipe.build().count_params(),
        "steps": recipe.steps,
        "batch_size": recipe.batch_size,
        "seconds": {"mean": seconds.mean(), "deviation": _deviation(seconds), "all": list(seconds)},
        "accuracy": {
            "mean": accuracy.mean(),
            "deviation": _deviation(accuracy),
            "all": list(accuracy),
        },
        "seeds": len(rows),
        "seeds_at_target": int(np.sum(accuracy >= TARGET)),
    }


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def _print(result: dict[str, Any]) -> None:
    print("| recipe | parameters | steps | seconds | test accuracy | seeds at 99 % |")
    print("|---|---|---|---|---|---|")
    for name, row in result["recipes"].items():
        seconds, accuracy = row["seconds"], row["accuracy"]
        print(
            f"| {name} | {row['parameters']:,} | {row['steps']} x {row['batch_size']} "
            f"| {seconds['mean']:.2f} ± {seconds['deviation']:.2f} "
            f"| {accuracy['mean']:.2%} ± {100 * accuracy['deviation']:.2f} "
            f"| {row['seeds_at_target']} of {row['seeds']} |"
        )
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    print(f"\n{result['machine']}; {versions}; {result['date']}")


if __name__ == "__main__":
    command.run(main, __doc__)
