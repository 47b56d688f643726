"""From a trained run to the files that are used, and reading digits with each of them."""

import json
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from conftest import SEED_PICTURES, assert_one_line_error, run
from digits_tf import files, recognition
from digits_tf.data import idx
from digits_tf.data.digits import ArrayDigits, open_pictures
from digits_tf.errors import DigitsError
from digits_tf.evaluation.score import Score, score
from digits_tf.export import exporter, serving, tflite
from digits_tf.export.parity import Parity, mcnemar
from digits_tf.litert import check_file
from digits_tf.models.resnet import ARCHITECTURES, resnet
from digits_tf.recognition import Classifier

cv2 = pytest.importorskip("cv2")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A run of the command line on the sample, and its export."""
    folder = tmp_path_factory.mktemp("exported")
    words = ["--sample", "--architecture=tiny", "--epochs=4", "--batch_size=50", "--noexact"]
    trained = run("digits_tf.train", *words, "--learning_rate=0.008", cwd=folder)
    assert trained.returncode == 0, trained.stderr
    result = run("digits_tf.export", cwd=folder)
    assert result.returncode == 0, result.stderr
    (folder / "said.txt").write_text(result.stderr)
    return folder


RUN = "runs/run-001"
FILES = {
    "keras": f"{RUN}/best.keras",
    "run": RUN,
    "saved_model": f"{RUN}/saved_models/digits",
    "float32": f"{RUN}/tflite/digits_float32.tflite",
    "float16": f"{RUN}/tflite/digits_float16.tflite",
    "int8": f"{RUN}/tflite/digits_int8.tflite",
    "mixed": f"{RUN}/tflite/digits_mixed.tflite",
}


def test_an_export_lies_in_its_run_and_says_how_to_read_with_it(exported):
    assert sorted(path.name for path in exported.iterdir()) == ["runs", "said.txt"]
    lines = (exported / "said.txt").read_text().splitlines()
    written = [f"written: {Path(FILES[kind])}" for kind in list(FILES)[2:]]
    command = f"python -m digits_tf.camera --model={FILES['mixed']}"
    assert lines[-6:] == [*written, f"to read with it: {command}"]


def test_sample_run_reads_digits(exported):
    figures = json.loads((exported / "runs/run-001/result.json").read_text())
    assert figures["accuracy"] > 0.9


@pytest.mark.parametrize("kind", FILES)
def test_every_file_reads_the_same(exported, sample, kind):
    images, labels = sample.test.read()
    original = recognition.load(exported / FILES["keras"]).probabilities(images)
    model = recognition.load(exported / FILES[kind])
    found = model.probabilities(images)
    assert found.shape == (1000, 10)
    assert found.dtype == np.float32
    assert np.allclose(found.sum(axis=1), 1, atol=0.03 if kind == "int8" else 1e-5)
    if kind not in ("keras", "run"):
        # What is exported is as sure as its temperature lets it be.
        card = json.loads((exported / RUN / "saved_models/digits.json").read_text())
        original = original.astype(np.float64) ** (1 / card["temperature"])
        original /= original.sum(axis=1, keepdims=True)
    tolerance = {"float16": 1e-2, "int8": 0.3, "mixed": 0.3}.get(kind, 1e-4)
    assert np.abs(found - original).max() <= tolerance
    assert np.mean(found.argmax(1) == labels) > 0.9
    # One at a time, none, and many give the same.
    assert np.allclose(model.probabilities(images[:1]), found[:1], atol=1e-5)
    assert model.probabilities(images[:0]).shape == (0, 10)


def test_cards_describe_the_files(exported):
    for kind in ("float32", "float16", "mixed", "int8"):
        path = exported / FILES[kind]
        card = json.loads(path.with_suffix(".json").read_text())
        assert card["sha256"] == files.sha256(path)
        assert card["labels"] == list("0123456789")
        assert card["parameters"] == 77_914
        assert card["test_digits"] == 1000
        assert card["data"]["is_sample"] is True
        assert card["input"]["name"] == "image"
        assert card["input"]["shape"] == [-1, 28, 28, 1]
    assert card["input"]["dtype"] == card["output"]["dtype"] == "uint8"
    assert (card["input"]["scale"], card["input"]["zero_point"]) == (1.0, 0)


def test_saved_model_serves_and_stores_variables_once(exported):
    folder = exported / FILES["saved_model"] / "1"
    loaded = tf.saved_model.load(str(folder))
    serve = loaded.signatures["serving_default"]
    out = serve(image=tf.zeros((3, 28, 28, 1)))
    assert out["probabilities"].shape == (3, 10)
    parameters = resnet(**ARCHITECTURES["tiny"]).count_params()
    stored = sum(path.stat().st_size for path in (folder / "variables").iterdir())
    assert 4 * parameters < stored < 4.5 * parameters


def test_tflite_has_no_flex_operators(exported):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(exported / FILES["int8"]))
    names = {op["op_name"] for op in interpreter._get_ops_details()}
    assert names
    assert not any(name.startswith("Flex") for name in names)


def test_flex_operators_fail_the_conversion(tmp_path):
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec((None, 28, 28, 1), tf.float32, name="image")])
    def serve(image):
        ones = tf.ones((tf.shape(image)[0], 10))
        return {"probabilities": ones * tf.math.betainc(2.0, 2.0, tf.reduce_mean(image))}

    module.serve = serve
    signatures = {"serving_default": serve.get_concrete_function()}
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=signatures)
    with pytest.raises(RuntimeError, match=r"(?i)flex|betainc|select"):
        tflite.convert(tmp_path / "model", "float32", np.zeros((1, 28, 28, 1), np.uint8))


def test_mixed_precision_models_export(tmp_path, sample):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = resnet(**ARCHITECTURES["tiny"])
    finally:
        keras.config.set_dtype_policy("float32")
    model.save(tmp_path / "mixed.keras")
    reloaded = keras.models.load_model(tmp_path / "mixed.keras", compile=False)
    copy = serving.float32_copy(reloaded)
    assert copy.get_layer("stage1_block1_conv1").compute_dtype == "float32"
    serving.save(serving.with_softmax(copy), tmp_path / "served")
    images, _ = sample.test.read()
    content = tflite.convert(tmp_path / "served", "float32", images[:10][..., None])
    (tmp_path / "mixed.tflite").write_bytes(content)
    found = recognition.load(tmp_path / "mixed.tflite").probabilities(images[:50])
    expected = recognition.load(tmp_path / "mixed.keras").probabilities(images[:50])
    assert np.abs(found - expected).max() < 0.02


@pytest.fixture(scope="module")
def doubtful():
    """A network with a class for what is no digit, untrained but for how sure it is."""
    keras.utils.set_random_seed(3)
    model = resnet((1,), (8,), stem_kernel=3, classes=11)
    kernel, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([4 * kernel, bias])
    return model


def test_what_is_no_digit_is_missing_from_the_sum(tmp_path, sample, doubtful):
    images = sample.test.read()[0][::10]
    logits = doubtful.predict(images[..., None].astype(np.float32), verbose=0)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert 0.01 < shares[:, 10].max() < 0.99
    path = tmp_path / "doubtful.keras"
    doubtful.save(path)
    serving.save(serving.with_softmax(doubtful), tmp_path / "served")
    paths = {"keras": path, "saved_model": tmp_path / "served"}
    for kind in ("float32", "int8", "mixed"):
        paths[kind] = tmp_path / f"{kind}.tflite"
        content = tflite.convert(tmp_path / "served", kind, images[..., None])
        paths[kind].write_bytes(content)
    for kind, path in paths.items():
        found = recognition.load(path).probabilities(images)
        assert found.shape == (100, 10)
        tolerance = 0.08 if kind in ("int8", "mixed") else 1e-4
        assert np.abs(found - shares[:, :10]).max() < tolerance, kind


def test_mixed_files_tell_digits_apart_that_are_hardly_any(tmp_path, sample, doubtful):
    """8-bit probabilities are all 0 where "no digit" takes nearly all."""
    copy = serving.float32_copy(doubtful)
    kernel, bias = copy.get_layer("logits").get_weights()
    bias[10] += 20
    copy.get_layer("logits").set_weights([kernel, bias])
    images = sample.test.read()[0][::10]
    serving.save(serving.with_softmax(copy), tmp_path / "served")
    logits = copy.predict(images[..., None].astype(np.float32), verbose=0)[:, :10]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = {}
    for kind in ("int8", "mixed"):
        path = tmp_path / f"{kind}.tflite"
        path.write_bytes(tflite.convert(tmp_path / "served", kind, images[..., None]))
        found[kind] = recognition.load(path).probabilities(images)
        assert found[kind].max() < 0.01
    assert np.count_nonzero(found["int8"]) == 0
    shares = found["mixed"] / found["mixed"].sum(axis=1, keepdims=True)
    assert np.abs(shares - expected).max() < 0.08


def test_unknown_kinds_are_refused(tmp_path):
    with pytest.raises(ValueError, match="int4"):
        tflite.convert(tmp_path, "int4", np.zeros((1, 28, 28, 1), np.uint8))


@pytest.mark.parametrize("count", [7, 1000, 1999, 12_345])
def test_ranges_come_from_all_over_the_digits(count):
    numbers = np.arange(count)
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = numbers // 256, numbers % 256
    digits = ArrayDigits(images, np.zeros(count, np.uint8), "numbered")
    chosen = exporter.representative(digits, 1000)
    found = 256 * chosen[:, 0, 0, 0].astype(int) + chosen[:, 0, 1, 0]
    assert chosen.shape[1:] == (28, 28, 1)
    assert len(found) == min(count, 1000)
    gaps = np.diff([*found, count])
    assert found[0] == 0
    assert gaps.max() - gaps.min() <= 1


def test_temperature_is_the_likeliest_one(sample):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (20_000, 10))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (shares.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    for factor in (0.5, 1.0, 2.5):
        found = serving.temperature(factor * logits, labels)
        assert found == pytest.approx(factor, rel=0.05)


def test_temperature_is_built_in(doubtful, sample):
    images, labels = (each[::20] for each in sample.test.read())
    pixels = images[..., None].astype(np.float32)
    before = doubtful.predict(pixels, verbose=0)
    copy = serving.float32_copy(doubtful)
    found = serving.calibrate(copy, images, labels)
    assert found == serving.temperature(before, labels)
    assert abs(np.log(found)) > 0.1
    assert np.allclose(copy.predict(pixels, verbose=0), before / found, atol=1e-5)


class Fake(Classifier):
    """Reads the digit off pixel (0, 0), wrongly where the next is `blind`; `fault` spoils it."""

    def __init__(self, fault=None, blind=255):
        self._fault, self._blind = fault, blind

    def probabilities(self, images):
        digits = images[:, 0, 0] + (images[:, 0, 1] == self._blind)
        result = np.eye(10, dtype=np.float32)[digits % 10]
        if self._fault == "nan":
            result[:] = np.nan
        elif self._fault == "shifted":
            result = np.roll(result, 1, axis=1)
        elif self._fault == "slightly":
            result = result * np.float32(0.9995)
        return result


def fake_digits(count):
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0] = labels = np.arange(count) % 10
    return ArrayDigits(images, labels.astype(np.uint8), "fake")


@pytest.mark.parametrize(
    ("kind", "fault", "passes"),
    [
        ("float32", None, True),
        ("float32", "slightly", False),
        ("float16", "slightly", True),
        ("int8", "slightly", True),
        ("int8", "shifted", False),
        ("int8", "nan", False),
        ("saved_model", "nan", False),
    ],
)
def test_parity_notices_what_reads_otherwise(kind, fault, passes):
    score, fault = Parity(Fake(), fake_digits(1000)).check(kind, Fake(fault))
    assert score.count == 1000
    assert (fault == "") == passes


@pytest.mark.parametrize(
    ("lost", "gained", "passes"),
    [
        (6, 0, True),  # chance
        (10, 0, True),  # hardly chance, and nothing lost that matters
        (11, 0, False),
        (60, 45, True),  # chance
        (60, 25, False),
        (0, 100, True),
    ],
)
def test_digits_lost_count_if_they_are_many_and_no_mcnemar(lost, gained, passes):
    digits = fake_digits(10_000)
    digits.images[:lost, 0, 1] = 1
    digits.images[lost : lost + gained, 0, 1] = 2
    score, fault = Parity(Fake(blind=2), digits).check("int8", Fake(blind=1))
    assert score.mistakes == lost
    assert (fault == "") == passes
    if fault:
        assert f"{lost} are misread by it alone, {gained} by the run's model alone" in fault


def test_chance_is_mcnemars():
    assert mcnemar(0, 0) == mcnemar(1, 0) == mcnemar(7, 7) == 1
    assert mcnemar(0, 8) == mcnemar(8, 0) == 2 / 2**8
    assert mcnemar(9, 1) == 2 * (1 + 10) / 2**10
    assert 0 < mcnemar(560, 440) < 0.001
    assert mcnemar(9000, 1) == 0


def test_failed_export_writes_nothing(exported, tmp_path):
    shutil.copytree(exported / RUN, tmp_path / RUN, ignore=shutil.ignore_patterns("*digits*"))
    before = sorted(tmp_path.rglob("*"))
    (tmp_path / FILES["keras"]).write_bytes(b"PK damaged")
    assert_one_line_error(run("digits_tf.export", cwd=tmp_path), "best.keras")
    for words, part in (
        (["nowhere"], "run folder"),
        (["--formats=mixed,int4"], "int4"),
        (["--formats="], "--formats"),
        (["--name=.."], "--name"),
    ):
        assert_one_line_error(run("digits_tf.export", *words, cwd=tmp_path), part)
    assert sorted(tmp_path.rglob("*")) == before


def test_broken_off_between_two_moves_leaves_no_model_with_anothers_json(tmp_path, monkeypatch):
    for place in ("old", "new"):
        path = tmp_path / place / "a.tflite"
        path.parent.mkdir()
        path.write_text(place)
        files.write_json(path.with_suffix(".json"), {"sha256": files.sha256(path)})
    move, out = files.replace_tree, tmp_path / "old"

    def move_no_json(fresh, target):
        if fresh.suffix == ".json":
            raise KeyboardInterrupt
        move(fresh, target)

    monkeypatch.setattr(files, "replace_tree", move_no_json)
    stage = tmp_path / "new"
    with pytest.raises(KeyboardInterrupt):
        exporter._place(sorted(stage.iterdir()), stage, out)
    assert (out / "a.tflite").read_text() == "new"
    assert check_file(out / "a.tflite") == {}


def test_what_passes_is_written_and_the_rest_by_force(exported, tmp_path):
    shutil.copytree(exported / RUN, tmp_path / RUN)
    script = (
        "import runpy\n"
        "from digits_tf.export import parity\n"
        "parity.TOLERANCES['mixed'] = 0.0\n"
        "runpy.run_module('digits_tf.export', run_name='__main__', alter_sys=True)\n"
    )

    def export(*words):
        command = [sys.executable, "-c", script, *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    mixed = str(Path(FILES["mixed"]))
    old = (tmp_path / mixed).stat().st_mtime_ns
    result = export("--formats=float32,mixed")
    assert result.returncode == 1, result.stderr
    assert "TFLite mixed: not written (--force writes it): a probability differs" in result.stderr
    assert f"left as it was, of an earlier export: {mixed}" in result.stderr
    assert f"--model={FILES['float32']}" in result.stderr.splitlines()[-1]
    assert (tmp_path / mixed).stat().st_mtime_ns == old
    assert_one_line_error(export("--formats=mixed", "--out=new"), "nothing was written")
    assert list((tmp_path / "new").iterdir()) == []
    result = export("--formats=mixed", "--out=new", "--force")
    assert result.returncode == 0, result.stderr
    assert "written all the same: a probability differs" in result.stderr
    names = {path.name for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert names == {"digits_mixed.tflite", "digits_mixed.json"}
    recognition.load(tmp_path / "new/tflite/digits_mixed.tflite")


def test_damaged_files_are_refused(exported, tmp_path):
    good = (exported / FILES["float32"]).read_bytes()
    cases = {
        "flipped.tflite": good[:5000] + bytes([good[5000] ^ 1]) + good[5001:],
        "text.tflite": b"hello",
        "empty.keras": b"",
        "zip.keras": b"PK\x05\x06" + bytes(18),
        "what.onnx": b"x",
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
    shutil.copy((exported / FILES["float32"]).with_suffix(".json"), tmp_path / "flipped.json")
    with pytest.raises(DigitsError, match="SHA-256"):
        recognition.load(tmp_path / "flipped.tflite")
    for name in [*list(cases)[1:], "missing.tflite", "."]:
        with pytest.raises(DigitsError) as error:
            recognition.load(tmp_path / name)
        assert "\n" not in str(error.value)
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"x")
    with pytest.raises(DigitsError, match="SavedModel"):
        recognition.load(tmp_path)


def test_evaluate_prints_tables_and_json(exported, idx_pair, tmp_path):
    images, labels = idx_pair
    words = ["digits_tf.evaluate", "--images", images, "--labels", labels]
    drawings = ["--confusion", tmp_path / "c.png", "--mistakes", tmp_path / "m.png"]
    result = run(*words, *drawings, cwd=exported)
    assert result.returncode == 0, result.stderr
    assert "accuracy: " in result.stdout
    assert "true \\ read" in result.stdout
    assert (tmp_path / "c.png").exists()
    assert (tmp_path / "m.png").exists()
    for kind in ("int8", "saved_model"):
        result = run(*words, "--json", "--model", FILES[kind], cwd=exported)
        assert result.returncode == 0, result.stderr
        figures = json.loads(result.stdout)
        assert figures["n"] == 40
        assert figures["accuracy"] > 0.8
        assert np.trace(figures["confusion"]) == 40 - figures["mistakes"]
        assert len(figures["digits"]) == 10


def test_evaluate_needs_no_tensorflow_for_tflite(exported, idx_pair):
    images, labels = idx_pair
    script = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'matplotlib'): sys.modules[name] = None\n"
        "import runpy\n"
        "runpy.run_module('digits_tf.evaluate', run_name='__main__', alter_sys=True)\n"
    )
    words = [sys.executable, "-c", script, f"--images={images}", f"--labels={labels}"]
    result = subprocess.run(words, cwd=exported, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "accuracy: " in result.stdout
    needing = [*words, f"--model={FILES['keras']}"]
    result = subprocess.run(needing, cwd=exported, capture_output=True, text=True, check=False)
    assert_one_line_error(result, "TensorFlow", "pip install")
    # What cannot be drawn is said before the digits are read.
    drawing = [*words, "--confusion=drawn.png"]
    result = subprocess.run(drawing, cwd=exported, capture_output=True, text=True, check=False)
    assert_one_line_error(result, "matplotlib", "pip install")
    assert result.stdout == ""


def test_evaluate_reads_folders_of_pictures(exported, sample, tmp_path):
    images, labels = sample.test.read()
    for number in range(0, 1000, 100):
        image = images[number]
        image = 255 - image if number % 200 else image
        cv2.imwrite(str(tmp_path / f"{labels[number]}_{number}.png"), image)
    (tmp_path / "notes.txt").write_text("no picture")
    result = run("digits_tf.evaluate", tmp_path, "--json", cwd=exported)
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert figures["n"] == 10
    assert figures["accuracy"] >= 0.8
    cv2.imwrite(str(tmp_path / "5_large.png"), np.zeros((30, 40), np.uint8))
    assert_one_line_error(run("digits_tf.evaluate", tmp_path, cwd=exported), "40x30", "5_large")
    (tmp_path / "5_large.png").write_bytes(b"no picture")
    assert_one_line_error(run("digits_tf.evaluate", tmp_path, cwd=exported), "5_large")
    (tmp_path / "5_large.png").rename(tmp_path / "five.png")
    assert_one_line_error(run("digits_tf.evaluate", tmp_path, cwd=exported), "five.png")


def test_evaluate_errors(exported, idx_pair, tmp_path):
    images, labels = idx_pair
    cases = [
        (["--images", images], "--labels"),
        (["--images", labels, "--labels", images], "swapped"),
        ([tmp_path / "no"], "no such folder"),
        ([images], "found a file"),
        ([tmp_path, "--images", images, "--labels", labels], "both"),
        (["--images", images, "--labels", labels, "--model", "no.tflite"], "no such model"),
    ]
    for words, part in cases:
        assert_one_line_error(run("digits_tf.evaluate", *words, cwd=exported), part)


def test_transposed_digits_are_hinted_at(exported, sample, tmp_path):
    images, labels = sample.test.read()
    idx.write_idx(tmp_path / "images", images.transpose(0, 2, 1))
    idx.write_idx(tmp_path / "labels", labels)
    words = ["digits_tf.evaluate", "--images", tmp_path / "images", "--labels", tmp_path / "labels"]
    assert "--transposed" in run(*words, cwd=exported).stderr
    result = run(*words, "--transposed", "--json", cwd=exported)
    assert json.loads(result.stdout)["accuracy"] > 0.9


def test_scoring_streams():
    """Ten times the digits, the same memory."""

    def peak(count):
        def batches():
            for _ in range(count // 100):
                yield fake.images, fake.label_array

        fake = fake_digits(100)
        tracemalloc.start()
        result = score(Fake("shifted").probabilities, batches())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert result.count == result.mistakes == count
        return most

    assert peak(20_000) < 1.2 * peak(2_000)


def test_score_counts():
    result = Score()
    images = np.zeros((3, 28, 28), np.uint8)
    probabilities = np.eye(10, dtype=np.float32)[[1, 2, 2]]
    result.add(images, np.array([1, 2, 7]), probabilities)
    assert (result.count, result.mistakes) == (3, 1)
    assert result.accuracy == pytest.approx(2 / 3)
    assert result.confusion[7, 2] == 1
    assert result.mistake_labels.tolist() == [7]
    digits = result.as_dict()["digits"]
    assert digits[2] == {"digit": 2, "n": 1, "recall": 1.0, "precision": 0.5}
    assert digits[0]["recall"] is None


@pytest.mark.skipif(not SEED_PICTURES.is_dir(), reason="the seed's pictures are not here")
def test_seed_pictures_with_the_shipped_model():
    """The seed's program reads 36 of these 37."""
    try:
        model = recognition.load()
    except DigitsError:
        pytest.fail("no model is shipped")
    result = score(model.probabilities, open_pictures(SEED_PICTURES).batches(50))
    assert result.count == 37
    assert result.mistakes <= 1


def test_shipped_models_are_what_their_cards_say():
    for kind in ("float32", "float16", "int8", "mixed"):
        path = recognition.shipped_model("tiny", kind)
        card = json.loads(path.with_suffix(".json").read_text())
        assert files.sha256(path) == card["sha256"]
        assert not card["data"]["is_sample"]
        assert card["test_digits"] == 10_000
        assert card["test_accuracy"] > 0.995


def test_shipped_model_reads_the_sample(sample):
    """All of the sample are training digits of MNIST: this shows that files and code fit."""
    images, labels = sample.test.read()
    for kind in ("float32", "int8", "mixed"):
        model = recognition.load(recognition.shipped_model("tiny", kind))
        assert np.mean(model.probabilities(images).argmax(1) == labels) > 0.99
