"""The model as it is served: float32, softmax added, every variable stored once."""

from pathlib import Path

import keras
import tensorflow as tf

from digits_tf.recognition.classifier import CLASSES

INPUT, OUTPUT = "image", "probabilities"


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


def with_softmax(model: keras.Model) -> keras.Model:
    """From logits to the ten digits' probabilities.

    A class "not a digit" takes part in the softmax and is then left out: what a row lacks of 1 is
    its probability.
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

    @tf.function(input_signature=[spec])
    def serve(image):
        # A loaded signature lets every shape pass, and of a wrong rank TensorFlow's convolution on
        # a CPU ends the process.
        return {output: model(tf.ensure_shape(image, spec.shape), training=False)}

    module.serve = serve
    signatures = {"serving_default": serve.get_concrete_function()}
    tf.saved_model.save(module, str(folder), signatures=signatures)
