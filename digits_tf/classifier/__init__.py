"""Trained models behind one interface, whatever file they come from."""

from digits_tf.classifier.classifier import Classifier
from digits_tf.classifier.loading import find, load, shipped_model

__all__ = ["Classifier", "find", "load", "shipped_model"]
