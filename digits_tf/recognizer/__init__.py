"""Finds the digits in a frame and reads them."""

from digits_tf.recognizer.digit import Digit, as_json, text
from digits_tf.recognizer.recognizer import Recognizer

__all__ = ["Digit", "Recognizer", "as_json", "text"]
