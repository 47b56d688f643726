"""The seed's way from a frame to its digits, written plainly anew, to be timed beside ours.

With its fixed threshold it finds bright chalk on an evenly lit board and little else. Its network
has random weights: they cost the same time.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from digits_tf import files, recognition

_SIDE = 600  # pixels, whatever the frame's shape
_THRESHOLD = 200  # grey levels above are chalk
_BRUSH = np.ones((3, 3), np.uint8)
_LEAST_AREA = 200  # pixels
_CROP, _MARGIN = 28, 4 / 20  # of the ink's longer side


def find(frame: np.ndarray) -> np.ndarray:
    """Finds the digits of a frame.

    Args:
        frame: uint8 (h, w, 3), BGR.

    Returns:
        uint8 (n, 28, 28), ink bright on 0; n may be 0.
    """
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE))
    _, bright = cv2.threshold(small, _THRESHOLD, 255, cv2.THRESH_BINARY)
    ink = cv2.dilate(bright, _BRUSH, iterations=2)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    boxes = [row[:4] for row in stats[1:].tolist() if row[cv2.CC_STAT_AREA] >= _LEAST_AREA]
    crops = [_crop(ink[y : y + h, x : x + w]) for x, y, w, h in boxes]
    return np.stack(crops) if crops else np.zeros((0, _CROP, _CROP), np.uint8)


def _crop(ink: np.ndarray) -> np.ndarray:
    """Padded to a square and resized."""
    height, width = ink.shape
    margin = round(_MARGIN * max(height, width))
    side = max(height, width) + 2 * margin
    top, left = (side - height) // 2, (side - width) // 2
    square = cv2.copyMakeBorder(
        ink, top, side - height - top, left, side - width - left, cv2.BORDER_CONSTANT, value=0
    )
    return cv2.resize(square, (_CROP, _CROP), interpolation=cv2.INTER_AREA)


def load_net(path: str | None) -> recognition.Classifier | None:
    """The seed's network behind LiteRT, with one thread.

    Args:
        path: a .tflite file of it; None: one is exported into the temporary folder, once.

    Returns:
        None where it cannot be exported, which is said on standard error.
    """
    if path:
        return recognition.load(path, threads=1)
    kept = Path(tempfile.gettempdir()) / "digits_tf-seed-resnet.tflite"
    if not kept.exists():
        # In a process of its own: TensorFlow's threads and memory are not to be timed.
        code = "import plain_steps, pathlib, sys; plain_steps.export(pathlib.Path(sys.argv[1]))"
        here = Path(__file__).resolve().parent
        paths = f"import sys; sys.path[:0] = {[str(here), str(here.parent)]!r}; "
        result = subprocess.run(
            [sys.executable, "-c", paths + code, str(kept)],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
            print(f"the seed's network is left out: {reason}", file=sys.stderr)
            return None
    return recognition.load(kept, threads=1)


def export(path: Path) -> None:
    """Writes the seed's network with random weights as a float32 .tflite file."""
    from digits_tf import runtime

    runtime.import_tensorflow()
    from digits_tf.export import serving, tflite
    from digits_tf.models.resnet import ARCHITECTURES, resnet

    with tempfile.TemporaryDirectory() as folder:
        serving.save(serving.with_softmax(resnet(**ARCHITECTURES["resnet"])), Path(folder))
        unused = np.zeros((0, 28, 28, 1), np.uint8)
        files.write_bytes(path, tflite.convert(Path(folder), "float32", unused))
