"""The program's own board as frames."""

from digits_tf.camera import demo
from digits_tf.camera.sources.source import Frame, Source


class Demo(Source):
    """The board of `digits_tf.camera.demo`, for ever."""

    fps: float = demo.FPS
    description = f"demo: a board of {demo.WIDTH}x{demo.HEIGHT} on which the program writes"

    def __init__(self) -> None:
        self._shots, self._count = demo.shots(), 0

    def read(self, timeout: float) -> Frame:
        """The next frame."""
        self._count += 1
        return Frame(next(self._shots).picture, (self._count - 1) / demo.FPS)
