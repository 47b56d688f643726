"""A board on which a hand chalks numbers: shows the whole way where there is no camera."""

from digits_tf.camera.demo.board import FPS, HEIGHT, WIDTH, Shot, shots

__all__ = ["FPS", "HEIGHT", "WIDTH", "Shot", "shots"]
