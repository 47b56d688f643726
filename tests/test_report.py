"""The report's own figures, its spoilt digits and things that are none, and its page."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT, assert_one_line_error
from digits_tf.boxes import Box
from digits_tf.detection import detector
from digits_tf.detection.detector import Detection
from digits_tf.synthetic.canvas import UNSURE
from digits_tf.synthetic.frames import frame

pytest.importorskip("cv2")
pytest.importorskip("sklearn")
sys.path.append(str(ROOT / "scripts"))

import report
from report_parts import corruptions, detection, figures, models, pictures, rejection

SCRIPT = ROOT / "scripts" / "report.py"

FORMATS = {"float32": "TFLite float32", "int8": "TFLite int8"}


def serif():
    return Path(rejection.matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSerif.ttf"


def by_format(values):
    return {"tiny": dict.fromkeys(FORMATS, values)}


# Figures.


def test_readings_that_are_as_good_as_they_say_have_no_calibration_error():
    confidences = np.repeat([0.5, 0.75, 1.0], 4)
    right = np.array([1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1], bool)
    found = figures.calibration(confidences, right)
    assert found["n"] == 12
    assert found["ece"] == pytest.approx(0)
    assert [each["accuracy"] for each in found["bins"]] == [0.5, 0.75, 1.0]


def test_the_calibration_error_of_the_overconfident():
    confidences = np.array([0.95, 0.95, 0.95, 0.95, 0.41, 0.39])
    right = np.array([1, 1, 0, 0, 1, 0], bool)
    expected = (4 * 0.45 + 0.59 + 0.39) / 6
    assert figures.calibration(confidences, right)["ece"] == pytest.approx(expected)


def test_no_readings_have_no_calibration_error():
    assert figures.calibration(np.array([]), np.array([], bool))["ece"] is None


# Corruptions.


@pytest.mark.parametrize("kind", corruptions.KINDS)
def test_corruptions_grow_with_their_strength(kind, sample):
    images = sample.test.read()[0][::25]
    kept = images.copy()
    changes = []
    for strength in corruptions.STRENGTHS:
        spoilt = corruptions.corrupt(kind, images, strength)
        assert (spoilt.shape, spoilt.dtype) == (images.shape, np.uint8)
        changes.append(np.abs(spoilt.astype(int) - images).mean())
    assert 0 < changes[0] < changes[1] < changes[2]
    np.testing.assert_array_equal(images, kept)
    alone = corruptions.corrupt(kind, images[:3], 3)
    np.testing.assert_array_equal(alone, corruptions.corrupt(kind, images, 3)[:3])


# What is no digit.


def test_crops_of_all_sets(sample):
    sets = rejection.crops(*sample.test.read(), 8)
    again = rejection.crops(*sample.test.read(), 4)
    for name, crops in sets.items():
        assert (crops.shape, crops.dtype) == ((8, 28, 28), np.uint8), name
        assert (np.ptp(crops, axis=(1, 2)) > 100).all(), name
        np.testing.assert_array_equal(crops[:4], again[name])
        assert (crops[1:] != crops[0]).any(axis=(1, 2)).all(), name


def test_letters_like_digits_are_apart():
    assert not set(detection.LETTERS) & set(detection.LIKE_DIGITS)
    assert len(detection.LETTERS) + len(detection.LIKE_DIGITS) == 52


def test_every_sign_is_in_the_fonts():
    lacking = detection.typed(serif(), "\uffff")
    for characters in (detection.LETTERS, detection.LIKE_DIGITS, rejection.SYMBOLS):
        for character in characters:
            assert not np.array_equal(detection.typed(serif(), character), lacking), character
            assert rejection.sign(np.random.default_rng(0), character).max() == 255


def test_a_half_is_no_bar(sample):
    images, labels = sample.test.read()
    for seed in range(20):
        y, x = np.nonzero(rejection.half(np.random.default_rng(seed), images, labels) > 60)
        assert np.ptp(x) + 2 > 0.55 * np.ptp(y)


class Known:
    """A model that is as sure of a crop's digit as its first pixel says."""

    name, format = "tiny", "int8"

    def read(self, images):
        return images[:, 0, 0, None] * np.eye(10, dtype=np.float32)[0] / 100


