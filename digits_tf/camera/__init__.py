"""Reads digits from a camera, live; runs without TensorFlow."""
