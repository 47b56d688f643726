"""Made-up photographs of digits on paper and boards, to measure with and to train on."""

from digits_tf.scenes.scene import Scene, draw

__all__ = ["Scene", "draw"]
