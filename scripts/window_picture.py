"""Takes the pictures of the window and of a recording that the README shows.

python scripts/window_picture.py        writes docs/images/window.png and docs/images/record.png

Needs Xvfb and xdotool (sudo apt install xvfb xdotool) and an OpenCV with windows.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from virtual_display import VirtualDisplay

from digits_tf.camera import cards
from digits_tf.camera.cards import GREEN

_IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
# The line along the lower edge that tells the source is gone by then.
_START_S, _TIMEOUT_S = 5.0, 120.0
_HELD_S = 0.7  # the number stands for twice this time
_DIGITS = 4
_READING = slice(40, 152)  # rows of the window
_WIDTH = 1120  # pixels of the pictures in the README
# Noise does not compress: grey levels are rounded to this.
_STEP = 8


def main() -> None:
    """Records the demo in a window and writes both pictures."""
    with tempfile.TemporaryDirectory() as folder, VirtualDisplay() as display:
        record = Path(folder) / "record.mp4"
        command = [sys.executable, "-m", "digits_tf.camera", "--tflite", "--record", str(record)]
        with subprocess.Popen(command, env=display.environment):
            window = display.window("digits")
            time.sleep(_START_S)
            # Its beginning, not its end: digits are held for a moment when they are wiped.
            for wanted in (False, True):
                deadline = time.monotonic() + _TIMEOUT_S
                while _shows_number(display.picture()) is not wanted:
                    if time.monotonic() > deadline:
                        sys.exit(f"expected a number of {_DIGITS} digits, saw none")
                    time.sleep(0.1)
            time.sleep(_HELD_S)
            picture = display.picture()
            display.close_window(window)
        _write("window", picture[:720, : 1280 + cards.WIDTH])
        capture = cv2.VideoCapture(str(record))
        # The window shows what was written last.
        capture.set(cv2.CAP_PROP_POS_FRAMES, capture.get(cv2.CAP_PROP_FRAME_COUNT) - 3)
        _write("record", capture.read()[1])
        capture.release()


def _shows_number(picture: np.ndarray) -> bool:
    """Whether the panel's large reading has so many digits, by its spots of green."""
    reading = picture[_READING, 1280 : 1280 + cards.WIDTH]
    green = (reading == GREEN).all(axis=-1).astype(np.uint8)
    return cv2.connectedComponents(cv2.dilate(green, None))[0] - 1 == _DIGITS


def _write(name: str, picture: np.ndarray) -> None:
    path = _IMAGES / f"{name}.png"
    height = round(_WIDTH / picture.shape[1] * picture.shape[0])
    picture = cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    picture = np.minimum(picture, 255 - _STEP // 2) + _STEP // 2
    cv2.imwrite(str(path), picture // _STEP * _STEP, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(f"{path}: {picture.shape[1]}x{picture.shape[0]}, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
