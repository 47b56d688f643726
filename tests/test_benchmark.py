"""`python -m digits_tf.benchmark`: figures that are true, on whatever machine."""

import importlib.metadata
import itertools
import json
import os
import time

import numpy as np
import pytest

from conftest import ROOT, assert_one_line_error, run
from digits_tf import recognition

pytest.importorskip("cv2")

import cv2

from digits_tf.benchmark import board, conditions, goals, installed, loop, memory, models, network
from digits_tf.benchmark.film import Film
from digits_tf.benchmark.page import busy, page
from digits_tf.benchmark.timing import WARM_UP, Budget, repeat, summary

MODULE = "digits_tf.benchmark"


@pytest.fixture(scope="module")
def result():
    """A whole run of one model, as short as can be."""
    run_of = run(MODULE, "--quick", "--frames=2", "--model=tiny", "--json")
    assert run_of.returncode == 0, run_of.stderr
    return json.loads(run_of.stdout)


# A whole run


def test_everything_is_measured_and_what_is_read_is_right(result):
    files = [f"tiny_{kind}.tflite" for kind in ("float32", "float16", "mixed", "int8")]
    cases = [(row["file"], row["threads"], row["batch"]) for row in result["network"]]
    assert cases == list(itertools.product(files, (1, 2), (1, 12)))
    for row in result["network"]:
        assert 0 < row["median_ms"] <= row["p95_ms"]
        assert row["n"] > 2
        assert row["read_right"] > 0.97
    scenes = [(row["size"], row["digits"]) for row in result["loop"]]
    assert scenes == list(itertools.product(("480p", "720p", "1080p"), (0, 1, 4, 12)))
    for row in result["loop"]:
        times = {stage: row[stage]["median_ms"] for stage in ("find", "net", "loop")}
        assert times["find"] > 0
        assert times["loop"] >= times["find"] + times["net"]
        assert row["loop"]["n"] == 2
        # Of two times the median is the mean.
        assert row["fps"] == pytest.approx(1000 / times["loop"])
        if row["digits"]:
            assert times["net"] > 0
            assert row["read_right"] == 1.0
    assert result["memory"]["read_right"] == result["start"]["read_right"] == 1.0
    assert 0.05 < result["start"]["median_s"] <= result["start"]["most_s"]
    assert result["installed"]["total_mb"] > 20


def test_it_says_on_what_it_was_measured(result):
    found = result["conditions"]
    assert found["versions"]["opencv"] == cv2.__version__
    assert found["versions"]["numpy"] == np.__version__
    assert "Python" in found["machine"]
    assert (result["reader"], result["threads"]) == ("tiny_mixed.tflite", 1)


def test_goals_are_judged_by_what_was_measured(result):
    ms = [row["median_ms"] for row in result["network"] if row["threads"] == row["batch"] == 1]
    (fps,) = (row["fps"] for row in result["loop"] if (row["size"], row["digits"]) == ("1080p", 1))
    figures = [min(ms), fps, result["start"]["median_s"], result["memory"]["peak_mb"]]
    assert [goal["figure"] for goal in result["goals"]] == figures
    verdicts = [min(ms) < 0.15, fps >= 770, figures[2] < 1.0, figures[3] < 150]
    assert [goal["met"] for goal in result["goals"]] == verdicts


def test_tables_say_the_same(result):
    lines = page(result).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    row = next(row for row in result["loop"] if (row["size"], row["digits"]) == ("1080p", 12))
    (printed,) = (each for each in rows if each[:2] == ["1080p", "12"])
    assert printed[4] == f"{row['loop']['median_ms']:.2f} ({row['loop']['p95_ms']:.2f})"
    assert printed[5:] == [f"{row['fps']:.0f}", "2", "100 %"]
    assert sum(each[0].startswith("tiny_") for each in rows) == 8
    assert sum(each[0] in ("480p", "720p", "1080p") for each in rows) == 12
    assert sum(each[-1] in ("met", "missed") for each in rows) == 4
    assert f"{result['memory']['peak_mb']:.0f} MB resident at most" in page(result)


