"""What is published to an MQTT broker: a real one, none, and such as misbehave."""

import collections
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from camera_fakes import SEVEN, digit, flat, write_video
from conftest import ROOT, assert_one_line_error, run
from digits_tf.camera.display import FrameResult
from digits_tf.camera.sources import Frame
from digits_tf.errors import DigitsError

paho = pytest.importorskip("paho.mqtt.client", reason="needs digits_tf[mqtt]")
from digits_tf.camera import mqtt  # noqa: E402

# Debian keeps it where only root looks.
MOSQUITTO = shutil.which("mosquitto", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
TOPIC = "hall/board"
ACCEPTED = b"\x20\x02\x00\x00"
PROGRAM = f"{SEVEN}\ncommand.run(camera.main, camera.__doc__)\n"


def reading(text, path=""):
    digits = [digit(int(each), box=(60 * place, 0, 40, 60)) for place, each in enumerate(text)]
    return FrameResult(Frame(flat(1), 1.5, path), 45, digits, 30.0, {"find": 1.2, "net": 0.5})


def wait_for(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come about"
        time.sleep(0.01)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """A mosquitto on a free port, which forgets everything when it ends."""

    def __init__(self, folder):
        if MOSQUITTO is None:
            pytest.skip("no mosquitto is installed")
        self.folder, self.port, self.process = folder, free_port(), None
        self.settings = ["allow_anonymous true"]

    def start(self):
        lines = [f"listener {self.port} 127.0.0.1", "user root", *self.settings]
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", self.folder / "mosquitto.conf"], stderr=subprocess.DEVNULL
        )
        wait_for(lambda: answers(self.port))
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path).start()
    yield broker
    broker.kill()


@contextlib.contextmanager
def subscribed(port, topic="#"):
    """What a subscriber gets: (topic, payload, whether it was kept for those who come later)."""
    got, client = [], paho.Client(paho.CallbackAPIVersion.VERSION2)
    ready = threading.Event()
    client.on_message = lambda client, data, message: got.append(
        (message.topic, message.payload.decode(), message.retain)
    )
    client.on_connect = lambda *arguments: client.subscribe(topic, qos=1)
    client.on_subscribe = lambda *arguments: ready.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert ready.wait(5)
        yield got
    finally:
        client.disconnect()
        client.loop_stop()


def texts(got):
    return [json.loads(payload)["text"] for topic, payload, _ in got if topic == TOPIC]


def statuses(got):
    return [payload for topic, payload, _ in got if topic == f"{TOPIC}/status"]


@contextlib.contextmanager
def publishing(port, live=True, host="127.0.0.1", **more):
    """A publisher, and the lines that it has for the user."""
    lines = []
    publisher = mqtt.Publisher(mqtt.Broker(host, port, TOPIC, **more), lines.append, live)
    try:
        yield publisher, lines
    finally:
        publisher.close()


@pytest.fixture
def quick(monkeypatch):
    """Notices and tries again at once, and gives up soon at the end."""
    monkeypatch.setattr(mqtt, "_IDLE_S", 0.05)
    monkeypatch.setattr(mqtt, "_RETRY_S", 0.05)
    monkeypatch.setattr(mqtt, "_END_S", 0.2)


