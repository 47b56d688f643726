"""What all commands share: their list, `--help`, signals, make; and that only they know flags."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from conftest import ROOT, assert_one_line_error, run
from digits_tf import __version__, files
from digits_tf.cli.main import COMMANDS
from digits_tf.errors import DigitsError

needs_groups = pytest.mark.skipif(sys.platform != "linux", reason="process groups from /proc")


def test_the_list_has_a_line_for_each_command():
    result = run("digits_tf")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    for name, says in COMMANDS.items():
        assert f"  {name:<15} {says}" in lines
    assert result.stdout.strip() in run("digits_tf", "--help").stdout
    assert run("digits_tf", "--version").stdout == f"digits_tf {__version__}\n"


def test_the_list_imports_no_more_than_flags():
    script = (
        "import runpy, sys\n"
        "sys.argv = ['digits_tf']\n"
        "try: runpy.run_module('digits_tf', run_name='__main__', alter_sys=True)\n"
        "except SystemExit: print('ended', {'numpy', 'cv2', 'tensorflow'} & set(sys.modules))\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout.endswith("ended set()\n"), result.stderr


def test_an_unknown_command_says_which_exist_and_the_nearest():
    result = run("digits_tf", "pedict", "photo.jpg")
    assert_one_line_error(result, "'pedict'", "did you mean predict?", ", ".join(COMMANDS))
    result = run("digits_tf", "xyz")
    assert_one_line_error(result, "'xyz'", ", ".join(COMMANDS))
    assert "mean" not in result.stderr
    assert_one_line_error(run("digits_tf", "--nonsense"), "nonsense", "python -m digits_tf --help")
    # Behind the command's name all flags are the command's.
    result = run("digits_tf", "predict", "--version")
    assert_one_line_error(result, "version", "python -m digits_tf predict --help")


def test_the_script_runs_commands_and_names_itself_in_hints(tmp_path):
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["digits-tf"].partition(":")
    # As pip writes it.
    script = tmp_path / "digits-tf"
    script.write_text(f"import sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    words = [sys.executable, str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def said(*more):
        return subprocess.run([*words, *more], capture_output=True, text=True, env=environment)

    assert said("--version").stdout == f"digits_tf {__version__}\n"
    assert_one_line_error(said("predict"), "expected a path after digits-tf predict (")
    assert_one_line_error(said("train-detector", "--frames=1"), "digits-tf train-detector --help")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_flags_and_no_paths_of_files(name):
    result = run("digits_tf", name, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    about, _, flags = result.stdout.partition("\n\nFlags:\n")
    assert about.strip()
    assert flags.startswith("  --")
    assert str(ROOT) not in result.stdout
    assert "__main__" not in result.stdout


# Imports all that is no command, but what needs packages that are not installed.
IMPORTS = """
import importlib
import pkgutil
import sys

import digits_tf
from digits_tf.errors import DigitsError

for module in pkgutil.walk_packages(digits_tf.__path__, "digits_tf."):
    if module.name.split(".")[1] != "cli":
        try:
            importlib.import_module(module.name)
        except (ImportError, DigitsError):
            continue
        print(module.name)
print("commands:", *(name for name in sys.modules if name.startswith("digits_tf.cli.")))
from absl import flags
print("flags:", *(name for name in flags.FLAGS.flags_by_module_dict() if "digits_tf" in name))
"""


def test_only_commands_define_flags():
    """A program that imports the package may have a --help or a --source of its own."""
    result = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    *imported, commands, flags = result.stdout.splitlines()
    assert {"digits_tf.recognition.recognizer", "digits_tf.export.exporter"} <= {*imported}
    assert (commands, flags) == ("commands:", "flags:")


def test_only_commands_and_their_doors_know_the_commands():
    """In functions too, which no import runs."""
    package = ROOT / "digits_tf"
    for path in package.rglob("*.py"):
        code = path.read_text()
        is_door = 'if __name__ == "__main__":' in code
        if package / "cli" not in path.parents and not is_door:
            assert not re.search(r"^\s*(from|import) (absl|digits_tf\.cli)\b", code, re.M), path


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_old_is_a_module_too(name):
    if name in ("scenes", "scenes-fetch", "teach", "train-detector"):
        pytest.skip("it is reached through digits-tf alone")
    result = run(f"digits_tf.{name}", "--help")
    assert result.returncode == 0, result.stderr
    assert f"python -m digits_tf.{name}" in result.stdout


def test_a_recipe_is_known_by_its_old_name_too(tmp_path):
    result = run("digits_tf", "train", "--recipe=xyz", cwd=tmp_path)
    assert_one_line_error(result, "out of default, reference, resnet, tiny", "'xyz'")
    for name in ("reference", "seed"):
        result = run("digits_tf.train", f"--recipe={name}", "--data_dir=nowhere", cwd=tmp_path)
        assert_one_line_error(result, "nowhere")


def test_help_whose_reader_has_gone_is_no_error():
    words = [sys.executable, "-m", "digits_tf.train", "--help"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 0


# Signals


def members(group):
    """The processes of a group that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue  # it has just ended
        if int(its_group) == group and state != "Z":
            found.append(int(path.parent.name))
    return found


