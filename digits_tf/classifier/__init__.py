"""Trained models behind one interface, whatever file they come from."""

from digits_tf.classifier.classifier import Classifier
from digits_tf.classifier.loading import load, shipped_model

__all__ = ["Classifier", "load", "shipped_model"]
