"""Keras files and SavedModels: what needs TensorFlow to be opened."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digits_tf import runtime
from digits_tf.errors import DigitsError
from digits_tf.recognition.classifier import FileClassifier, check_shapes

if TYPE_CHECKING:
    import keras

_SIGNATURE = "serving_default"
# What Keras puts into a .keras file. Further files in it belong to layers that look words up.
_MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
_CONFIG, _, _WEIGHTS = _MEMBERS
# What networks are made of. Keras refuses layers that carry code (safe_mode) and what is not its
# own, but would take any other function of its own for an activation, and call it: one that writes
# a file, or fetches one.
_MODULES = frozenset(
    (
        *("builtins", "keras", "keras.activations", "keras.constraints", "keras.dtype_policies"),
        *("keras.initializers", "keras.layers", "keras.losses", "keras.metrics", "keras.ops"),
        *("keras.optimizers", "keras.quantizers", "keras.regularizers"),
    )
)
# Classes alone are taken from there.
_INNER_MODULES = "keras.src."
# What gives probabilities: layers, activations and operations, in small letters.
_PROBABILITIES = ("sigmoid", "softmax")
# Layers of Keras and operations of TensorFlow that only pick from or reshape the values before.
_PASSING_LAYERS = ("Dropout", "Flatten", "GetItem", "Identity", "Reshape", "Squeeze")
_PASSING_NODES = ("Cast", "EnsureShape", "Identity", "Reshape", "Slice", "Squeeze", "StridedSlice")


class KerasClassifier(FileClassifier):
    """A Keras model.

    Args:
        model: from pixels to logits or probabilities, see `open_model`.
        logits: whether it gives logits; None: unless it ends in a softmax or a sigmoid.

    Attributes:
        model: the same.
    """

    def __init__(self, model: "keras.Model", logits: bool | None = None):
        super().__init__(
            model.name,
            model.input_shape[0],
            not ends_in_probabilities(model) if logits is None else logits,
        )
        self.model = model

    def _outputs(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        outputs = self.model.predict_on_batch(images[..., None].astype(np.float32))
        return np.asarray(outputs, np.float32)


class SavedModelClassifier(FileClassifier):
    """A SavedModel with the signature "serving_default", as TensorFlow Serving uses it.

    A SavedModel is a program: open only those you trust.

    Args:
        folder: holds saved_model.pb.
        logits: whether it gives logits; None: unless it ends in a softmax or a sigmoid.

    Raises:
        DigitsError: if it cannot be loaded, or is of other shapes.
    """

    def __init__(self, folder: Path, logits: bool | None = None):
        tf = runtime.import_tensorflow()
        try:
            # What is loaded must be kept: the function alone does not hold its variables.
            # A damaged fingerprint, which nobody needs, gives a traceback and no error.
            with runtime.standard_error():
                self._loaded = tf.saved_model.load(str(folder))
            self._function = self._loaded.signatures[_SIGNATURE]
        # TensorFlow raises OSError, ValueError, KeyError and errors of its own.
        except Exception as error:
            raise DigitsError(
                f"{folder}: not a SavedModel that can be loaded ({_first_line(error)})"
            ) from None
        inputs = self._function.structured_input_signature[1]
        outputs = self._function.structured_outputs
        if len(inputs) != 1 or len(outputs) != 1:
            raise DigitsError(f"{folder}: expected one input and one output")
        self._input, spec = next(iter(inputs.items()))
        self._output, output = next(iter(outputs.items()))
        check_shapes(folder, _shape(spec), _shape(output))
        if logits is None:
            logits = not _function_ends_in_probabilities(self._function)
        super().__init__(str(folder), spec.shape[0], logits)
        self._constant, self._dtype = tf.constant, spec.dtype

    def _outputs(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        pixels = self._constant(images[..., None].astype(np.float32), self._dtype)
        outputs = self._function(**{self._input: pixels})[self._output]
        return np.asarray(outputs, np.float32)


def open_model(path: Path) -> "keras.Model":
    """Loads a Keras model of digits, without running code that the file may carry.

    Raises:
        DigitsError: if it is no such file, or of other shapes.
    """
    model = open_any(path)
    # Without a default it is an error to ask a model that was never built.
    if any(len(getattr(model, name, None) or ()) != 1 for name in ("inputs", "outputs")):
        raise DigitsError(f"{path}: expected one input and one output")
    check_shapes(path, model.input_shape[1:], model.output_shape[1:])
    return model


def open_any(path: Path) -> "keras.Model":
    """Loads a Keras model of any shapes, without running code that the file may carry.

    Raises:
        DigitsError: if it is no such file.
    """
    runtime.import_tensorflow()
    import keras

    if not zipfile.is_zipfile(path):
        raise DigitsError(f"{path}: expected a .keras file, found something else or a cut one")
    try:
        _check_archive(path)
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except DigitsError:
        raise
    # Keras has no error of its own for files that it cannot load.
    except Exception as error:
        raise DigitsError(
            f"{path}: not a .keras file that can be loaded ({_first_line(error)})"
        ) from None


def _check_archive(path: Path) -> None:
    """Looks into a .keras file before Keras does, which would unpack 4 GiB out of a few megabytes.

    Raises:
        DigitsError: if there is more in it than a network, or more than its own size.
        Exception: if it is damaged.
    """
    import h5py

    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        if (names := tuple(sorted(archive.namelist()))) != _MEMBERS:
            raise DigitsError(
                f"{path}: expected {', '.join(_MEMBERS)} in it, found {', '.join(names)}"
            )
        # Keras compresses neither the file nor the arrays in it.
        if sum(each.file_size for each in archive.infolist()) > size:
            raise _too_large(path)
        content = {name: archive.read(name) for name in _MEMBERS}
    with h5py.File(io.BytesIO(content[_WEIGHTS])) as weights:
        sizes: list[int] = []
        weights.visititems(lambda name, each: sizes.append(getattr(each, "nbytes", 0)))
    if sum(sizes) > size:
        raise _too_large(path)
    config = json.loads(content[_CONFIG])
    # What it was trained with is not loaded.
    for each in _dictionaries({**config, "compile_config": None}):
        module = str(each.get("module") or "keras")
        is_known = module in _MODULES or module.startswith(_INNER_MODULES)
        if module.partition(".")[0] == "keras" and not is_known:
            name = each.get("config" if each.get("class_name") == "function" else "class_name")
            raise DigitsError(f"{path}: expected a network of Keras' layers, found {module}.{name}")


def _too_large(path: Path) -> DigitsError:
    return DigitsError(
        f"{path}: unpacks to more than its own size, and Keras compresses nothing: not loaded"
    )


def _dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    """All dictionaries in what came out of JSON, however deep."""
    left = [value]
    while left:
        found = left.pop()
        if isinstance(found, dict):
            yield found
            left += found.values()
        elif isinstance(found, list):
            left += found


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), repr(error))


def _shape(spec: Any) -> tuple[int | None, ...] | None:
    """A tensor's shape without the batch; None if not even its rank is known."""
    return None if spec.shape.rank is None else tuple(spec.shape[1:])


