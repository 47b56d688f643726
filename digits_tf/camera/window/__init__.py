"""The window: the frame with its reading, and beside it what the net saw."""

from digits_tf.camera.window.window import Window

__all__ = ["Window"]
