"""`scripts/torture.py` with few trials of each part; and that it notices what it looks for."""

import json
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("tensorflow", reason="needs digits_tf[train]")
pytest.importorskip("cv2")

from conftest import ROOT
from digits_tf import recognition
from digits_tf.detection import train as detector_training
from digits_tf.errors import DigitsError

SCRIPTS = ROOT / "scripts"


def torture(*words, scripts=SCRIPTS):
    command = [sys.executable, scripts / "torture.py", *words]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, json.loads(result.stdout), result.stderr


@pytest.mark.parametrize(
    ("part", "count"),
    [
        ("idx", 2000),
        ("collection", 300),
        ("pictures", 500),
        ("frames", 20),
        ("models", 40),
        ("downloads", 15),
    ],
)
def test_nothing_breaks(part, count):
    code, found, told = torture(part, f"--count={count}")
    assert (code, told) == (0, ""), found
    assert found["trials"] == count
    outcomes = [outcome for each in found["happened"].values() for outcome in each]
    assert {"read", "refused"} <= set(outcomes) or part == "frames"
    assert sum(sum(each.values()) for each in found["happened"].values()) == count


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked off")
def test_a_killed_training_loses_nothing():
    command = [sys.executable, SCRIPTS / "torture_training.py", "--parts=kill", "--count=2"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert json.loads(result.stdout)["kills"] == 2


_FAULTS = {
    "raise ValueError('no line of a DigitsError')": "no line of a DigitsError",
    "import os; os.abort()": "the process ended with -6",
    "bytearray(200 << 20)": "MemoryError",
    "sum(range(10**8))": "allowed are 0.5 s",
}


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory need Linux")
@pytest.mark.parametrize("fault", _FAULTS)
def test_what_breaks_is_noticed_and_kept(tmp_path, fault):
    shutil.copy(SCRIPTS / "torture.py", tmp_path)
    (tmp_path / "torture_parts").mkdir()
    (tmp_path / "torture_parts" / "__init__.py").touch()
    (tmp_path / "torture_parts" / "idx.py").write_text(
        "COUNT, SECONDS, MEGABYTES = 9, 0.5, 64\n"
        "def start(folder):\n"
        "    def trial(rng):\n"
        "        number = int(rng.integers(1000))\n"
        "        (folder / 'tried').write_text(str(number))\n"
        f"        if number == 893: {fault}\n"
        "        return 'numbers', 'read'\n"
        "    return trial\n"
    )
    # The trial with the seed 18 draws 893.
    code, found, _ = torture("idx", "--seed=15", scripts=tmp_path)
    violation = found["violation"]
    assert code == 1
    assert _FAULTS[fault] in violation["what"]
    assert violation["seed"] == 18
    kept = tmp_path / "kept"
    shutil.move(violation["files"], kept)
    assert (kept / "tried").read_text() == "893"


def test_unknown_parts_are_named():
    command = [sys.executable, SCRIPTS / "torture.py", "cats"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "expected parts out of idx" in result.stderr


@pytest.fixture(scope="module")
def keras_files():
    sys.path.insert(0, str(SCRIPTS))
    try:
        from torture_parts import keras_files
    finally:
        sys.path.remove(str(SCRIPTS))
    return keras_files


def test_no_code_out_of_a_keras_file_runs(keras_files, tmp_path, capfd):
    path, witness = tmp_path / "net.keras", tmp_path / "witness"
    whole = keras_files.whole(path)
    hostile = keras_files.hostile(whole, witness)
    # TensorFlow waits ten seconds for so much memory.
    del hostile["a million million weights"]
    assert len(hostile) > 25
    for name, content in hostile.items():
        path.write_bytes(content)
        with pytest.raises(DigitsError) as error:
            recognition.load(path)
        assert str(error.value).startswith(f"{path}: "), name
        assert str(error.value).isprintable()
        assert not witness.exists(), name
    assert capfd.readouterr().err == ""
    path.write_bytes(whole)
    recognition.load(path)
    # Another network than the one that it is to go on from.
    with pytest.raises(DigitsError, match="expected a detector"):
        detector_training._build(str(path))
