"""Training, resuming, and what can go wrong meanwhile. On real digits, the sample."""

import csv
import errno
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext

import keras
import numpy as np
import pytest

from conftest import assert_one_line_error, run
from digits_tf import files as storage
from digits_tf import runtime
from digits_tf.cli import run_flags
from digits_tf.data.digits import open_pair
from digits_tf.errors import DigitsError
from digits_tf.export import exporter
from digits_tf.models.resnet import ARCHITECTURES
from digits_tf.training import checkpoint, dataset, device, recipes, trainer
from digits_tf.training.recipes import Augmentation, Recipe
from digits_tf.training.run import Run

TINY = {"name": "tiny", **ARCHITECTURES["tiny"], "dropout": 0.1}
SHORT = Recipe(epochs=3, batch_size=40, augmentation=Augmentation(rotation=8))
CPU = device.Device("CPU", "float32", None, jit_compile=False)


@pytest.fixture(scope="module")
def data(sample):
    return dataset.split(sample.test, limit=400)


def train(folder, data, start=None, recipe=SHORT, limits=None, extra=(), **changes):
    run_folder = Run(folder)
    arguments = {"seed": 0, "device": CPU, **changes}
    limits = limits or trainer.Limits()
    history = trainer.train(
        run_folder, data, recipe, TINY, limits=limits, start=start, extra=extra, **arguments
    )
    return run_folder, history


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, data):
    return train(tmp_path_factory.mktemp("unbroken"), data)[0]


def copy_of(run_folder, tmp_path):
    return Run(shutil.copytree(run_folder.folder, tmp_path / "copy"))