def test_what_could_not_be_measured_is_said(result):
    reason = "digits_tf.camera cannot be started (Exec format error)"
    partly = {**result, "start": {"missing": reason}, "memory": {"missing": reason}}
    assert page(partly).count(f"not measured ({reason})") == 2
    assert [goal.met for goal in goals.goals(partly)][2:] == [None, None]
    assert page(partly).count("| not measured |") == 2


def test_errors_are_one_line(tmp_path):
    assert_one_line_error(run(MODULE, "--model=none.tflite"), "none.tflite: no such model")
    assert_one_line_error(run(MODULE, "--model=net.keras"), "expected a .tflite file")
    assert_one_line_error(run(MODULE, "--frames=0"), "frames")
    damaged = tmp_path / "cut.tflite"
    damaged.write_bytes(recognition.shipped_model().read_bytes()[:5000])
    assert_one_line_error(run(MODULE, f"--model={damaged}"), damaged)


# The frames


@pytest.mark.parametrize(("name", "size"), board.SIZES.items())
def test_frames_differ_and_say_what_is_on_them(name, size):
    for digits in board.SCENES:
        first, second = itertools.islice(board.frames(size, digits), 2)
        assert first.pixels.shape == (size.height, size.width, 3)
        assert first.pixels.dtype == np.uint8
        assert (first.pixels != second.pixels).mean() > 0.5
        assert first.text == second.text
        assert len(first.text.replace("\n", "")) == digits
    assert first.text.count("\n") == 1, "twelve stand in two rows"
    (again,) = itertools.islice(board.frames(size, digits), 1)
    assert (again.pixels == first.pixels).all(), "the same on every machine"


def test_a_film_goes_round_on_a_clock_of_its_own():
    film = Film([np.full((2, 2, 3), level, np.uint8) for level in range(3)])
    frames = [film.read(0.0) for _ in range(7)]
    assert [int(frame.picture[0, 0, 0]) for frame in frames] == [0, 1, 2, 0, 1, 2, 0]
    assert [round(board.FPS * frame.seconds, 6) for frame in frames] == list(range(7))


# Times


def test_the_warm_up_does_not_count():
    calls = []
    times = repeat(lambda number: (calls.append(number), time.sleep(0.001)), Budget(5, 60.0))
    assert calls == [*range(WARM_UP), *range(5)]
    assert len(times) == 5
    assert min(times) >= 1.0


def test_a_slow_machine_is_given_up_on_in_time():
    start = time.perf_counter()
    times = repeat(lambda number: time.sleep(0.02), Budget(10_000, 0.2))
    assert 1 <= len(times) <= 10
    assert time.perf_counter() - start < 1.0
    assert len(repeat(lambda number: time.sleep(0.01), Budget(10_000, 0.0))) == 1


def test_a_summary_is_of_all_times():
    assert summary(range(101)) == {"n": 101, "median_ms": 50.0, "p95_ms": 95.0}


class Blind(recognition.Classifier):
    """Takes 2 ms for whatever it sees, and takes it for a 5."""

    def __init__(self, seconds=0.002):
        self.seconds = seconds

    def probabilities(self, images):
        time.sleep(self.seconds)
        return np.tile(np.eye(10, dtype=np.float32)[5], (len(images), 1))


def test_the_loop_is_timed_and_rubbish_is_called_rubbish():
    found = loop.measure("480p", 1, Blind(), Budget(20, 60.0))
    assert found["read_right"] == 0.0, "there is a 3 on the board"
    assert found["net"]["median_ms"] >= 2.0
    assert found["loop"]["n"] == 20
    assert found["fps"] < 500
    assert loop.measure("480p", 1, Blind(), Budget(1000, 0.1))["loop"]["n"] < 100


