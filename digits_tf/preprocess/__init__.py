"""From a frame to the digits in it as MNIST would have them; OpenCV and numpy alone."""

from digits_tf.preprocess.cells import Cell, Found, Option
from digits_tf.preprocess.finder import Finder

__all__ = ["Cell", "Finder", "Found", "Option"]
