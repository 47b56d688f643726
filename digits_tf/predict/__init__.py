"""Reads the digits in pictures; runs without TensorFlow."""
