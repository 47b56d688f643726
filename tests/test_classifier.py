"""Models of all files behind one interface: what they give, and what of them is refused."""

import json
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from digits_tf import files, recognition
from digits_tf.errors import DigitsError
from digits_tf.export import serving, tflite
from digits_tf.recognition.classifier import FileClassifier

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 28, 28)).astype(np.uint8)
PIXELS = IMAGES[..., None].astype(np.float32)
FILES = ("keras", "saved_model", "float32", "int8", "mixed")


def shares(logits):
    exponents = np.exp(logits)
    return exponents / exponents.sum(axis=1, keepdims=True)


def model(head, classes=10, batch=None):
    """A network and its logits for `IMAGES`, which by their values may be probabilities."""
    image = keras.Input((28, 28, 1), batch_size=batch)
    logits = keras.layers.Dense(classes)
    output = logits(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image)))
    generator = np.random.default_rng(1)
    kernel = generator.normal(0, 1e-4, (784, classes)).astype(np.float32)
    bias = generator.uniform(0.02, 0.08, classes).astype(np.float32)
    logits.set_weights([kernel, bias])
    found = PIXELS.reshape(-1, 784) / 255 @ kernel + bias
    assert found.min() > 0
    assert found.sum(axis=1).max() < 1
    return keras.Model(image, head(output)), found


def write(folder, kind, network):
    """The network as a file."""
    path = folder / f"net.{kind}"
    if kind == "keras":
        network.save(path)
        return path
    serving.save(network, path if kind == "saved_model" else folder / "served")
    if kind == "saved_model":
        return path
    path = path.with_suffix(".tflite")
    path.write_bytes(tflite.convert(folder / "served", kind, IMAGES[..., None]))
    return path


@pytest.mark.parametrize("classes", [10, 11])
@pytest.mark.parametrize("kind", FILES)
def test_logits_are_known_by_the_last_layer(tmp_path, kind, classes):
    network, logits = model(lambda output: output, classes)
    found = recognition.load(write(tmp_path, kind, network)).probabilities(IMAGES)
    assert found.shape == (6, 10)
    assert np.abs(found - shares(logits)[:, :10]).max() < 1e-3


@pytest.mark.parametrize("kind", FILES)
def test_so_are_probabilities(tmp_path, kind):
    network, logits = model(keras.layers.Softmax(), 11)
    found = recognition.load(write(tmp_path, kind, network)).probabilities(IMAGES)
    assert found.shape == (6, 10)
    assert np.abs(found - shares(logits)[:, :10]).max() < 3e-3


@pytest.mark.parametrize(
    "head",
    [
        lambda output: keras.layers.Softmax()(output)[:, :10],
        keras.layers.Activation("softmax"),
        keras.ops.softmax,
        keras.Sequential([keras.layers.Softmax(), keras.layers.Activation("linear")]),
    ],
    ids=["cut", "activation", "operation", "nested"],
)
def test_a_keras_file_may_end_in_a_softmax_in_many_ways(tmp_path, head):
    network, logits = model(head)
    found = recognition.load(write(tmp_path, "keras", network)).probabilities(IMAGES)
    assert np.abs(found - shares(logits)).max() < 1e-5


def test_a_saved_model_of_keras_is_looked_into_as_well(tmp_path):
    network, logits = model(keras.layers.Softmax())
    network.export(tmp_path / "net", verbose=False)
    found = recognition.load(tmp_path / "net").probabilities(IMAGES)
    assert np.abs(found - shares(logits)).max() < 1e-5


@pytest.mark.parametrize("kind", FILES)
def test_the_json_beside_a_file_has_the_last_word(tmp_path, kind):
    network, logits = model(lambda output: output)
    path = write(tmp_path, kind, network)
    card = {"output": {"name": "probabilities"}}
    if kind == "saved_model":
        beside = tmp_path / "net.saved_model.json"
    else:
        beside, card["sha256"] = path.with_suffix(".json"), files.sha256(path)
    beside.write_text(json.dumps(card))
    assert np.abs(recognition.load(path).probabilities(IMAGES) - logits).max() < 1e-3
    beside.write_text("no JSON")
    with pytest.raises(DigitsError, match="expected JSON"):
        recognition.load(path)


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("kind", ["tflite", "saved_model", "keras"])
def test_models_of_a_fixed_batch_read_any_number(tmp_path, kind, batch):
    network, logits = model(keras.layers.Softmax(), batch=batch)
    path = tmp_path / f"net.{kind}"
    network.export(tmp_path / "net.saved_model", verbose=False)
    network.save(tmp_path / "net.keras")
    if kind == "tflite":
        converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "net.saved_model"))
        path.write_bytes(converter.convert())
    fixed = recognition.load(path)
    for count in (1, 6, 4, 0):
        found = fixed.probabilities(IMAGES[:count])
        assert found.shape == (count, 10)
        assert np.allclose(found, shares(logits)[:count], atol=1e-5)