def ends_in_probabilities(model: "keras.Model") -> bool:
    """Whether a model ends in a softmax or a sigmoid."""
    # Operations that are no layers, such as a slice, are in `operations` alone.
    for operation in reversed(getattr(model, "operations", model.layers)):
        kind = type(operation).__name__
        activation = getattr(getattr(operation, "activation", None), "__name__", "")
        if hasattr(operation, "layers"):
            return ends_in_probabilities(operation)
        if kind not in _PASSING_LAYERS and (kind != "Activation" or activation != "linear"):
            return kind.lower() in _PROBABILITIES or activation in _PROBABILITIES
    return False


def _function_ends_in_probabilities(function: Any) -> bool:
    """Whether a function ends in a softmax or a sigmoid, looked for in the functions it calls."""
    graph = function.graph.as_graph_def()
    library = {each.signature.name: each for each in graph.library.function}
    nodes = {node.name: node for node in graph.node}
    name = function.outputs[0].name
    # "node", "node:1", or inside of functions "node:output:1".
    while node := nodes.get(name.partition(":")[0]):
        if node.op in ("PartitionedCall", "StatefulPartitionedCall"):
            called = library[node.attr["f"].func.name]
            place = int(name.rpartition(":")[2]) if ":" in name else 0
            nodes = {each.name: each for each in called.node_def}
            name = called.ret[called.signature.output_arg[place].name]
        elif node.op in _PASSING_NODES:
            name = node.input[0]
        else:
            return bool(node.op.lower() in _PROBABILITIES)
    return False
