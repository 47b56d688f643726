"""The report's own figures, its spoilt digits and things that are none, and its page."""

import sys

import numpy as np
import pytest

from conftest import ROOT
from digits_tf.errors import DigitsError

pytest.importorskip("cv2")
sys.path.append(str(ROOT / "scripts"))

import photograph_list
from report_parts import (
    card,
    corruptions,
    drawings,
    figures,
    foreign_files,
    others,
    page,
    patches,
    readings,
    signs,
)
from report_parts.sections import calibration, detection, photographs

FORMATS = {"float32": "TFLite float32", "int8": "TFLite int8"}


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


def test_bins_are_of_equal_width():
    found = figures.calibration(np.array([0.0, 0.499, 0.501, 1.0]), np.ones(4, bool), bins=2)
    assert [each["n"] for each in found["bins"]] == [2, 2]


def test_no_readings_have_no_calibration_error():
    assert figures.calibration(np.array([]), np.array([], bool))["ece"] is None


@pytest.mark.parametrize("seed", range(5))
def test_auroc_is_a_count_of_pairs(seed):
    rng = np.random.default_rng(seed)
    # Few levels, so that there are ties.
    positives, negatives = rng.integers(2, 9, 30) / 8, rng.integers(0, 7, 50) / 8
    pairs = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high in positives
        for low in negatives
    ]
    assert figures.auroc(positives, negatives) == pytest.approx(np.mean(pairs))
    assert figures.auroc(positives, negatives[:0]) is None


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
    images, labels = sample.test.read()
    for name, maker in others.crops(images, labels).items():
        crops = [others.make(maker, number) for number in range(8)]
        for crop in crops:
            assert (crop.shape, crop.dtype) == ((28, 28), np.uint8), name
            assert np.ptp(crop) > 100, name
        np.testing.assert_array_equal(crops[3], others.make(maker, 3))
        assert any((crop != crops[0]).any() for crop in crops[1:]), name


def test_frames_of_all_sets():
    for name, maker in others.frames().items():
        for number in range(2):
            frame = others.make(maker, number)
            assert frame.dtype == np.uint8, name
            assert min(frame.shape[:2]) > 64, name


def test_letters_like_digits_are_apart():
    assert not set(signs.LETTERS) & set(signs.LIKE_DIGITS)
    assert len(signs.LETTERS) + len(signs.LIKE_DIGITS) == 52


def test_every_sign_is_in_a_font():
    for characters in (signs.LETTERS, signs.LIKE_DIGITS, signs.SYMBOLS):
        for character in characters:
            assert signs.sign(np.random.default_rng(0), character).max() == 255


def test_a_half_is_no_bar(sample):
    images, labels = sample.test.read()
    for seed in range(20):
        y, x = np.nonzero(drawings.half(np.random.default_rng(seed), images, labels) > 60)
        assert np.ptp(x) + 2 > 0.55 * np.ptp(y)