def test_a_batch_is_told_by_the_digit(monkeypatch):
    monkeypatch.setattr(recognition, "load", lambda path, threads: Blind())
    path = recognition.shipped_model()
    for batch in (1, 12):
        found = network.measure(path, 1, batch, Budget(130 // batch, 60.0))
        assert found["median_ms"] * batch >= 2.0
        assert found["read_right"] == 0.1


def test_a_slow_network_is_given_up_on_in_time(monkeypatch):
    monkeypatch.setattr(recognition, "load", lambda path, threads: Blind(0.05))
    network.crops()
    start = time.perf_counter()
    found = network.measure(recognition.shipped_model(), 1, 1, Budget(1000, 0.2))
    assert time.perf_counter() - start < 1.0
    assert found["n"] < 10
    assert found["read_right"] < 0.5


# Models


def test_all_shipped_files_are_timed():
    kinds = ("float32", "float16", "mixed", "int8")
    expected = [
        recognition.shipped_model(name, kind) for name in ("tiny", "resnet") for kind in kinds
    ]
    assert models.timed(None) == expected
    assert models.timed("resnet") == expected[4:]
    assert models.timed(str(expected[1])) == [expected[1]]


# Memory


def test_what_a_process_holds_is_counted():
    before = memory.resident_mb()
    if None in before:
        pytest.skip("the system does not tell")
    held = np.ones(64_000_000, np.uint8)
    during = memory.resident_mb()
    assert during[1] - before[1] == pytest.approx(64, abs=8)
    assert during[0] >= during[1]
    del held
    after = memory.resident_mb()
    assert after[1] < during[1] - 50
    assert after[0] >= during[1], "the peak stays"


def test_memory_is_that_of_the_process_that_reads():
    held = np.ones(400_000_000, np.uint8)
    found = memory.measure(recognition.shipped_model(), 1, Budget(3, 10.0))
    assert (found["n"], found["read_right"]) == (3, 1.0)
    # Neither what the one that asks holds, nor TensorFlow.
    assert held.nbytes / 1e6 > found["peak_mb"] >= found["end_mb"] > 3 * 6.2


# Installed


def test_installed_is_what_reading_needs():
    found = installed.measure()
    needed = {"digits_tf", "numpy", "absl-py", "ai-edge-litert", "tqdm", "protobuf"}
    assert needed <= set(found["mb"])
    assert not {"tensorflow", "keras", "pytest", "matplotlib"} & set(found["mb"])
    assert any(name.startswith("opencv") for name in found["mb"])
    known = [size for size in found["mb"].values() if size is not None]
    assert known == sorted(known, reverse=True)
    assert found["total_mb"] == pytest.approx(sum(known))
    shipped = sum(path.stat().st_size for path in (ROOT / "tflite").glob("*.tflite")) / 1e6
    assert shipped < found["mb"]["digits_tf"] < shipped + 5


def test_packages_of_the_system_have_no_size(monkeypatch, result):
    monkeypatch.setattr(importlib.metadata, "packages_distributions", dict)
    monkeypatch.setattr(importlib.metadata.PathDistribution, "read_text", lambda *words: None)
    monkeypatch.setattr(
        importlib.metadata.PathDistribution, "metadata", {"Name": "numpy"}, raising=False
    )
    monkeypatch.setattr(importlib.metadata.PathDistribution, "requires", None, raising=False)
    found = installed.measure()
    assert found["mb"]["numpy"] is None
    assert found["mb"]["opencv"] is None
    assert found["total_mb"] == found["mb"]["digits_tf"]
    assert page({**result, "installed": found}).count("| of the system |") == 2


# Conditions


def test_a_raspberry_pis_state_is_told(tmp_path, monkeypatch):
    model = tmp_path / "model"
    model.write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    monkeypatch.setattr(conditions, "_BOARD", model)
    assert conditions.describe()["board"] == "Raspberry Pi 4 Model B Rev 1.4"
    monkeypatch.setattr(conditions, "_BOARD", tmp_path / "none")
    assert conditions.describe()["board"] is None


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for vcgencmd")
@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("throttled=0x0", []),
        ("throttled=0x50005", [
            "voltage too low now", "throttled now", "voltage too low before", "throttled before",
        ]),
        ("VCHI initialization failed", None),
    ],
)  # fmt: skip
def test_throttling_is_told(tmp_path, monkeypatch, printed, told):
    tool = tmp_path / "vcgencmd"
    tool.write_text(f"#!/bin/sh\n[ $1 = get_throttled ] && echo {printed}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert conditions.throttled() == told


def test_without_vcgencmd_nothing_is_known_of_throttling(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert conditions.throttled() is None


def test_a_busy_machine_is_warned_of():
    assert busy(0.4) is None
    assert busy(None) is None
    assert "load 1.25 a core" in busy(1.25)
