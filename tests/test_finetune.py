"""A model of one's own: from the shipped one, its own digits, and without forgetting."""

import types

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs digits_tf[train]")

from conftest import ROOT, assert_one_line_error, run
from digits_tf import recognition
from digits_tf.cli import finetune as command
from digits_tf.data import mnist
from digits_tf.data.collection import Collection
from digits_tf.data.digits import BACKGROUND
from digits_tf.errors import DigitsError
from digits_tf.export import exporter
from digits_tf.training import finetune
from digits_tf.training.finetune import Comparison, Rehearsal, Tuner
from digits_tf.training.run import Run

TINY = ROOT / "saved_models" / "tiny"


@pytest.fixture(scope="module")
def base():
    return finetune.open_base(TINY)[0]


@pytest.fixture(scope="module")
def rehearsal(sample):
    images, labels = sample.train.read()
    dark = np.random.default_rng(0).integers(0, 60, (20, 28, 28)).astype(np.uint8)
    return Rehearsal(images[:600], labels[:600], dark)


@pytest.fixture
def few_steps(monkeypatch):
    monkeypatch.setattr(finetune, "STEPS", 30)


def test_the_shipped_model_is_where_it_begins(base, sample):
    images, _ = sample.test.read()
    shipped = recognition.load(TINY).probabilities(images[:200])
    assert np.abs(finetune.probabilities(base, images[:200]) - shipped).max() < 1e-3


def lying(sample, count=15):
    """Sevens that lie on their side, as their owner writes them."""
    images, labels = sample.test.read()
    return np.rot90(images[labels == 7][:count], axes=(1, 2)), np.full(count, 7, np.uint8)


@pytest.mark.usefixtures("few_steps")
def test_it_learns_what_is_new_and_keeps_what_it_knew(base, rehearsal, sample):
    images, labels = lying(sample)
    before = base.get_weights()
    steps = []
    tuner = Tuner(base, rehearsal, 0, lambda: steps.append(1))
    tuner.tune(images[:10], labels[:10])
    assert len(steps) == 30
    assert finetune.is_right(tuner.model, images[10:], labels[10:]).mean() >= 0.6
    every, names = sample.test.read()
    assert finetune.is_right(tuner.model, every, names).mean() > 0.95
    # The base and the statistics of its normalization are as they were.
    assert all((one == other).all() for one, other in zip(before, base.get_weights(), strict=True))
    moving = [
        (one.numpy() == other.numpy()).all()
        for one, other in zip(base.variables, tuner.model.variables, strict=True)
        if "moving" in one.path
    ]
    assert moving
    assert all(moving)
    # Each tuning begins anew.
    first = tuner.model.get_weights()
    tuner.tune(images[:10], labels[:10])
    again = tuner.model.get_weights()
    assert max(np.abs(one - other).max() for one, other in zip(first, again, strict=True)) < 1e-3


def test_each_fifth_is_read_by_a_model_that_has_not_seen_it(base, rehearsal, monkeypatch):
    images = np.zeros((10, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(10)
    labels = np.array([1] * 9 + [BACKGROUND], np.uint8)
    tuner = Tuner(base, rehearsal, 0)
    seen = []
    monkeypatch.setattr(tuner, "tune", lambda images, labels: seen.append(set(images[:, 0, 0])))

    def is_right(model, images, labels):
        assert seen[-1].isdisjoint(images[:, 0, 0])
        assert len(seen[-1]) + len(images) == 10
        return np.ones(len(images), bool)

    monkeypatch.setattr(finetune, "is_right", is_right)
    assert tuner.cross_validate(images, labels).all()
    assert len(seen) == 5


def test_folds_deal_each_label_evenly():
    labels = np.repeat([3, 7, 10], [10, 5, 1])
    fold = finetune.folds(labels, 0)
    assert sorted(fold[:10]) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert sorted(fold[10:15]) == [0, 1, 2, 3, 4]
    assert len(np.unique(finetune.folds(np.arange(5), 0))) == 5


def test_a_difference_that_chance_makes_is_not_worse():
    def compared(lost, won, both=100):
        before = np.repeat([True, False, True], [lost, won, both])
        after = np.repeat([False, True, True], [lost, won, both])
        return Comparison(before, after)

    assert not compared(3, 0).is_worse
    assert compared(9, 0).is_worse
    assert not compared(20, 12).is_worse
    assert compared(2, 7).won == 5
    assert str(compared(1, 0, 99)) == "100.00% -> 99.00% of 100"
    assert str(compared(0, 0, 0)) == "not measured"


@pytest.mark.usefixtures("few_steps")
def test_the_command_exports_what_is_better(tmp_path, monkeypatch, sample, capsys):
    own = Collection(tmp_path / "own")
    for image, label in zip(*lying(sample), strict=True):
        own.add(image, int(label))
    own.add(np.eye(28, dtype=np.uint8) * 255, BACKGROUND)
    monkeypatch.setattr(finetune, "BACKGROUNDS", 50)
    monkeypatch.setattr(finetune, "BACKGROUNDS_HELD_OUT", 20)
    monkeypatch.setattr(mnist, "find", lambda *words: sample)
    monkeypatch.setattr(command.run_flags, "given", dict)
    monkeypatch.setattr(command.data_flags, "selection", lambda: {"data_dir": str(own.folder)})
    monkeypatch.setattr(command.run_flags, "SEED", types.SimpleNamespace(value=0))
    command.main("tiny", tmp_path / "run")
    told = capsys.readouterr().err
    assert "tiny and 16 pictures of your own" in told
    assert "no digit" in told
    path = tmp_path / "run" / "tflite" / "digits_mixed.tflite"
    assert f"--model={path}" in told
    images, labels = lying(sample, 30)
    model = recognition.load(path)
    assert (model.probabilities(images[15:]).argmax(axis=1) == labels[15:]).mean() >= 0.6
    # What is no better is not exported.
    monkeypatch.setattr(exporter, "export", lambda *words, **options: pytest.fail("exported"))
    command._tell(Run(tmp_path / "run"), "tiny", {}, False, sample)
    assert "the new model is no better: go on with tiny" in capsys.readouterr().err


def test_what_cannot_be_a_base_is_said(tmp_path):
    with pytest.raises(DigitsError, match=r"expected a \.keras file"):
        finetune.open_base(tmp_path / "none.keras")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken.json").write_text('{"architecture": {"name": "tiny"}}')
    with pytest.raises(DigitsError, match="not a model that can be trained further"):
        finetune.open_base(tmp_path / "broken")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "own: no digits of your own: collect some with digits-tf teach"),
        (("--data_dir=few",), "expected at least 5 pictures, found 3"),
        (("--data_dir=few", "--epochs=3"), "--finetune settles that itself: leave out --epochs"),
    ],
)
def test_the_command_says_what_it_needs(tmp_path, words, says):
    own = Collection(tmp_path / "few")
    for number in range(3):
        own.add(np.full((28, 28), number, np.uint8), number)
    assert_one_line_error(run("digits_tf.train", "--finetune=tiny", *words, cwd=tmp_path), says)
