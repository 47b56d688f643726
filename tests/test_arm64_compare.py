"""What scripts/arm64_compare.py takes for alike, on readings written by hand."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from conftest import ROOT

SCRIPT = ROOT / "scripts" / "arm64_compare.py"
VERSIONS = {"machine": "aarch64", "OpenCV": "4.6.0"}


def digit(label, share=0.9):
    probabilities = [0.0] * 10
    probabilities[label] = share
    return {"label": label if share > 0.5 else None, "probabilities": probabilities}


def lay_down(folder, demo=(1, 7), picture=7, share=0.9, pixel=200, tiny=0.9, recorded=2):
    """A demo of two frames, whole in the second, a picture, and a model's reading of one crop."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"digits": [digit(label)]} for label in demo]
    (folder / "demo.jsonl").write_text("\n".join(map(json.dumps, rows)))
    row = {"path": "a.png", "digits": [digit(picture, share)]}
    (folder / "pictures.jsonl").write_text(json.dumps(row))
    crop = np.zeros((28, 28), np.uint8)
    crop[14, 14] = pixel
    (folder / "crops").mkdir(exist_ok=True)
    cv2.imwrite(str(folder / "crops" / f"a_00_{picture}.png"), crop)
    noted = {
        "versions": VERSIONS,
        "recorded_frames": recorded,
        "demo_texts": [None, "7"],
    }
    (folder / "reading.json").write_text(json.dumps(noted))
    probabilities = np.float32([digit(3, tiny)["probabilities"]])
    np.savez(
        folder / "reading.npz",
        demo_0=crop[None],
        tiny_float32=probabilities,
        tiny_int8=probabilities,
    )


def compare(folder):
    result = subprocess.run(
        [sys.executable, SCRIPT, "compare", folder, "apt", "--json", folder / "out.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in result.stderr
    return result, json.loads((folder / "out.json").read_text())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"demo": (2, 7)},  # a digit that is not whole yet
        {"tiny": 0.9005},
        {"share": 0.903},  # a step
        {"share": 0.7, "pixel": 201},  # the network saw something else
    ],
)
def test_alike(tmp_path, changes):
    lay_down(tmp_path / "pc")
    lay_down(tmp_path / "apt", **changes)
    result, found = compare(tmp_path)
    assert result.returncode == 0, result.stderr
    assert found["alike"] is True
    assert "| OpenCV | 4.6.0 | 4.6.0 |" in result.stdout


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"demo": (1, 1)}, "demo, digits whole: the same labels: 0 of 1"),
        ({"demo": (1, 1)}, "demo: read at the end: 1, on the board is 7"),
        ({"recorded": 1}, "frames of the recording that play: 1 of 2"),
        ({"picture": 1}, "pictures: the same labels: 0 of 1"),
        ({"share": 0.4}, "pictures: the same labels: 0 of 1"),
        ({"share": 0.89}, "pictures: greatest difference of a probability: 0.010000"),
        ({"tiny": 0.902}, "tiny_float32: greatest difference: 0.002000"),
        ({"tiny": 0.91}, "tiny_int8: greatest difference: 0.010000"),
        ({"tiny": 0.4}, "tiny_int8: the same labels: 0 of 1"),
    ],
)
def test_different(tmp_path, changes, problem):
    lay_down(tmp_path / "pc")
    lay_down(tmp_path / "apt", **changes)
    result, found = compare(tmp_path)
    assert result.returncode == 1
    assert any(each.startswith(f"apt: {problem}") for each in found["problems"]), found["problems"]
    assert f"differs: apt: {problem}" in result.stderr
