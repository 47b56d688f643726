"""How sure a model may be: its temperature.

Guo et al., "On Calibration of Modern Neural Networks" (https://arxiv.org/abs/1706.04599): all
logits are divided by one number, the temperature, with which digits that were not trained on are
the likeliest. The order of the classes stays, so accuracy does too.
"""

import keras
import numpy as np

_RANGE = (0.25, 4.0)
_BATCH = 500
_STEPS = 40  # halvings by the golden section: far finer than the digits can tell


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the smallest mean negative log-likelihood, 0.25 to 4.

    Args:
        logits: float (n, classes) of digits that were not trained on.
        labels: integers (n,).
    """
    # The loss has one valley along the logarithm of the temperature: golden-section search.
    low, high = np.log(_RANGE)
    golden = (np.sqrt(5.0) - 1.0) / 2.0
    for _ in range(_STEPS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if _loss(logits, labels, left) < _loss(logits, labels, right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2.0))


def calibrate(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """Finds a model's temperature and builds it in.

    Args:
        model: to logits; changed in place.
        images: uint8 (n, 28, 28), digits that it was not trained on.
        labels: integers (n,).

    Returns:
        The temperature.
    """
    pixels = images[..., None].astype(np.float32)
    found = temperature(model.predict(pixels, batch_size=_BATCH, verbose=0), labels)
    divide_logits(model, found)
    return found


def divide_logits(model: keras.Model, by: float) -> None:
    """Builds a temperature into the last layer, in place: nothing is left to compute for it."""
    last = model.get_layer("logits")
    last.set_weights([weight / by for weight in last.get_weights()])


def _loss(logits: np.ndarray, labels: np.ndarray, log_temperature: float) -> float:
    scaled = logits.astype(np.float64) / np.exp(log_temperature)
    scaled -= scaled.max(axis=1, keepdims=True)
    chosen = scaled[np.arange(len(labels)), labels]
    return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - chosen))
