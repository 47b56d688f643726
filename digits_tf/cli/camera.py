"""Reads digits from a camera and shows them in a window; without a display, prints them.

python -m digits_tf.camera --tflite                            the demo board
python -m digits_tf.camera --tflite --source 0                 the first camera
python -m digits_tf.camera --list_cameras                      which cameras there are
python -m digits_tf.camera --tflite --source picamera          a Raspberry Pi's own camera
python -m digits_tf.camera --source photos/ --headless --json  JSON lines on standard output
python -m digits_tf.camera --source clip.mp4 --record out.mp4

Needs neither TensorFlow nor a camera. q or ESC ends, ? shows the other keys.
"""

import contextlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from absl import flags

from digits_tf import recognition
from digits_tf.cli import command
from digits_tf.cli import reading_flags as model_flags
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2

# A demo that nobody looks at ends by itself. Ten digits take 17 s.
_DEMO_SECONDS = 20.0

_SOURCE = flags.DEFINE_string(
    "source",
    "demo",
    "A camera's number or /dev/videoN; picamera, or picamera:1 for a second one; a stream's "
    "address (rtsp://, http://); a video; a picture, a folder or a pattern of pictures; or demo: a "
    "board on which the program writes.",
)
_TFLITE = flags.DEFINE_boolean(
    "tflite", True, "Read with LiteRT and the exported .tflite file, without TensorFlow."
)
_WIDTH = flags.DEFINE_integer("width", 1920, "Pixels asked of a camera.", lower_bound=1)
_HEIGHT = flags.DEFINE_integer("height", 1080, "Pixels asked of a camera.", lower_bound=1)
_FPS = flags.DEFINE_float(
    "fps", 30.0, "Frames per second asked of a camera.", lower_bound=1.0, upper_bound=1000.0
)
_CONTROLS = flags.DEFINE_string(
    "controls",
    "",
    "Settings of a Raspberry Pi's camera, such as ExposureTime=8000,AnalogueGain=2; a colon "
    "between values of one setting, as in ColourGains=1.5:2.",
)
_ROTATE = flags.DEFINE_enum(
    "rotate",
    "0",
    ["0", "90", "180", "270"],
    "Degrees clockwise that pictures are turned by before they are read, for a camera that is "
    "mounted askew.",
)
_LIST_CAMERAS = flags.DEFINE_boolean(
    "list_cameras", False, "Read nothing; list the cameras that open, and what they send."
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
_HEADLESS = flags.DEFINE_boolean(
    "headless", False, "Open no window; print what is read whenever it changes."
)
_EVERY_FRAME = flags.DEFINE_boolean(
    "every_frame", False, "Without a window, print a line for each frame."
)
_JSON = flags.DEFINE_boolean(
    "json",
    False,
    "Without a window, print JSON objects on a terminal too, as in a pipe or a file.",
)
_RECORD = flags.DEFINE_string(
    "record",
    None,
    "Record what is read, as the window shows it: a new .mp4 file, or a folder, in which each "
    "recording gets a name of its own.",
)
_MIRROR = flags.DEFINE_boolean(
    "mirror", False, "Show and record the picture mirrored; it is read as it is."
)
flags.adopt_module_key_flags(model_flags)


def main(words: Sequence[str]) -> None:
    """Reads from the source until it ends, or until systemd ends it."""
    with contextlib.suppress(command.Terminated):
        _read()


def _read() -> None:
    if _LIST_CAMERAS.value:
        _list_cameras()
        return
    _check_model_flags()
    import_cv2()
    from digits_tf.annotators import Overlay
    from digits_tf.camera.display import Display, Lines, StatusLine
    from digits_tf.camera.loop import Loop
    from digits_tf.camera.recording import find_path
    from digits_tf.camera.smoother import Smoother
    from digits_tf.camera.sources import DEMO, CameraSettings, controls, open_source
    from digits_tf.camera.watchdog import Watchdog
    from digits_tf.camera.window import Window, has_display
    from digits_tf.recognition import Recognizer

    record = find_path(_RECORD.value, _SOURCE.value) if _RECORD.value is not None else None
    status = StatusLine()
    recognizer = Recognizer.load(
        model_flags.MODEL.value,
        model_flags.THREADS.value,
        model_flags.THRESHOLD.value,
        model_flags.DETECTOR.value,
    )
    model_flags.say_which()
    headless = _HEADLESS.value or not has_display()
    settings = CameraSettings(
        _WIDTH.value,
        _HEIGHT.value,
        _FPS.value,
        colour=record is not None or not headless,
        rotate=int(_ROTATE.value),
        controls=controls.parse(_CONTROLS.value),
    )
    with contextlib.ExitStack() as stack:
        source = open_source(_SOURCE.value, settings, status.notify)
        stack.callback(source.release)
        status.notify(source.description)
        seconds, demo = _SECONDS.value, _SOURCE.value == DEMO
        display: Display
        if headless:
            note = "--headless" if _HEADLESS.value else "no display"
            note += ": printing what is read"
            if demo and seconds is None and _FRAMES.value is None:
                seconds = _DEMO_SECONDS
                note += f", for {seconds:.0f} s (--seconds sets another time)"
            status.notify(note)
            plain = sys.stdout is not None and sys.stdout.isatty() and not _JSON.value
            display = Lines(_EVERY_FRAME.value, plain)
        else:
            display = Window(recognizer.stages, status)
            stack.callback(display.close)
        # Unseen files are read as fast as can be; a demo has time, unless its frames are counted.
        paced = not headless or (demo and _FRAMES.value is None)
        smoother, overlay = Smoother(model_flags.THRESHOLD.value), Overlay(_MIRROR.value)
        watchdog = Watchdog()
        loop = Loop(source, recognizer, display, status, smoother, overlay, paced, watchdog)
        # Also after Ctrl-C, the usual end of a camera without a window.
        stack.callback(loop.close)
        stack.callback(watchdog.stop)
        if record:
            loop.record(record)
        loop.run(_FRAMES.value, seconds)


def _list_cameras() -> None:
    import_cv2()
    from digits_tf.camera.sources import CameraSettings, list_cameras

    found = False
    for line in list_cameras(CameraSettings(_WIDTH.value, _HEIGHT.value, _FPS.value)):
        print(line, flush=True)
        found = True
    if not found:
        raise DigitsError(
            "no camera opens: plug one in, end other programs that use it, or try --source demo"
        )


def _check_model_flags() -> None:
    model = model_flags.MODEL.value
    if not _TFLITE.value and model is None:
        raise DigitsError("--notflite needs another model: name it with --model")
    if _TFLITE.present > 0 and _TFLITE.value and recognition.find(model).suffix != ".tflite":
        raise DigitsError(f"--tflite contradicts --model {model}: leave one of them out")


def start() -> NoReturn:
    """Runs the command."""
    command.run(main, __doc__)
