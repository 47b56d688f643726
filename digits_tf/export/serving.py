"""The model as it is served: float32, calibrated, with softmax, every variable stored once."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digits_tf.recognition.classifier import CLASSES

INPUT, OUTPUT = "image", "probabilities"

# The temperature is looked for from the first to the second; the interval between them is narrowed
# so many times, far finer than the digits can tell.
_LOWEST, _HIGHEST, _STEPS = 0.25, 4.0, 40
_BATCH = 500


def float32_copy(model: keras.Model) -> keras.Model:
    """The same model and weights under the dtype policy float32.

    A model trained in mixed precision reloads as mixed whatever the global policy says, and its
    float16 operators are refused by TFLite.
    """

    def copy(layer: keras.Layer) -> keras.Layer:
        return type(layer).from_config({**layer.get_config(), "dtype": "float32"})

    twin = keras.models.clone_model(model, clone_function=copy)
    twin.set_weights(model.get_weights())
    return twin


def temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """The temperature with the smallest mean negative log-likelihood, 0.25 to 4.

    All logits are divided by it, so that the model is as sure as it is right (Guo et al., "On
    Calibration of Modern Neural Networks", https://arxiv.org/abs/1706.04599). The order of the
    classes stays, so accuracy does too.

    Args:
        logits: (n, classes), of digits that were not trained on.
        labels: (n,).
    """

    def loss(log_temperature: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        chosen = scaled[np.arange(len(labels)), labels]
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - chosen))

    # Over the logarithm of the temperature the loss has one minimum: golden-section search.
    low, high = float(np.log(_LOWEST)), float(np.log(_HIGHEST))
    golden = (5.0**0.5 - 1.0) / 2.0
    for _ in range(_STEPS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2.0))


def calibrate(model: keras.Model, images: NDArray[np.uint8], labels: NDArray[np.integer]) -> float:
    """Finds a model's temperature and divides its last layer by it, in place.

    Args:
        model: to logits.
        images: uint8 (n, 28, 28), digits that it was not trained on.
        labels: (n,).

    Returns:
        The temperature.
    """
    pixels = images[..., None].astype(np.float32)
    found = temperature(model.predict(pixels, batch_size=_BATCH, verbose=0), labels)
    last = model.get_layer("logits")
    last.set_weights([weights / found for weights in last.get_weights()])
    return found


def with_softmax(model: keras.Model) -> keras.Model:
    """From logits to the ten digits' probabilities.

    The class of the background takes part in the softmax and is then left out: its probability is
    what a row lacks of 1.
    """
    probabilities = keras.layers.Softmax(name=OUTPUT, dtype="float32")(model.output)
    return keras.Model(model.input, probabilities[:, :CLASSES], name=model.name)


def save(model: keras.Model, folder: Path, output: str = OUTPUT) -> None:
    """Writes a SavedModel with TensorFlow Serving's signature.

    `model.export` tracks the variables a second time through its layers and stores them twice;
    here the module knows the variables and one function, and nothing else.

    Args:
        model: from pixels to probabilities.
        folder: gets saved_model.pb; TensorFlow Serving wants it to be named by a version number.
        output: the name of what the model answers.
    """
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]

    spec = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name=INPUT)

    @tf.function(input_signature=[spec])  # type: ignore[untyped-decorator]
    def serve(image: Any) -> dict[str, Any]:
        # A loaded signature lets every shape pass, and TensorFlow's convolution on a CPU ends the
        # process if the rank is wrong.
        return {output: model(tf.ensure_shape(image, spec.shape), training=False)}

    module.serve = serve
    signatures = {"serving_default": serve.get_concrete_function()}
    tf.saved_model.save(module, str(folder), signatures=signatures)