@pytest.mark.parametrize("kind", ["keras", "saved_model", "float32"])
def test_wrong_shapes_are_told_in_plain_numbers(tmp_path, kind):
    image = keras.Input((14, 28, 1))
    network = keras.Model(image, keras.layers.Dense(7)(keras.layers.Flatten()(image)))
    if kind == "float32":
        serving.save(network, tmp_path / "served")
        path = tmp_path / "net.tflite"
        path.write_bytes(
            tflite.convert(tmp_path / "served", kind, np.zeros((1, 14, 28, 1), np.uint8))
        )
    else:
        path = write(tmp_path, kind, network)
    with pytest.raises(DigitsError) as error:
        recognition.load(path)
    expected = "expected a model from (28, 28, 1) to (10,), found (14, 28, 1) to (7,)"
    assert str(error.value) == f"{path}: {expected}"


@pytest.mark.parametrize("count", [0, 2])
def test_keras_files_without_or_with_two_inputs_are_refused(tmp_path, count):
    network = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
    if count:
        images = [keras.Input((28, 28, 1)) for _ in range(count)]
        network = keras.Model(images, network(keras.layers.Add()(images)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what was not built
        network.save(tmp_path / "net.keras")
    with pytest.raises(DigitsError, match="expected one input and one output"):
        recognition.load(tmp_path / "net.keras")


def test_unknown_ranks_are_refused(tmp_path):
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32)])
    def serve(image):
        return {"probabilities": image}

    signatures = {"serving_default": serve.get_concrete_function()}
    tf.saved_model.save(module, str(tmp_path / "net"), signatures=signatures)
    with pytest.raises(DigitsError, match="found None to None"):
        recognition.load(tmp_path / "net")


@pytest.mark.parametrize("shape", [(2, 27, 28, 1), (28, 28, 1), (2, 28, 28), (28, 28)])
def test_a_served_model_refuses_wrong_shapes(tmp_path, shape):
    """Without a check the first is read, and the others end the process."""
    network, _ = model(keras.layers.Softmax())
    serving.save(network, tmp_path / "served")
    serve = tf.saved_model.load(str(tmp_path / "served")).signatures["serving_default"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible"):
        serve(image=tf.zeros(shape))


class Answers(FileClassifier):
    """A model that gives what it is told to."""

    def __init__(self, rows, logits):
        super().__init__("net.tflite", None, logits)
        self.rows = rows

    def _outputs(self, images):
        if isinstance(self.rows, Exception):
            raise self.rows
        return np.asarray(self.rows, np.float32)


EVEN = [[0.1] * 10] * 6


@pytest.mark.parametrize(
    ("rows", "logits", "words"),
    [
        (ValueError("two\nlines"), True, "this model cannot be run (two lines)"),
        (np.zeros((6, 9)), True, "expected 6 x 10 numbers, found 6 x 9"),
        (np.zeros((1, 10)), True, "expected 6 x 10 numbers, found 1 x 10"),
        ([*EVEN[:5], [np.nan] * 10], True, "gives no finite numbers"),
        ([*EVEN[:5], [np.inf] * 10], False, "gives no finite numbers"),
        ([*EVEN[:5], [2.0] + 9 * [0.1]], False, "expected probabilities"),
        ([*EVEN[:5], [-1.0] + 9 * [0.1]], False, "expected probabilities"),
        (EVEN, True, "expected logits"),
    ],
)
def test_answers_that_no_network_of_digits_gives_are_no_readings(rows, logits, words):
    with pytest.raises(DigitsError) as error:
        Answers(rows, logits).probabilities(IMAGES)
    assert str(error.value).startswith("net.tflite: ")
    assert words in str(error.value)


def test_usual_answers_are_readings():
    assert Answers(EVEN, False).probabilities(IMAGES) == pytest.approx(np.array(EVEN))
    assert Answers([[0.1] * 11] * 6, True).probabilities(IMAGES).sum() == pytest.approx(6 * 10 / 11)
    assert Answers([[9.0] * 10] * 6, True).probabilities(IMAGES) == pytest.approx(np.array(EVEN))


def test_a_damaged_fingerprint_is_passed_over_in_silence(tmp_path, capfd):
    network, logits = model(lambda output: output)
    path = write(tmp_path, "saved_model", network)
    (path / "fingerprint.pb").write_bytes(b"\xff" * 30)
    capfd.readouterr()
    found = recognition.load(path).probabilities(IMAGES)
    assert np.abs(found - shares(logits)).max() < 1e-5
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", [tf.string, tf.bool])
def test_what_takes_no_numbers_is_refused(tmp_path, kind):
    @tf.function(input_signature=[tf.TensorSpec((1, 28, 28, 1), kind)])
    def serve(image):
        return tf.reshape(image, (1, 784))[:, :10]

    converter = tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()])
    path = tmp_path / "net.tflite"
    path.write_bytes(converter.convert())
    with pytest.raises(DigitsError, match="expected numbers in and out"):
        recognition.load(path)
