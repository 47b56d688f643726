"""What a figure was measured on."""

import os
import platform
from pathlib import Path


def describe() -> str:
    """One line: processor, cores that this process may use, system, Python."""
    return (
        f"{processor()}, {cores()} cores, {platform.system()}, Python {platform.python_version()}"
    )


def processor() -> str:
    """The processor's name, as its maker gives it where that can be found out."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        # x86 has "model name"; a Raspberry Pi has "Model" at the end.
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
