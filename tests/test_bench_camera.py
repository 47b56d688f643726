"""The script that times reading beside the tutorial's steps."""

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
    command = [sys.executable, SCRIPTS / "bench_camera.py", "--frames", "2", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    for digits in ("1", "12"):
        row = found["digits"][digits]
        for program in ("ours", "tutorial"):
            times = {stage: row[program][stage]["median_ms"] for stage in ("find", "net", "total")}
            assert min(times.values()) > 0
            assert times["find"] + times["net"] == pytest.approx(times["total"], rel=0.2)
        ratio = row["tutorial"]["total"]["median_ms"] / row["ours"]["total"]["median_ms"]
        assert row["times_faster"] == pytest.approx(ratio)
    assert [each["n"] for each in found["without"].values()] == [2, 2, 2]


def test_the_tutorials_steps_find_the_chalk(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import bench_camera

    net = recognition.load()
    for digits in (1, 12):
        frames = list(itertools.islice(benchmark.board_frames(benchmark.SIZES["1080p"], digits), 2))
        assert frames[0].pixels.shape == (1080, 1920, 3)
        assert (frames[0].pixels != frames[1].pixels).any()
        crops = bench_camera.find_chalk(frames[0].pixels)
        assert crops.dtype == np.uint8
        # A fixed threshold misses what lies in the shade.
        assert max(1, digits - 4) <= len(crops) <= digits + 2
        read = net.probabilities(crops).argmax(axis=1).tolist()
        expected = [int(sign) for sign in frames[0].text.replace("\n", "")]
        assert len(set(read) & set(expected)) >= max(1, digits // 4)
