"""Publishes what is read to an MQTT broker, where Home Assistant finds it by itself."""

import collections
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

# Debian 12's paho-mqtt 1.6 has no enums: it is as good as missing.
from paho.mqtt.client import Client, error_string
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from digits_tf import __version__
from digits_tf.camera.display import Changes, FrameResult
from digits_tf.errors import DigitsError, describe
from digits_tf.runtime import counted

PASSWORD = "DIGITS_TF_MQTT_PASSWORD"  # noqa: S105  # the variable that holds it
_ADDRESS = re.compile(
    r"(?:(?P<scheme>mqtts?)://)?(?:(?P<user>[^@/]*)@)?"
    r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+)(?::(?P<port>\d{1,5}))?/(?P<topic>.*)",
    re.DOTALL,
)
_EXAMPLE = "HOST/TOPIC or mqtt://USER@HOST:PORT/TOPIC, such as homeassistant.local/hall/board"
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_TOPIC_BYTES = 65_535 - len("/status")

_NO_BROKER = "expected an MQTT broker, found something else"
_PROBLEMS = {
    MQTTErrorCode.MQTT_ERR_NO_CONN: "no answer",
    MQTTErrorCode.MQTT_ERR_PROTOCOL: _NO_BROKER,
}

# The broker says "offline" for us after 1.5 times as long without a sign of life.
_KEEPALIVE_S = 15
# Until the first attempt after a failed one; then twice as long each time.
_RETRY_S, _LONGEST_RETRY_S = 1.0, 30.0
# While there is nothing to send, the connection is looked after this often.
_IDLE_S = 1.0
# A live source without frames for this long is as good as offline: what was read is old.
_SILENT_S = 10.0
# Readings that wait for a slow broker.
_MOST_WAITING = 100
# What the last messages may take.
_END_S = 2.0


