"""Short forms of the camera's long proofs, and that each of them can fail."""

import random
import signal
import sys

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
    assert len(found["median_ms_of_each_10000"]) == 1


def test_what_grows_is_not_flat():
    times = [9.0] * 60_000
    flat = [torture.Sample(s, 100.0, s / 2, 100 * s) for s in range(0, 600, 5)]
    figures, flaws = torture.flatness(flat, times)
    assert flaws == []
    assert figures["mib_per_hour"] == pytest.approx(0)
    assert figures["processor_ms_a_frame_in_first_and_last_third"] == [5.0, 5.0]
    assert figures["median_ms_of_each_10000"] == [9.0] * 6
    leaking = [each._replace(mib=100 + each.seconds / 50) for each in flat]
    assert torture.flatness(leaking, times)[1] == ["memory grew by 10.7 MiB"]
    slowing = [each._replace(processor_s=each.seconds**2 / 1200) for each in flat]
    assert torture.flatness(slowing, times)[1] == ["a frame took 2.5 ms of a processor, then 8.4"]
