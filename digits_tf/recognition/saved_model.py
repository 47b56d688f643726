"""SavedModels, as TensorFlow Serving uses them."""

from pathlib import Path
from typing import Any

import numpy as np

from digits_tf import runtime
from digits_tf.errors import DigitsError
from digits_tf.recognition.classifier import (
    CLASSES,
    Classifier,
    as_probabilities,
    check_shapes,
    in_batches,
)

SIGNATURE = "serving_default"
# What only picks from or reshapes the values before it.
_PASSING = ("Cast", "EnsureShape", "Identity", "Reshape", "Slice", "Squeeze", "StridedSlice")


class SavedModelClassifier(Classifier):
    """A SavedModel with the signature "serving_default".

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
            self._loaded = tf.saved_model.load(str(folder))
            self._function = self._loaded.signatures[SIGNATURE]
        # TensorFlow raises OSError, ValueError, KeyError and errors of its own.
        except Exception as error:
            reason = str(error).strip().splitlines()
            raise DigitsError(
                f"{folder}: not a SavedModel that can be loaded "
                f"({reason[0] if reason else error!r})"
            ) from None
        inputs = self._function.structured_input_signature[1]
        outputs = self._function.structured_outputs
        if len(inputs) != 1 or len(outputs) != 1:
            raise DigitsError(f"{folder}: expected one input and one output")
        self._input, spec = next(iter(inputs.items()))
        self._output, output = next(iter(outputs.items()))
        check_shapes(folder, _shape(spec), _shape(output))
        self._constant, self._dtype, self._batch = tf.constant, spec.dtype, spec.shape[0]
        self._logits = not _gives_probabilities(self._function) if logits is None else logits

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Reads a batch, see `Classifier.probabilities`."""
        if not len(images):
            return np.zeros((0, CLASSES), np.float32)
        outputs = in_batches(self._outputs, images, self._batch or len(images))
        return as_probabilities(outputs, self._logits)

    def _outputs(self, images: np.ndarray) -> np.ndarray:
        pixels = self._constant(images[..., None].astype(np.float32), self._dtype)
        outputs = self._function(**{self._input: pixels})[self._output]
        return np.asarray(outputs, np.float32)


def _shape(spec: Any) -> tuple[int | None, ...] | None:
    """A tensor's shape without the batch; None if not even its rank is known."""
    return None if spec.shape.rank is None else tuple(spec.shape[1:])


def _gives_probabilities(function: Any) -> bool:
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
        elif node.op in _PASSING:
            name = node.input[0]
        else:
            return node.op in ("Sigmoid", "Softmax")
    return False