def signalled(words, number, to_all, is_ready, **options):
    """Starts a program, sends it a signal twice, quickly; returns its exit code and last words."""
    process = subprocess.Popen(
        [sys.executable, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )
    try:
        end = time.monotonic() + 60
        while not is_ready(process):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            time.sleep(0.05)
        time.sleep(0.3)
        for _ in range(2):
            (os.killpg if to_all else os.kill)(process.pid, number)
            time.sleep(0.1)
        said, _ = process.communicate(timeout=20)
        assert members(process.pid) == []
    finally:
        if members(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, said


@needs_groups
@pytest.mark.parametrize(
    ("number", "to_all"), [(signal.SIGINT, True), (signal.SIGTERM, False)], ids=["INT", "TERM"]
)
def test_two_quick_signals_end_a_command_and_its_workers(tmp_path, number, to_all):
    """Ctrl-C reaches the workers, too; kill does not."""
    words = ["-m", "digits_tf", "scenes", "--sample", "--frames=9000", "--out", tmp_path / "out"]

    def has_workers(process):
        return len(members(process.pid)) > 1

    code, said = signalled(words, number, to_all, has_workers, cwd=ROOT)
    assert code == 130, said
    assert said.endswith("\nstopped\n")
    assert "Traceback" not in said


@needs_groups
def test_a_second_signal_ends_what_the_first_cannot(tmp_path):
    """As where a library's callback swallows it."""
    script = (
        "import pathlib, time\n"
        "from digits_tf.cli import command\n"
        "def main(words):\n"
        "    pathlib.Path('ready').touch()\n"
        "    while True:\n"
        "        try: time.sleep(60)\n"
        "        except BaseException: print('swallowed', flush=True)\n"
        "command.run(main, '')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ready = tmp_path / "ready"
    code, said = signalled(
        ["-c", script],
        signal.SIGINT,
        False,
        lambda process: ready.exists(),
        cwd=tmp_path,
        env=environment,
    )
    assert (code, said) == (130, "swallowed\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such shell")
def test_a_shells_background_job_stays_deaf_to_ctrl_c():
    script = (
        "import os, signal\n"
        "from digits_tf.cli import command\n"
        "command.run(lambda words: os.kill(os.getpid(), signal.SIGINT) or print('deaf'), '')\n"
    )
    words = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", sys.executable, "-c", script]
    result = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    assert (result.returncode, result.stdout) == (0, "deaf\n")


# Files


def test_errors_name_the_users_file(tmp_path):
    path = tmp_path / "sheet.png"
    path.mkdir()
    with pytest.raises(OSError, match=r"sheet\.png") as caught, files.replacing(path) as beside:
        beside.write_bytes(b"whole")
    assert caught.value.filename == str(path)
    assert ".part-" not in str(caught.value)
    (tmp_path / "file").touch()
    with pytest.raises(DigitsError, match="expected a folder to write into, found a file"):
        files.make_folder(tmp_path / "file")
    # A place where nothing can be written is found before the data is looked for.
    out = tmp_path / "file" / "out"
    result = run("digits_tf", "scenes", "--data_dir", tmp_path / "nowhere", "--out", out)
    assert_one_line_error(result, out)
    assert "nowhere" not in result.stderr


# make


@pytest.fixture
def make(tmp_path):
    """Runs make with a python3 that says that it is 3.10 and notes what else it is asked for."""
    if os.name == "nt" or not shutil.which("make"):
        pytest.skip("there is no make")
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        f'-c) exec {sys.executable} -c "import sys; sys.version_info = (3, 10, 12); $2" ;;\n'
        "--version) echo Python 3.10.12 ;;\n"
        f'*) echo "$@" >> {tmp_path / "asked"} ;;\n'
        "esac\n"
    )
    python.chmod(0o755)
    environment = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}

    def made(*words):
        command = ["make", "-C", str(ROOT), f"VENV={tmp_path / 'venv'}", *words]
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    return made


def test_make_refuses_a_wrong_python_at_once(make, tmp_path):
    result = make("demo")
    assert result.returncode == 2
    assert "error: expected Python 3.11 to 3.13 as python3, found Python 3.10.12: " in result.stderr
    assert "make PYTHON=python3.12 demo" in result.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["bin"]


def test_make_installs_nothing_into_a_wrong_environment(make, tmp_path):
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    shutil.copytree(tmp_path / "bin", tmp_path / "venv" / "bin")
    (tmp_path / "venv" / "bin" / "python3").rename(tmp_path / "venv" / "bin" / "python")
    result = make("test")
    assert result.returncode == 2
    assert "found Python 3.10.12: make clean" in result.stderr
    assert not (tmp_path / "asked").exists()


def test_make_resumes_only_a_run_that_has_begun(make, tmp_path):
    words = ["--dry-run", "train", f"RUN={tmp_path / 'run'}"]
    assert "--resume" not in make(*words).stdout
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").touch()
    assert f"--run={tmp_path / 'run'} --resume" in make(*words).stdout
