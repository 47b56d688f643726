"""The script that times reading beside the seed's steps."""

import itertools
import json
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT
from digits_tf import recognition

pytest.importorskip("cv2")

from digits_tf import benchmark

SCRIPTS = ROOT / "scripts"


def test_it_times_both_programs_on_the_same_frames():
    """With our own net in the place of the seed's, which would take TensorFlow to make."""
    net = recognition.shipped_model()
    words = ["--frames", "2", "--json", f"--seed_model={net}"]
    command = [sys.executable, SCRIPTS / "bench_camera.py", *words]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert (found["size"], found["threads"]) == ([1920, 1080], 1)
    assert found["start"]["median_s"] > 0.05
    assert found["start"]["read_right"] == 1.0
    for digits in ("1", "12"):
        row = found["digits"][digits]
        for program in ("ours", "seed"):
            times = {stage: row[program][stage]["median_ms"] for stage in ("find", "net", "total")}
            assert min(times.values()) > 0
            assert times["find"] + times["net"] == pytest.approx(times["total"], rel=0.2)
        ratio = row["seed"]["total"]["median_ms"] / row["ours"]["total"]["median_ms"]
        assert row["times_faster"]["total"] == pytest.approx(ratio)
    assert found["digits"]["1"]["read_right"] == 1.0


def test_the_seeds_steps_find_the_chalk(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import plain_steps

    net = recognition.load()
    for digits in (1, 12):
        frames = list(itertools.islice(benchmark.board_frames(benchmark.SIZES["1080p"], digits), 2))
        assert frames[0].pixels.shape == (1080, 1920, 3)
        assert (frames[0].pixels != frames[1].pixels).any()
        crops = plain_steps.find(frames[0].pixels)
        assert crops.dtype == np.uint8
        # A fixed threshold misses what lies in the shade.
        assert max(1, digits - 4) <= len(crops) <= digits + 2
        read = net.probabilities(crops).argmax(axis=1).tolist()
        expected = [int(sign) for sign in frames[0].text.replace("\n", "")]
        assert len(set(read) & set(expected)) >= max(1, digits // 4)