def test_rejection_is_the_share_without_a_label_and_a_count_of_pairs():
    model = Known()
    crops = np.zeros((3, 28, 28), np.uint8)
    crops[:, 0, 0] = (40, 50, 90)
    digits = np.zeros((2, 10), np.float32)
    digits[:, 4] = (0.5, 0.95)
    found = rejection.measure([model], {"letters": crops}, {model: digits})
    assert found["lost"] == {"tiny": {"int8": 0.5}}
    values = found["sets"]["letters"]["figures"]["tiny"]["int8"]
    assert values["rejected"] == pytest.approx(2 / 3)
    # 0.95 is above all three; 0.5 above one, and a tie counts half.
    assert values["auroc"] == pytest.approx(4.5 / 6)


# What is found.


@pytest.fixture
def model():
    return models.load("tiny", "mixed", ROOT, detector.load())


def test_digits_in_made_up_frames_are_counted(model, sample):
    digits = sample.train.read()
    made = [frame(np.random.default_rng((90, number)), *digits, None) for number in range(8)]
    sure = sum(int((each.labels != UNSURE).sum()) for each in made)

    class Oracle:
        """Finds each digit twice, and one where there is none."""

        def find(self, image):
            boxes = next(each.boxes for each in made if np.array_equal(each.image, image))
            every = [*boxes.tolist(), *boxes.tolist(), [-50.0, -50.0, 9.0, 9.0]]
            return [Detection(Box(*box), 0.9) for box in every]

    found = detection.made_up([model], Oracle(), digits, None, len(made))
    total = {key: sum(row[key] for row in found["heights"]) for key in ("digits", "found", "true")}
    assert 0 < sure == total["digits"]
    # Two digits may lie one on the other.
    assert total["found"] == total["true"] == pytest.approx(sure, rel=0.05)
    assert sum(row["boxes"] for row in found["heights"]) == pytest.approx(
        2 * sure + len(made), rel=0.1
    )
    assert found["empty"] == sum(not len(each.boxes) for each in made)


def test_pictures_are_counted_by_lines_and_grids_by_digits(tmp_path, monkeypatch):
    grid = ["123456789"] * 9
    rows = {"a.png": "12|34,k", "b.png": "5,k", "none.png": ",", "grid.png": "|".join(grid) + ",m"}
    lines = [f"{name},{text}" for name, text in rows.items()]
    (tmp_path / "list.csv").write_text("\n".join(["file,text,writer", *lines]))
    for name in rows:
        (tmp_path / name).touch()
    listed = pictures.listed(tmp_path / "list.csv")
    assert [each.text for each in listed[:3]] == ["12\n34", "5", ""]
    read = {"a.png": "34\n12", "b.png": "6", "none.png": "", "grid.png": "\n".join(grid) + "9"}

    class Digit:
        confidence, probabilities = 0.9, np.eye(10)[6]

    class Reader(Known):
        recognizer = property(lambda self: self)

        def read(self, name):
            return [] if name == "none.png" else [Digit()]

    monkeypatch.setattr(pictures, "read_picture", lambda path: path.name)
    monkeypatch.setattr(pictures, "text_of", lambda digits: next(texts))
    # Each picture's text is asked for twice: for the counts, of all, and for what is misread.
    texts = iter([*read.values(), *read.values()])
    found = pictures.measure([Reader()], {"list": listed})
    counts = found["lists"]["list"]["tiny"]
    assert counts.pop("mean") == pytest.approx(0.5)
    assert counts == {
        "n": 3,
        "whole": 2,
        "writers": 1,
        "deviation": None,
        "cells": 81,
        "alike": 81,
        "labels": 82,
    }
    assert [each["read"] for each in found["misread"]] == ["6"]
    # Of the one digit that is one for one.
    assert found["calibration"]["tiny"]["int8"]["n"] == 1
    assert found["calibration"]["tiny"]["int8"]["ece"] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("flag", "parts"),
    [
        ("--rows={folder}", ("expected a CSV file", "found a folder")),
        ("--photos={folder}/no.csv", ("expected a CSV file", "found nothing")),
        ("--rows={folder}/other.csv", ("columns file and text", "found others")),
        ("--rows={folder}/lost.csv", ("expected the picture", "lost.png")),
        ("--none={folder}/no", ("expected a folder of pictures",)),
        ("--card={folder}/other.csv", ("expected a line",)),
        ("--formats=keras", ("saved_model", "found keras")),
    ],
)
def test_wrong_words_are_refused_at_the_start(tmp_path, flag, parts):
    (tmp_path / "other.csv").write_text("name,age\na,3\n")
    (tmp_path / "lost.csv").write_text("file,text\nlost.png,3\n")
    words = [sys.executable, SCRIPT, flag.format(folder=tmp_path), f"--out={tmp_path}/out"]
    result = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert_one_line_error(result, *parts)
    # Before any progress is told.
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


