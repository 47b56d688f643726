"""Keras files."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digits_tf import backend
from digits_tf.classifier.classifier import (
    CLASSES,
    INPUT_SHAPE,
    Classifier,
    as_probabilities,
)
from digits_tf.errors import DigitsError

if TYPE_CHECKING:
    import keras


class KerasClassifier(Classifier):
    """A Keras model.

    Args:
        model: from pixels to logits, see `open_model`.
    """

    def __init__(self, model: "keras.Model"):
        self.model = model

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Reads a batch, see `Classifier.probabilities`."""
        if not len(images):
            return np.zeros((0, CLASSES), np.float32)
        outputs = self.model.predict_on_batch(images[..., None].astype(np.float32))
        return as_probabilities(np.asarray(outputs, np.float32))


def open_model(path: Path):
    """Loads a Keras model of digits, without running code that the file may carry.

    Raises:
        DigitsError: if it is no such file, or of other shapes.
    """
    model = open_any(path)
    shapes = (model.input_shape, model.output_shape)
    # Ten digits, and at most one class for all else.
    if shapes[0] != (None, *INPUT_SHAPE) or shapes[1] not in ((None, CLASSES), (None, CLASSES + 1)):
        raise DigitsError(
            f"{path}: expected a model from {INPUT_SHAPE} to ({CLASSES},), found {shapes[0]} to "
            f"{shapes[1]}"
        )
    return model


def open_any(path: Path):
    """Loads a Keras model of any shapes, without running code that the file may carry.

    Raises:
        DigitsError: if it is no such file.
    """
    backend.import_tensorflow()
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
