"""The forms of a network side by side, and which of them is the fastest."""

import json
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT, assert_one_line_error
from digits_tf import recognition
from digits_tf.data.digits import ArrayDigits
from digits_tf.data.mnist import Mnist

pytest.importorskip("cv2")
sys.path.append(str(ROOT / "scripts"))

import quantisation_ranges
import quantisation_reading
import quantisation_speed
from report_parts import card, quantisation

KINDS = ("float32", "int8")


@pytest.fixture(scope="module")
def files():
    return {kind: recognition.shipped_model("tiny", kind) for kind in KINDS}


def test_forms_are_compared_with_floats(files, sample):
    images, labels = sample.test.read()
    read = quantisation_reading.pictures(images[::25], labels[::25])
    assert read.corrupted.shape == (24 * 40, 28, 28)
    assert read.corrupted_labels.tolist() == 24 * labels[::25].tolist()
    assert read.others.shape == (40, 28, 28)
    found = quantisation_reading.compared(files, read)
    original, integers = found["float32"], found["int8"]
    assert original["difference"] == 0
    assert original["agreement"] == 1
    assert 0 < integers["difference"] < 0.5
    for each in found.values():
        assert each["accuracy"] > 0.95
        assert each["rejected"] > 0.7
        assert each["auroc"] > 0.9
        # With a label, a digit is the likeliest one.
        assert 0.3 < each["corrupted_labelled"] < each["corrupted"] < 0.95
    # Where all ten are 0, which is the likeliest cannot be told; labels are the same.
    assert original["corrupted"] - integers["corrupted"] > 0.02
    assert abs(original["corrupted_labelled"] - integers["corrupted_labelled"]) < 0.02


def test_every_form_is_timed_with_xnnpack_and_without(files, sample):
    images, _ = sample.test.read()
    # Fewer digits than a call takes are taken again.
    times = quantisation_speed.milliseconds(files, images[:5], rounds=30)
    for kind in KINDS:
        for kernels in ("xnnpack", "builtin"):
            for batch in ("1", "12"):
                assert times[kind][kernels][batch]["n"] == 30
                assert times[kind][kernels][batch]["median_ms"] > 0
        # By a factor of more than three, so a busy machine may spoil much of it.
        with_it, without = (times[kind][way]["12"]["median_ms"] for way in ("xnnpack", "builtin"))
        assert with_it < without


def test_ranges_are_taken_from_several_sets():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (300, 28, 28), np.uint8)
    digits = ArrayDigits(images, np.zeros(300, np.uint8), "noise")
    plain = quantisation_ranges.sets(Mnist(digits, digits), {"rotation": 9, "gain": 0.3})
    assert {len(each) for each in plain.values()} == {300, 600}
    assert not any("no digit" in words for words in plain)
    whole = quantisation_ranges.sets(Mnist(digits, digits, background=digits), {"rotation": 9})
    assert len(whole["all of these"]) == 900
    for each in whole.values():
        assert each.dtype == np.uint8
        assert each.shape[1:] == (28, 28, 1)
    assert np.array_equal(next(iter(whole.values()))[..., 0], images)


def form(accuracy=0.995, corrupted=0.82, milliseconds=0.1):
    time = {"n": 300, "median_ms": milliseconds, "p95_ms": 2 * milliseconds}
    return {
        "accuracy": accuracy,
        "ece": 0.0031,
        "agreement": 0.9996,
        "difference": 0.087,
        "corrupted": corrupted,
        "corrupted_labelled": 0.637,
        "rejected": 0.951,
        "auroc": 0.9987,
        "bytes": 97_904,
        "ms": {way: {"1": time, "12": time} for way in ("xnnpack", "builtin")},
    }


def test_the_fastest_is_one_that_reads_as_much():
    forms = {
        "float32": form(milliseconds=0.15),
        "int8": form(corrupted=0.77, milliseconds=0.06),
        "int16": form(accuracy=0.994, milliseconds=0.07),
        "dynamic": form(accuracy=0.9946, corrupted=0.816, milliseconds=0.09),
        "mixed": form(accuracy=0.996, milliseconds=0.08),
    }
    assert quantisation.fastest(forms) == "mixed"
    del forms["mixed"]
    assert quantisation.fastest(forms) == "dynamic"


@pytest.fixture
def results():
    few = {kind: {key: form()[key] for key in form() if key != "ms"} for kind in ("int8", "mixed")}
    return {
        "run": "tiny-0",
        "digits": 5000,
        "corrupted_digits": 12_000,
        "others": 1000,
        "rounds": 300,
        "forms": {kind: form() for kind in quantisation.FORMS} | {"mixed": form(milliseconds=0.09)},
        "ranges": {"1,000 training digits": few, "all of these": few},
        "machine": "a machine",
        "versions": {"ai-edge-litert": "2.3.0"},
        "date": "2026-11-23",
        "load": 0.5,
        "command": "python scripts/quantisation.py runs/tiny-0",
    }


def test_the_section(results):
    text = quantisation.text(results)
    for line in (
        "| mixed | 0.090 (0.180) | 0.090 (0.180) | 0.090 (0.180) | 0.090 (0.180) |",
        "99.50 % | 0.0031 | 99.96 % | 0.087 | 82.00 % | 63.70 % | 95.1 %, 0.9987 |",
        "| all of these | 99.50 % | 0.0031 | 82.00 % | 95.1 % |",
        "of the corrupted): **mixed**.",
        "On a machine; ai-edge-litert 2.3.0; 2026-11-23. The machine's load was 0.5",
    ):
        assert line in text
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1


def test_the_card_has_the_section_and_names_the_default(results):
    text = card.card("# Measured\n", {}, "there", json.loads(json.dumps(results)))
    assert "\n\n## Why 8 bits\n\n" in text
    assert "\n\n\n" not in text
    default = recognition.shipped_model("tiny").name.replace("tiny", "NAME")
    assert [line for line in text.splitlines() if "the default" in line and default in line]
    assert text.count("; the default") == 1
    assert "Why 8 bits" not in card.card("# Measured\n", {}, "there")


def test_the_script_wants_a_run(tmp_path):
    words = [sys.executable, str(ROOT / "scripts/quantisation.py")]
    result = subprocess.run(
        [*words, "no"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert_one_line_error(result, "no", "run folder")
