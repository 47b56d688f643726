"""The command that trains the detector, from frames to the exported file."""

import csv
import json

import numpy as np
import pytest

from conftest import assert_one_line_error, run
from digits_tf.detection import detector, pyramid, windows
from digits_tf.detection.candidates import cells as cells_of
from digits_tf.recognition.tensorflow_models import open_any


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two steps without fonts and photographs, its folder and cache."""
    folder = tmp_path_factory.mktemp("trained")
    environment = {"DIGITS_TF_CACHE": str(folder / "cache")}
    words = ["digits_tf", "train-detector", "--sample", "--frames=200", "--epochs=1"]
    words += ["--steps_per_epoch=2", "--batch_size=4", "--run=here"]
    result = run(*words, cwd=folder, env=environment)
    assert result.returncode == 0, result.stderr[-3000:]
    return folder, words, environment, result


def test_a_run_ends_with_a_detector(trained):
    folder, _, _, result = trained
    assert "detector: here/detector; try it with --detector=here/detector" in result.stdout
    assert "digits-tf scenes-fetch" in result.stderr  # no fonts and no photographs
    here = folder / "here"
    names = {path.name for path in here.iterdir()}
    assert names >= {"config.json", "log.csv", "curves.png", "checkpoints", "best.keras"}
    with (here / "log.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert np.isfinite(float(row["held_out_loss"]))
    assert 0 <= float(row["held_out_accuracy"]) <= 1
    settings = json.loads((here / "config.json").read_text())["settings"]
    assert settings["model"] == {"name": "detector", "start": None}
    assert settings["data"]["frames"] == 200
    assert settings["data"]["world"] is None
    assert (here / "detector" / "detector" / "1" / "saved_model.pb").is_file()
    card = json.loads((here / "detector" / "detector.json").read_text())
    assert 200_000 < card["parameters"] <= 260_000
    assert (here / "detector" / "detector.tflite").stat().st_size < 300_000
    cache = folder / "cache" / "frames"
    assert {path.parent.name for path in cache.rglob("*.npz")} == {"train", "held_out"}


def test_the_exported_file_answers_as_the_model(trained):
    """8 bits against 32: on a real frame, where the logits are and where the boxes end."""
    folder = trained[0]
    opened = detector.load(folder / "here")
    model = open_any(folder / "here" / "best.keras")
    frame = windows.load(list((folder / "cache").rglob("held_out/frames-0000.npz")))[0]
    for level in pyramid.levels(frame.image):
        seen = level[:160, :160]
        seen = np.pad(seen, ((0, 160 - seen.shape[0]), (0, 160 - seen.shape[1])), mode="edge")
        heat, values = opened._network_for((160, 160)).predict(seen)
        expected = cells_of(np.asarray(model(seen.reshape(1, 160, 40, 4)))[0])
        assert heat.shape == (40, 40)
        reach = np.ptp(expected)
        assert np.abs(heat - expected[..., 0]).mean() < 0.03 * reach
        assert np.abs(values - expected[..., 1:]).mean() < 0.03 * reach
        assert np.abs(heat - expected[..., 0]).max() < 0.2 * reach


def test_a_run_is_resumed_and_not_begun_twice(trained):
    folder, words, environment, _ = trained
    config = (folder / "here" / "config.json").read_bytes()
    assert_one_line_error(run(*words, cwd=folder, env=environment), "--resume")
    other = run(*words, "--resume", "--learning_rate=0.5", cwd=folder, env=environment)
    assert_one_line_error(other, "recipe.learning_rate", "0.5", "leave out --learning_rate, or")
    before = (folder / "here" / "best.keras").read_bytes()
    frames = sorted((folder / "cache" / "frames").rglob("*.npz"))
    times = [path.stat().st_mtime_ns for path in frames]
    # The detector is lost: a resumed run writes it again, from the frames and weights of before.
    (folder / "here" / "detector" / "detector.tflite").unlink()
    own = ["digits_tf", "train-detector", "--run=here", "--resume"]
    result = run(*own, cwd=folder, env=environment)
    assert result.returncode == 0, result.stderr[-3000:]
    assert (folder / "here" / "detector" / "detector.tflite").is_file()
    assert (folder / "here" / "config.json").read_bytes() == config
    assert len((folder / "here" / "best.keras").read_bytes()) == len(before)
    assert [path.stat().st_mtime_ns for path in frames] == times


def test_help_and_wrong_flags():
    result = run("digits_tf", "train-detector", "--help")
    assert result.returncode == 0
    for flag in ("--frames", "--epochs", "--resume", "--precision", "--data_dir", "--frames_dir"):
        assert flag in result.stdout
    assert_one_line_error(run("digits_tf", "train-detector", "--frames=100"), "frames")
    assert_one_line_error(run("digits_tf", "train-detector", "--epochs=0"), "epochs")
