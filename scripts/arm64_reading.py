"""What one processor makes of the inputs of scripts/arm64_check.sh, besides what commands print.

python scripts/arm64_reading.py INPUTS OUT [PICTURE FOLDER]

Runs with the installed package. OUT/reading.npz gets the probabilities of every shipped .tflite
file for the same crops, and what is cut out of the demo's frames; OUT/reading.json the versions,
digests of the pixels that were read, what stands on the demo's board, and how many frames the
recording plays.
"""

import hashlib
import itertools
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ai_edge_litert
import numpy as np
from absl import flags

from digits_tf import files, recognition
from digits_tf.cli import command
from digits_tf.detection.detector import FILE
from digits_tf.images import import_cv2
from digits_tf.recognition.registry import shipped_model

_FRAMES = flags.DEFINE_integer("frames", 100, "Frames of the demo.", lower_bound=1)
_EVERY = 5  # frames of the demo between those whose crops are kept


def main(words: Sequence[str]) -> None:
    """Writes both files."""
    import_cv2()
    from digits_tf.cli.predict_inputs import find

    inputs, out = Path(words[0]), Path(words[1])
    arrays = _read_crops(np.load(inputs / "crops.npy"))
    crops, counts, frames, texts = _read_demo()
    arrays |= {"demo_crops": crops, "demo_counts": counts}
    np.savez(out / "reading.npz", allow_pickle=False, **arrays)
    pictures = find([str(inputs / "pictures"), *words[2:]])
    found: dict[str, Any] = {
        "versions": _versions(),
        "recorded_frames": _count_frames(out / "demo.mp4"),
        "demo_frames": frames,
        "demo_texts": texts,
        "pictures": {each.name: _digest(each.read()) for each in pictures if not each.problem},
    }
    files.write_json(out / "reading.json", found)


def _read_crops(crops: np.ndarray) -> dict[str, np.ndarray]:
    """Probabilities of each shipped file that reads, by its name without its suffix."""
    paths = sorted(shipped_model().parent.glob("*.tflite"))
    return {
        path.stem: recognition.load(path).probabilities(crops)
        for path in paths
        if path.name != FILE
    }


def _read_demo() -> tuple[np.ndarray, np.ndarray, list[str], list[str | None]]:
    """Crops of some frames, how many each has; of all frames digests and what stands there."""
    from digits_tf.camera import demo
    from digits_tf.recognition import Recognizer

    recognizer = Recognizer.load()
    crops = [np.zeros((0, 28, 28), np.uint8)]
    counts, digests, texts = [], [], []
    for number, shot in enumerate(itertools.islice(demo.frames(), _FRAMES.value)):
        digests.append(_digest(shot.picture))
        texts.append(shot.text)
        if number % _EVERY == 0:
            digits = recognizer.read(shot.picture)
            counts.append(len(digits))
            crops += [digit.crop[None] for digit in digits]
    return np.concatenate(crops), np.array(counts), digests, texts


def _count_frames(path: Path) -> int:
    """How many frames of a film can be played."""
    capture = import_cv2().VideoCapture(str(path))
    count = 0
    while capture.read()[0]:
        count += 1
    capture.release()
    return count


def _digest(pixels: np.ndarray) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()[:16]


def _versions() -> dict[str, str]:
    return {
        "machine": platform.machine(),
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "OpenCV": import_cv2().__version__,
        "LiteRT": ai_edge_litert.__version__,
    }


if __name__ == "__main__":
    command.run(main, __doc__, positional=(2, 3))
