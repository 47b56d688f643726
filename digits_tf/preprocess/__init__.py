"""From a frame to the digits in it as MNIST would have them; OpenCV and numpy alone."""

from digits_tf.preprocess.finder import Finder, Found

__all__ = ["Finder", "Found"]
