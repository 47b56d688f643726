"""Where frames come from: cameras, streams, videos, pictures, the demo."""

from digits_tf.camera.sources.base import CameraSettings, Frame, Source
from digits_tf.camera.sources.opening import DEMO, list_cameras, open_source

__all__ = ["DEMO", "CameraSettings", "Frame", "Source", "list_cameras", "open_source"]
