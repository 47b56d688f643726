"""Measuring a model on labelled digits."""
