"""The vote of the nearest of one's own digits: it learns at once and needs no TensorFlow."""

import contextlib

import numpy as np
from numpy.typing import NDArray

from digits_tf.data.collection import Collection
from digits_tf.data.digits import BACKGROUND
from digits_tf.errors import DigitsError
from digits_tf.recognition.classifier import Classifier

# So many of the nearest have to agree, and all to be nearer than that: the cosine between two
# crops, 1 for equals. Chosen on six writers, measured on others: docs/own-digits.md.
_VOTES, _NEAREST = 3, 0.97
# The least probability: what is missing of a float32's 1 is not known better.
_LEAST = 1e-8


class NeighbourClassifier(Classifier):
    """A model that one's own digits put right.

    Cover and Hart, "Nearest neighbor pattern classification" (IEEE Trans. Inf. Theory 13, 1967), in
    the space of the logarithms of the model's probabilities: a digit that is misread is misread in
    much the same way the next time.

    Args:
        model: reads crops.
        collection: one's own digits; what is added to it counts from the next crop on.
    """

    def __init__(self, model: Classifier, collection: Collection):
        self._model, self._collection = model, collection
        self._version: object = None
        self._labels = np.zeros(0, np.uint8)
        self._places = np.zeros((0, 1))

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Reads a batch, see `Classifier.probabilities`.

        Where the three nearest of one's own digits agree, their label gets the cosine of the third
        as its probability, and all others share the rest.
        """
        self._update()
        rows = self._model.probabilities(images)
        if len(self._labels) < _VOTES or not len(rows):
            return rows
        cosines = _places(rows) @ self._places.T
        nearest = np.argsort(-cosines, axis=1)[:, :_VOTES]
        labels = self._labels[nearest]
        third = np.take_along_axis(cosines, nearest, axis=1)[:, -1]
        agree = (labels == labels[:, :1]).all(axis=1) & (third > _NEAREST)
        for index in np.flatnonzero(agree):
            row, label = rows[index], int(labels[index, 0])
            if label == BACKGROUND:
                rows[index] = (1 - third[index]) * row
            elif row.argmax() != label or row[label] < third[index]:
                rows[index] = (1 - third[index]) * row
                rows[index, label] += third[index]
        return rows

    def _update(self) -> None:
        version = self._collection.version()
        if version == self._version:
            return
        # While another program writes into it, or if it is damaged meanwhile, the last state holds.
        with contextlib.suppress(DigitsError, OSError):
            images, labels = self._collection.read()
            self._places, self._labels = _places(self._model.probabilities(images)), labels
        self._version = version


def _places(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Unit vectors (n, 11): logarithms of ten probabilities and of what they lack of 1."""
    rest = 1 - rows.sum(axis=1, keepdims=True, dtype=np.float64)
    logs = np.log(np.maximum(np.concatenate([rows, rest], axis=1), _LEAST))
    logs -= logs.mean(axis=1, keepdims=True)
    length = np.linalg.norm(logs, axis=1, keepdims=True)
    unit: NDArray[np.float64] = logs / np.maximum(length, _LEAST)
    return unit
