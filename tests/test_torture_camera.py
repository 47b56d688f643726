"""Short forms of the camera's long proofs, and that each of them can fail."""

import random
import signal
import sys

import numpy as np
import pytest

from conftest import ROOT
from digits_tf.camera.sources import opencv

sys.path.insert(0, str(ROOT / "scripts"))
import torture_camera as torture


def test_mad_cameras_are_survived():
    found = torture.garbage(8, random.Random(5))
    assert found["violations"] == []
    assert found["read to the end"] > 1
    assert found["refused at the start"] > 1


def test_mad_cameras_are_mad(monkeypatch):
    monkeypatch.setattr(opencv, "as_picture", lambda given: given)
    found = torture.garbage(8, random.Random(5))
    assert any("ValueError" in each or "Error" in each for each in found["violations"])


def test_a_killed_program_loses_less_than_a_second(tmp_path):
    """The whole program, and its next start."""
    lost, _, flaws = torture._killed(signal.SIGKILL, 0.8, tmp_path)
    assert flaws == []
    assert lost < 30


def test_memory_and_latency_are_measured():
    found = torture.endurance(1.0)
    assert found["violations"] == []
    assert found["frames"] > 1
    assert found["mib_at_the_end"] > 30


def test_what_grows_is_not_flat():
    flat, times = [(float(when), 100.0) for when in range(0, 600, 5)], [9.0] * 60_000
    figures, flaws = torture.flatness(flat, times)
    assert flaws == []
    assert figures["mib_per_hour"] == pytest.approx(0)
    assert figures["median_ms_of_10000"] == [9.0] * 6
    _, flaws = torture.flatness([(when, 100 + when / 50) for when, _ in flat], times)
    assert flaws == ["memory grew by 10.7 MiB"]
    _, flaws = torture.flatness(flat, (9 + np.arange(60_000) / 6000).tolist())
    assert len(flaws) == 1