class Break(keras.callbacks.Callback):
    """Ends a run as Ctrl-C would, in the middle of an epoch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self._when = (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self._epoch, batch) == self._when:
            raise KeyboardInterrupt


def assert_same_end(one, other):
    a, b = one.latest(), other.latest()
    assert a.epoch == b.epoch == SHORT.epochs
    for part in ("model", "optimizer", "average"):
        for left, right in zip(getattr(a, part), getattr(b, part), strict=True):
            assert np.array_equal(left, right)
    figures = ("epoch", "loss", "accuracy", "held_out_loss", "held_out_accuracy")
    assert [[row[key] for key in figures] for row in a.history] == [
        [row[key] for key in figures] for row in b.history
    ]
    assert one.best_file.exists()
    left, right = (keras.models.load_model(r.best_file, compile=False) for r in (one, other))
    for a, b in zip(left.get_weights(), right.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_a_run_folder_holds_everything(unbroken):
    names = {path.name for path in unbroken.folder.iterdir()}
    assert names == {"best.keras", "checkpoints", "curves.png", "log.csv"}
    with (unbroken.folder / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert float(rows[-1]["accuracy"]) > 0.5
    newest = checkpoint.listed(unbroken.checkpoints)[0].name
    assert newest.startswith(f"epoch_0003_loss_{float(rows[-1]['loss']):.4f}_train_")
    assert f"held_out_{float(rows[-1]['held_out_accuracy']):.4f}" in newest


def test_best_file_needs_nothing_of_this_package(unbroken, data):
    script = (
        "import sys, keras, numpy as np\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "assert model(np.zeros((1, 28, 28, 1), 'float32')).shape == (1, 10)\n"
        "assert not any(name.startswith('digits_tf') for name in sys.modules)\n"
    )
    words = [sys.executable, "-c", script, str(unbroken.best_file)]
    subprocess.run(words, check=True, cwd=unbroken.folder, capture_output=True)


def test_broken_off_and_resumed_ends_with_the_same_weights(tmp_path, data, unbroken):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, data, extra=[Break(epoch=1, batch=5)])
    broken = Run(tmp_path)
    assert broken.latest().epoch == 1
    # The random state of this process is far from where it was.
    keras.utils.set_random_seed(4711)
    resumed, _ = train(tmp_path, data, start=broken.latest())
    assert_same_end(unbroken, resumed)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_damaged_latest_checkpoint_is_said_and_the_one_before_taken(
    tmp_path, data, unbroken, damage, capsys
):
    broken = copy_of(unbroken, tmp_path)
    newest = checkpoint.listed(broken.checkpoints)[0]
    content = bytearray(newest.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flip":
        content[len(content) // 2] ^= 0x10
    newest.write_bytes(content if damage != "empty" else b"")
    start = broken.latest()
    assert start.epoch == 2
    assert f"{newest}: damaged" in capsys.readouterr().err
    broken.drop_after(start.epoch)
    assert not newest.exists()
    if damage == "flip":
        resumed, _ = train(broken.folder, data, start=start)
        assert_same_end(unbroken, resumed)


def test_best_file_of_an_earlier_epoch_is_made_again(tmp_path, data, unbroken):
    """A run killed between checkpoint and best.keras."""
    broken = copy_of(unbroken, tmp_path)
    broken.best_file.write_bytes(b"of an earlier epoch")
    resumed, _ = train(broken.folder, data, start=broken.latest())
    assert_same_end(unbroken, resumed)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"settings": 1}', '{"settings": {"recipe": {}, "model": 5}}', "[" * 10**5],
)
def test_settings_that_are_none_are_damaged(tmp_path, content):
    run = Run(tmp_path)
    run.config_file.write_text(content)
    for use in (run.settings, lambda: exporter.export(run, None)):
        with pytest.raises(DigitsError) as error:
            use()
        assert str(error.value).startswith(f"{run.config_file}: ")


def test_loss_that_is_not_finite_stops_and_says_the_step(tmp_path, data):
    recipe = Recipe(
        epochs=1, batch_size=40, learning_rate=1e30, warmup=None, augmentation=Augmentation()
    )
    with pytest.raises(DigitsError, match=r"the loss is (nan|inf) at step \d+ of epoch 1"):
        train(tmp_path, data, recipe=recipe)
    assert Run(tmp_path).latest() is None


class Spoil(keras.callbacks.Callback):
    """Makes the weights NaN in the last step of the second epoch, of which no loss tells."""

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self._epoch, batch) == (1, 9):
            variable = self.model.trainable_variables[0]
            variable.assign(variable * np.nan)


def test_weights_that_are_not_finite_are_not_saved(tmp_path, data, unbroken):
    with pytest.raises(DigitsError, match="weights are not finite at the end of epoch 2"):
        train(tmp_path, data, extra=[Spoil()])
    broken = Run(tmp_path)
    assert broken.latest().epoch == 1
    resumed, _ = train(tmp_path, data, start=broken.latest())
    assert_same_end(unbroken, resumed)


class Flip(keras.callbacks.Callback):
    """Changes a pixel in a file after the first epoch."""

    def __init__(self, path):
        super().__init__()
        self._path = path

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            flip(self._path)


def flip(path):
    content = bytearray(path.read_bytes())
    content[-400] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("stream", "early", "kept"), [(False, True, 0), (False, False, 2), (True, False, 1)]
)
def test_digits_that_change_are_not_trained_on(tmp_path, idx_pair, stream, early, kept):
    """Those in memory are compared once they are read, streamed ones before an epoch is saved."""
    digits = open_pair(*idx_pair)
    before = digits.hashes()

    def check():
        if digits.hashes() != before:
            raise DigitsError("changed")

    data = dataset.split(digits, stream=stream)
    if early:
        flip(idx_pair[0])
    recipe, extra = Recipe(epochs=2, batch_size=9), [Flip(idx_pair[0])]
    expected = pytest.raises(DigitsError, match="changed") if kept < 2 else nullcontext()
    with expected:
        train(tmp_path, data, recipe=recipe, extra=extra, check=check)
    latest = Run(tmp_path).latest()
    assert (latest.epoch if latest else 0) == kept


def test_two_trainings_do_not_share_a_folder(tmp_path):
    """The lock ends with the program that has it, however that ends."""
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from digits_tf.cli import run_flags\n"
        "with run_flags.locked(Path('here')):\n"
        "    print('locked', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", script]
    with subprocess.Popen(
        words, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "locked\n"
        with (
            pytest.raises(DigitsError, match="here: another training writes into this folder"),
            run_flags.locked(tmp_path / "here"),
        ):
            pass
        refused = run(*COMMAND, "--run=here", cwd=tmp_path)
        assert_one_line_error(refused, "another training writes", "another --run")
        other.kill()
    with run_flags.locked(tmp_path / "here"):
        pass


def test_full_disk_leaves_the_checkpoints_before(tmp_path, data, monkeypatch):
    real = np.savez
    calls = []

    def savez(path, **arrays):
        calls.append(path)
        if len(calls) == 2:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        real(path, **arrays)

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(OSError, match="space"):
        train(tmp_path, data)
    assert Run(tmp_path).latest().epoch == 1
    assert not list(tmp_path.rglob(".part-*"))


@pytest.mark.parametrize(("epochs", "ends_early"), [(2, True), (1, False)])
def test_time_limit_ends_a_run_between_epochs(tmp_path, data, capsys, epochs, ends_early):
    recipe = Recipe(epochs=epochs, batch_size=40)
    limits = trainer.Limits(steps_per_epoch=2, minutes=1e-6)
    _, history = train(tmp_path, data, recipe=recipe, limits=limits)
    assert len(history) == 1
    # Nothing is ended that has come to its end.
    assert ("time limit" in capsys.readouterr().err) is ends_early


def test_result_of_a_run_that_went_on_is_made_again(tmp_path, unbroken, sample):
    """A time limit had ended it."""
    finished = copy_of(unbroken, tmp_path)
    trainer.test(finished, sample.test)
    result = finished.result()
    for seconds, kept in ((result["train_seconds"], 0.5), (0.0, result["accuracy"])):
        changed = {**result, "accuracy": 0.5, "train_seconds": seconds}
        storage.write_json(finished.result_file, changed)
        trainer.test(finished, sample.test)
        assert finished.result()["accuracy"] == kept


def test_a_clock_that_is_set_back_leaves_the_time_left(monkeypatch):
    with runtime.bar(10, "", smoothing=0, disable=False, mininterval=0) as bar:
        now = time.time()
        monkeypatch.setattr("tqdm.std.time", lambda: now - 3600)
        monkeypatch.setattr(time, "time", lambda: now - 3600)
        time.sleep(0.01)
        assert bar.update(1)
        assert 0 < bar.format_dict["elapsed"] < 60


def test_mixed_precision_trains_and_saves_float32(tmp_path, data):
    half = device.choose("mixed_float16")
    recipe = Recipe(epochs=1, batch_size=40)
    limits = trainer.Limits(steps_per_epoch=2)
    try:
        found, history = train(tmp_path, data, recipe=recipe, device=half, limits=limits)
    finally:
        keras.config.set_dtype_policy("float32")
    assert len(history) == 1
    model = keras.models.load_model(found.best_file, compile=False)
    assert model.get_layer("stage1_block1_conv1").compute_dtype == "float32"


def test_precision_follows_the_hardware():
    assert device.choose().policy == "float32"
    assert device._native_policy([], has_tpu=False) == "float32"
    assert device._native_policy([{"compute_capability": (6, 1)}], False) == "float32"
    assert device._native_policy([{"compute_capability": (7, 0)}], False) == "mixed_float16"
    mixed = [{"compute_capability": (9, 0)}, {"compute_capability": (6, 1)}]
    assert device._native_policy(mixed, False) == "float32"
    assert device._native_policy([], has_tpu=True) == "mixed_bfloat16"


def test_several_devices_share_a_batch(tmp_path):
    """Two virtual CPUs stand in for two GPUs."""
    script = f"""
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from pathlib import Path
from digits_tf.data import mnist
from digits_tf.models.resnet import ARCHITECTURES
from digits_tf.training import dataset, device, trainer
from digits_tf.training.recipes import Recipe
from digits_tf.training.run import Run
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
two = device.Device("two", "float32", strategy, False)
data = dataset.split(mnist.sample().test, limit=200)
history = trainer.train(Run(Path({str(tmp_path)!r})), data, Recipe(epochs=2, batch_size=40),
    ARCHITECTURES["tiny"], 0, two, trainer.Limits())
