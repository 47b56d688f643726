"""What the files of strangers cannot do: JSON that lies, archives, and what Python would run."""

import ast
import json
import shutil

import numpy as np
import pytest
from absl import flags

from conftest import ROOT, assert_one_line_error, run
from digits_tf.cli import command, network_flags, run_flags  # noqa: F401
from digits_tf.data.collection import LIST, Collection
from digits_tf.detection import windows
from digits_tf.errors import DigitsError
from digits_tf.recognition.results import open_results
from digits_tf.synthetic import assets, fetch

# Bytes that are no JSON object, by what is wrong with them.
NO_OBJECTS = {
    "empty": b"",
    "null": b"null",
    "a list": b"[1]",
    "text": b'"config"',
    "cut": b'{"settings": {',
    "not UTF-8": b'{"settings": "\xff\xfe"}',
    "nested": b'{"a": ' + b"[" * 100_000,
    "a number of a million digits": b'{"a": ' + b"9" * 10**6 + b"}",
    "17 MiB": b" " * (17 << 20),
}


def calls(name):
    """The calls of a function or method in the package, with their files and lines."""
    for path in sorted((ROOT / "digits_tf").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name):
                yield (
                    f"{path.name}:{node.lineno}",
                    {word.arg: ast.unparse(word.value) for word in node.keywords},
                )


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        ("np.load", {"allow_pickle": "False"}),
        ("models.load_model", {"safe_mode": "True", "compile": "False"}),
    ],
    ids=["np.load", "keras"],
)
def test_every_file_is_opened_without_running_what_is_in_it(function, wanted):
    found = dict(calls(function))
    assert found
    for place, words in found.items():
        assert wanted.items() <= words.items(), place


# A run's config.json


def config(**changes):
    """What `digits-tf train --sample --epochs=1` leaves, with changes."""
    settings = {"recipe": {}, "model": {}, "policy": "float32", "data": {"sha256": {}}}
    settings["data"]["selection"] = {"sample": True}
    return {"flags": {"epochs": 1, "sample": True}, "settings": settings} | changes


def resume(folder, content):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_bytes(content)
    return run("digits_tf.train", f"--run={folder}", "--resume")


@pytest.mark.parametrize("content", NO_OBJECTS.values(), ids=NO_OBJECTS)
def test_a_config_that_is_none_is_named(tmp_path, content):
    assert_one_line_error(resume(tmp_path, content), tmp_path / "config.json")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("steps_per_epoch", [True, 0, -1, 1.5, "1x", [1], {"a": 1}]),
        ("minutes", ["many", -1, True, float("nan"), [0.1], 10**400]),
        ("sample", ["false?", 2, None, []]),
        ("widths", ["16", [16], [None], ["16", 32], {}]),
        ("data_dir", [5, ["a"], "a\0b", "\ud800"]),
        ("precision", ["float8", None]),
        ("seed", [2**31, None]),
    ],
)
def test_a_flag_that_a_config_keeps_is_read_as_strictly_as_a_typed_one(tmp_path, name, values):
    kept = flags.FLAGS[name].value
    for value in values:
        with pytest.raises(
            DigitsError, match=r"config\.json: damaged: expected a value of"
        ) as error:
            command.restore({name: value}, tmp_path / "config.json")
        assert f"--{name}" in str(error.value) and len(str(error.value)) < 300
        assert flags.FLAGS[name].value == kept


def test_a_config_that_lies_ends_a_resumed_run_in_one_line(tmp_path):
    for changes in (
        {"flags": {"epochs": "many"}},
        {"flags": 5},
        {"settings": {**config()["settings"], "policy": ["float32"]}},
        {"settings": {**config()["settings"], "data": {"selection": {"sample": "no?"}}}},
        {"settings": {**config()["settings"], "data": {"selection": 5}}},
    ):
        content = json.dumps(config(**changes)).encode()
        assert_one_line_error(resume(tmp_path, content), f"{tmp_path / 'config.json'}: damaged")


def test_a_config_cannot_have_a_picture_written_elsewhere(tmp_path):
    victim = tmp_path / "mine.png"
    content = config(flags={"sample": True, "preview": str(victim), "epochs": 0})
    assert_one_line_error(resume(tmp_path / "run", json.dumps(content).encode()), "--epochs")
    content["flags"].pop("epochs")
    resume(tmp_path / "run", json.dumps(content).encode())
    assert not victim.exists()


@pytest.mark.parametrize(
    "data",
    [{}, {"sha256": 5}, {"selection": [1]}, {"selection": {"force": True}, "sha256": {}}],
    ids=["nothing", "no digests", "no flags", "another flag"],
)
def test_an_export_names_the_config_that_lies(tmp_path, data):
    settings = {**config()["settings"], "data": data}
    (tmp_path / "config.json").write_text(json.dumps({"settings": settings}))
    (tmp_path / "result.json").write_text("{}")
    words = ["--sample"] if "selection" not in data else []
    result = run("digits_tf.export", tmp_path, *words)
    assert_one_line_error(result, f"{tmp_path / 'config.json'}: damaged")


# Other files


