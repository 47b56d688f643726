"""One's own digits in a folder: added, put right, taken back, and whole whatever happens."""

import errno
import gzip
import os
import signal
import struct
import subprocess
import sys
import time

import numpy as np
import pytest

from digits_tf import files
from digits_tf.data import collection, idx, mnist
from digits_tf.data.collection import Collection, Entry
from digits_tf.data.digits import BACKGROUND, open_pair
from digits_tf.errors import DigitsError


def crop(number):
    """A picture that no other number has."""
    made = np.zeros((28, 28), np.uint8)
    made[5:20, 5:20] = number % 251
    made[0, : number // 251 + 1] = 9
    return made


@pytest.fixture
def own(tmp_path):
    return Collection(tmp_path / "own")


def labels_of(own):
    return [entry.name for entry in own.entries()]


def test_pictures_are_read_back_in_their_order(own):
    for number, label in enumerate((7, BACKGROUND, 1, 7, BACKGROUND), start=1):
        assert own.add(crop(number), label, "photo\n.jpg")
    images, labels = own.read()
    assert labels.tolist() == [7, BACKGROUND, 1, 7, BACKGROUND]
    assert all((images[number - 1] == crop(number)).all() for number in range(1, 6))
    assert own.entries()[0].source == r"photo\n.jpg"
    assert own.entries()[0].time
    # Plain idx files, for any program.
    digits = open_pair(own.folder / collection.IMAGES, own.folder / collection.LABELS)
    assert digits.labels().tolist() == [7, 1, 7]
    assert idx.open_images(own.folder / collection.OTHERS).shape == (2, 28, 28)


def test_one_picture_has_one_label_the_last(own):
    own.add(crop(1), 3)
    own.add(crop(2), 4)
    assert not own.add(crop(1), 3)
    assert own.add(crop(1), 5)
    assert own.read()[1].tolist() == [5, 4]
    with pytest.raises(DigitsError, match="has this picture as 5, number 1"):
        own.add(crop(1), BACKGROUND)
    assert labels_of(own) == ["5", "4"]


def test_undo_takes_back_to_nothing(own):
    for number, label in enumerate((7, BACKGROUND, 1)):
        own.add(crop(number), label)
    assert [own.undo().name for _ in range(3)] == ["1", "x", "7"]
    assert own.undo() is None
    assert sorted(path.name for path in own.folder.iterdir()) == [".lock", collection.LIST]
    own.add(crop(9), 2)
    assert labels_of(own) == ["2"]


def test_what_is_no_crop_and_no_label_is_refused(own):
    for bad, label in ((crop(1)[:27], 1), (crop(1).astype(float), 1), (crop(1), 11), (crop(1), -1)):
        with pytest.raises(ValueError, match="Expected"):
            own.add(bad, label)
    assert own.entries() == []
    assert not own.folder.exists()


def test_it_does_not_grow_without_end(own, monkeypatch):
    monkeypatch.setattr(collection, "MOST", 2)
    own.add(crop(1), 1)
    own.add(crop(2), 2)
    with pytest.raises(DigitsError, match="holds 2 pictures, and takes no more"):
        own.add(crop(3), 3)


class Killed(Exception):
    """Stands for SIGKILL: nothing after it is done."""


def interrupted(monkeypatch, step, action):
    """Runs an action that is killed at the n-th write to the disk; whether it was."""
    count = 0

    def kill(*words):
        nonlocal count
        count += 1
        if count == step:
            raise Killed

    flush, write = collection._flush, collection.files.write_bytes
    with monkeypatch.context() as patch:
        patch.setattr(collection, "_flush", lambda file: (file.flush(), kill(), flush(file)))
        patch.setattr(
            collection.files, "write_bytes", lambda *words: (kill(), write(*words), kill())
        )
        try:
            action()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("label", [4, BACKGROUND])
@pytest.mark.parametrize("action", ["add", "undo", "relabel"])
def test_killed_between_any_two_writes_it_is_whole(tmp_path, monkeypatch, label, action):
    for step in range(1, 20):
        own = Collection(tmp_path / f"{action}{step}")
        own.add(crop(1), 1)
        own.add(crop(2), BACKGROUND)
        own.add(crop(3), label)
        acts = {
            "add": lambda own=own: own.add(crop(4), label),
            "undo": own.undo,
            "relabel": lambda own=own: own.add(crop(1), 8),
        }
        was_killed = interrupted(monkeypatch, step, acts[action])
        images, labels = Collection(own.folder).read()
        kept = [1, BACKGROUND, label, label][: len(labels)]
        assert labels.tolist() in (kept, [8, *kept[1:]])
        assert len(labels) in {"add": (3, 4), "undo": (2, 3), "relabel": (3,)}[action]
        assert all((images[place] == crop(place + 1)).all() for place in range(len(labels)))
        # And it goes on.
        assert own.add(crop(5), 6)
        assert own.read()[1].tolist()[-1] == 6
        if not was_killed:
            break
    else:
        pytest.fail("it never came to its end")
    assert step > 2


_ADD_FOR_EVER = """
import sys, numpy as np
from digits_tf.data.collection import Collection
own, number = Collection(sys.argv[1]), len(Collection(sys.argv[1]).entries())
while True:
    number += 1
    made = np.zeros((28, 28), np.uint8)
    made[0, :4] = np.frombuffer(number.to_bytes(4, "big"), np.uint8)
    made[1] = 1
    own.add(made, number % 11)
    print(number, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_program_that_is_killed_loses_at_most_its_last_picture(own):
    rng = np.random.default_rng(5)
    for _ in range(8):
        command = [sys.executable, "-c", _ADD_FOR_EVER, str(own.folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            time.sleep(rng.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            told = process.stdout.read().split()
        labels = own.read()[1]
        assert len(labels) >= int(told[-1] if told else 1)
        assert labels.tolist() == [number % 11 for number in range(1, len(labels) + 1)]


def test_two_programs_share_it(own):
    commands = [
        [
            sys.executable,
            "-c",
            "import sys, numpy as np\n"
            "from digits_tf.data.collection import Collection\n"
            "own = Collection(sys.argv[1])\n"
            "for n in range(25): own.add(np.full((28, 28), n + int(sys.argv[2]), np.uint8), 1)\n",
            str(own.folder),
            str(first),
        ]
        for first in (1, 101)
    ]
    programs = [subprocess.Popen(command) for command in commands]
    assert [program.wait(60) for program in programs] == [0, 0]
    images, labels = own.read()
    assert len(labels) == 50
    assert len(np.unique(images.reshape(50, -1), axis=0)) == 50


def test_the_list_may_be_lost_or_damaged(own):
    own.add(crop(1), 1, "a")
    own.add(crop(2), BACKGROUND, "b")
    own.add(crop(3), 3, "c")
    path = own.folder / collection.LIST
    path.write_bytes(path.read_bytes()[:-4] + b"\xff\xfe")
    assert labels_of(own)[:2] == ["1", "x"]
    path.unlink()
    # What is no digit comes last, as nobody knows when it came.
    assert own.entries() == [Entry(1), Entry(3), Entry(BACKGROUND)]


def test_files_that_do_not_belong_together_are_left_alone(own):
    own.add(crop(1), 1)
    idx.write_idx(own.folder / collection.IMAGES, np.zeros((9, 28, 28), np.uint8))
    before = (own.folder / collection.IMAGES).read_bytes()
    with pytest.raises(DigitsError, match="9 images in train-images-idx3-ubyte and 1 labels"):
        own.add(crop(2), 2)
    assert (own.folder / collection.IMAGES).read_bytes() == before
    (own.folder / collection.IMAGES).write_bytes(b"something else")
    with pytest.raises(DigitsError, match="expected an idx file"):
        Collection(own.folder)
    with pytest.raises(DigitsError, match="found a file"):
        Collection(own.folder / collection.IMAGES)


def filled(own, labels=(1, 2, BACKGROUND, 3)):
    for number, label in enumerate(labels, start=1):
        own.add(crop(number), label, f"photo {number}")
    return {path.name: path.read_bytes() for path in own.folder.iterdir()}


def with_count(content, count):
    return content[:4] + struct.pack(">I", count) + content[8:]


@pytest.mark.parametrize(
    ("name", "damaged"),
    [
        # One image too few by its header: the last is not cut off, as all labels are there.
        (collection.IMAGES, lambda content: with_count(content, 2)),
        (collection.LABELS, lambda content: with_count(content, 1)),
        (collection.LABELS, lambda content: content[:-1] + b"\x63"),
        (collection.IMAGES, lambda content: content[:10]),
        (collection.OTHERS, lambda content: content[:3]),
        (collection.IMAGES, lambda content: content[:8] + b"\0\0\0\x1d" + content[12:]),
        (collection.OTHERS, lambda content: with_count(content, 2**32 - 1)),
        (collection.LABELS, gzip.compress),
        (collection.LABELS, lambda content: b""),
    ],
)
def test_what_is_refused_is_left_as_it_was(own, name, damaged):
    files = filled(own)
    # What a killed program has left: no reason to write before all is known to be right.
    files[collection.OTHERS] += b"half a picture"
    files[name] = damaged(files[name])
    for each, content in files.items():
        (own.folder / each).write_bytes(content)
    with pytest.raises(DigitsError) as error:
        Collection(own.folder)
    assert str(error.value).startswith(str(own.folder))
    assert {path.name: path.read_bytes() for path in own.folder.iterdir()} == files


def test_a_damaged_row_keeps_its_place(own):
    filled(own)
    path = own.folder / collection.LIST
    rows = path.read_text().splitlines()
    rows[2] = "9?"
    path.write_text("\n".join([*rows, ""]))
    entries = Collection(own.folder).entries()
    assert [entry.name for entry in entries] == ["1", "2", "x", "3"]
    assert [entry.source for entry in entries] == ["photo 1", "", "photo 3", "photo 4"]
    path.write_text("\n".join([*rows[:3], "x," + "y" * 200_000]))
    assert labels_of(own) == ["1", "2", "3", "x"]


def test_it_is_data_to_train_on(own):
    for number in range(20):
        own.add(crop(number), number % 10)
    own.add(crop(99), BACKGROUND)
    found = mnist.find(own.folder)
    assert (found.train.count, found.test.count, found.background.count) == (18, 2, 1)
    both = np.concatenate([found.train.read()[0], found.test.read()[0]])
    assert sorted(map(bytes, both)) == sorted(bytes(crop(number)) for number in range(20))


@pytest.mark.skipif(os.name == "nt", reason="Windows locks in another way")
def test_folders_that_cannot_be_locked_are_used_without(tmp_path, monkeypatch):
    import fcntl

    def refuse(code):
        def flock(file, operation):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(fcntl, "flock", flock)

    refuse(errno.ENOLCK)
    with files.locked(tmp_path / ".lock"):
        pass
    refuse(errno.EIO)
    with pytest.raises(OSError, match="Input/output"), files.locked(tmp_path / ".lock"):
        pass
