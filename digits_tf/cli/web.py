"""Serves a page for the browser: draw digits, drop pictures, or watch a camera, and see them read.

    python -m digits_tf.web                             then open http://127.0.0.1:8000
    python -m digits_tf.web --source 0                  with the live view of the first camera
    python -m digits_tf.web --host 0.0.0.0 --source 0   for phones and other computers

The last prints a link with a token, and the link as a code that phones read.
"""

import contextlib
import secrets
import socket
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from absl import flags

from digits_tf.cli import command, mqtt_flag, reading_flags
from digits_tf.data.collection import Collection
from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2

if TYPE_CHECKING:
    from types import FrameType

    from digits_tf.camera.mqtt import Broker
    from digits_tf.web.live import Broadcast

_PORT = flags.DEFINE_integer("port", 8000, "The port.", lower_bound=0, upper_bound=65535)
_HOST = flags.DEFINE_string(
    "host",
    "127.0.0.1",
    "The address to listen on. 127.0.0.1 is for this computer alone; 0.0.0.0 is for your whole "
    "network, and asks for a token.",
)
_SOURCE = flags.DEFINE_string(
    "source",
    None,
    "What the live view shows: a camera's number, picamera, a stream's address, a video, or demo; "
    "see digits-tf camera --help. Default: no live view; a browser can use its own camera.",
)
flags.adopt_module_key_flags(reading_flags)
flags.adopt_module_key_flags(mqtt_flag)

_MOST_CONNECTIONS = 512
_GRACE_S = 1


def main(words: Sequence[str]) -> None:
    """Serves until it is told to end."""
    import_cv2()
    try:
        import uvicorn

        from digits_tf.web import app, guard
    except ImportError as error:
        raise DigitsError(f"the page needs {error.name}: pip install 'digits_tf[web]'") from None
    broker = mqtt_flag.broker()
    if broker and not _SOURCE.value:
        raise DigitsError("--mqtt publishes what the live view reads: name it with --source")
    token = None if guard.is_loopback(_HOST.value) else secrets.token_urlsafe(16)
    with contextlib.ExitStack() as stack:
        live = _live(stack, _SOURCE.value, broker) if _SOURCE.value else None
        names = [*guard.own_names(), _HOST.value.lower()]
        own = reading_flags.COLLECTION.value
        application = app.make_app(
            reading_flags.load_recognizer(),
            names,
            token,
            live,
            _SOURCE.value,
            Collection(own) if own else None,
        )
        listener = stack.enter_context(_listen())
        config = uvicorn.Config(
            application,
            log_level="error",
            access_log=False,
            server_header=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=_GRACE_S,
            ws="none",
        )
        _say_where(listener.getsockname()[1], token)
        server = uvicorn.Server(config)
        on_signal = server.handle_exit

        def end(signum: int, frame: "FrameType | None") -> None:
            # Streams have no end of their own, and the server waits for its answers.
            if broadcast := getattr(application.state, "broadcast", None):
                broadcast.end()
            on_signal(signum, frame)

        server.handle_exit = end  # type: ignore[method-assign, assignment]
        with contextlib.suppress(command.Terminated):
            server.run(sockets=[listener])


def _listen() -> socket.socket:
    """A socket that listens already, so that a port in use is said at once."""
    family = socket.AF_INET6 if ":" in _HOST.value else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST.value, _PORT.value))
        listener.listen(_MOST_CONNECTIONS)
    except OSError as error:
        listener.close()
        reason = error.strerror or error
        raise DigitsError(
            f"{_HOST.value} port {_PORT.value}: {reason}: try another --port"
        ) from None
    return listener


def _live(
    stack: contextlib.ExitStack, name: str, broker: "Broker | None"
) -> "Callable[[Broadcast], Callable[[], None]]":
    """Opens the source; returns what runs the camera's loop on a display."""
    from digits_tf.annotators import Overlay
    from digits_tf.camera.display import StatusLine
    from digits_tf.camera.loop import Loop
    from digits_tf.camera.smoother import Smoother
    from digits_tf.camera.sources import CameraSettings, open_source

    status = StatusLine()
    source = open_source(name, CameraSettings(colour=True), status.notify)
    stack.callback(source.release)
    status.notify(source.description)
    recognizer = reading_flags.load_recognizer()
    listener = mqtt_flag.listener(stack, broker, status.notify, source.live)

    def on(display: "Broadcast") -> Callable[[], None]:
        if listener:
            # The broker is told what is read though nobody watches.
            stack.enter_context(display.viewer())
        smoother = Smoother(reading_flags.THRESHOLD.value)
        loop = Loop(source, recognizer, display, status, smoother, Overlay(), listener=listener)
        return loop.run

    return on


def _say_where(port: int, token: str | None) -> None:
    if token is None:
        host = f"[{_HOST.value}]" if ":" in _HOST.value else _HOST.value
        print(f"open http://{host}:{port} in your browser; Ctrl-C ends", flush=True)
        return
    link = f"http://{_address()}:{port}/?token={token}"
    if sys.stdout.isatty():
        import segno

        segno.make(link, micro=False).terminal(compact=True)
    print(f"open {link} in a browser of your network; Ctrl-C ends", flush=True)


def _address() -> str:
    """The address under which others reach this machine."""
    if _HOST.value not in ("0.0.0.0", "::"):  # noqa: S104  # asked for with --host
        return f"[{_HOST.value}]" if ":" in _HOST.value else _HOST.value
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing: it only asks which way packets would go.
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
