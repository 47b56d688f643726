"""Finds the digits in a frame and reads them, with a trained model from any kind of file."""

from typing import TYPE_CHECKING

from digits_tf.recognition.classifier import Classifier
from digits_tf.recognition.digit import Digit, as_json, text
from digits_tf.recognition.registry import find, load, shipped_model

if TYPE_CHECKING:
    from digits_tf.recognition.recognizer import Recognizer

__all__ = [
    "Classifier",
    "Digit",
    "Recognizer",
    "as_json",
    "find",
    "load",
    "shipped_model",
    "text",
]


def __getattr__(name: str) -> object:
    # Looked up when first used: it needs OpenCV, and `--help` and training do not.
    if name == "Recognizer":
        from digits_tf.recognition.recognizer import Recognizer

        return Recognizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
