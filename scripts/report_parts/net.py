"""A shipped model in one of its formats, ready to be asked."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digits_tf import recognition, runtime
from digits_tf.detection.detector import Detector
from digits_tf.errors import DigitsError
from digits_tf.recognition import Recognizer
from digits_tf.recognition.classifier import CLASSES, Classifier, softmax

# In the order of the tables' columns, with the words above them.
FORMATS = {
    "keras": "Keras",
    "saved_model": "SavedModel",
    "float32": "TFLite float32",
    "float16": "TFLite float16",
    "int8": "TFLite int8",
    "mixed": "TFLite mixed",
}
_BATCH = 500


@dataclasses.dataclass(frozen=True, eq=False)
class Net:
    """A model in one format.

    Attributes:
        model: its name.
        kind: a key of `FORMATS`.
        path: the file or folder that it was read from.
        classifier: reads crops.
        recognizer: reads frames with it.
    """

    model: str
    kind: str
    path: Path
    classifier: Classifier
    recognizer: Recognizer

    def read(self, images: np.ndarray) -> np.ndarray:
        """The digits' probabilities, float32 (n, 10), of crops, uint8 (n, 28, 28)."""
        parts = [
            self.classifier.probabilities(images[start : start + _BATCH])
            for start in range(0, len(images), _BATCH)
        ]
        return np.concatenate([np.zeros((0, CLASSES), np.float32), *parts])


class RebuiltKeras(Classifier):
    """The Keras model that a SavedModel was made of, built again from its card and its weights.

    Args:
        folder: the SavedModel.
        architecture: arguments of `digits_tf.models.resnet.resnet`.

    Raises:
        DigitsError: if the weights do not fit the architecture.
    """

    def __init__(self, folder: Path, architecture: dict[str, Any]):
        tf = runtime.import_tensorflow()
        from digits_tf.models.resnet import resnet

        model = resnet(**architecture)
        weights = list(tf.saved_model.load(str(folder)).weights)
        shapes = [tuple(weight.shape) for weight in weights]
        if shapes != [tuple(variable.shape) for variable in model.variables]:
            raise DigitsError(f"{folder}: its weights do not fit the architecture in its card")
        for variable, weight in zip(model.variables, weights, strict=True):
            variable.assign(weight)
        # One trace for batches of all sizes.
        spec = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
        self._logits = tf.function(
            lambda pixels: model(pixels, training=False), input_signature=[spec]
        )

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Reads a batch, see `Classifier.probabilities`."""
        if not len(images):
            return np.zeros((0, CLASSES), np.float32)
        return softmax(self._logits(images[..., None].astype(np.float32)).numpy())


def open_net(model: str, kind: str, folder: Path, detector: Detector) -> Net:
    """Opens a model in one of its formats.

    Args:
        model: its name, as in saved_models/NAME.json.
        kind: a key of `FORMATS`.
        folder: holds tflite/ and saved_models/, as `python -m digits_tf.export` writes them.
        detector: finds digits for it.

    Raises:
        DigitsError: if a file is missing or damaged.
    """
    if kind in ("keras", "saved_model"):
        path = folder / "saved_models" / model / "1"
    else:
        path = folder / "tflite" / f"{model}_{kind}.tflite"
    if kind == "keras":
        reader: Classifier = RebuiltKeras(path, card(model, folder)["architecture"])
    else:
        reader = recognition.load(path)
    return Net(model, kind, path, reader, Recognizer(reader, detector=detector))


def card(model: str, folder: Path) -> dict[str, Any]:
    """What the JSON beside a SavedModel says.

    Raises:
        DigitsError: if there is none, or it names no architecture.
    """
    path = folder / "saved_models" / f"{model}.json"
    if not path.is_file():
        raise DigitsError(f"{path}: no such model card")
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise DigitsError(f"{path}: expected JSON ({error})") from None
    if not isinstance(found, dict) or "architecture" not in found:
        raise DigitsError(f'{path}: expected a JSON object with "architecture"')
    return found


def by_net(nets: Sequence[Net], figures: Callable[[Net], Any]) -> dict[str, dict[str, Any]]:
    """Figures of every net, by the model's name and the format."""
    found: dict[str, dict[str, Any]] = {}
    for net in nets:
        found.setdefault(net.model, {})[net.kind] = figures(net)
    return found
