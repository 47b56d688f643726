"""Reads digits from a camera and shows them in a window; without a display, prints them.

python -m digits_tf.camera --tflite                            the demo board
python -m digits_tf.camera --tflite --source 0                 the first camera
python -m digits_tf.camera --list_cameras                      which cameras there are
python -m digits_tf.camera --tflite --source picamera          a Raspberry Pi's own camera
python -m digits_tf.camera --source photos/ --headless --json  JSON lines on standard output
python -m digits_tf.camera --source clip.mp4 --record out.mp4
python -m digits_tf.camera --source 0 --mqtt HOST/TOPIC        for Home Assistant and others

Needs neither TensorFlow nor a camera. In the window, q or ESC ends, and ? shows the other keys.
"""

import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from digits_tf import recognition
from digits_tf.cli import command, mqtt_flag, reading_flags
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2

if TYPE_CHECKING:
    from digits_tf.annotators import Overlay
    from digits_tf.camera.display import StatusLine
    from digits_tf.camera.sources import CameraSettings
    from digits_tf.camera.teaching import Teacher

# Without a window, a demo ends by itself. It writes ten digits in 17 s.
_DEMO_SECONDS = 20.0

_SOURCE = flags.DEFINE_string(
    "source",
    "demo",
    "A camera's number or /dev/videoN; picamera, or picamera:1 for a second one; a stream's "
    "address (rtsp://, http://); a video; a picture, a folder or a pattern of pictures; or demo, a "
    "board on which the program writes.",
)
_TFLITE = flags.DEFINE_boolean(
    "tflite", True, "Read with LiteRT and a .tflite file, without TensorFlow."
)
_WIDTH = flags.DEFINE_integer("width", 1920, "Width to ask of a camera, in pixels.", lower_bound=1)
_HEIGHT = flags.DEFINE_integer(
    "height", 1080, "Height to ask of a camera, in pixels.", lower_bound=1
)
_FPS = flags.DEFINE_float(
    "fps", 30.0, "Frames per second to ask of a camera.", lower_bound=1.0, upper_bound=1000.0
)
_CONTROLS = flags.DEFINE_string(
    "controls",
    "",
    "Settings of a Raspberry Pi's camera, such as ExposureTime=8000,AnalogueGain=2. A colon "
    "separates the values of one setting: ColourGains=1.5:2.",
)
_ROTATE = flags.DEFINE_enum(
    "rotate",
    "0",
    ["0", "90", "180", "270"],
    "Turn each picture clockwise by this many degrees before it is read, for a camera that is "
    "mounted askew.",
)
_LIST_CAMERAS = flags.DEFINE_boolean(
    "list_cameras", False, "List the cameras that open, and what they send; read nothing."
)
_FRAMES = flags.DEFINE_integer(
    "frames",
    None,
    "End after this many frames; without a window, read them as fast as possible. Default: no "
    "limit.",
    lower_bound=1,
)
_SECONDS = flags.DEFINE_float(
    "seconds",
    None,
    f"End after this many seconds. Default: {_DEMO_SECONDS:.0f} for a demo without a window, else "
    "no limit.",
    lower_bound=0.0,
)
_HEADLESS = flags.DEFINE_boolean(
    "headless", False, "Open no window; print each reading that differs from the one before."
)
_EVERY_FRAME = flags.DEFINE_boolean(
    "every_frame", False, "Without a window, print a line for each frame."
)
_JSON = flags.DEFINE_boolean(
    "json",
    False,
    "Without a window, print JSON objects on a terminal too. A pipe or a file always gets JSON.",
)
_RECORD = flags.DEFINE_string(
    "record",
    None,
    "Record what the window shows, or would show, into a new .mp4 file; or into a folder, in which "
    "each recording gets a name of its own.",
)
_MIRROR = flags.DEFINE_boolean(
    "mirror", False, "Show and record the picture mirrored. It is read as it is."
)
flags.adopt_module_key_flags(reading_flags)
flags.adopt_module_key_flags(mqtt_flag)


