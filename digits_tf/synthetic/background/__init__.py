"""What is no digit, as a camera or a data set would give it: to train a class for it."""

from digits_tf.synthetic.background.mixture import KINDS, negatives

__all__ = ["KINDS", "negatives"]
