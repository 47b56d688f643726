"""Kills, starves and misleads trainings and downloads, and ends every command by signals.

    python scripts/torture_training.py
    python scripts/torture_training.py --parts=kill --count=1000 --seed=7

Parts: signals (two quick Ctrl-C or SIGTERM in every command, at random instants); kill (SIGKILL
in a training, which is resumed each time); export and finetune (SIGKILL in these); disk (a full
and a read-only one, which needs root); data (files that change during a training); together (two
trainings in one folder).
Prints what was tried, how often, and what happened as JSON. The first violation ends it with the
exit code 1, the seed, and what was seen; its files are left.
"""

import collections
import contextlib
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf import files, runtime
from digits_tf.cli import command
from digits_tf.data import idx, mnist
from digits_tf.data.collection import Collection
from digits_tf.errors import DigitsError
from digits_tf.recognition import load
from digits_tf.training import checkpoint
from digits_tf.training.run import Run

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

ROOT = Path(__file__).resolve().parent.parent
_PARTS_OF = ("signals", "kill", "export", "finetune", "disk", "data", "together")
_PARTS = flags.DEFINE_list("parts", list(_PARTS_OF), "What to try.")
_COUNT = flags.DEFINE_integer("count", None, "How often. Default: each part's own.", 1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the random numbers.")

_END_S = 2.0
_MARK = "DIGITS_TF_TORTURE"


class ViolationError(Exception):
    """A promise that was not kept."""


def main(words: Sequence[str]) -> int:
    """Tries all parts."""
    # A shell starts its background jobs deaf to Ctrl-C, and they stay so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    for name in _PARTS.value:
        if name not in _PARTS_OF:
            raise DigitsError(f"expected --parts out of {','.join(_PARTS_OF)}, found {name!r}")
    for name in _PARTS.value:
        start = time.monotonic()
        place = folder / name
        place.mkdir()
        try:
            found = globals()[name](place, random.Random(_SEED.value))  # noqa: S311
        except ViolationError as error:
            print(json.dumps({"part": name, "seed": _SEED.value, "violation": str(error)}))
            print(f"files: {place}", file=sys.stderr)
            return command.EXIT_FAILED
        seconds = round(time.monotonic() - start)
        print(json.dumps({"part": name, "seed": _SEED.value, "seconds": seconds, **found}))
    shutil.rmtree(folder)
    return 0


def check(is_kept: bool, violation: str) -> None:
    """Ends the part unless a promise is kept."""
    if not is_kept:
        raise ViolationError(violation)


# Signals


def signals(folder: Path, rng: random.Random) -> dict[str, Any]:
    """Two quick Ctrl-C, or SIGTERM, in every command, at random instants."""
    commands = _commands(folder)
    found: dict[str, Any] = {}
    for name, (words, span) in commands.items():
        slowest, ended = 0.0, 0
        for number in range(_COUNT.value or 6):
            to_all = bool(number % 2)
            instant = rng.uniform(0, span)
            with tempfile.TemporaryDirectory(dir=folder) as place:
                took, said, code = _signalled(words, Path(place), instant, to_all, folder)
            what = f"{name}, {'Ctrl-C' if to_all else 'SIGTERM'} after {instant:.2f} s"
            print(what, f"{took:.2f}", code, file=sys.stderr)
            check(took < _END_S, f"{what}: ended after {took:.1f} s: {said}")
            for word in ("Traceback", "Exception", "Error", "Fatal", "terminate called"):
                check(word not in said, f"{what}: {said}")
            check(code in (0, 130), f"{what}: exit code {code}: {said}")
            slowest = max(slowest, took)
            ended += took == 0
        found[name] = {"slowest_s": round(slowest, 2), "had_ended": ended}
    return {"signals": found}


def _commands(folder: Path) -> dict[str, tuple[list[str], float]]:
    """The words of each command, with what they need in `folder`, and seconds to signal within."""
    made = mnist.sample().test.read()
    digits(folder / "data", *made)
    own = Collection(folder / "own")
    for number in range(8):
        own.add(made[0][120 * number], number)
    (folder / "bin").mkdir()
    for name in ("npm", "apt-get"):
        path = folder / "bin" / name
        path.write_text("#!/bin/sh\n(trap '' INT; sleep 30) & sleep 30\n")
        path.chmod(0o755)
    data, pictures = f"--data_dir={folder / 'data'}", [str(ROOT / "samples")] * 20
    trained = str(folder / "trained")
    words = ["train", data, "--architecture=tiny", "--epochs=1", f"--run={trained}"]
    subprocess.run([sys.executable, "-m", "digits_tf", *words], cwd=ROOT, check=True)
    run = ["train", data, "--architecture=tiny", "--batch_size=20", "--epochs=500"]
    board = str(ROOT / "samples" / "board.mp4")
    drawn = ["--sample", "--frames=400", "--steps_per_epoch=2", "--batch_size=4"]
    return {
        "camera": (["camera", "--headless", "--source=demo", "--record=out.mp4"], 4),
        "web": (["web", "--port=0", f"--source={board}"], 4),
        "predict": (["predict", *pictures, "--csv=out.csv"], 3),
        "teach": (["teach", *pictures, "--label=7"], 3),
        "train": ([*run, "--run=run"], 20),
        "train --stream": ([*run, "--run=run", "--stream"], 20),
        "train --finetune": (["train", "--finetune=tiny", f"--data_dir={own.folder}"], 30),
        "evaluate": (["evaluate", data, f"--model={trained}"], 10),
        "export": (["export", trained, data, "--out=out"], 20),
        "data": (["data", "--sample", "--sheet=sheet.png"], 5),
        "data, fetched": (["data"], 5),
        "scenes": (["scenes", "--sample", "--frames=9000", "--out=out"], 8),
        "scenes-fetch": (["scenes-fetch"], 3),
        "train-detector": (["train-detector", *drawn, "--frames_dir=frames"], 30),
        "benchmark": (["benchmark", "--quick"], 10),
        "model": (["model", "--plot=net.png"], 8),
    }


def _signalled(
    words: Sequence[str], place: Path, instant: float, to_all: bool, folder: Path
) -> tuple[float, str, int]:
    """Starts a command in a session of its own and signals it twice.

    Returns:
        Seconds from the second signal until all its processes had ended (0: it had ended before),
        what it said, and its exit code.
    """
    mark = uuid.uuid4().hex
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    cache = str(place / "cache")
    environment = {**os.environ, _MARK: mark, "PATH": path, "DIGITS_TF_CACHE": cache}
    environment["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "digits_tf", *words],
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        try:
            while process.poll() is None and not _catches(process.pid, signal.SIGTERM):
                time.sleep(0.005)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(instant)
            had_ended = process.poll() is not None
            for _ in range(2):
                with contextlib.suppress(ProcessLookupError):
                    if to_all:
                        os.killpg(process.pid, signal.SIGINT)
                    else:
                        os.kill(process.pid, signal.SIGTERM)
                sent = time.monotonic()
                time.sleep(0.05)
            while _marked(mark) and time.monotonic() - sent < 5 * _END_S:
                time.sleep(0.02)
                process.poll()
            took = time.monotonic() - sent
        finally:
            for each in _marked(mark):
                os.kill(each, signal.SIGKILL)
            code = process.wait()
        said.seek(0)
        return 0.0 if had_ended else took, said.read().decode(errors="replace"), code


def _catches(process: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next((line for line in lines if line.startswith("SigCgt:")), "SigCgt: 0")
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def _marked(mark: str) -> list[int]:
    """The processes that have the mark in their environment and have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{_MARK}={mark}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue  # it has just ended, or is another user's
    return found


def digits(folder: Path, images: Any, labels: Any) -> None:
    """Writes digits as idx files, a fifth of them to test."""
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(0).permutation(len(images))
    cut = len(images) * 4 // 5
    for name, chosen in (("train", order[:cut]), ("t10k", order[cut:])):
        idx.write_idx(folder / f"{name}-images-idx3-ubyte", images[chosen])
        idx.write_idx(folder / f"{name}-labels-idx1-ubyte", labels[chosen])


# Trainings, in processes that are forked off: TensorFlow takes seconds to be imported

# A few seconds long.
_EPOCHS, _DIGITS = 8, 300
_TRAIN = (
    "train --data_dir=../data --architecture=tiny --batch_size=20 --steps_per_epoch=8 --run=run "
    f"--epochs={_EPOCHS}"
).split()
_EXPORT = ["export", "run", "--out=out", "--formats=saved_model,mixed"]
_FINETUNE = ["train", "--finetune=tiny", "--data_dir=../own", "--run=run"]
_FORK = multiprocessing.get_context("fork")


def kill(folder: Path, rng: random.Random) -> dict[str, Any]:
    """SIGKILL at random instants of a training, which is resumed until it ends."""
    unbroken, span = _unbroken(folder)
    instants: collections.Counter[str] = collections.Counter()
    runs, count = 0, _COUNT.value or 100
    while instants.total() < count:
        runs += 1
        place = folder / f"run-{runs}"
        place.mkdir()
        run = Run(place / "run")
        before = 0
        while True:
            process = forked(_resumed(_TRAIN, run), place)
            instant = rng.uniform(0, span)
            process.join(instant if instants.total() < count else None)
            if rng.random() < 0.5:
                _await(process, lambda: _parts_of(run))  # noqa: B023
                time.sleep(rng.uniform(0, 0.01))
            if not _killed(process):
                break
            moment = _moment(run, place)
            instants[moment] += 1
            what = f"run {runs}, kill {instants.total()} after {instant:.2f} s, {moment}"
            print(what, file=sys.stderr)
            before = _check_kept(run, max(before, _epochs_said(place)), what)
        check(process.exitcode == 0, f"run {runs}: code {process.exitcode}: {_said(place)}")
        _check_same(unbroken, run, place)
        shutil.rmtree(place)
    return {"kills": instants.total(), "runs": runs, "at": dict(instants.most_common())}


def export(folder: Path, rng: random.Random) -> dict[str, Any]:
    """SIGKILL at random instants of an export over an earlier one."""
    unbroken, _ = _unbroken(folder)
    place = unbroken.folder.parent
    begin = time.monotonic()
    _ends_well(_EXPORT, place)
    span = time.monotonic() - begin
    out = place / "out"
    model, lite = out / "saved_models" / "digits", out / "tflite" / "digits_mixed.tflite"
    digits = mnist.sample().test.read()[0][:200]
    known = [_tree(out)]

    def same() -> None:
        # As they read before the first kill.
        for path in (model, lite):
            found = load(path).probabilities(digits)
            kept = place / f"{path.name}.npy"
            if not kept.exists():
                np.save(kept, found)
            np.testing.assert_allclose(found, np.load(kept), atol=1e-6)

    _ends_well(same, place)
    found: collections.Counter[str] = collections.Counter()
    for number in range(_COUNT.value or 30):
        process = forked(_EXPORT, place)
        if number % 2:
            process.join(rng.uniform(0, span))
        else:
            # All is written beside its place, and is moved there.
            _await(process, lambda: list(out.glob(".export-*/tflite/*.json")))
            time.sleep(rng.uniform(0, 0.1))
        if not _killed(process):
            found["had ended"] += 1
        # Between two renames the old one has another name.
        aside = model.with_name(f".old-{model.name}")
        if aside.exists() and not model.exists():
            found["the old model was put aside"] += 1
            aside.rename(model)
        shutil.rmtree(aside, ignore_errors=True)
        for left in out.glob(".export-*"):
            found["between the moves"] += not (left / "tflite" / lite.name).exists()
            shutil.rmtree(left)
        found["without its JSON"] += not lite.with_suffix(".json").exists()
        if (tree := _tree(out)) not in known:
            _ends_well(same, place)
            known.append(tree)
        found["kept whole"] += 1
    return {"kills": found["kept whole"] - found["had ended"], "found": dict(found)}


def finetune(folder: Path, rng: random.Random) -> dict[str, Any]:
    """SIGKILL at random instants of `train --finetune`; the same command is given again."""
    images, labels = mnist.sample().test.read()
    own = Collection(folder / "own")
    for number in range(0, len(images), 40):
        own.add(images[number], int(labels[number]))
    place = folder / "place"
    place.mkdir()
    shipped = ROOT / "saved_models"
    before = _tree(own.folder), _tree(shipped)
    begin = time.monotonic()
    _ends_well(_FINETUNE, place)
    span = time.monotonic() - begin
    shutil.rmtree(place / "run")
    run, kills = Run(place / "run"), 0
    while kills < (_COUNT.value or 8):
        process = forked(_FINETUNE, place)
        process.join(rng.uniform(0, span))
        if kills % 2:
            _await(process, lambda: _parts_of(run))
            time.sleep(rng.uniform(0, 0.05))
        kills += _killed(process)
        check((_tree(own.folder), _tree(shipped)) == before, "what was there before was changed")
        if run.config_file.exists():
            run.settings()
            run.result()
            zipfile.ZipFile(run.best_file).testzip()
            shutil.rmtree(run.folder)
    _ends_well(_FINETUNE, place)
    return {"kills": kills}


def disk(folder: Path, rng: random.Random) -> dict[str, Any]:
    """A disk that is full at some instant, then is read-only, then has room again."""
    unbroken, _ = _unbroken(folder)
    size = sum(path.stat().st_size for path in unbroken.folder.rglob("*"))
    place = folder / "place"
    run = Run(place / "run")
    run.folder.mkdir(parents=True)
    found: collections.Counter[str] = collections.Counter()
    for _ in range(_COUNT.value or 10):
        kilobytes = max(8, rng.randint(0, size) >> 10)
        try:
            _mount(run.folder, f"size={kilobytes}k", "-t", "tmpfs", "torture")
        except subprocess.CalledProcessError as error:
            return {"skipped": f"cannot mount: {error.stderr.decode().strip()}"}
        try:
            what = f"a disk of {kilobytes} KiB"
            if _ends(_resumed(_TRAIN, run), place) == 0:
                found["enough"] += 1
                continue
            _check_line(place, what, "the disk is full")
            kept = _check_kept(run, _epochs_said(place), what)
            found[f"full after epoch {kept}"] += 1
            _mount(run.folder, "remount,ro")
            check(_ends(_resumed(_TRAIN, run), place) == 2, f"{what}, read-only: {_said(place)}")
            _check_line(place, f"{what}, read-only", "no permission")
            _mount(run.folder, "remount,rw,size=1g")
            _ends_well(_resumed(_TRAIN, run), place)
            _check_same(unbroken, run, place)
        finally:
            subprocess.run(["/bin/umount", run.folder], check=True)
    return {"disks": found.total(), "found": dict(sorted(found.items()))}


def data(folder: Path, rng: random.Random) -> dict[str, Any]:
    """Files that change during a training, or before it is resumed, and are put back."""
    found = {}
    kept = folder / "data"
    for words in (_TRAIN, [*_TRAIN, "--stream"]):
        unbroken, _ = _unbroken(folder, words)
        for way in ("flipped", "cut", "longer", "gone"):
            for name in ("train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
                place = folder / f"{way}-{name}-{len(words)}"
                place.mkdir()
                run = Run(place / "run")
                process = forked(words, place)
                _await(process, lambda: _epochs_said(place) > 1)  # noqa: B023
                os.kill(process.pid or 0, signal.SIGSTOP)
                whole = (kept / name).read_bytes()
                _change(kept / name, way, whole)
                os.kill(process.pid or 0, signal.SIGCONT)
                process.join()
                what = f"{' '.join(words)}, {name} {way}"
                check(process.exitcode == 2, f"{what}: {process.exitcode}, {_said(place)}")
                line = _check_line(place, what, "")
                part = "No such file" if way == "gone" else "have changed since the run began"
                check(part in line, f"{what}: {line}")
                _ends(_resumed(words, run), place)
                resumed = _check_line(place, f"{what}, resumed", "")
                (kept / name).write_bytes(whole)
                _check_kept(run, 2, what)
                _ends_well(_resumed(words, run), place)
                _check_same(unbroken, run, place)
                found[f"{name} {way}{', streamed' if words[-1] == '--stream' else ''}"] = [
                    line.replace(str(folder), ""),
                    resumed.replace(str(folder), ""),
                ]
    return {"said": found}


def together(folder: Path, rng: random.Random) -> dict[str, Any]:
    """Trainings in a folder that another one uses."""
    unbroken, _ = _unbroken(folder)
    place, second = folder / "place", folder / "second"
    place.mkdir()
    second.mkdir()
    run = Run(place / "run")
    process = forked(_TRAIN, place)
    _await(process, lambda: _epochs_said(place) > 0)
    refused = 0
    while process.exitcode is None and refused < (_COUNT.value or 5):
        code = _ends([*_TRAIN, f"--run={run.folder}", "--resume"], second)
        if process.exitcode is None:
            check(code == 2, f"a second training: code {code}: {_said(second)}")
            _check_line(second, "a second training", f"{run.folder}: another training writes")
            refused += 1
    process.join()
    check(process.exitcode == 0 and refused > 0, f"{refused} refused; {_said(place)}")
    _check_same(unbroken, run, place)
    return {"refused": refused}


def forked(work: Sequence[str] | Callable[[], object], place: Path) -> "ForkProcess":
    """Begins a command, or a function, in a folder; what it says is written there, in "said"."""
    # None of them starts a thread, so that the process can be forked.
    with runtime.standard_error():
        from digits_tf.export import parity, serving, tflite  # noqa: F401
        from digits_tf.training import finetune, trainer  # noqa: F401

    (place / "said").write_bytes(b"")
    process = _FORK.Process(target=_work, args=(work, place), daemon=True)
    process.start()
    return process


def _work(work: Sequence[str] | Callable[[], object], place: Path) -> None:
    os.chdir(place)
    # None of the digits are to be fetched.
    os.environ |= {"DIGITS_TF_CACHE": str(place / "cache"), "https_proxy": "http://127.0.0.1:9"}
    said = os.open("said", os.O_WRONLY | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    if callable(work):
        work()
        return
    for flag in (_PARTS, _COUNT, _SEED):
        delattr(flags.FLAGS, flag.name)
    command.call(work[0], work[1:])


def _unbroken(folder: Path, words: Sequence[str] = _TRAIN) -> tuple[Run, float]:
    """A training that nothing disturbs, and its seconds."""
    images, labels = (each[:: 1000 // _DIGITS] for each in mnist.sample().test.read())
    digits(folder / "data", images, labels)
    place = folder / f"unbroken-{len(words)}"
    place.mkdir()
    begin = time.monotonic()
    _ends_well(words, place)
    return Run(place / "run"), time.monotonic() - begin


def _resumed(words: Sequence[str], run: Run) -> list[str]:
    return [*words, "--resume"] if run.config_file.exists() else [*words]


def _ends(work: Sequence[str] | Callable[[], object], place: Path) -> int | None:
    process = forked(work, place)
    process.join()
    return process.exitcode


def _ends_well(work: Sequence[str] | Callable[[], object], place: Path) -> None:
    check(_ends(work, place) == 0, f"{work}: {_said(place)}")


def _await(process: "ForkProcess", happens: Callable[[], object]) -> None:
    while process.exitcode is None and not happens():
        time.sleep(0.0005)


def _killed(process: "ForkProcess") -> bool:
    """Kills a process; returns whether it had not ended by then."""
    process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


def _said(place: Path) -> str:
    return (place / "said").read_text(errors="replace")


def _epochs_said(place: Path) -> int:
    """How many epochs are said to be finished."""
    return max(map(int, re.findall(r"^epoch (\d+):", _said(place), re.M)), default=0)


def _check_line(place: Path, what: str, part: str) -> str:
    """Checks that an error is one line, with a part of it; returns it."""
    said = _said(place)
    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    check(len(lines) == 1 and part in lines[0] and "Traceback" not in said, f"{what}: {said}")
    return lines[0]


def _check_kept(run: Run, epochs: int, what: str) -> int:
    """Checks that no finished epoch is lost and no file is half; returns how many there are."""
    for path in checkpoint.listed(run.checkpoints):
        checkpoint.load(path)
    latest = run.latest()
    kept = latest.epoch if latest else 0
    check(kept >= epochs, f"{what}: {epochs} epochs were finished, {kept} are there")
    if run.config_file.exists():
        run.settings()
    if run.best_file.exists():
        check(zipfile.ZipFile(run.best_file).testzip() is None, f"{what}: best.keras is damaged")
    if run.result_file.exists():
        run.result()
    if run.folder.exists():
        with (
            contextlib.suppress(DigitsError, OSError),
            files.locked(run.folder / ".lock", busy="locked"),
        ):
            return kept
        check(not os.access(run.folder, os.W_OK), f"{what}: the lock is held")
    return kept


def _parts_of(run: Run) -> list[Path]:
    """Files that are being written."""
    return [*run.folder.glob(".part-*"), *run.checkpoints.glob(".part-*")]


def _moment(run: Run, place: Path) -> str:
    """What a training was doing when it was killed."""
    if parts := _parts_of(run):
        return f"writing a {parts[0].suffix[1:]}"
    said = _said(place)
    if "reading the test set" in said:
        return "test"
    if not run.config_file.exists():
        return "before config.json"
    return "in an epoch" if _epochs_said(place) else "before the first epoch's end"


def _check_same(unbroken: Run, run: Run, place: Path) -> None:
    """Checks that two runs have ended with the same, to the bit."""
    one, other = unbroken.latest(), run.latest()
    if one is None or other is None:
        raise ViolationError("no checkpoint is there")
    check(one.epoch == other.epoch == _EPOCHS, f"{one.epoch} and {other.epoch} epochs")
    for part in ("model", "optimizer", "average"):
        pairs = zip(getattr(one, part), getattr(other, part), strict=True)
        check(all(np.array_equal(a, b) for a, b in pairs), f"{run.folder}: another {part}")
    rows = ([{**row, "seconds": 0} for row in each.history] for each in (one, other))
    check(next(rows) == next(rows), f"{run.folder}: another history")
    times = {"finished": "", "train_seconds": 0}
    check(unbroken.result() | times == run.result() | times, f"{run.folder}: another result")
    check(not _parts_of(run), f"{run.folder}: {_parts_of(run)}")

    def same() -> None:
        import keras

        models = (keras.models.load_model(each.best_file) for each in (unbroken, run))
        for a, b in zip(*(model.get_weights() for model in models), strict=True):
            np.testing.assert_array_equal(a, b)

    _ends_well(same, place)


def _mount(folder: Path, options: str, *words: str) -> None:
    subprocess.run(["/bin/mount", "-o", options, *words, folder], check=True, capture_output=True)


def _change(path: Path, way: str, whole: bytes) -> None:
    if way == "gone":
        path.unlink()
    elif way == "cut":
        path.write_bytes(whole[:-1000])
    elif way == "longer":
        path.write_bytes(whole + bytes(1000))
    else:
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])


def _tree(folder: Path) -> dict[str, str]:
    """The SHA-256 of all files below a folder."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): files.sha256(path) for path in paths}


if __name__ == "__main__":
    command.run(main, __doc__)