def main(words: Sequence[str]) -> None:
    """Reads from the source until it ends, or until systemd ends the program."""
    with contextlib.suppress(command.Terminated):
        if _LIST_CAMERAS.value:
            _list_cameras()
        else:
            _read()


def _read() -> None:
    _check_model_flags()
    import_cv2()
    # What needs OpenCV is imported from here on.
    from digits_tf.annotators import Overlay
    from digits_tf.camera.display import Display, Lines, StatusLine
    from digits_tf.camera.loop import Loop
    from digits_tf.camera.recording import find_path
    from digits_tf.camera.smoother import Smoother
    from digits_tf.camera.sources import DEMO, open_source
    from digits_tf.camera.watchdog import Watchdog
    from digits_tf.camera.window import Window, has_display

    broker = mqtt_flag.broker()
    record = find_path(_RECORD.value, _SOURCE.value) if _RECORD.value is not None else None
    status = StatusLine()
    recognizer = reading_flags.load_recognizer()
    headless = _HEADLESS.value or not has_display()
    is_demo = _SOURCE.value == DEMO
    overlay = Overlay(_MIRROR.value)
    with contextlib.ExitStack() as stack:
        source = open_source(
            _SOURCE.value, _settings(record is not None or not headless), status.notify
        )
        stack.callback(source.release)
        status.notify(source.description)
        listener = mqtt_flag.listener(stack, broker, status.notify, source.live)
        seconds = _SECONDS.value
        display: Display
        if headless:
            seconds = _limit_without_window(is_demo, status)
            is_plain = sys.stdout is not None and sys.stdout.isatty() and not _JSON.value
            display = Lines(_EVERY_FRAME.value, is_plain)
        else:
            display = Window(recognizer.stages, status, _teacher(overlay, status))
            stack.callback(display.close)
        # Without a window, files are read as fast as possible; so is a demo of --frames.
        paced = not headless or (is_demo and _FRAMES.value is None)
        smoother, watchdog = Smoother(reading_flags.THRESHOLD.value), Watchdog()
        loop = Loop(
            source, recognizer, display, status, smoother, overlay, paced, watchdog, listener
        )
        # After Ctrl-C too, the usual end of a camera without a window.
        stack.callback(loop.close)
        stack.callback(watchdog.stop)
        if record:
            loop.record(record)
        loop.run(_FRAMES.value, seconds)


def _teacher(overlay: "Overlay", status: "StatusLine") -> "Teacher | None":
    """What takes the user's corrections, unless --collection= says that there are none."""
    from digits_tf.camera.teaching import Teacher
    from digits_tf.data.collection import Collection

    folder = reading_flags.COLLECTION.value
    return Teacher(Collection(folder), overlay, status) if folder else None


def _settings(colour: bool) -> "CameraSettings":
    """What the flags ask of a camera."""
    from digits_tf.camera.sources import CameraSettings, controls

    return CameraSettings(
        _WIDTH.value,
        _HEIGHT.value,
        _FPS.value,
        colour,
        rotate=int(_ROTATE.value),
        controls=controls.parse(_CONTROLS.value),
    )


def _limit_without_window(is_demo: bool, status: "StatusLine") -> float | None:
    """Says that readings are printed; returns the seconds after which the program ends."""
    seconds: float | None = _SECONDS.value
    reason = "--headless" if _HEADLESS.value else "no display"
    limit = ""
    if is_demo and seconds is None and _FRAMES.value is None:
        seconds = _DEMO_SECONDS
        limit = f", for {seconds:.0f} s (--seconds sets another time)"
    status.notify(f"{reason}: printing what is read{limit}")
    return seconds


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
    model = reading_flags.MODEL.value
    if not _TFLITE.value and model is None:
        raise DigitsError("--notflite needs another model: name it with --model")
    if _TFLITE.present > 0 and _TFLITE.value and recognition.find(model).suffix != ".tflite":
        raise DigitsError(f"--tflite contradicts --model {model}: leave one of them out")
