"""Keras files."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    import keras

# What only picks from or reshapes the values before it.
_PASSING = ("Dropout", "Flatten", "GetItem", "Identity", "Reshape", "Squeeze")


class KerasClassifier(Classifier):
    """A Keras model.

    Args:
        model: from pixels to logits or probabilities, see `open_model`.
        logits: whether it gives logits; None: unless it ends in a softmax or a sigmoid.
    """

    def __init__(self, model: "keras.Model", logits: bool | None = None):
        self.model = model
        self._logits = not _gives_probabilities(model) if logits is None else logits

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Reads a batch, see `Classifier.probabilities`."""
        if not len(images):
            return np.zeros((0, CLASSES), np.float32)
        outputs = in_batches(self._outputs, images, self.model.input_shape[0] or len(images))
        return as_probabilities(outputs, self._logits)

    def _outputs(self, images: np.ndarray) -> np.ndarray:
        outputs = self.model.predict_on_batch(images[..., None].astype(np.float32))
        return np.asarray(outputs, np.float32)


def open_model(path: Path):
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


def open_any(path: Path):
    """Loads a Keras model of any shapes, without running code that the file may carry.

    Raises:
        DigitsError: if it is no such file.
    """
    runtime.import_tensorflow()
    import keras

    if not zipfile.is_zipfile(path):
        raise DigitsError(f"{path}: expected a .keras file, found something else or a cut one")
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    # Keras has no error of its own for files that it cannot load.
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise DigitsError(
            f"{path}: not a .keras file that can be loaded ({reason[0] if reason else error!r})"
        ) from None


def _gives_probabilities(model: "keras.Model") -> bool:
    """Whether a model ends in a softmax or a sigmoid."""
    # Operations that are no layers, such as a slice, are in `operations` alone.
    for operation in reversed(getattr(model, "operations", model.layers)):
        kind = type(operation).__name__
        activation = getattr(getattr(operation, "activation", None), "__name__", "")
        if hasattr(operation, "layers"):
            return _gives_probabilities(operation)
        if kind not in _PASSING and (kind != "Activation" or activation != "linear"):
            return kind in ("Softmax", "Sigmoid") or activation in ("softmax", "sigmoid")
    return False