def test_a_patch_is_a_part_of_its_picture():
    picture = np.arange(40 * 30 * 3, dtype=np.uint32).reshape(40, 30, 3)
    patch = patches.patch(np.random.default_rng(0), [picture])
    assert patch.shape[0] == patch.shape[1]
    top, left = divmod(int(patch[0, 0, 0]) // 3, 30)
    side = len(patch)
    np.testing.assert_array_equal(patch, picture[top : top + side, left : left + side])


# Files of other collections.


def test_usps(tmp_path):
    path = tmp_path / "usps"
    path.write_text("7 1:-1 2:1 256:0\n10 1:1\n")
    images, labels = foreign_files.usps(path)
    assert (images.shape, labels.tolist()) == ((2, 16, 16), [6, 9])
    assert images[0].ravel()[[0, 1, 2, 255]].tolist() == [0, 255, 0, 128]
    path.write_text("7 1:-1\n7 300:1\n")
    with pytest.raises(DigitsError, match="line 2"):
        foreign_files.usps(path)


def test_semeion(tmp_path):
    path = tmp_path / "semeion.data"
    pixels = np.zeros(256)
    pixels[17] = 1
    line = " ".join([*(f"{each:.4f}" for each in pixels), *"0001000000"])
    path.write_text(f"{line} \n")
    images, labels = foreign_files.semeion(path)
    assert labels.tolist() == [3]
    assert np.argwhere(images[0]).tolist() == [[1, 1]]
    path.write_text("1 0 1\n")
    with pytest.raises(DigitsError, match=r"line 1.*found 3"):
        foreign_files.semeion(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DigitsError, match="expected text"):
        foreign_files.semeion(path)


# What is found.


@pytest.fixture
def net():
    from report_parts import net

    from digits_tf.detection import detector

    return net.open_net("tiny", "mixed", ROOT, detector.load())


def test_digits_in_made_up_frames_are_counted(net, sample):
    from digits_tf.detection.detector import Detection
    from digits_tf.synthetic.canvas import UNSURE
    from digits_tf.synthetic.frames import frame

    digits = sample.train.read()
    made = [frame(np.random.default_rng((90, number)), *digits, None) for number in range(8)]
    sure = sum(int((each.labels != UNSURE).sum()) for each in made)

    class Oracle:
        """Finds each digit twice, and one where there is none."""

        def find(self, image):
            boxes = next(each.boxes for each in made if np.array_equal(each.image, image))
            every = [*boxes.tolist(), *boxes.tolist(), [-50.0, -50.0, 9.0, 9.0]]
            return [Detection(tuple(box), 0.9) for box in every]

    found = detection.made_up([net], Oracle(), digits, None, len(made))
    total = {key: sum(row[key] for row in found["heights"]) for key in ("digits", "found", "true")}
    assert 0 < sure == total["digits"]
    # Two digits may lie one on the other.
    assert total["found"] == total["true"] == pytest.approx(sure, rel=0.05)
    assert sum(row["boxes"] for row in found["heights"]) == pytest.approx(
        2 * sure + len(made), rel=0.1
    )
    assert found["empty"] == sum(not len(each.boxes) for each in made)


def test_pictures_are_counted_by_lines_and_grids_by_digits(net, tmp_path, monkeypatch):
    grid = ["123456789"] * 9
    rows = {"a.png": "12|34", "b.png": "5", "none.png": "", "grid.png": "|".join(grid)}
    lines = [f"{name},{text}" for name, text in rows.items()]
    (tmp_path / "list.csv").write_text("\n".join(["file,text", *lines]))
    photographs_listed = photograph_list.listed(tmp_path / "list.csv")
    assert [each.text for each in photographs_listed[:3]] == ["12\n34", "5", ""]
    read = iter(["34\n12", "6", "", "\n".join([*grid[:8], "1234567899"])])
    monkeypatch.setattr(detection, "read_picture", lambda path: None)
    monkeypatch.setattr(detection.readings, "read", lambda nets, frames: {net: list(frames)})
    monkeypatch.setattr(detection, "text_of", lambda digits: next(read))
    found = detection.pictures([net], {"list": photographs_listed})
    assert found["lists"]["list"] == {
        "n": 3,
        "whole": {"tiny": 2},
        "cells": 81,
        "alike": {"tiny": 81},
        "labels": {"tiny": 82},
    }
    assert [each["read"] for each in found["misread"]] == ["6"]


# Photographs.


def test_photographs_whose_digits_cannot_be_told_apart_are_left_out(tmp_path):
    from digits_tf.boxes import Box
    from digits_tf.recognition import Digit

    def digit(label, confidence):
        probabilities = np.full(10, 0.01, np.float32)
        probabilities[label] = confidence
        crop = np.zeros((28, 28), np.uint8)
        return Digit(None, confidence, probabilities, Box(0, 0, 1, 1), crop)

    (tmp_path / "single.csv").write_text("file,label,writer\na.png,3,a\nb.png,5,b\n")
    (tmp_path / "rows.csv").write_text("file,text,writer\nc.png,12,c\n")
    lists = photographs.find(tmp_path, None)
    found = {
        "single digits": [[digit(3, 0.9)], [digit(5, 0.9), digit(5, 0.8)]],
        "rows of digits": [[digit(1, 0.8), digit(7, 0.4)]],
    }
    assert photographs.confidences(lists, found) == ([0.9, 0.8, 0.4], [True, True, False], 1)
    (tmp_path / "rows.csv").unlink()
    with pytest.raises(DigitsError, match=r"rows\.csv"):
        photographs.find(tmp_path, None)


def test_misread_pictures_name_who_misread_them():
    mistake = {"file": "a.png", "written": "4", "read": "9", "model": "tiny", "format": "int8"}
    one = readings.misread_text([mistake], FORMATS)
    assert "a.png: written 4, read 9 (tiny, TFLite int8)" in one
    every = readings.misread_text([mistake, {**mistake, "format": "float32"}], FORMATS)
    assert "(tiny, all formats)" in every


# The page.


def test_the_page():
    plain = {"accuracy": 0.99, "standard_error": 0.003, "mistakes": 10, "ece": 0.0021}
    sets = {"letters": {"n": 20, "figures": by_format({"rejected": 0.85, "auroc": 0.987})}}
    calibrated = figures.calibration(np.array([0.9, 0.9]), np.array([True, False]))
    results = {
        "models": {
            "tiny": {
                "architecture": "tiny",
                "classes": 11,
                "parameters": 77914,
                "seed": 0,
                "date": "2026-11-22",
            }
        },
        "formats": FORMATS,
        "machine": "a machine",
        "versions": {"numpy": "2"},
        "date": "2026-11-23",
        "load": 0.5,
        "limit": 20,
        "seconds": 90,
        "command": "python scripts/report.py",
        "mnist": {"n": 1000, "figures": by_format({**plain, "bytes": 97272, "ms": 0.04})},
        "detection": {
            "kind": "int8",
            "detector": {"bytes": 290_000, "parameters": 246_964},
            "made_up": {
                "n": 9,
                "empty": 4,
                "drawn": True,
                "heights": [
                    {"digits": 10, "found": 9, "boxes": 12, "true": 9, "right": {"tiny": 8}}
                ]
                * 6,
                "labels": {"tiny": {"labels": 50, "true": 49, "frames": 1}},
            },
            "letters": {
                "fonts": 2,
                "letters": {"n": 40, "labelled": {"tiny": 3}, "right": {"tiny": 0}},
                "digits": {"n": 40, "labelled": {"tiny": 40}, "right": {"tiny": 38}},
            },
            "pictures": {
                "lists": {
                    "pages": {
                        "n": 2,
                        "whole": {"tiny": 1},
                        "cells": 81,
                        "alike": {"tiny": 80},
                        "labels": {"tiny": 82},
                    }
                },
                "misread": [],
            },
            "speed": {
                "model": "tiny",
                "kind": "int8",
                "ways": {"a picture": {"find": {"n": 9, "median_ms": 14, "p95_ms": 15.26}}},
            },
        },
        "corruptions": {
            "n": 20,
            "figures": by_format(
                {
                    "none": 0.99,
                    "mean": 0.7,
                    "kinds": {kind: [0.9, 0.8, 0.7] for kind in corruptions.KINDS},
                }
            ),
        },
        "rejection": {
            "crops": {"sets": sets, "lost": by_format(0.004), "digits": 1000},
            "frames": {"sets": sets, "n": 20, "digits": by_format({"right": 0.95, "lost": 0.02})},
        },
        "calibration": {"MNIST's test digits": by_format(calibrated)},
        "foreign": {"Semeion": {"n": 100, "right": by_format(0.9)}},
    }
    text = page.page(results)
    for line in (
        "| accuracy ± standard error | 99.00 ± 0.30 % | 99.00 ± 0.30 % |",
        "246,964 parameters, 0.29 MB",
        "| 8 to 12 | 10 | 90.0 % | 75.0 % | 80.0 % |",
        "| **all** | 60 | 90.0 % | 75.0 % | 80.0 % |",
        "| labels that are on a digit | 98.0 % |",
        "| of 4 frames without a digit, those with a label | 1 |",
        "| letters that get a label (40) | 7.5 % |",
        "| pages | 1 of 2 |",
        "| pages: digits in grids of nine lines | 80 of 81, 82 labels |",
        "| a picture | 14.0 (15.3) |",
        "| noise | 90.0 / 80.0 / 70.0 | 90.0 / 80.0 / 70.0 |",
        "| letters (20) | 85.0 %, 0.987 | 85.0 %, 0.987 |",
        "| MNIST test digits (1,000) | 0.40 % | 0.40 % |",
        "| ECE | 0.4000 | 0.4000 |",
        "| Semeion (100) | 90.0 ± 3.0 % | 90.0 ± 3.0 % |",
    ):
        assert line in text
    assert f"]({calibration.PICTURE})" in text
    # What was not measured has no section.
    assert photographs.TITLE not in text
    # Each row of a table has as many cells as its head.
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1


def test_the_card_has_the_runs_and_finds_the_pictures():
    row = {
        "epochs": 9,
        "digits_an_epoch": 172_000,
        "minutes": 15.0,
        "held_out_accuracy": 0.99,
        "machine": "a machine",
        "versions": {"tensorflow": "2", "keras": "3"},
    }
    rows = [{**row, "seed": seed, "test_accuracy": 0.995 + 0.001 * seed} for seed in range(3)]
    page = "# Measured\n\n## One\n\n![dots](dots.png)\n"
    sources = {
        "caveat": {"kind": "handwriting", "version": "5.1", "licence": "OFL-1.1"},
        "kalam": {"kind": "handwriting", "version": "5.2", "licence": "OFL-1.1"},
    }
    text = card.card(page, {"tiny": rows}, "../there", sources=sources)
    assert "- **handwriting**, OFL-1.1: caveat 5.1, kalam 5.2" in text
    assert "`tiny`: 99.60 ± 0.100 % over 3 seeds" in text
    assert "![dots](../there/dots.png)" in text
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# The shipped models"]
    assert "## Measured" in text
    assert "### One" in text
