import dataclasses

import numpy as np
import pytest

from digits_tf.training.augmentation import augment, uniform
from digits_tf.training.recipes import Augmentation

ALL = Augmentation(
    rotation=9,
    slant=0.1,
    scale=0.1,
    shift=1,
    elastic=1,
    perspective=0.1,
    stroke=0.5,
    breaks=0.5,
    rule=0.5,
    specks=0.5,
    cut=0.8,
    blur=0.5,
    contrast=0.5,
    gain=0.3,
    grain=0.5,
)


@pytest.fixture(scope="module")
def images(sample):
    return sample.train.read()[0][::200][..., None]


def bent(images, strength=ALL, seed=0, epoch=0, index=None):
    index = np.arange(len(images)) if index is None else index
    return np.asarray(augment(images, index, seed=seed, epoch=epoch, strength=strength))


def test_shape_type_and_range(images):
    result = bent(images)
    assert result.shape == images.shape
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 255


def test_nothing_is_changed_by_nothing(images):
    assert np.array_equal(bent(images, Augmentation()), images.astype(np.float32))


def test_an_image_is_bent_the_same_way_in_any_batch(images):
    whole = bent(images)
    chosen = np.array([7, 2, 11])
    assert np.allclose(bent(images[chosen], index=chosen), whole[chosen], atol=1e-3)


@pytest.mark.parametrize("other", [{"seed": 1}, {"epoch": 1}])
def test_seed_and_epoch_change_every_image(images, other):
    difference = np.abs(bent(images, **other) - bent(images)).mean(axis=(1, 2, 3))
    assert difference.min() > 0.5


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Augmentation)])
def test_each_strength_changes_something(images, field):
    strength = dataclasses.replace(Augmentation(), **{field: getattr(ALL, field)})
    changed = np.abs(bent(images, strength) - images).max(axis=(1, 2, 3)) > 1
    assert changed.mean() > 0.2


def test_digits_stay_digits(images):
    """Bent digits keep their ink: nothing is lost over the border or blown up."""
    mild = Augmentation(rotation=8, slant=0.1, scale=0.08, shift=0.8, elastic=1.0)
    ratio = bent(images, mild).sum(axis=(1, 2, 3)) / images.sum(axis=(1, 2, 3))
    assert ratio.min() > 0.6
    assert ratio.max() < 1.6
    assert abs(ratio.mean() - 1) < 0.1


def test_rotation_has_the_deviation_it_says():
    bar = np.zeros((400, 28, 28, 1), np.uint8)
    bar[:, 4:24, 13:15] = 255
    turned = bent(bar, Augmentation(rotation=9))[..., 0]
    y, x = np.mgrid[:28, :28] - 13.5
    weight = turned.sum(axis=(1, 2))
    covariance = (turned * x * y).sum(axis=(1, 2)) / weight
    spread = (turned * (y**2 - x**2)).sum(axis=(1, 2)) / weight
    angle = np.degrees(0.5 * np.arctan2(2 * covariance, spread))
    assert abs(angle.mean()) < 1.5
    assert 7.5 < angle.std() < 10


def test_uniform_is_uniform_and_independent():
    values = np.asarray(uniform(0, 3, np.arange(50_000), 8))
    assert values.min() >= 0
    assert values.max() < 1
    assert np.allclose(values.mean(axis=0), 0.5, atol=0.01)
    assert np.allclose(values.std(axis=0), 1 / np.sqrt(12), atol=0.01)
    correlation = np.corrcoef(np.concatenate([values[:-1], values[1:]], axis=1).T)
    assert np.abs(correlation - np.eye(16)).max() < 0.02
