"""Reads digits from a camera and shows them in a window; without a display, prints them.

python -m digits_tf.camera --tflite --source demo
python -m digits_tf.camera --source 0
python -m digits_tf.camera --source photos/ --headless --save last.png

Needs neither TensorFlow nor a camera. ESC or q ends; a key goes from one picture to the next. Write
bright on dark, one digit at a time.
"""

import io
import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from digits_tf import command
from digits_tf.errors import DigitsError
from digits_tf.opencv import import_cv2

# A demo that nobody looks at ends by itself. Ten digits take as long.
_DEMO_SECONDS = 20.0

_SOURCE = flags.DEFINE_string(
    "source",
    "demo",
    "A camera's number or /dev/videoN, a stream's address, a video, a picture, a folder of "
    "pictures, or demo: a board on which the program writes.",
)
_TFLITE = flags.DEFINE_boolean(
    "tflite", True, "Read with LiteRT and the exported .tflite file, without TensorFlow."
)
_MODEL = flags.DEFINE_string(
    "model",
    None,
    "Another model: a .tflite or .keras file, a SavedModel or a run folder; default: the exported "
    ".tflite file.",
)
_WIDTH = flags.DEFINE_integer("width", 1920, "Pixels asked of a camera.", lower_bound=1)
_HEIGHT = flags.DEFINE_integer("height", 1080, "Pixels asked of a camera.", lower_bound=1)
_THRESHOLD = flags.DEFINE_float(
    "threshold",
    0.5,
    "A digit counts if its probability is above this.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_FRAMES = flags.DEFINE_integer(
    "frames",
    None,
    "End after so many frames; default: no limit. Without a window they are read as fast as can "
    "be.",
    lower_bound=1,
)
_SECONDS = flags.DEFINE_float(
    "seconds",
    None,
    f"End after so many seconds; default: no limit, but {_DEMO_SECONDS:.0f} for a demo without a "
    "window.",
    lower_bound=0.0,
)
_HEADLESS = flags.DEFINE_boolean("headless", False, "Open no window, print what is read.")
_SAVE = flags.DEFINE_string("save", None, "At the end, write the last frame to this PNG file.")
_THREADS = flags.DEFINE_integer(
    "threads", 1, "For LiteRT; one is the quickest for a net this small.", lower_bound=1
)


def main(words: Sequence[str]) -> None:
    """Reads from the source until it ends."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A picture's name may have letters that the terminal lacks: no reason to stop.
        sys.stdout.reconfigure(errors="backslashreplace")
    save = _save_path()
    _check_model_flags()
    import_cv2()
    from digits_tf import classifier
    from digits_tf.camera.display import Lines, Window, has_display
    from digits_tf.camera.loop import Loop
    from digits_tf.camera.source import DEMO, open_source

    source = open_source(_SOURCE.value, _WIDTH.value, _HEIGHT.value)
    try:
        model = classifier.load(_MODEL.value, _THREADS.value)
        headless = _HEADLESS.value or not has_display()
        seconds, demo = _SECONDS.value, _SOURCE.value == DEMO
        print(source.description)
        if headless:
            note = "--headless" if _HEADLESS.value else "no display"
            note += ": printing what is read"
            if demo and seconds is None and _FRAMES.value is None:
                seconds = _DEMO_SECONDS
                note += f", for {seconds:.0f} s (--seconds sets another time)"
            print(note, flush=True)
        # Unseen files are read as fast as can be; a demo has time, unless its frames are counted.
        paced = not headless or (demo and _FRAMES.value is None)
        display = Lines() if headless else Window()
        loop = Loop(source, model, display, _THRESHOLD.value, paced)
        try:
            loop.run(_FRAMES.value, seconds)
        finally:
            # Also after Ctrl-C, the usual end of a camera without a window.
            display.close()
            if loop.last:
                print(loop.summary())
                if save:
                    _write_png(save, loop.last.annotated())
    finally:
        source.release()


def _check_model_flags() -> None:
    model = _MODEL.value
    if not _TFLITE.value and model is None:
        raise DigitsError("--notflite needs another model: name it with --model")
    if _TFLITE.present > 0 and _TFLITE.value and model and Path(model).suffix != ".tflite":
        raise DigitsError(f"--tflite contradicts --model {model}: leave one of them out")


def _save_path() -> Path | None:
    if _SAVE.value is None:
        return None
    path = Path(_SAVE.value)
    if path.suffix.lower() != ".png" or path.is_dir():
        raise DigitsError(f"--save expects a PNG file, received {_SAVE.value!r}")
    return path


def _write_png(path: Path, frame) -> None:
    import cv2

    from digits_tf import storage

    good, content = cv2.imencode(".png", frame)
    if not good:
        raise DigitsError(f"{path}: OpenCV cannot write PNG files")
    storage.write_bytes(path, content.tobytes())
    print(f"last frame: {path}")


if __name__ == "__main__":
    command.run(main, __doc__)
