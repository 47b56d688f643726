"""The vote of one's own digits: what it changes, and what it leaves alone."""

import numpy as np
import pytest

from conftest import run
from digits_tf.data.collection import Collection
from digits_tf.data.digits import BACKGROUND
from digits_tf.recognition import Classifier, Recognizer, text
from digits_tf.recognition.neighbours import NeighbourClassifier
from drawn import one, rng


class Pixels(Classifier):
    """Reads the probabilities that a crop's first row spells, in hundredths."""

    def probabilities(self, images):
        return (images[:, 0, :10] / 100).astype(np.float32)


def crop(shares, mark=0):
    """A crop that is read with these probabilities; marks tell equal ones apart."""
    made = np.zeros((28, 28), np.uint8)
    for label, share in shares.items():
        made[0, label] = round(100 * share)
    made[1, 0] = mark
    return made


def rows(own, *crops):
    return NeighbourClassifier(Pixels(), own).probabilities(np.array(crops))


@pytest.fixture
def own(tmp_path):
    return Collection(tmp_path / "own")


# A one that is read as a 7: 1 at 0.2, where a real 7 has 0.01.
MISREAD, SEVEN = {7: 0.75, 1: 0.2}, {7: 0.97, 9: 0.02}


def taught(own, label, shares=MISREAD, count=3):
    for mark in range(count):
        own.add(crop(shares, mark), label)


def test_three_that_agree_put_the_fourth_right(own):
    taught(own, 1, count=2)
    assert rows(own, crop(MISREAD))[0].argmax() == 7
    own.add(crop(MISREAD, 9), 1)
    read = rows(own, crop(MISREAD, 5), crop({7: 0.7, 1: 0.25}))
    assert read.argmax(axis=1).tolist() == [1, 1]
    assert (read[:, 1] > 0.97).all()
    assert (read.sum(axis=1) <= 1 + 1e-6).all()


def test_what_is_read_in_another_way_is_left_alone(own):
    taught(own, 1)
    far = crop(SEVEN), crop({3: 0.9}), crop({7: 0.3, 2: 0.3, 5: 0.3})
    assert (rows(own, *far) == Pixels().probabilities(np.array(far))).all()


def test_neighbours_that_disagree_change_nothing(own):
    taught(own, 1, count=2)
    own.add(crop(MISREAD, 7), 7)
    assert (rows(own, crop(MISREAD)) == Pixels().probabilities(crop(MISREAD)[None])).all()


def test_what_is_no_digit_gets_no_label(own):
    taught(own, BACKGROUND)
    assert rows(own, crop(MISREAD))[0].max() < 0.03


def test_a_reading_that_is_right_already_keeps_its_probability(own):
    taught(own, 7, SEVEN)
    assert rows(own, crop({7: 0.99}))[0, 7] == pytest.approx(0.99)


def test_what_is_added_or_taken_back_counts_at_once(own):
    model = NeighbourClassifier(Pixels(), own)
    assert model.probabilities(crop(MISREAD)[None])[0].argmax() == 7
    taught(own, 1)
    assert model.probabilities(crop(MISREAD)[None])[0].argmax() == 1
    Collection(own.folder).undo()
    assert model.probabilities(crop(MISREAD)[None])[0].argmax() == 7


def test_a_collection_that_breaks_while_it_reads_does_not_end_it(own):
    model = NeighbourClassifier(Pixels(), own)
    taught(own, 1)
    assert model.probabilities(crop(MISREAD)[None])[0].argmax() == 1
    for path in own.folder.glob("*ubyte"):
        path.write_bytes(b"broken")
    (own.folder / "collection.csv").write_bytes(b"")
    assert model.probabilities(crop(MISREAD)[None])[0].argmax() == 1
    assert model.probabilities(np.zeros((0, 28, 28), np.uint8)).shape == (0, 10)


def test_a_shipped_model_learns_a_digit_of_ones_own(tmp_path):
    """Sevens that the owner calls ones are read as ones, and other digits as before."""
    own, recognizer = Collection(tmp_path), Recognizer.load(collection=tmp_path)
    frames = [one(7, rng(seed)).on(230) for seed in range(1, 12)]
    assert [text(recognizer.read(frame)) for frame in frames] == 11 * ["7"]
    for frame in frames[:6]:
        own.add(recognizer.read(frame)[0].crop, 1)
    read = [text(recognizer.read(frame)) for frame in frames[6:]]
    assert read.count("1") >= 4
    others = [one(digit, rng(3)).on(230) for digit in (0, 2, 3, 4, 5, 6, 8)]
    assert "".join(text(recognizer.read(frame)) for frame in others) == "0234568"


def test_the_command_says_what_it_reads_with(tmp_path):
    from camera_fakes import write_picture

    write_picture(tmp_path / "seven.png", one(7, rng(1)).on(230))
    taught(Collection(tmp_path / "own"), 1)
    read = run("digits_tf.predict", "seven.png", "--nojson", cwd=tmp_path)
    assert "reading with 3 pictures of your own in own" in read.stderr
    read = run("digits_tf.predict", "seven.png", "--nojson", "--collection=", cwd=tmp_path)
    assert (read.stderr, read.returncode) == ("", 0)
