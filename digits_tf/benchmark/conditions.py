"""The machine, its software and its state: what figures depend on beside the program."""

import datetime
import importlib.metadata
import os
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import digits_tf
from digits_tf import runtime

# Load a core above which other programs take the time that is measured.
BUSY = 0.5
_BOARD = Path("/proc/device-tree/model")
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
# Of a Raspberry Pi's `vcgencmd get_throttled`: what is so now; 16 bits further what was since boot.
_THROTTLED = {
    0: "voltage too low",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
}
_WAIT_S = 5.0


def describe() -> dict[str, Any]:
    """The machine and the versions; "board" of a Raspberry Pi and its like, else None."""
    return {
        "machine": runtime.describe(),
        "cores": runtime.cores(),
        "board": _text(_BOARD),
        "governor": _text(_GOVERNOR),
        "versions": versions(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def versions() -> dict[str, str]:
    """Of the program and the libraries that it reads with."""
    return {
        "digits_tf": digits_tf.__version__,
        "opencv": cv2.__version__,
        "ai-edge-litert": importlib.metadata.version("ai-edge-litert"),
        "numpy": np.__version__,
    }


def load() -> float | None:
    """Programs that ran or wanted to in the last minute, a core; None: the system does not tell."""
    return os.getloadavg()[0] / runtime.cores() if hasattr(os, "getloadavg") else None


def throttled() -> list[str] | None:
    """What holds or has held a Raspberry Pi back since it was started; None: no such machine."""
    try:
        result = subprocess.run(
            ["vcgencmd", "get_throttled"],
            capture_output=True,
            text=True,
            timeout=_WAIT_S,
            check=True,
        )
        bits = int(result.stdout.partition("=")[2], 16)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    now = [f"{words} now" for bit, words in _THROTTLED.items() if bits >> bit & 1]
    return now + [f"{words} before" for bit, words in _THROTTLED.items() if bits >> bit + 16 & 1]


def _text(path: Path) -> str | None:
    """What a file of the kernel says."""
    try:
        return path.read_text(errors="replace").strip("\0\n ") or None
    except OSError:
        return None