class Broker(NamedTuple):
    """Where to publish.

    Attributes:
        host: its name or address.
        port: TCP.
        topic: of the readings; "/status" is added for that of the program.
        tls: whether to encrypt, and to check the broker's certificate.
        user: None: nobody.
        password: None: none.
    """

    host: str
    port: int
    topic: str
    tls: bool = False
    user: str | None = None
    password: str | None = None

    def __str__(self) -> str:
        """The address without user and topic."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{host}:{self.port}"


def parse(address: str, password: str | None = None) -> Broker:
    """Parses an address.

    Args:
        address: [mqtt://|mqtts://][USER@]HOST[:PORT]/TOPIC. In USER, %40 stands for @ and so on.
        password: of the user.

    Raises:
        DigitsError: if it is no such address, or has a password in it.
    """
    parts = _ADDRESS.fullmatch(address)
    if not parts:
        found = re.sub(r":(?!//).*@", ":...@", address)  # without a password
        raise DigitsError(f"expected {_EXAMPLE}, found {found!r}")
    scheme, user, host = parts["scheme"] or "mqtt", parts["user"], parts["host"].strip("[]")
    if user and ":" in user:
        # Whoever may list the processes of a machine sees their arguments.
        raise DigitsError(
            f"expected a user before the @, found a password too: put it into {PASSWORD}"
        )
    port = int(parts["port"] or _PORTS[scheme])
    if not 0 < port < 65_536:
        raise DigitsError(f"expected a port from 1 to 65535, found {port}")
    try:
        host.encode("idna")
    except UnicodeError:
        raise DigitsError(f"expected a host's name or address, found {host!r}") from None
    user = unquote(user) if user else None
    if not f"{user}{password}".isprintable():
        raise DigitsError(f"expected printable characters in the user and in {PASSWORD}")
    _check_topic(parts["topic"])
    return Broker(host, port, parts["topic"], scheme == "mqtts", user, password)


def _check_topic(topic: str) -> None:
    """Raises DigitsError where brokers would refuse a topic."""
    if not topic:
        raise DigitsError(f"expected {_EXAMPLE}, found no topic")
    if wrong := re.search(r"[+#]", topic):
        raise DigitsError(
            f"expected a topic without + and #, which only subscribers use, found {wrong[0]} in "
            f"{topic!r}"
        )
    if topic.startswith("$"):
        raise DigitsError(f"expected a topic of your own, found one of the broker's: {topic!r}")
    if not topic.isprintable():  # control characters, and what is no UTF-8
        raise DigitsError(f"expected a topic of printable characters, found {topic!r}")
    if len(topic.encode()) > _TOPIC_BYTES:
        raise DigitsError(f"expected a topic of at most {_TOPIC_BYTES} bytes, found more")


class Publisher:
    """Sends each reading that differs from the one before, in a thread of its own.

    All messages have QoS 1 and are retained, so that those who subscribe later get them too:

    - TOPIC: the reading, see `FrameResult.as_json`;
    - TOPIC/status: "online" while frames are read, else "offline", also after a crash: that is the
      connection's last will;
    - homeassistant/sensor/ID/config: what Home Assistant needs to make a sensor of it.

    Whatever the broker does, `tell` takes no longer. A lost connection is tried again without end.
    After that the newest reading is sent; of sources that are not live also those before it.

    Args:
        broker: where to.
        notify: takes messages for the user, each problem once until it is overcome.
        live: whether readings are old as soon as there is a newer one; see `Source.live`.
    """

    def __init__(self, broker: Broker, notify: Callable[[str], None], live: bool):
        self._broker, self._notify, self._live = broker, notify, live
        self._status = f"{broker.topic}/status"
        # Always the same for a topic: after a power cut the broker so ends the connection before,
        # whose last will would come later. A broker need not take longer names.
        self._id = f"digits{hashlib.sha256(broker.topic.encode()).hexdigest()[:16]}"
        self._changes = Changes()
        # The first one stays until the broker has it.
        self._waiting: collections.deque[bytes] = collections.deque()
        self._last: bytes | None = None  # that the broker has got
        self._told = self._sent = 0
        self._seen = time.monotonic()
        self._news, self._ended = threading.Event(), threading.Event()
        self._said: set[str] = set()
        self._retry = _RETRY_S
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    def tell(self, result: FrameResult) -> None:
        """Takes the result of each frame; returns at once."""
        self._seen = time.monotonic()
        if not self._changes.has(result):
            return
        self._told += 1
        if len(self._waiting) >= _MOST_WAITING:
            del self._waiting[1]
        # A file's name may be no UTF-8.
        reading = json.dumps(result.as_json(), ensure_ascii=False).encode(errors="replace")
        self._waiting.append(reading)
        self._news.set()

    def close(self) -> None:
        """Sends what waits, and "offline"; gives up after some seconds. May be called twice."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._news.set()
        self._thread.join(_END_S)
        # The thread may still wait for the broker, and has nothing more to say.
        notify, self._notify = self._notify, lambda message: None
        if lost := self._told - self._sent:
            notify(f"{self._broker}: {counted(lost, 'reading')} could not be sent")

    def _run(self) -> None:
        while True:
            try:
                self._converse()
            except OSError as error:
                self._say(describe(error))
            # Anything may answer there, and paho-mqtt takes apart what it sends.
            except Exception as error:
                self._say(f"{_NO_BROKER} ({error!r})")
            if self._ended.wait(self._retry):
                return
            self._retry = min(2 * self._retry, _LONGEST_RETRY_S)

    def _say(self, problem: str) -> None:
        if problem not in self._said:
            self._said.add(problem)
            again = "" if self._ended.is_set() else "; trying again"
            self._notify(f"{self._broker}: {problem}{again}")

    def _converse(self) -> None:
        """Connects and sends messages until the end.

        Raises:
            OSError: if the connection fails or is lost.
        """
        # A new one each time: the one before would also send again what is old by now.
        client = self._client()
        client.connect(self._broker.host, self._broker.port, _KEEPALIVE_S)
        while not client.is_connected():
            _serve(client, 1.0)
        self._notify(f"{self._broker}: publishing to {self._broker.topic}")
        for message in self._messages():
            if message is None:
                if not self._news.wait(_IDLE_S):
                    # It lasts. Two programs with the same topic throw each other out at once.
                    self._retry = _RETRY_S
                    self._said.clear()
                self._news.clear()
                _serve(client, 0.0)
                continue
            sent = client.publish(*message, qos=1, retain=True)
            # One after the other, so that none overtakes another one that is lost.
            while not sent.is_published():
                _serve(client, 1.0)
        client.disconnect()

    def _client(self) -> Client:
        broker = self._broker
        client = Client(CallbackAPIVersion.VERSION2, self._id, reconnect_on_failure=False)
        client.on_connect = _check_answer
        client.username_pw_set(broker.user, broker.password)
        client.will_set(self._status, "offline", qos=1, retain=True)
        if broker.tls:
            client.tls_set()
        return client

    def _messages(self) -> Iterator[tuple[str, bytes | str] | None]:
        """What to send on a new connection: topic and payload, None where there is nothing now.

        The next one is asked for when the broker has the one before.
        """
        topic, waiting = self._broker.topic, self._waiting
        yield f"homeassistant/sensor/{self._id}/config", json.dumps(self._discovery())
        while self._live and len(waiting) > 1:
            waiting.popleft()
        if self._last is not None and not waiting:
            # The broker may have forgotten it.
            yield topic, self._last
        status = ""
        while waiting or not self._ended.is_set():
            if waiting:
                yield topic, waiting[0]
                self._last = waiting.popleft()
                self._sent += 1
                continue
            # Not before the reading, or an old one would count.
            before, status = status, self._current_status()
            yield (self._status, status) if status != before else None
        yield self._status, "offline"

    def _current_status(self) -> str:
        silent = self._live and time.monotonic() - self._seen > _SILENT_S
        return "offline" if silent or self._last is None else "online"

    def _discovery(self) -> dict[str, Any]:
        """See https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery."""
        topic = self._broker.topic
        return {
            "name": None,  # that of the device
            "unique_id": self._id,
            "state_topic": topic,
            # A state has at most 255 characters.
            "value_template": "{{ value_json.text[:255] }}",
            "json_attributes_topic": topic,
            "availability_topic": self._status,
            "icon": "mdi:numeric",
            "device": {
                "identifiers": [self._id],
                "name": topic,
                "manufacturer": "digits_tf",
                "model": "handwritten digits",
                "sw_version": __version__,
            },
            "origin": {"name": "digits_tf", "sw_version": __version__},
        }


def _check_answer(
    client: Client, userdata: object, flags: object, reason: ReasonCode, properties: object
) -> None:
    """Raises ConnectionError where the broker has refused us; paho-mqtt calls it."""
    if str(reason) in ("Bad user name or password", "Not authorized"):
        raise ConnectionError(f"{reason}: check the user, and the password in {PASSWORD}")
    if reason.is_failure:
        raise ConnectionError(str(reason))


def _serve(client: Client, seconds: float) -> None:
    """Sends and receives, waiting for something to receive.

    Raises:
        ConnectionError: if the connection is lost.
    """
    code = client.loop(seconds)
    if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
        raise ConnectionError(_PROBLEMS.get(code) or error_string(code).rstrip("."))