@pytest.mark.parametrize("content", NO_OBJECTS.values(), ids=NO_OBJECTS)
def test_the_settings_of_results_and_a_list_of_digits_may_hold_anything(tmp_path, content):
    (tmp_path / "_settings.json").write_bytes(content)
    with (
        pytest.raises(DigitsError, match=r"_settings.json: expected .*: name another folder"),
        open_results(tmp_path, {}),
    ):
        pass
    own = Collection(tmp_path / "own")
    own.add(np.zeros((28, 28), np.uint8), 3)
    (own.folder / LIST).write_bytes(content)
    assert [entry.label for entry in Collection(own.folder).entries()] == [3]


@pytest.mark.parametrize("line", ["[" * 100_000, '{"path": 5}', '{"path": ["a"]}', "null"])
def test_a_row_of_results_that_is_none_names_its_part(tmp_path, line):
    (tmp_path / "part-000001.jsonl").write_text(line + "\n")
    with (
        pytest.raises(DigitsError, match=r"part-000001.jsonl: expected the rows of a run"),
        open_results(tmp_path, {}),
    ):
        pass


@pytest.fixture
def fonts(tmp_path, monkeypatch):
    """The folder of fetched fonts, for which no program is started."""
    monkeypatch.setenv("DIGITS_TF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch, "_run", lambda *_: pytest.fail("a program is started"))
    assets.folder().mkdir(parents=True)
    return assets.folder()


@pytest.mark.parametrize("place", ["{0}/mine.ttf", "../../mine.ttf", "fonts/../../../mine.ttf"])
def test_an_index_cannot_name_files_outside_of_the_cache(tmp_path, fonts, place, capsys):
    (tmp_path / "mine.ttf").write_bytes(b"mine")
    files = {place.format(tmp_path): "00"}
    record = {"kind": "printed", "choice": "", "version": "1", "licence": "", "files": files}
    (fonts / "index.json").write_text(json.dumps({"pen": record}))
    with pytest.raises(DigitsError, match="no fonts and no pictures are there"):
        fetch.fetch(list_only=True)
    assert "index.json: damaged, fetching all again" in capsys.readouterr().err
    # The same record, with a file of its own.
    files = {"fonts/printed/pen.ttf": "00"}
    (fonts / "index.json").write_text(json.dumps({"pen": {**record, "files": files}}))
    fetch.fetch(list_only=True)
    assert "printed" in capsys.readouterr().out


@pytest.mark.parametrize("content", NO_OBJECTS.values(), ids=NO_OBJECTS)
def test_an_index_that_is_none_is_named(fonts, content, capsys):
    (fonts / "index.json").write_bytes(content)
    with pytest.raises(DigitsError):
        fetch.fetch(list_only=True)
    assert f"{fonts / 'index.json'}: damaged" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [5, "movies", None])
def test_a_record_of_another_kind_is_damaged(fonts, kind, capsys):
    record = {"kind": kind, "choice": "", "version": "1", "licence": "", "files": {}}
    (fonts / "index.json").write_text(json.dumps({"pen": record}))
    with pytest.raises(DigitsError):
        fetch.fetch(list_only=True)
    assert "damaged" in capsys.readouterr().err


def test_arrays_that_do_not_belong_together_are_a_damaged_file(tmp_path):
    path = tmp_path / "frames.npz"
    arrays = {name: np.zeros(3, np.uint8) for name in ("counts", "pixels", "boxes", "labels")}
    for shapes in (np.zeros(3), np.full((3, 2), 10**9), np.zeros((2, 2), int)):
        np.savez(path, shapes=shapes, **arrays)
        with pytest.raises(DigitsError, match=r"frames.npz: damaged"):
            windows.load([path])


@pytest.mark.parametrize(
    "meta",
    [
        b"null",
        b"[" * 100_000,
        b'{"epoch": 1, "history": []}',
        b'{"epoch": 1, "history": [{"epoch": 1}]}',
        b'{"epoch": 1, "history": 5}',
        b'{"epoch": "1", "history": [{"epoch": "1"}]}',
    ],
    ids=["null", "nested", "no rows", "half a row", "a number", "text"],
)
def test_a_checkpoint_whose_history_lies_is_passed_over(tmp_path, meta):
    from digits_tf.training import checkpoint

    path = tmp_path / "epoch_0001_loss_1.npz"
    np.savez(path, meta=np.frombuffer(meta, np.uint8), model_0000=np.zeros(3))
    with pytest.raises(ValueError, match=r"^damaged"):
        checkpoint.load(path)


@pytest.mark.parametrize("content", NO_OBJECTS.values(), ids=NO_OBJECTS)
def test_the_json_beside_a_model_may_hold_anything(tmp_path, content):
    from digits_tf import Recognizer

    shutil.copy(ROOT / "tflite" / "tiny_mixed.tflite", tmp_path / "mine.tflite")
    (tmp_path / "mine.json").write_bytes(content)
    with pytest.raises(DigitsError, match=r"mine\.json: expected") as error:
        Recognizer.load(tmp_path / "mine.tflite")
    assert len(str(error.value)) < 500
