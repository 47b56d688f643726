"""Finds the digits in a frame and reads them, with a trained model from any kind of file."""

from digits_tf.recognition.classifier import Classifier
from digits_tf.recognition.digit import Digit, as_json, text
from digits_tf.recognition.recognizer import Recognizer
from digits_tf.recognition.registry import find, load, shipped_model

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
