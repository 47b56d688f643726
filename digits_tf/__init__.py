"""Handwritten digits: train a residual network on idx files, read digits from a camera."""

__version__ = "0.1.0"
