"""Ray reads: the rows of one reader, each once, whatever happens to its workers."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import pytest

from conftest import ROOT, assert_one_line_error, run
from digits_tf.errors import DigitsError
from digits_tf.recognition import Recognizer
from digits_tf.recognition.results import read_row
from test_predict_many import bomb, pictures, rows

pytest.importorskip("ray", reason="needs digits_tf[ray]")
from digits_tf.recognition import ray_engine

# Ray warns of its own defaults.
pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\.data\..*")


@pytest.fixture(scope="module")
def cluster():
    """The address of a Ray of two cores."""
    import ray

    # Short: the names of sockets lie in it.
    folder = tempfile.mkdtemp(prefix="ray-", dir=None if sys.platform == "win32" else "/tmp")
    on_sigterm = signal.getsignal(signal.SIGTERM)
    environment = {
        "RAY_TMPDIR": folder,
        # Without a token of ours, Ray writes one into the home folder. The tests look there.
        "RAY_AUTH_TOKEN": secrets.token_hex(),
        "HOME": folder,
        "USERPROFILE": folder,
    }
    with mock.patch.dict(os.environ, environment):
        try:
            context = ray.init(
                num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
            )
            yield context.address_info["address"]
        finally:
            ray.shutdown()
            signal.signal(signal.SIGTERM, on_sigterm)
            shutil.rmtree(folder)


def read(names, **options):
    return {row.pop("path"): row for row in ray_engine.read_rows(names, options)}


def test_rows_are_those_of_one_reader(tmp_path, cluster):
    pictures(tmp_path, *(f"{number}.jpg" for number in range(20)), "größe\n.jpg")
    (tmp_path / "row.jpg").write_bytes((ROOT / "samples" / "row.jpg").read_bytes())
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "bomb.png").write_bytes(bomb())
    names = [str(path) for path in tmp_path.iterdir()] + [str(tmp_path / "deleted.jpg")]
    if sys.platform == "linux":
        shutil.copy(tmp_path / "1.jpg", tmp_path / "broken \udcff.jpg")
        names.append(str(tmp_path / "broken \udcff.jpg"))
    recognizer = Recognizer.load(threshold=0.999)
    expected = {name: read_row(recognizer, name) for name in names}
    found = list(ray_engine.read_rows(names, {"threshold": 0.999}))
    assert sorted(row["path"] for row in found) == sorted(names)
    for row in found:
        one = expected[row["path"]]
        assert {**row, "ms": None} == {**one, "ms": None}
    errors = sorted(Path(row["path"]).name for row in found if "error" in row)
    assert errors == ["bad.png", "bomb.png", "deleted.jpg"]


def test_a_picture_that_kills_its_workers_is_a_row(tmp_path, cluster, monkeypatch):
    """Ray alone would begin with it for ever."""

    def deadly(table, options, attempts):
        # On the worker, where the module is as it is.
        from digits_tf.recognition import ray_engine

        def die(recognizer, name):
            return os._exit(1) if "deadly" in name else read_row(recognizer, name)

        with mock.patch.object(ray_engine, "read_row", die):
            return ray_engine.read_task(table, options, attempts)

    monkeypatch.setattr(ray_engine, "_WORKER_TASKS", 1)  # of three pictures each
    monkeypatch.setattr(ray_engine, "read_task", deadly)
    pictures(tmp_path, *(f"{number}.jpg" for number in range(5)), "deadly.jpg")
    found = read([str(path) for path in tmp_path.iterdir()])
    died = found.pop(str(tmp_path / "deadly.jpg"))
    assert died == {"error": f"{tmp_path / 'deadly.jpg'}: the programs that read it died"}
    assert [row["text"] for row in found.values()] == ["7"] * 5


def test_a_worker_without_the_networks_is_named(tmp_path, cluster):
    pictures(tmp_path, "a.jpg")
    names, missing = [str(tmp_path / "a.jpg")], str(tmp_path / "no.tflite")
    with pytest.raises(DigitsError, match=r"cannot load the networks: .*no\.tflite: no such model"):
        read(names, path=missing)
    with pytest.raises(DigitsError, match=r"cannot load the networks: .*no\.tflite: no such fold"):
        read(names, collection=missing)


def test_a_machine_that_does_not_see_the_pictures_is_named(tmp_path, cluster, monkeypatch):
    def elsewhere(table, options, attempts):
        from digits_tf.recognition import ray_engine

        def missing(recognizer, name):
            return {"path": name, "error": "No such file or directory"}

        nowhere = {"_is_here": lambda name: False, "read_row": missing}
        host = mock.patch("socket.gethostname", lambda: "machine-2")
        with mock.patch.multiple(ray_engine, **nowhere), host:
            return ray_engine.read_task(table, options, attempts)

    pictures(tmp_path, "a.jpg")
    monkeypatch.setattr(ray_engine, "read_task", elsewhere)
    assert read([str(tmp_path / "deleted.jpg")]) == {
        str(tmp_path / "deleted.jpg"): {"error": "No such file or directory"}
    }
    with pytest.raises(DigitsError, match=r"a\.jpg: is here, but not on machine-2: .*s3://"):
        read([str(tmp_path / "a.jpg")])


def test_a_bug_is_one_line(tmp_path, cluster, monkeypatch):
    monkeypatch.setattr(ray_engine, "read_task", lambda table, options, attempts: 1 / 0)
    with pytest.raises(DigitsError, match=r"^Ray: .*division by zero$"):
        read([str(tmp_path / "a.jpg")])


def test_the_command_goes_on_with_what_another_engine_began(tmp_path, cluster):
    pytest.importorskip("pyarrow")
    pictures(tmp_path, "in/a.jpg", "in/b.jpg")
    words = ["in", "--out", "out.parquet"]
    assert run("digits_tf.predict", *words, cwd=tmp_path).returncode == 0
    pictures(tmp_path, "in/c.jpg")
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    with_ray = [*words, "--engine=ray"]
    result = run("digits_tf.predict", *with_ray, cwd=tmp_path, env={"RAY_ADDRESS": cluster})
    assert (result.returncode, result.stderr) == (
        1,
        "out.parquet: 2 pictures read, 1 of them cannot be read; 2 are there already\n",
    )
    found = {Path(row["path"]).name: row["text"] for row in rows(tmp_path / "out.parquet")}
    assert found == {"a.jpg": "7", "b.jpg": "7", "c.jpg": "7", "bad.png": None}


def test_a_cluster_that_is_not_there_is_named(tmp_path):
    pictures(tmp_path, "a.jpg")
    words = ["a.jpg", "--out=out", "--engine=ray"]
    env = {"RAY_ADDRESS": "127.0.0.1:9"}
    result = run("digits_tf.predict", *words, cwd=tmp_path, env=env)
    assert_one_line_error(result, "RAY_ADDRESS=127.0.0.1:9: found no Ray there")


def test_nothing_is_written_into_the_home_folder(tmp_path, cluster):
    assert not (Path.home() / ".ray").exists()


_CLUSTER = """
import os, sys
import ray_cluster
os.environ.update(ray_cluster._environment(sys.argv[1]))
import ray
from ray._private.authentication.authentication_utils import get_authentication_mode_name
from ray._raylet import get_authentication_mode
with ray_cluster._cluster() as cluster:
    print(ray.get(ray.remote(lambda: 6 * 7).remote()))
    print(get_authentication_mode_name(get_authentication_mode()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the script's cluster is for Linux and macOS")
def test_the_scripts_cluster_wants_a_token():
    home = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    words = [sys.executable, "-c", _CLUSTER, home]
    env = {**os.environ, "HOME": home}
    try:
        found = subprocess.run(
            words, cwd=ROOT / "scripts", env=env, capture_output=True, text=True, timeout=120
        )
        assert found.stdout.split() == ["42", "token"], found.stderr
        assert not Path(home, ".ray").exists()
    finally:
        shutil.rmtree(home)
