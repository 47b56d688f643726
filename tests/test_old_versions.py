"""The base works with the NumPy and the OpenCV of Debian 12 as with the newest ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from test_tiers import TRAINING

pytest.importorskip("cv2")
sys.path.append(str(ROOT / "scripts"))

import old_versions_names as names

RENEW = "python scripts/old_versions_check.py --notests"
# A Python with the old versions, as scripts/old_versions_check.py makes it in its folder bin.
OLD_PYTHON = os.environ.get("DIGITS_TF_OLD_PYTHON", "")
IMPORT = """
import importlib, json, sys
for name in {absent!r}: sys.modules[name] = None
for name in {names!r}: importlib.import_module(name)
print(json.dumps([name for name in sys.modules if name.startswith("digits_tf")]))
"""
FRAMES = 75


@pytest.fixture(scope="module")
def used():
    return names.used(names.modules().values())


def python(executable, *words, cwd=None):
    return subprocess.run(
        [executable, *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_name_is_one_that_the_old_versions_have(used):
    unknown = {name: used[name] for name in sorted(used.keys() - names.known())}
    assert not unknown, f"are they in NumPy 1.24 and OpenCV 4.6? {RENEW} finds out"


def test_every_name_is_one_that_the_versions_here_have(used):
    assert names.lacking(used) == []


def test_names_are_found_wherever_they_stand(tmp_path, monkeypatch):
    path = tmp_path / "some.py"
    path.write_text(
        "import cv2\nimport numpy as np\nfrom numpy.random import default_rng\n"
        "def f(a):\n    return np.fft.irfft(cv2.add(a, a)).clip(0), import_cv2().imread\n"
        "a.np.no = a.add\n"
        "if hasattr(cv2, 'new'): cv2.new()\n"
    )
    monkeypatch.setattr(names, "ROOT", tmp_path)
    assert names.used([path]) == {
        "numpy.random.default_rng": "some.py:3",
        "numpy.fft": "some.py:5",
        "numpy.fft.irfft": "some.py:5",
        "cv2.add": "some.py:5",
        "cv2.imread": "some.py:5",
    }
    assert names.lacking(["numpy.fft.irfft", "numpy.fft.no", "cv2.add"]) == ["numpy.fft.no"]


@pytest.mark.parametrize("entry", names.ENTRIES)
def test_modules_that_are_looked_at_are_those_that_are_imported(entry):
    """Whatever Python imports is looked at, and all that is looked at needs no training tier."""
    found = names.modules([entry])
    # A module that is run by itself defines flags of its own, as others do.
    importable = [name for name in found if name == entry or not name.endswith("__main__")]
    result = python(sys.executable, "-c", IMPORT.format(absent=TRAINING, names=importable))
    assert result.returncode == 0, result.stderr
    assert set(json.loads(result.stdout)) <= set(found)
    assert not any(name.startswith(("digits_tf.train", "digits_tf.model")) for name in found)


@pytest.mark.skipif(not OLD_PYTHON, reason="DIGITS_TF_OLD_PYTHON names no Python to try it with")
def test_demo_with_the_old_versions(tmp_path, used):
    code = "import cv2, json, numpy; print(json.dumps([cv2.__version__, numpy.__version__]))"
    opencv, numpy = json.loads(python(OLD_PYTHON, "-c", code).stdout)
    assert opencv.startswith("4.6.") and numpy.startswith("1.24.")
    code = "import json, sys, old_versions_names as n; print(json.dumps(n.lacking(sys.argv[1:])))"
    result = python(OLD_PYTHON, "-c", code, *used, cwd=Path(names.__file__).parent)
    assert json.loads(result.stdout) == []
    words = "--tflite", "--headless", "--every_frame", "--frames", FRAMES, "--record", "demo.mp4"
    old, new = (
        python(each, "-m", "digits_tf.camera", *words, cwd=tmp_path)
        for each in (OLD_PYTHON, sys.executable)
    )
    assert old.returncode == 0, old.stderr
    assert f"recorded demo.mp4: {FRAMES} frames" in old.stderr
    texts = [[json.loads(line)["text"] for line in each.stdout.splitlines()] for each in (old, new)]
    assert texts[0] == texts[1]
    assert any(texts[0])
