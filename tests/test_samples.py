"""samples/: each is read right by the models that are shipped, and README.md's lines name them."""

import json

import pytest

from conftest import ROOT, run

pytest.importorskip("cv2")

SAMPLES = ROOT / "samples"
PAGE = "31415926 27182818 16180339 14142135 17320508 69314718 57721566 24142135"
TEXTS = {"seven.jpg": "7", "row.jpg": "4079 386", "page.jpg": PAGE.replace(" ", "\n")}


@pytest.mark.parametrize("model", ["tiny", "resnet"])
def test_every_picture_is_read_right(model):
    result = run("digits_tf.predict", SAMPLES, "--json", "--model", model)
    assert result.returncode == 0, result.stderr
    read = [json.loads(line) for line in result.stdout.splitlines()]
    names = [str(each["path"]).replace("\\", "/").rpartition("/")[2] for each in read]
    assert dict(zip(names, (each["text"] for each in read), strict=True)) == TEXTS


def test_the_clip_shows_three_digits_one_after_the_other():
    result = run("digits_tf.camera", "--source", SAMPLES / "board.mp4", "--headless", "--json")
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    ends = [*(line["time"] for line in lines[1:]), lines[-1]["time"]]
    # A digit stands for more than a second; while it is written, other readings come and go.
    long = [line["text"] for line, end in zip(lines, ends, strict=True) if end - line["time"] > 1]
    # The clip ends while the last one stands.
    assert [*filter(None, long)] == ["3", "0"]
    assert lines[-1]["text"] == "5"


def test_they_stay_small():
    assert sum(path.stat().st_size for path in SAMPLES.iterdir()) < 1_000_000