assert len(history) == 2 and history[1]["loss"] < history[0]["loss"], history
print("replicas", strategy.num_replicas_in_sync)
"""
    words = [sys.executable, "-c", script]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    assert "replicas 2" in result.stdout


def test_reference_recipe_is_the_tutorials():
    reference = recipes.recipe("reference")
    assert (reference.architecture, reference.rescale) == ("resnet", 1.0)
    assert (reference.learning_rate, reference.batch_size, reference.epochs) == (1e-3, 1000, 100)
    assert (reference.warmup, reference.weight_decay, reference.average) == (None, 0, 0)
    assert not reference.augmentation.changes_anything
    # Its former name, which run folders and older command lines have.
    assert recipes.recipe("seed") is reference


COMMAND = [
    "digits_tf.train",
    "--sample",
    "--architecture=tiny",
    "--limit=300",
    "--batch_size=30",
    "--epochs=3",
]


def test_command_killed_and_resumed(tmp_path):
    """Kill -9 after the first epoch; then --resume."""
    words = [*COMMAND, "--run=here"]
    process = subprocess.Popen(
        [sys.executable, "-m", *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        for line in process.stderr:
            if line.startswith("epoch 1:"):
                break
        time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        process.wait()
        process.stderr.close()
    (tmp_path / "here" / ".part-abandoned.json").write_text("half")
    assert_one_line_error(run(*words, cwd=tmp_path), "--resume")
    nowhere = run(*COMMAND, "--run=there", "--resume", cwd=tmp_path)
    assert_one_line_error(nowhere, "there: no run to resume", "--resume")
    assert not (tmp_path / "there").exists()
    other = run(*words, "--resume", "--learning_rate=0.5", "--keep=2", cwd=tmp_path)
    assert_one_line_error(other, "recipe.learning_rate", "0.5", "leave out --learning_rate, or")
    # The other settings are the run's own.
    result = run("digits_tf.train", "--run=here", "--resume", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "going on after epoch" in result.stderr
    assert "test accuracy" in result.stderr
    names = {path.name for path in (tmp_path / "here").iterdir()}
    expected = {".lock", "config.json", "log.csv", "curves.png", "checkpoints", "best.keras"}
    assert names == expected | {"result.json", "confusion.png", "mistakes.png"}
    config = json.loads((tmp_path / "here" / "config.json").read_text())
    assert config["settings"]["recipe"]["epochs"] == 3
    assert config["settings"]["data"]["is_sample"]
    assert config["versions"]["keras"] == keras.__version__
    figures = json.loads((tmp_path / "here" / "result.json").read_text())
    assert figures["n"] == 1000
    assert np.sum(figures["confusion"]) == 1000
    assert figures["accuracy"] == pytest.approx(np.trace(figures["confusion"]) / 1000)
    before = (tmp_path / "here" / "result.json").read_bytes()
    again = run(*words, "--resume", cwd=tmp_path)
    assert again.returncode == 0
    assert "finished" in again.stderr
    assert (tmp_path / "here" / "result.json").read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a child alone")
def test_command_ends_on_ctrl_c_with_one_line(tmp_path):
    words = [sys.executable, "-m", *COMMAND, "--epochs=50", "--limit=3000"]
    process = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("epoch 1:"):
            break
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert "stopped; go on with: python -m digits_tf.train" in rest
    assert "go on with: python -m digits_tf.train --run=runs/run-001 --resume\n" in rest
    assert Run(tmp_path / "runs" / "run-001").latest().epoch >= 1


def test_command_streams_files(tmp_path, idx_pair):
    images, labels = idx_pair
    files = [
        f"--{part}_{kind}={path.name}"
        for part in ("train", "test")
        for kind, path in (("images", images), ("labels", labels))
    ]
    words = ["--architecture=tiny", "--epochs=1", "--batch_size=9", "--stream", "--run=here"]
    result = run("digits_tf.train", *files, *words, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "test accuracy" in result.stderr
    config = json.loads((tmp_path / "here" / "config.json").read_text())
    assert config["settings"]["data"]["stream"] is True
    # Files are found from any folder.
    (tmp_path / "other").mkdir()
    again = run("digits_tf.train", "--run=../here", "--resume", cwd=tmp_path / "other")
    assert again.returncode == 0, again.stderr
    assert "this run is finished" in again.stderr
    flip(images)
    changed = run("digits_tf.train", "--run=here", "--resume", cwd=tmp_path)
    assert_one_line_error(changed, "here was started otherwise (data.sha256.", "another --run")


def test_preview_draws_and_does_not_train(tmp_path):
    result = run("digits_tf.train", "--sample", "--preview=seen.png", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["seen.png"]


def test_help_and_wrong_flags():
    result = run("digits_tf.train", "--help")
    assert result.returncode == 0
    for flag in ("--recipe", "--epochs", "--precision", "--resume", "--architecture", "--data_dir"):
        assert flag in result.stdout
    assert "Default: 12; the reference recipe's: 100." in result.stdout
    assert_one_line_error(run("digits_tf.train", "--epochs=0"), "epochs")
    assert_one_line_error(run("digits_tf.train", "--precision=float8"), "precision")


def test_tensorboard_is_asked_for_before_the_run_begins(tmp_path):
    if importlib.util.find_spec("tensorboard"):
        pytest.skip("TensorBoard is installed")
    result = run("digits_tf.train", "--sample", "--tensorboard", "--run=r", cwd=tmp_path)
    assert_one_line_error(result, "digits_tf[tensorboard]")
    assert not list(tmp_path.iterdir())


def test_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file.txt"
    storage.write_bytes(path, b"old")
    with pytest.raises(RuntimeError), storage.replacing(path) as beside:
        beside.write_bytes(b"new, but")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]
