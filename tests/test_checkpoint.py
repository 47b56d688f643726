"""Checkpoint files: what is written is read, what is damaged is refused. No TensorFlow."""

import json

import numpy as np
import pytest

from digits_tf.training import checkpoint
from digits_tf.training.run import Run


def row(epoch, held_out_loss=0.5):
    return {
        "epoch": epoch,
        "loss": 1.0,
        "accuracy": 0.25,
        "held_out_loss": held_out_loss,
        "held_out_accuracy": 0.75,
        "learning_rate": 1e-3,
        "seconds": 1,
    }


def state(epoch, average=()):
    """After some epochs; of more variables than have one digit."""
    model = [np.full((index + 1, 2), index, np.float32) for index in range(12)]
    history = [row(each) for each in range(1, epoch + 1)]
    return checkpoint.Checkpoint(epoch, history, model, [np.arange(3)], list(average))


def assert_same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("averaged", [False, True])
def test_what_is_saved_is_loaded(tmp_path, averaged):
    saved = state(3)
    if averaged:
        saved = state(3, [array + 0.5 for array in saved.model])
    path = checkpoint.save(saved, tmp_path)
    assert path == tmp_path / "epoch_0003_loss_1.0000_train_0.2500_held_out_0.7500.npz"
    assert list(tmp_path.iterdir()) == [path]
    loaded = checkpoint.load(path)
    assert (loaded.epoch, loaded.history) == (3, saved.history)
    assert_same(loaded.model, saved.model)
    assert_same(loaded.optimizer, saved.optimizer)
    assert_same(loaded.average, saved.average)
    assert_same(loaded.weights, saved.average if averaged else saved.model)


@pytest.mark.parametrize(
    "average", [[np.zeros((1, 2))], [np.zeros((index + 1, 3)) for index in range(12)]]
)
def test_an_average_of_other_weights_is_refused(tmp_path, average):
    path = checkpoint.save(state(1, average), tmp_path)
    with pytest.raises(ValueError, match=r"^damaged \(an average of other weights"):
        checkpoint.load(path)


@pytest.mark.parametrize("named", [1, 3])
def test_a_checkpoint_that_was_renamed_is_refused(tmp_path, named):
    path = checkpoint.save(state(2), tmp_path)
    path = path.rename(tmp_path / f"epoch_{named:04d}_.npz")
    with pytest.raises(ValueError, match=f"^damaged .expected a history of {named} epochs"):
        checkpoint.load(path)


@pytest.mark.parametrize("epochs", [(1,), (1, 2, 3), (2, 1), (0, 1)])
def test_a_history_of_other_epochs_is_refused(tmp_path, epochs):
    other = checkpoint.Checkpoint(2, [*map(row, epochs)], [], [], [])
    path = checkpoint.save(other, tmp_path).rename(tmp_path / "epoch_0002_.npz")
    with pytest.raises(ValueError, match="expected a history of 2 epochs"):
        checkpoint.load(path)


@pytest.mark.parametrize("epoch", [1, 3])
def test_another_epoch_than_the_historys_is_refused(tmp_path, epoch):
    other = checkpoint.Checkpoint(epoch, state(2).history, [], [], [])
    path = checkpoint.save(other, tmp_path)
    assert path.name.startswith("epoch_0002_")
    with pytest.raises(ValueError, match="expected a history of 2 epochs"):
        checkpoint.load(path)


def test_what_only_a_pickle_could_hold_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="pickle"):
        checkpoint.save(state(1, [np.array([{}])]), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_pickle_is_not_loaded(tmp_path):
    """It could run anything."""
    path = checkpoint.save(state(1), tmp_path)
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **arrays | {"model_0000": np.array([{}])})
    with pytest.raises(ValueError, match=r"^damaged .*allow_pickle=False"):
        checkpoint.load(path)


@pytest.mark.parametrize("key", checkpoint.COLUMNS[1:])
def test_a_history_of_other_things_than_numbers_is_refused(tmp_path, key):
    path = checkpoint.save(state(2), tmp_path)
    bad = checkpoint.Checkpoint(2, [row(1) | {key: "1"}, row(2)], [], [], [])
    checkpoint.save(bad, tmp_path)
    with pytest.raises(ValueError, match="expected numbers in its history"):
        checkpoint.load(path)


def test_a_damaged_or_missing_file_is_refused(tmp_path):
    path = checkpoint.save(state(1), tmp_path)
    content = path.read_bytes()
    middle = content.index(b"history")
    flipped = content[:middle] + bytes([content[middle] ^ 0x10]) + content[middle + 1 :]
    for damaged in (b"", content[:100], content[:-30], flipped):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"^damaged"):
            checkpoint.load(path)
    with pytest.raises(ValueError, match=r"^damaged"):
        checkpoint.load(tmp_path / "epoch_0009_.npz")


def test_checkpoints_are_listed_by_their_epoch_and_nothing_else_is(tmp_path):
    names = ["epoch_2_.npz", "epoch_0010_x.npz", "epoch_0009_y.npz"]
    for name in (*names, "epoch_best_.npz", "epoch_1_.npz.part", "epoch_3.npz", "best.keras"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in checkpoint.listed(tmp_path)] == [names[1], names[2], names[0]]
    with pytest.raises(ValueError, match="Expected a checkpoint's name"):
        checkpoint.epoch_of(tmp_path / "best.keras")


def test_checkpoints_are_pruned_but_for_the_best(tmp_path):
    rows = []
    for epoch, loss in enumerate([0.9, 0.1, 0.5, 0.6, 0.7], start=1):
        rows.append(row(epoch, loss))
        checkpoint.save(checkpoint.Checkpoint(epoch, list(rows), [], [], []), tmp_path)
    run = Run(tmp_path)
    best = run.best_row(rows)["epoch"]
    assert best == 2
    settings = {"settings": {"recipe": {"last_epoch": True}, "model": {}, "data": {}}}
    run.config_file.write_text(json.dumps(settings))
    assert run.best_row(rows) == rows[-1]
    assert rows[-1]["epoch"] != best
    for keep, kept in ((0, [1, 2, 3, 4, 5]), (2, [2, 4, 5]), (1, [2, 5])):
        checkpoint.prune(tmp_path, keep, best)
        assert sorted(map(checkpoint.epoch_of, checkpoint.listed(tmp_path))) == kept


def test_the_best_is_kept_after_many_epochs_too(tmp_path):
    for epoch in (998, 999, 1000, 1001):
        (tmp_path / f"epoch_{epoch:04d}_.npz").write_bytes(b"")
    checkpoint.prune(tmp_path, keep=1, best_epoch=999)
    assert [*map(checkpoint.epoch_of, checkpoint.listed(tmp_path))] == [1001, 999]