# The page.


def test_the_page():
    calibrated = figures.calibration(np.array([0.9, 0.9]), np.array([True, False]))
    plain = {"accuracy": 0.99, "standard_error": 0.003, "mistakes": 10, "calibration": calibrated}
    sets = {"letters": {"n": 20, "figures": by_format({"rejected": 0.85, "auroc": 0.987})}}
    height = {"digits": 10, "found": 9, "boxes": 12, "true": 9, "right": {"tiny": 8}}
    counts = {"n": 2, "whole": 1, "cells": 81, "alike": 80, "labels": 82}
    writers = {"writers": 2, "mean": 0.5, "deviation": 0.1}
    kinds = {kind: [0.9, 0.8, 0.7] for kind in corruptions.KINDS}
    results = {
        "models": {
            "tiny": {"architecture": "tiny", "parameters": 77914, "seed": 0, "date": "2026-11-22"}
        },
        "formats": FORMATS,
        "conditions": {"machine": "a machine", "versions": {"numpy": "2"}, "date": "2026-11-23"},
        "limit": 20,
        "seconds": 90,
        "command": "python scripts/report.py",
        "mnist": {"n": 1000, "figures": by_format({**plain, "bytes": 97272, "ms": 0.04})},
        "detection": {
            "format": "int8",
            "detector": {"bytes": 290_000, "parameters": 246_964},
            "made_up": {
                "n": 9,
                "empty": 4,
                "drawn": True,
                "heights": [height] * 6,
                "labels": {"tiny": {"labels": 50, "true": 49, "frames": 1}},
            },
            "letters": {
                "fonts": 2,
                "letters": {"n": 40, "labelled": {"tiny": 3}, "right": {"tiny": 0}},
                "digits": {"n": 40, "labelled": {"tiny": 40}, "right": {"tiny": 38}},
            },
            "words": {"n": 20, "labelled": {"tiny": 1}},
            "speed": {
                "model": "tiny",
                "format": "int8",
                "ways": {"a picture": {"find": {"n": 9, "median_ms": 14, "p95_ms": 15.26}}},
            },
        },
        "pictures": {
            "lists": {"pages": {"tiny": counts | writers}},
            "misread": [{"file": "a.png", "written": "4", "read": "9", "model": "tiny"}],
            "calibration": {"tiny": {"int8": calibrated}},
        },
        "corruptions": {
            "n": 20,
            "figures": by_format({"none": 0.99, "mean": 0.7, "kinds": kinds}),
        },
        "rejection": {"sets": sets, "lost": by_format(0.004), "digits": 1000},
    }
    text = report.write_page(results)
    for line in (
        "| accuracy ± standard error | 99.00 ± 0.30 % | 99.00 ± 0.30 % |",
        "246,964 parameters, 0.29 MB",
        "| 8 to 12 | 10 | 90.0 % | 75.0 % | 80.0 % |",
        "| **all** | 60 | 90.0 % | 75.0 % | 80.0 % |",
        "| labels that are on a digit | 98.0 % |",
        "| of 4 frames without a digit, those with a label | 1 |",
        "| letters that get a label (40) | 7.5 % |",
        "| frames of words, without a digit, that get one (20) | 5.0 % |",
        "| a picture | 14.0 (15.3) |",
        "| pages | 1 of 2 |",
        "| pages: mean of 2 writers ± deviation between them | 50.0 ± 10.0 % |",
        "| pages: digits in grids of nine lines | 80 of 81, 82 labels |",
        "- a.png: written 4, read 9 (tiny)",
        "| noise | 90.0 / 80.0 / 70.0 | 90.0 / 80.0 / 70.0 |",
        "| letters (20) | 85.0 %, 0.987 | 85.0 %, 0.987 |",
        "| **MNIST's test digits (1,000)** | 0.40 % | 0.40 % |",
        "| ECE | 0.4000 | 0.4000 |",
    ):
        assert line in text
    # What was not measured has no section.
    assert "## Pictures" not in report.write_page(results | {"pictures": None})
    # Each row of a table has as many cells as its head.
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1


def test_the_page_as_a_section_of_the_card_finds_the_pictures():
    page = "# Measured\n\n## One\n\n![dots](dots.png)\n"
    text = report.as_section(page, Path("docs/report"), Path("saved_models"))
    assert text == "## Measured\n\n### One\n\n![dots](../docs/report/dots.png)\n"
