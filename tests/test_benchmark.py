"""`python -m digits_tf.benchmark`: figures that are true, on whatever machine."""

import importlib.metadata
import itertools
import json
import time

import numpy as np
import pytest

from conftest import ROOT, assert_one_line_error, run
from digits_tf import benchmark, recognition
from digits_tf.benchmark import SCENES, SIZES, WARM_UP, Budget, repeat, summary
from digits_tf.errors import DigitsError

cv2 = pytest.importorskip("cv2")

MODULE = "digits_tf.benchmark"


@pytest.fixture(scope="module")
def result():
    """A whole run of one model, as short as can be."""
    run_of = run(MODULE, "--quick", "--frames=2", "--model=tiny", "--json")
    assert run_of.returncode == 0, run_of.stderr
    return json.loads(run_of.stdout)


# A whole run


def test_everything_is_measured_and_what_is_read_is_right(result):
    assert [row["batch"] for row in result["network"]] == [1, 12]
    for row in result["network"]:
        assert 0 < row["median_ms"] <= row["p95_ms"]
        assert row["n"] > 2
    scenes = [(row["size"], row["digits"]) for row in result["reading"]]
    assert scenes == list(itertools.product(("480p", "720p", "1080p"), (0, 1, 4, 12)))
    for row in result["reading"]:
        times = {stage: row[stage]["median_ms"] for stage in ("find", "net", "total")}
        assert times["find"] > 0
        assert times["total"] >= times["find"] + times["net"]
        assert row["total"]["n"] == 2
        # Of two times the median is the mean.
        assert row["fps"] == pytest.approx(1000 / times["total"])
        if row["digits"]:
            assert times["net"] > 0
            assert row["read_right"] == 1.0
    assert result["memory"]["read_right"] == result["start"]["read_right"] == 1.0
    assert 0.05 < result["start"]["median_s"] <= result["start"]["most_s"]
    assert result["size"]["total_mb"] > 20


def test_it_says_on_what_it_was_measured(result):
    found = result["conditions"]
    assert found["versions"]["opencv"] == cv2.__version__
    assert found["versions"]["numpy"] == np.__version__
    assert "Python" in found["machine"]
    assert (result["model"], result["threads"]) == ("tiny_mixed.tflite", 1)


def test_tables_say_the_same(result):
    lines = benchmark.page(result).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    row = next(row for row in result["reading"] if (row["size"], row["digits"]) == ("1080p", 12))
    (printed,) = (each for each in rows if each[:2] == ["1080p", "12"])
    assert printed[4] == f"{row['total']['median_ms']:.2f} ({row['total']['p95_ms']:.2f})"
    assert printed[5:] == [f"{row['fps']:.0f}", "2", "100%"]
    assert sum(each[0] in ("480p", "720p", "1080p") for each in rows) == 12
    figures = dict(each for each in rows if len(each) == 2)
    peak = f"{result['memory']['peak_mb']:.1f} MB"
    assert figures["resident memory at most, 2 frames of 1080p"] == peak
    assert figures["at most"] == f"{result['start']['most_s']:.2f} s"


def test_what_could_not_be_measured_is_said(result):
    reason = "digits_tf.camera cannot be started (Exec format error)"
    partly = {**result, "start": {"missing": reason}, "memory": {"missing": reason}}
    assert benchmark.page(partly).count(f"not measured ({reason})") == 2


def test_a_program_that_fails_says_why(monkeypatch):
    found = benchmark._or_reason(lambda: benchmark._first_line("-c", "x"))
    assert found["missing"].startswith("x failed: ")
    assert found["missing"].endswith("NameError: name 'x' is not defined")
    with pytest.raises(DigitsError, match="expected a JSON object, found 'words'"):
        benchmark._parsed("words\n")
    monkeypatch.setattr(benchmark.sys, "executable", str(ROOT / "none"))
    with pytest.raises(DigitsError, match="x cannot be started"):
        benchmark._first_line("-c", "x")


def test_errors_are_one_line(tmp_path):
    assert_one_line_error(run(MODULE, "--model=none.tflite"), "none.tflite: no such model")
    assert_one_line_error(run(MODULE, "--model=net.keras"), "expected a .tflite file")
    assert_one_line_error(run(MODULE, "--frames=0"), "frames")
    damaged = tmp_path / "cut.tflite"
    damaged.write_bytes(recognition.shipped_model().read_bytes()[:5000])
    assert_one_line_error(run(MODULE, f"--model={damaged}"), damaged)


# The frames


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_frames_differ_and_say_what_is_on_them(name, size):
    for digits in SCENES:
        first, second = itertools.islice(benchmark.board_frames(size, digits), 2)
        assert first.pixels.shape == (size.height, size.width, 3)
        assert first.pixels.dtype == np.uint8
        assert (first.pixels != second.pixels).mean() > 0.5
        assert first.text == second.text
        assert len(first.text.replace("\n", "")) == digits
    assert first.text.count("\n") == 1, "twelve stand in two rows"
    (again,) = itertools.islice(benchmark.board_frames(size, digits), 1)
    assert (again.pixels == first.pixels).all(), "the same on every machine"


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


def test_reading_is_timed_and_rubbish_is_called_rubbish():
    blind = recognition.Recognizer(Blind())
    found = benchmark.measure_reading("480p", 1, blind, Budget(20, 60.0))
    assert found["read_right"] == 0.0, "there is a 3 on the board"
    assert found["net"]["median_ms"] >= 2.0
    assert found["total"]["n"] == 20
    assert found["fps"] < 500
    assert benchmark.measure_reading("480p", 1, blind, Budget(1000, 0.1))["total"]["n"] < 100


def test_a_batch_is_told_by_the_digit(monkeypatch):
    monkeypatch.setattr(recognition, "load", lambda path, threads: Blind())
    path = recognition.shipped_model()
    for batch in (1, 12):
        found = benchmark.measure_network(path, 1, batch, Budget(2, 60.0))
        assert found["median_ms"] * batch >= 2.0
        assert (found["batch"], found["n"]) == (batch, 20)


def test_a_slow_network_is_given_up_on_in_time(monkeypatch):
    monkeypatch.setattr(recognition, "load", lambda path, threads: Blind(0.05))
    found = benchmark.measure_network(recognition.shipped_model(), 1, 1, Budget(1000, 0.8))
    assert found["n"] < 10


# Memory


def test_what_a_process_holds_is_counted():
    before = benchmark.resident_mb()
    if None in before:
        pytest.skip("the system does not tell")
    held = np.ones(64_000_000, np.uint8)
    during = benchmark.resident_mb()
    assert during[1] - before[1] == pytest.approx(64, abs=8)
    assert during[0] >= during[1]
    del held
    after = benchmark.resident_mb()
    assert after[1] < during[1] - 50
    assert after[0] >= during[1], "the peak stays"


def test_memory_is_that_of_the_process_that_reads():
    held = np.ones(400_000_000, np.uint8)
    found = benchmark.measure_memory(recognition.shipped_model(), 1, Budget(3, 10.0))
    assert (found["n"], found["read_right"]) == (3, 1.0)
    # Neither what the one that asks holds, nor TensorFlow.
    assert held.nbytes / 1e6 > found["peak_mb"] >= found["end_mb"] > 3 * 6.2


# Size on the disk


def test_installed_is_what_reading_needs():
    found = benchmark.measure_size()
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
    found = benchmark.measure_size()
    assert found["mb"]["numpy"] is None
    assert found["mb"]["opencv"] is None
    assert found["total_mb"] == found["mb"]["digits_tf"]
    assert benchmark.page({**result, "size": found}).count("| of the system |") == 2