# Addresses


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("pi/a", ("pi", 1883, "a", False, None)),
        ("pi.local:1884/hall/board", ("pi.local", 1884, "hall/board", False, None)),
        ("mqtt://192.168.1.2//a", ("192.168.1.2", 1883, "/a", False, None)),
        ("mqtts://pi/大/板 1?", ("pi", 8883, "大/板 1?", True, None)),
        ("mqtts://me@pi:1/a@b://c", ("pi", 1, "a@b://c", True, "me")),
        ("me%40x@[::1]:5/a", ("::1", 5, "a", False, "me@x")),
    ],
)
def test_an_address_has_these_parts(address, found):
    assert mqtt.parse(address, "secret") == mqtt.Broker(*found, "secret")


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("", "expected HOST/TOPIC"),
        ("pi", "expected HOST/TOPIC"),
        ("/topic", "expected HOST/TOPIC"),
        ("http://pi/topic", "expected HOST/TOPIC"),
        ("my pi/topic", "expected HOST/TOPIC"),
        ("pi:/topic", "expected HOST/TOPIC"),
        ("pi/", "no topic"),
        ("pi/hall/+/board", r"without \+ and #"),
        ("pi/hall/#", r"without \+ and #"),
        ("pi/$SYS/x", "of your own"),
        ("pi/a\0b", "printable"),
        ("pi/a\nb", "printable"),
        ("pi/\udcff", "printable"),
        ("pi/" + "é" * 33_000, "65528 bytes"),
        ("pi:0/a", "port from 1 to 65535, found 0"),
        ("pi:70000/a", "port from 1 to 65535, found 70000"),
        ("x" * 64 + "/a", "name or address"),
        ("a%00b@pi/a", "printable"),
        ("mqtt://me:hush@pi/a", "DIGITS_TF_MQTT_PASSWORD"),
        ("mqtt://me:hu/sh@pi/a", "expected HOST/TOPIC"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(address, part):
    with pytest.raises(DigitsError, match=part) as caught:
        mqtt.parse(address)
    assert "hu" not in str(caught.value)
    assert str(caught.value).isprintable()
    with pytest.raises(DigitsError, match="PASSWORD"):
        mqtt.parse("me@pi/a", "hush\n")


def test_the_command_refuses_it_before_it_opens_a_camera():
    result = run("digits_tf.camera", "--headless", "--mqtt", "pi/hall/#")
    assert_one_line_error(result, "--mqtt expected a topic without + and #")
    assert result.stderr.count("\n") == 1


def test_without_paho_it_says_what_to_install():
    code = "import sys; sys.modules['paho'] = None\n" + PROGRAM
    words = [sys.executable, "-c", code, "--mqtt", "pi/a"]
    result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert_one_line_error(result, "pip install 'digits_tf[mqtt]'")


# Messages


def test_who_subscribes_late_gets_the_reading_the_status_and_the_discovery(broker):
    with publishing(broker.port) as (publisher, lines), subscribed(broker.port) as early:
        told = reading("70")
        publisher.tell(told)
        wait_for(lambda: statuses(early)[-1:] == ["online"])
        with subscribed(broker.port) as got:
            wait_for(lambda: len(got) == 3)
    assert all(kept for _, _, kept in got)
    messages = {topic: payload for topic, payload, _ in got}
    assert json.loads(messages[TOPIC]) == told.as_json()
    assert messages[f"{TOPIC}/status"] == "online"
    (place,) = messages.keys() - {TOPIC, f"{TOPIC}/status"}
    sensor = json.loads(messages[place])
    assert place == f"homeassistant/sensor/{sensor['unique_id']}/config"
    assert sensor["state_topic"] == sensor["json_attributes_topic"] == TOPIC
    assert sensor["availability_topic"] == f"{TOPIC}/status"
    assert sensor["value_template"] == "{{ value_json.text[:255] }}"
    assert sensor["device"]["identifiers"] == [sensor["unique_id"]]
    assert sensor["device"]["name"] == TOPIC
    assert sensor["name"] is None
    assert lines == [f"mqtt://127.0.0.1:{broker.port}: publishing to {TOPIC}"]


def test_each_topic_is_a_sensor_of_its_own(monkeypatch):
    ids = set()
    monkeypatch.setattr(mqtt.Publisher, "_run", lambda self: ids.add(self._id))
    for topic in ("板", "盘", "a/b", "a_b", "a_b"):
        mqtt.Publisher(mqtt.Broker("pi", 1, topic), print, True).close()
    assert len(ids) == 4
    # What every broker takes as the name of a client.
    assert all(each.isalnum() and each.isascii() and len(each) <= 23 for each in ids)


@pytest.mark.parametrize("live", [True, False])
def test_each_change_is_sent_in_order_and_nothing_else(broker, live):
    told = ["", "", "7", "7", "71", "7", "", *(str(each) for each in range(50))]
    with publishing(broker.port, live) as (publisher, _), subscribed(broker.port) as got:
        publisher.tell(reading(""))
        wait_for(lambda: "online" in statuses(got))
        for text in told:
            publisher.tell(reading(text))
        wait_for(lambda: texts(got)[-1] == "49")
    assert texts(got) == ["", "7", "71", "7", "", *(str(each) for each in range(50))]
    assert statuses(got)[-1] == "online"


def test_the_status_follows_the_reading_so_that_no_old_one_counts(broker):
    with publishing(broker.port) as (publisher, _), subscribed(broker.port) as got:
        wait_for(lambda: statuses(got) == ["offline"])
        publisher.tell(reading("3"))
        wait_for(lambda: "online" in statuses(got))
    topics = [topic for topic, _, _ in got if topic.startswith(TOPIC)]
    assert topics[1:3] == [TOPIC, f"{TOPIC}/status"]


def test_each_picture_is_sent_even_of_a_run_that_has_ended_before_the_connection(broker):
    """And a file's name may be any bytes."""
    with subscribed(broker.port) as got:
        with publishing(broker.port, live=False) as (publisher, lines):
            for name in ("a.png", "b.png", "\udcff.png"):
                publisher.tell(reading("5", name))
        assert len(lines) == 1
        wait_for(lambda: statuses(got)[-1:] == ["offline"])
    assert texts(got) == ["5"] * 3
    assert [json.loads(payload)["path"] for topic, payload, _ in got if topic == TOPIC] == [
        *("a.png", "b.png", "?.png")
    ]


def test_a_camera_that_gives_no_frames_is_offline(broker, quick, monkeypatch):
    monkeypatch.setattr(mqtt, "_SILENT_S", 0.2)
    with publishing(broker.port) as (publisher, _), subscribed(broker.port) as got:
        publisher.tell(reading("3"))
        wait_for(lambda: statuses(got)[-2:] == ["online", "offline"])
        publisher.tell(reading("3"))
        wait_for(lambda: statuses(got)[-4:] == ["online", "offline"] * 2)
    with publishing(broker.port, live=False) as (publisher, _), subscribed(broker.port) as got:
        publisher.tell(reading("3"))
        wait_for(lambda: "online" in statuses(got))
        time.sleep(0.3)
        assert statuses(got)[-1] == "online", "a file or a board that is paused"


# A broker that goes and comes back


@pytest.mark.parametrize(
    ("live", "meanwhile", "after"),
    [(True, [], ["1"]), (True, ["2", "3"], ["3"]), (False, ["2", "3"], ["2", "3"])],
)
def test_after_the_broker_was_away_what_is_read_now_is_there(broker, live, meanwhile, after, quick):
    with publishing(broker.port, live) as (publisher, lines):
        with subscribed(broker.port) as got:
            publisher.tell(reading("1"))
            wait_for(lambda: "online" in statuses(got))
        broker.kill()
        for text in meanwhile:
            publisher.tell(reading(text))
        wait_for(lambda: len(lines) >= 2)
        broker.start()
        with subscribed(broker.port) as got:
            wait_for(lambda: "online" in statuses(got))
            publisher.tell(reading("4"))
            wait_for(lambda: texts(got)[-1] == "4")
            # A subscriber that comes between two of them gets the last one alone.
            assert texts(got) in ([*after, "4"], [after[-1], "4"])
            assert any(topic.startswith("homeassistant/") for topic, _, _ in got)
    assert sum("publishing to" in line for line in lines) == 2
    assert all(line.startswith(f"mqtt://127.0.0.1:{broker.port}: ") for line in lines)


def test_what_had_not_arrived_is_sent_again_before_what_came_later(quick):
    """A stand-in for a broker that ends before it acknowledges."""
    sent = []

    def serve(connection):
        sent.append(b"")
        for part in acknowledged(connection):
            sent[-1] += part
            if b'"text": "1"' in sent[-1] and len(sent) == 1:
                return

    with serving(serve) as port, publishing(port, live=False) as (publisher, _):
        publisher.tell(reading("1"))
        wait_for(lambda: len(sent) == 2)
        publisher.tell(reading("2"))
        wait_for(lambda: b'"text": "2"' in sent[-1])
    assert sent[1].index(b'"text": "1"') < sent[1].index(b'"text": "2"')
    assert sent[1].count(b'"text": "1"') == 1


# Brokers that misbehave


@contextlib.contextmanager
def serving(handle):
    """A server that hands each connection to a function; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=answer, args=[connection], daemon=True).start()

        def answer(connection):
            with connection, contextlib.suppress(OSError):
                handle(connection)

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def acknowledged(connection):
    """Gives the packets that come, and answers each when the next one is asked for."""
    number = 0
    while part := connection.recv(4096):
        yield part
        connection.sendall(b"\x40\x02\x00%c" % number if number else ACCEPTED)
        number += 1


def read_on(connection):
    while connection.recv(4096):
        pass


def never_answer(connection):
    read_on(connection)


def never_acknowledge(connection):
    connection.sendall(ACCEPTED)
    read_on(connection)


def never_read(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    connection.sendall(ACCEPTED)
    time.sleep(5)


def close_at_once(connection):
    connection.recv(10)


def answer_as_a_web_server(connection):
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    read_on(connection)


def send(garbage):
    def handle(connection):
        connection.sendall(garbage)
        read_on(connection)

    return handle


MISBEHAVING = {
    "never answers": never_answer,
    "never acknowledges": never_acknowledge,
    "never reads": never_read,
    "closes": close_at_once,
    "a web server": answer_as_a_web_server,
    "zeros": send(bytes(100_000)),
    "ones": send(b"\xff" * 100_000),
    "a cut answer": send(b"\x20\x00\x20\x00"),
    "acknowledges what was not sent": send(ACCEPTED + b"\x40\x02\x77\x77" * 1000),
    "a topic that is no text": send(ACCEPTED + b"\x30\x04\x00\x02\xff\xfe" * 100),
    "refuses with an unknown code": send(b"\x20\x02\x00\x99"),
}


@pytest.mark.parametrize("handle", MISBEHAVING.values(), ids=MISBEHAVING)
def test_no_broker_holds_up_the_camera(handle, quick, monkeypatch):
    """What is told is let go of at once, memory stays bounded, and the end comes soon."""
    monkeypatch.setattr(mqtt, "_MOST_WAITING", 20)
    with serving(handle) as port:
        with publishing(port) as (publisher, lines):
            start, told = time.thread_time(), 100
            for number in range(told):
                publisher.tell(reading(str(number)))
                time.sleep(0.001)
            assert (time.thread_time() - start) / told < 0.002
            assert len(publisher._waiting) <= 20
            assert publisher._thread.is_alive()
            start = time.monotonic()
        assert time.monotonic() - start < 2
    assert len(lines) == len(set(lines))
    assert lines[-1].endswith("readings could not be sent")
    assert all(line.isprintable() for line in lines)


def test_attempts_become_rarer_until_a_connection_lasts(monkeypatch):
    for name, seconds in (("_RETRY_S", 0.1), ("_LONGEST_RETRY_S", 0.4), ("_IDLE_S", 0.1)):
        monkeypatch.setattr(mqtt, name, seconds)
    begun, ended = [], []

    def serve(connection):
        begun.append(time.monotonic())
        if len(begun) == 4:  # as where another program with the same topic takes over
            connection.recv(4096)
            connection.sendall(ACCEPTED)
        if len(begun) == 5:
            connection.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                collections.deque(acknowledged(connection), 0)
        connection.close()
        ended.append(time.monotonic())

    with serving(serve) as port, publishing(port):
        wait_for(lambda: len(ended) == 6)
    waits = [after - before for before, after in zip(ended, begun[1:], strict=False)]
    for wait, least in zip(waits, (0.1, 0.2, 0.4, 0.4), strict=False):
        assert least - 0.02 < wait < least + 0.3
    assert waits[4] < 0.35


def test_whatever_goes_wrong_there_is_another_attempt(broker, quick, monkeypatch):
    """Older releases of paho-mqtt fail in many ways where a broker sends garbage."""
    failures = [IndexError("x"), ValueError("y")]
    connect = paho.Client.connect

    def fail(*arguments):
        if failures:
            raise failures.pop(0)
        return connect(*arguments)

    monkeypatch.setattr(paho.Client, "connect", fail)
    with publishing(broker.port) as (_, lines):
        wait_for(lambda: len(lines) == 3)
    assert "found something else (IndexError('x')); trying again" in lines[0]
    assert "publishing to" in lines[2]


def test_the_first_attempt_that_succeeds_may_be_a_late_one(tmp_path, quick):
    broker = Broker(tmp_path)
    with publishing(broker.port) as (publisher, lines):
        publisher.tell(reading("1"))
        wait_for(lambda: lines)
        publisher.tell(reading("2"))
        time.sleep(0.3)
        said = f"mqtt://127.0.0.1:{broker.port}: Connection refused; trying again"
        assert lines == [said]
        broker.start()
        with subscribed(broker.port) as got:
            wait_for(lambda: "online" in statuses(got))
            assert texts(got) == ["2"]
        time.sleep(0.2)
        broker.kill()
        wait_for(lambda: lines.count(said) == 2)  # it is news once more


# Who may publish


def test_a_wrong_password_is_said_once_and_a_right_one_publishes(tmp_path, quick):
    broker = Broker(tmp_path)
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("no mosquitto_passwd is installed")
    subprocess.run([tool, "-b", "-c", tmp_path / "passwords", "me", "hush"], check=True)
    (tmp_path / "passwords").chmod(0o644)
    broker.settings = ["allow_anonymous false", f"password_file {tmp_path / 'passwords'}"]
    broker.start()
    for user, password in (("me", "wrong"), ("me", None), (None, None)):
        with publishing(broker.port, user=user, password=password) as (_, lines):
            wait_for(lambda: lines)
            time.sleep(0.1)
            (line,) = lines
            assert "Not authorized: check the user, and the password in " in line
            assert "DIGITS_TF_MQTT_PASSWORD" in line
    with publishing(broker.port, user="me", password="hush") as (_, lines):
        wait_for(lambda: lines)
        assert "publishing to" in lines[0]
    broker.kill()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # paho-mqtt's
def test_a_certificate_is_checked(tmp_path, quick, monkeypatch):
    broker = Broker(tmp_path)
    tool = shutil.which("openssl")
    if tool is None:
        pytest.skip("no openssl is installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *(tool, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    key.chmod(0o644)
    broker.settings += [f"certfile {certificate}", f"keyfile {key}"]
    broker.start()
    with publishing(broker.port, host="localhost", tls=True) as (_, lines):
        wait_for(lambda: lines)
        assert "certificate verify failed" in lines[0]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with publishing(broker.port, host="localhost", tls=True) as (_, lines):
        wait_for(lambda: lines)
        assert lines == [f"mqtts://localhost:{broker.port}: publishing to {TOPIC}"]
    broker.kill()


# The programs


@contextlib.contextmanager
def camera(*words):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "--headless", *map(str, words)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_camera_is_offline_after_it_is_killed_and_after_it_is_ended(broker):
    address = f"mqtt://127.0.0.1:{broker.port}/{TOPIC}"
    with subscribed(broker.port) as got:
        for number in (signal.SIGKILL, signal.SIGTERM):
            del got[:]
            with camera("--seconds=60", "--mqtt", address) as process:
                wait_for(lambda: "online" in statuses(got), 30)
                process.send_signal(number)
                wait_for(lambda: statuses(got)[-1] == "offline")
                assert process.wait(10) == (-number if number == signal.SIGKILL else 0)
    # The same lines as on standard output, with the same keys.
    line = json.loads(next(payload for topic, payload, _ in got if topic == TOPIC))
    assert list(line) == ["time", "frame", "text", "digits", "fps", "ms"]


@contextlib.contextmanager
def refusing():
    """Gives a port that nobody listens on, nor can begin to."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.mark.parametrize("answers", [False, True], ids=["none", "never answers"])
def test_without_a_broker_every_frame_is_read_and_it_is_said_once(tmp_path, answers):
    clip = write_video(tmp_path / "clip.avi", [50, 90] * 100)
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(serving(never_answer) if answers else refusing())
        words = ["--every_frame", "--source", clip, "--mqtt", f"127.0.0.1:{port}/a"]
        process = stack.enter_context(camera(*words))
        printed, messages = process.communicate(timeout=30)
    assert process.returncode == 0
    assert [json.loads(line)["frame"] for line in printed.splitlines()] == list(range(200))
    assert messages.count("Connection refused") == (not answers), messages
    assert "Traceback" not in messages
    assert messages.splitlines()[-1].endswith("1 reading could not be sent")


def test_the_live_view_publishes_though_nobody_watches(broker):
    pytest.importorskip("uvicorn", reason="needs digits_tf[web]")
    words = ["--port=0", "--source=demo", f"--mqtt=127.0.0.1:{broker.port}/{TOPIC}"]
    with subscribed(broker.port) as got:
        process = subprocess.Popen(
            [sys.executable, "-m", "digits_tf.web", *words],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        wait_for(lambda: any(texts(got)), 30)
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: statuses(got)[-1] == "offline")
        assert process.communicate(timeout=10) and process.returncode == 0
    result = run("digits_tf.web", "--mqtt=pi/a")
    assert_one_line_error(result, "--source")
