"""What systemd is told, on a real socket, and the unit that asks for it."""

import configparser
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import uuid

import pytest

from conftest import ROOT
from digits_tf.camera.watchdog import Watchdog

UNIT = ROOT / "scripts" / "digits_tf.service"


class Systemd(socket.socket):
    """A socket as systemd has one, and the environment that names it."""

    environment: dict


@pytest.fixture(params=["file", "abstract"])
def systemd(request, tmp_path):
    name = f"@{uuid.uuid4()}" if request.param == "abstract" else str(tmp_path / "notify")
    with Systemd(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0") if request.param == "abstract" else name)
        listener.setblocking(False)
        listener.environment = {"NOTIFY_SOCKET": name}
        yield listener


def heard(listener):
    states = []
    while True:
        try:
            states.append(listener.recv(100).decode())
        except BlockingIOError:
            return states


def test_ready_at_the_first_frame_then_pings_then_stopping(systemd):
    watchdog = Watchdog({**systemd.environment, "WATCHDOG_USEC": "60000000"})
    assert heard(systemd) == []
    for tick in range(31):
        watchdog.ping(100 + tick / 30)
    # Twice a second, however many frames there are.
    assert heard(systemd) == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]
    watchdog.stop()
    assert heard(systemd) == ["STOPPING=1"]


def test_pings_come_after_half_of_a_short_limit(systemd):
    watchdog = Watchdog({**systemd.environment, "WATCHDOG_USEC": "500000"})
    for tick in range(9):
        watchdog.ping(100 + tick / 8)
    assert heard(systemd)[1:] == ["WATCHDOG=1"] * 5


@pytest.mark.parametrize(
    "limit", [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "9000000", "WATCHDOG_PID": "1"}]
)
def test_without_a_limit_for_this_process_there_are_no_pings(systemd, limit):
    watchdog = Watchdog({**systemd.environment, **limit})
    for tick in range(9):
        watchdog.ping(100.0 + tick)
    assert heard(systemd) == ["READY=1"]


def test_a_limit_for_this_process(systemd):
    limit = {"WATCHDOG_USEC": "9000000", "WATCHDOG_PID": str(os.getpid())}
    Watchdog({**systemd.environment, **limit}).ping(100.0)
    assert heard(systemd) == ["READY=1", "WATCHDOG=1"]


@pytest.mark.parametrize("name", ["", "/nowhere/notify", "@nobody", "vsock:2:9"])
def test_a_missing_systemd_is_ignored(name):
    environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000000"}
    watchdog = Watchdog(environment)
    watchdog.ping(1.0)
    watchdog.stop()


def test_a_full_socket_does_not_block(systemd):
    watchdog = Watchdog({**systemd.environment, "WATCHDOG_USEC": "1000000"})
    for tick in range(5000):
        watchdog.ping(float(tick))
    assert heard(systemd)[0] == "READY=1"


def test_the_program_notifies_systemd_from_start_to_end(systemd):
    systemd.settimeout(30.0)
    process = subprocess.Popen(
        [sys.executable, "-m", "digits_tf.camera", "--headless", "--source", "demo"],
        cwd=ROOT,
        env={**os.environ, **systemd.environment, "WATCHDOG_USEC": "1000000"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        states = [systemd.recv(100).decode() for _ in range(4)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
    assert states == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]
    systemd.setblocking(False)
    assert heard(systemd)[-1] == "STOPPING=1"


# The unit


@pytest.fixture(scope="module")
def unit():
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str
    parser.read_string(UNIT.read_text())
    return parser


def seconds(text):
    return float(text.removesuffix("s"))


def test_the_unit_expects_what_the_program_sends(unit):
    service = unit["Service"]
    assert service["Type"] == "notify"
    # Pings come from the process that ExecStart names, not from a shell around it.
    assert service["NotifyAccess"] == "main"
    # Its start may take as long as a camera's and Python's on a slow card.
    assert seconds(service["TimeoutStartSec"]) >= 60
    # A camera that is lost is opened again after at most 10 s, which is to be tried more than once.
    assert seconds(service["WatchdogSec"]) >= 30
    # Not SIGABRT: a recording is to be whole.
    assert service["WatchdogSignal"] == "SIGTERM"
    assert service["Restart"] == "on-failure"
    # Restarts of a camera that is not there must never come to the limit that ends them for good.
    starts = seconds(unit["Unit"]["StartLimitIntervalSec"]) / seconds(service["RestartSec"])
    assert starts < int(unit["Unit"]["StartLimitBurst"])


def test_the_unit_allows_the_cameras(unit):
    service = unit["Service"]
    assert service["User"] == "digits_tf"
    assert "video" in service["SupplementaryGroups"].split()
    for name in ("PrivateDevices", "DevicePolicy", "DeviceAllow", "ProtectClock"):
        assert name not in service, f"{name} takes /dev/video* away"
    # libcamera hears of cameras by netlink.
    assert "AF_NETLINK" in service["RestrictAddressFamilies"]


def test_the_command_of_the_unit_runs(unit, tmp_path):
    """As systemd would start it, with few frames of the demo in place of the camera."""
    python, *words = shlex.split(unit["Service"]["ExecStart"])
    assert python.endswith("/.venv/bin/python")
    assert words[-1] == "$DIGITS_TF_FLAGS", "unbraced, so that systemd splits it into words"
    name, _, default = shlex.split(unit["Service"]["Environment"])[0].partition("=")
    assert name == "DIGITS_TF_FLAGS"
    assert default.split() == ["--source", "picamera"]
    result = subprocess.run(
        [sys.executable, *words[:-1], "--source", "demo", "--frames", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("{")


def test_systemd_accepts_the_unit(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    path = tmp_path / UNIT.name
    # It pictures whether the program is there.
    path.write_text(UNIT.read_text().replace("/opt/digits_tf/.venv/bin/python", sys.executable))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert UNIT.name not in result.stderr
