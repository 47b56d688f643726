"""The input pipeline: tf.data, from uint8 records to augmented batches.

Each epoch's order and augmentation follow only from (seed, epoch), so that a run can begin at any
epoch. Digits that fit in memory are kept in one uint8 array, from which batches are gathered; that
is 3 times faster than reading records (docs/training.md) and shuffles all of them. Larger files are
streamed with `FixedLengthRecordDataset` and shuffled within a buffer.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digits_tf.data.digits import Digits, IdxDigits, Joined
from digits_tf.data.idx import IdxFile
from digits_tf.data.mnist import hold_out
from digits_tf.training.augmentation import augment
from digits_tf.training.recipes import Augmentation

# 1.3 million digits. NumPy and TensorFlow each hold the array once.
_MAX_RESIDENT_BYTES = 1 << 30
_SHUFFLE_BUFFER = 100_000  # digits, 78 MB
_EVALUATION_BATCH = 500

Tensor: TypeAlias = Any
# From (seed, epoch, batch size) to batches of (images, labels, index in the data set).
_Epoch: TypeAlias = Callable[[int, Tensor, int], tf.data.Dataset]


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """Training digits, with some of them held out.

    Attributes:
        digits: all of them.
        held_out: sorted indices, int64, of the digits that the epoch is chosen on.
        train: sorted indices, int64, of the digits that are trained on.
        stream: whether every epoch reads the files again.
    """

    digits: Digits
    held_out: NDArray[np.int64]
    train: NDArray[np.int64]
    stream: bool


def split(
    digits: Digits,
    limit: int | None = None,
    stream: bool | None = None,
    held_out: Digits | None = None,
    background: Digits | None = None,
) -> TrainingData:
    """Holds out 5,000 digits, or a tenth where there are fewer than 50,000.

    They are the same in every run, whatever its seed, see `hold_out`.

    Args:
        digits: the training digits.
        limit: train on only that many of the rest.
        stream: whether every epoch reads the files again; None: if they are larger than 1 GiB.
            Only digits in one pair of idx files can be streamed.
        held_out: other digits to hold out instead.
        background: what is no digit, to train on as well.
    """
    chosen = digits.count + np.arange(held_out.count) if held_out else hold_out(digits.count)
    if held_out or background:
        digits = Joined([part for part in (digits, held_out, background) if part])
    count = digits.count
    is_train = np.ones(count, bool)
    is_train[chosen] = False
    train = np.flatnonzero(is_train)
    if limit and limit < len(train):
        train = np.sort(np.random.default_rng(0).choice(train, limit, replace=False))
    if stream is None:
        stream = count * 28 * 28 > _MAX_RESIDENT_BYTES
    return TrainingData(digits, chosen, train, stream and isinstance(digits, IdxDigits))


def training_batches(
    data: TrainingData,
    *,
    seed: int,
    first_epoch: int,
    epochs: int,
    batch_size: int,
    steps: int,
    augmentation: Augmentation,
) -> tf.data.Dataset:
    """All batches of epochs `first_epoch` to `epochs`, one epoch after the other.

    Args:
        data: the digits.
        seed: the run's seed.
        first_epoch: counted from 0.
        epochs: the last epoch is `epochs` - 1.
        batch_size: digits a batch.
        steps: batches an epoch. The few digits that do not fill a batch are left out of it.
        augmentation: how much the digits are changed.

    Returns:
        (images float32 (batch_size, 28, 28, 1) in 0..255, labels int32 (batch_size,)).
    """
    one_epoch = _streamed_epoch(data) if data.stream else _resident_epoch(data)

    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        epoch = tf.cast(epoch, tf.int32)
        records = one_epoch(seed, epoch, batch_size).take(steps)

        def finish(images: Tensor, labels: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
            images = augment(images, index, seed=seed, epoch=epoch, strength=augmentation)
            return images, labels

        return records.map(finish, num_parallel_calls=tf.data.AUTOTUNE)

    return tf.data.Dataset.range(first_epoch, epochs).flat_map(epoch_batches).prefetch(4)


def held_out_batches(data: TrainingData) -> tf.data.Dataset:
    """The held-out digits in order, unchanged: (float32 (n, 28, 28, 1), int32 (n,))."""
    wanted = np.zeros(data.digits.count, bool)
    wanted[data.held_out] = True
    images, labels, first = [], [], 0
    for some_images, some_labels in data.digits.batches(10_000):
        chosen = wanted[first : first + len(some_images)]
        images.append(some_images[chosen])
        labels.append(some_labels[chosen])
        first += len(some_images)
    arrays = (
        np.concatenate(images)[..., None].astype(np.float32),
        np.concatenate(labels).astype(np.int32),
    )
    return tf.data.Dataset.from_tensor_slices(arrays).batch(_EVALUATION_BATCH)


def _resident_epoch(data: TrainingData) -> _Epoch:
    """Gathers batches from one array in memory."""
    images, labels = data.digits.read()
    # tf.data gathers on the CPU; it would copy the array back from a GPU.
    with tf.device("CPU"):
        images = tf.constant(images[data.train][..., None])
        labels = tf.constant(labels[data.train].astype(np.int32))
        index = tf.constant(data.train.astype(np.int32))

    def one_epoch(seed: int, epoch: Tensor, batch_size: int) -> tf.data.Dataset:
        rows = tf.random.experimental.stateless_shuffle(
            tf.range(tf.size(index)), seed=tf.stack([seed, epoch])
        )
        batches = tf.data.Dataset.from_tensor_slices(rows).batch(batch_size, drop_remainder=True)
        return batches.map(
            lambda row: (tf.gather(images, row), tf.gather(labels, row), tf.gather(index, row))
        )

    return one_epoch


def _streamed_epoch(data: TrainingData) -> _Epoch:
    """Reads batches from the files; only the shuffle buffer is in memory."""
    digits = data.digits
    if not isinstance(digits, IdxDigits):
        raise TypeError(f"Expected digits in idx files. Received: digits={digits!r}")
    wanted = np.zeros(digits.count, bool)
    wanted[data.train] = True
    is_wanted = tf.constant(wanted)
    label_type = tf.as_dtype(digits.label_file.dtype.newbyteorder("="))

    def decode(index: Tensor, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        image = tf.reshape(tf.io.decode_raw(image, tf.uint8), (image.shape[0], 28, 28, 1))
        if digits.transposed:
            image = tf.transpose(image, (0, 2, 1, 3))
        label = tf.io.decode_raw(label, label_type, little_endian=False)
        return image, tf.cast(label[:, 0], tf.int32), tf.cast(index, tf.int32)

    def is_trained_on(index: Tensor, image: Tensor, label: Tensor) -> Tensor:
        return tf.gather(is_wanted, index)

    def one_epoch(seed: int, epoch: Tensor, batch_size: int) -> tf.data.Dataset:
        # `shuffle` mixes the global seed of the process into its own. With a fixed seed of this
        # function's graph, the order follows only from (seed, epoch). TensorFlow fails with a 0.
        tf.compat.v1.set_random_seed(1)
        files = (digits.image_file, digits.label_file)
        records = tf.data.Dataset.zip(
            (tf.data.Dataset.range(digits.count), *(_records(file) for file in files))
        )
        shuffled = records.filter(is_trained_on).shuffle(
            min(_SHUFFLE_BUFFER, len(data.train)),
            seed=tf.cast(seed, tf.int64) * 1_000_003 + tf.cast(epoch, tf.int64),
        )
        # Decoding whole batches takes one call instead of one a digit.
        return shuffled.batch(batch_size, drop_remainder=True).map(decode)

    return one_epoch


def _records(file: IdxFile) -> tf.data.Dataset:
    return tf.data.FixedLengthRecordDataset(
        str(file.path),
        record_bytes=file.record_bytes,
        header_bytes=file.header_bytes,
        compression_type="GZIP" if file.gzipped else None,
    )
