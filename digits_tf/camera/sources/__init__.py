"""Where frames come from: cameras, streams, videos, pictures, the demo."""

from digits_tf.camera.sources.opening import DEMO, list_cameras, open_source
from digits_tf.camera.sources.source import Frame, Source, Wanted

__all__ = ["DEMO", "Frame", "Source", "Wanted", "list_cameras", "open_source"]
