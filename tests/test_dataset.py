import keras
import numpy as np
import pytest

from digits_tf.data import idx
from digits_tf.data.digits import BACKGROUND, ArrayDigits, open_pair
from digits_tf.training import dataset
from digits_tf.training.recipes import Augmentation

PLAIN = Augmentation()


def batches(data, first_epoch=0, epochs=1, seed=0, batch_size=50, steps=1000, strength=PLAIN):
    found = dataset.training_batches(
        data,
        seed=seed,
        first_epoch=first_epoch,
        epochs=epochs,
        batch_size=batch_size,
        steps=steps,
        augmentation=strength,
    )
    return list(found.as_numpy_iterator())


def keys(some_batches):
    return [image.tobytes() for images, _ in some_batches for image in images]


@pytest.fixture(scope="module", params=["resident", "streamed", "streamed gzip"])
def data(request, sample, tmp_path_factory):
    if request.param == "resident":
        return dataset.split(sample.test)
    folder = tmp_path_factory.mktemp("idx")
    suffix = ".gz" if "gzip" in request.param else ""
    images, labels = sample.test.read()
    idx.write_idx(folder / f"images{suffix}", images)
    idx.write_idx(folder / f"labels{suffix}", labels)
    pair = open_pair(folder / f"images{suffix}", folder / f"labels{suffix}")
    return dataset.split(pair, stream=True)


def test_split_holds_out_a_tenth(data):
    assert len(data.held_out) == 100
    assert len(data.train) == 900
    assert not set(data.held_out) & set(data.train)
    held_out = [images for images, _ in dataset.held_out_batches(data).as_numpy_iterator()]
    expected = data.digits.read()[0][data.held_out]
    assert np.array_equal(np.concatenate(held_out)[..., 0], expected)


def test_own_held_out_digits_and_background(sample):
    images, labels = sample.test.read()
    digits, held_out = (ArrayDigits(images[p], labels[p], "") for p in (np.s_[:30], np.s_[30:40]))
    background = ArrayDigits(images[40:45], np.full(5, BACKGROUND, np.uint8), "")
    data = dataset.split(digits, held_out=held_out, background=background)
    assert data.digits.count == 45
    assert data.held_out.tolist() == list(range(30, 40))
    assert data.train.tolist() == [*range(30), *range(40, 45)]
    (pixels, names) = next(dataset.held_out_batches(data).as_numpy_iterator())
    assert np.array_equal(pixels[..., 0], images[30:40])
    assert np.array_equal(names, labels[30:40])
    seen = np.concatenate([names for _, names in batches(data, batch_size=35)])
    assert sorted(seen) == sorted([*labels[:30], *(5 * [BACKGROUND])])


def test_an_epoch_has_each_training_digit_once_with_its_label(data):
    images, labels = data.digits.read()
    known = {
        image.astype(np.float32).tobytes(): label
        for image, label in zip(images, labels, strict=True)
    }
    found = batches(data)
    assert len(found) == 18
    assert sorted(keys(found)) == sorted(
        image.astype(np.float32).tobytes() for image in images[data.train]
    )
    for some_images, some_labels in found:
        assert some_images.shape == (50, 28, 28, 1)
        assert some_images.dtype == np.float32
        assert [known[image.tobytes()] for image in some_images] == some_labels.tolist()


def test_order_is_a_function_of_seed_and_epoch(data):
    both = keys(batches(data, 0, 2))
    first, second = both[:900], both[900:]
    assert first != second
    assert keys(batches(data, 1, 2)) == second
    assert keys(batches(data, 0, 1)) == first
    assert keys(batches(data, 0, 1, seed=1)) != first


@pytest.mark.parametrize("global_seed", [0, 7])
def test_order_does_not_follow_the_global_seed(data, global_seed):
    expected = keys(batches(data))
    keras.utils.set_random_seed(global_seed)
    assert keys(batches(data)) == expected


def test_augmentation_goes_with_the_digit_not_its_place(data):
    strength = Augmentation(rotation=20)
    small = sorted(keys(batches(data, batch_size=30, strength=strength)))
    large = sorted(keys(batches(data, batch_size=90, strength=strength)))
    images_small = np.frombuffer(b"".join(small), np.float32)
    images_large = np.frombuffer(b"".join(large), np.float32)
    assert np.allclose(np.sort(images_small), np.sort(images_large), atol=1e-2)
    assert keys(batches(data, 0, 1, strength=strength)) == keys(
        batches(data, 0, 1, strength=strength)
    )


def test_shapes_are_static_and_steps_are_limited(data):
    found = dataset.training_batches(
        data, seed=0, first_epoch=0, epochs=2, batch_size=32, steps=3, augmentation=PLAIN
    )
    images, labels = found.element_spec
    assert images.shape == (32, 28, 28, 1)
    assert labels.shape == (32,)
    assert len(list(found)) == 6


def test_limit_trains_on_fewer(sample):
    data = dataset.split(sample.test, limit=200)
    assert len(data.train) == 200
    assert len(batches(data, batch_size=20)) == 10
