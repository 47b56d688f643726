"""SavedModels, as TensorFlow Serving uses them."""

from pathlib import Path

import numpy as np

from digits_tf import backend
from digits_tf.classifier.classifier import CLASSES, INPUT_SHAPE, Classifier, as_probabilities
from digits_tf.errors import DigitsError

SIGNATURE = "serving_default"


class SavedModelClassifier(Classifier):
    """A SavedModel with the signature "serving_default".

    A SavedModel is a program: open only those you trust.

    Args:
        folder: holds saved_model.pb.

    Raises:
        DigitsError: if it cannot be loaded, or is of other shapes.
    """

    def __init__(self, folder: Path):
        tf = backend.import_tensorflow()
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
        shapes = (tuple(spec.shape[1:]), tuple(output.shape[1:]))
        if shapes != (INPUT_SHAPE, (CLASSES,)):
            raise DigitsError(
                f"{folder}: expected a model from {INPUT_SHAPE} to ({CLASSES},), found "
                f"{shapes[0]} to {shapes[1]}"
            )
        self._constant, self._dtype = tf.constant, spec.dtype

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Reads a batch, see `Classifier.probabilities`."""
        if not len(images):
            return np.zeros((0, CLASSES), np.float32)
        pixels = self._constant(images[..., None].astype(np.float32), self._dtype)
        outputs = self._function(**{self._input: pixels})[self._output]
        return as_probabilities(np.asarray(outputs, np.float32))
