"""Makes the pictures of the window and of a recording that the README shows.

python scripts/window_picture.py        writes docs/images/window.png and docs/images/record.png

Needs no display. The pictures show the machine's speed, so run it on one that is not busy.
"""

import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from digits_tf.annotators import Overlay
from digits_tf.camera import cards
from digits_tf.camera.display import Action, Display, FrameResult, StatusLine
from digits_tf.camera.loop import Loop
from digits_tf.camera.smoother import Smoother
from digits_tf.camera.sources import DEMO, CameraSettings, open_source
from digits_tf.recognition import Recognizer
from digits_tf.recognition.classifier import THRESHOLD

_IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
_DIGITS = 4
# A number stands for 42 frames; while its last digit is written it may read as another.
_STEADY_FRAMES, _LONGEST_S = 20, 120.0
_WIDTH = 1100  # pixels
# Noise does not compress, so that grey levels are rounded to multiples of this.
_STEP = 8


class _Snapshot(Display):
    """Composes what the window shows, and quits once a number of four digits stands.

    Attributes:
        window: uint8 (h, w, 3), BGR, frame and panel.
    """

    draws = True
    window: NDArray[np.uint8]

    def __init__(self) -> None:
        self._text, self._count = "", 0

    def show(self, result: FrameResult, picture: NDArray[np.uint8] | None) -> None:
        """Composes the frame and the panel."""
        if picture is None:
            return
        panel = np.zeros((picture.shape[0], cards.WIDTH, 3), np.uint8)
        cards.draw_panel(panel, result, self.badge)
        self.window = np.hstack([picture, panel])
        self._count = self._count + 1 if result.text == self._text else 0
        self._text = result.text

    def wait(self, seconds: float) -> Action | None:
        """Waits, or quits."""
        time.sleep(seconds)
        steady = self._count >= _STEADY_FRAMES and len(self._text) == _DIGITS
        return Action.QUIT if steady else None


def main() -> None:
    """Reads and records the demo, and writes both pictures."""
    display, status = _Snapshot(), StatusLine()
    source = open_source(DEMO, CameraSettings(colour=True), status.notify)
    loop = Loop(source, Recognizer.load(), display, status, Smoother(THRESHOLD), Overlay())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.mp4"
        loop.record(path)
        loop.run(seconds=_LONGEST_S)
        loop.close()
        _write("window", display.window)
        capture = cv2.VideoCapture(str(path))
        capture.set(cv2.CAP_PROP_POS_FRAMES, capture.get(cv2.CAP_PROP_FRAME_COUNT) - 1)
        _write("record", capture.read()[1])
        capture.release()


def _write(name: str, picture: NDArray[np.uint8]) -> None:
    path = _IMAGES / f"{name}.png"
    height = round(_WIDTH / picture.shape[1] * picture.shape[0])
    picture = cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    picture = np.minimum(picture, 255 - _STEP // 2) + _STEP // 2
    cv2.imwrite(str(path), picture // _STEP * _STEP, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(f"{path}: {picture.shape[1]}x{picture.shape[0]}, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
