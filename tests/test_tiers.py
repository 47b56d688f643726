"""Two tiers: what a Raspberry Pi needs to read digits, and what a PC needs to train."""

import json
import subprocess
import sys
import tomllib

import numpy as np
import pytest

from conftest import ROOT, assert_one_line_error
from digits_tf import recognition
from digits_tf.detection.detector import FILE
from digits_tf.recognition.registry import SHIPPED, shipped_file

cv2 = pytest.importorskip("cv2")

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# What only the training tier installs.
TRAINING = ("tensorflow", "keras", "matplotlib", "mlxtend", "pandas", "scipy")


def names(requirements):
    return {requirement.partition(">")[0].partition("=")[0] for requirement in requirements}


def blocked(module, *words, modules=TRAINING, cwd=None):
    """Runs a command where the named modules cannot be imported."""
    script = (
        "import runpy, sys\n"
        f"for name in {modules!r}: sys.modules[name] = None\n"
        f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)\n"
    )
    command = [sys.executable, "-c", script, *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_base_is_what_a_raspberry_pi_needs():
    assert names(PROJECT["dependencies"]) == {"numpy", "absl-py", "ai-edge-litert", "pillow"}
    extras = PROJECT["optional-dependencies"]
    assert set(extras) == {
        "camera",
        "headless",
        "web",
        "heic",
        "mqtt",
        "ray",
        "train",
        "tensorboard",
        "docs",
        "dev",
    }
    assert names(extras["camera"]) == {"opencv-python", "pillow"}
    assert names(extras["headless"]) == {"opencv-python-headless", "pillow"}
    assert {"tensorflow", "keras", "matplotlib", "mlxtend"} <= names(extras["train"])
    assert extras["ray"][0] in extras["dev"][-1]
    assert not any("opencv" in name or "torch" in name for name in names(extras["train"]))
    # apt's versions on Raspberry Pi OS 12; its OpenCV comes without an extra.
    assert "numpy>=1.24" in PROJECT["dependencies"]


def test_a_picture_is_read_without_the_training_tier(tmp_path):
    frame = np.zeros((480, 640), np.uint8)
    cv2.line(frame, (320, 100), (320, 380), 255, 24)
    cv2.imwrite(str(tmp_path / "one.png"), frame)
    result = blocked("digits_tf.camera", "--tflite", "--source", tmp_path / "one.png", "--headless")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["text"] == "1"


@pytest.mark.parametrize(
    "module", ["train", "model", "export", "evaluate", "data", "camera", "benchmark"]
)
def test_help_needs_numpy_and_absl_alone(module):
    result = blocked(f"digits_tf.{module}", "--help", modules=(*TRAINING, "cv2", "ai_edge_litert"))
    assert result.returncode == 0, result.stderr
    assert f"python -m digits_tf.{module}" in result.stdout


@pytest.mark.parametrize(
    ("module", "words", "extra"),
    [
        ("model", [], "train"),
        ("train", ["--sample"], "train"),
        ("data", ["--sample"], "train"),
        ("evaluate", ["--model=x.keras", str(ROOT / "tests")], "camera"),
    ],
)
def test_what_is_missing_is_named(module, words, extra):
    result = blocked(f"digits_tf.{module}", *words, modules=(*TRAINING, "cv2"))
    if module == "evaluate":
        assert_one_line_error(result)
    else:
        assert_one_line_error(result, f"digits_tf[{extra}]")


def test_what_is_read_by_default_travels_in_the_wheel_and_no_more():
    """`pip install .` must bring it: the folder tflite/ is not a package."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    include = build["targets"]["wheel"]["force-include"]
    paths = [*(recognition.shipped_model(name) for name in SHIPPED), shipped_file(FILE)]
    names = {path.with_suffix(suffix).name for path in paths for suffix in (".tflite", ".json")}
    expected = {f"tflite/{name}": f"digits_tf/shipped/{name}" for name in names}
    # And what --finetune begins with.
    for name in ("tiny", "tiny.json"):
        expected[f"saved_models/{name}"] = f"digits_tf/shipped/{name}"
    assert include == expected
    parts = [part for each in include for part in (ROOT / each, *(ROOT / each).rglob("*"))]
    assert sum(part.stat().st_size for part in parts if part.is_file()) < 4e6
