import gzip
import hashlib
import struct

import numpy as np
import pytest

from conftest import REAL_MNIST
from digits_tf.data import idx
from digits_tf.data.digits import open_pair
from digits_tf.errors import DigitsError

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 28, 28)).astype(np.uint8)
LABELS = np.array([0, 1, 9, 3, 3, 7, 5], np.uint8)


def header(*dimensions, code=0x08):
    return bytes((0, 0, code, len(dimensions))) + struct.pack(f">{len(dimensions)}I", *dimensions)


@pytest.mark.parametrize("name", ["images-idx3-ubyte", "images.gz", "my digits.bin"])
def test_what_is_written_is_read(tmp_path, name):
    path = tmp_path / name
    idx.write_idx(path, IMAGES)
    file = idx.open_images(path)
    assert file.shape == (7, 28, 28)
    assert np.array_equal(file.read(), IMAGES)
    # Packed if the name says so, and without the time of day.
    content = path.read_bytes()
    assert (gzip.decompress(content) if name.endswith(".gz") else content)[16:] == IMAGES.tobytes()
    assert content[4:8] == (bytes(4) if name.endswith(".gz") else b"\0\0\0\x07")


def test_gzip_is_known_by_its_content_not_its_name(tmp_path):
    raw, packed = tmp_path / "named.gz", tmp_path / "named.raw"
    raw.write_bytes(header(7) + LABELS.tobytes())
    packed.write_bytes(gzip.compress(header(7) + LABELS.tobytes()))
    assert np.array_equal(idx.open_labels(raw).read(), LABELS)
    assert np.array_equal(idx.open_labels(packed).read(), LABELS)
    assert idx.open_labels(raw).sha256() == idx.open_labels(packed).sha256()


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_batches_cover_all_records_in_order(tmp_path, size):
    path = tmp_path / "images.gz"
    idx.write_idx(path, IMAGES)
    batches = list(idx.open_images(path).batches(size))
    assert max(map(len, batches)) <= size
    assert np.array_equal(np.concatenate(batches), IMAGES)


@pytest.mark.parametrize(
    ("code", "dtype"),
    [(0x08, "u1"), (0x09, "i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")],
)
def test_each_type_is_read_as_it_is_stored(tmp_path, code, dtype):
    array = np.arange(-60, 60).astype(dtype).reshape(4, 5, 6)
    path = tmp_path / "numbers"
    path.write_bytes(header(4, 5, 6, code=code) + array.tobytes())
    file = idx.open_idx(path)
    assert (file.dtype, file.header_bytes) == (np.dtype(dtype), 16)
    assert file.record_bytes == 30 * file.dtype.itemsize
    assert np.array_equal(file.read(), array)
    assert file.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_array_may_have_as_many_dimensions_as_numpys(tmp_path):
    (tmp_path / "deep").write_bytes(header(*32 * (1,)) + b"x")
    assert idx.open_idx(tmp_path / "deep").read().shape == 32 * (1,)


@pytest.mark.parametrize("name", ["zeros", "zeros.gz"])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_size_of_more_than_a_megabyte_is_counted_to_the_byte(tmp_path, name, more):
    """In chunks; zeros are packed as tightly as gzip can."""
    content = header(3000, 28, 28) + bytes(3000 * 784 + more)
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    if not more:
        assert idx.open_images(path).shape == (3000, 28, 28)
        return
    words = "found 2,351,999 bytes" if more < 0 else r"expected 2,352,000 .* more at the end"
    with pytest.raises(DigitsError, match=words):
        idx.open_images(path)


def test_a_file_that_becomes_shorter_while_it_is_read_is_noticed(tmp_path):
    path = tmp_path / "images"
    idx.write_idx(path, IMAGES)
    file = idx.open_images(path)
    path.write_bytes(path.read_bytes()[:-1])
    batches = file.batches(6)
    assert np.array_equal(next(batches), IMAGES[:6])
    with pytest.raises(DigitsError, match="became shorter"):
        next(batches)


BROKEN = {
    "empty": (b"", "at least 5 bytes"),
    "half a magic": (b"\0\0\x08", "at least 5 bytes"),
    "cut header": (b"\0\0\x08\x03\0\0", "cut short inside its header"),
    "cut records": (header(7, 28, 28) + b"x" * 5487, "cut short", "5,488 bytes", "5,487 bytes"),
    "trailing bytes": (header(7, 28, 28) + b"x" * 5490, "found 2 more"),
    "three times as long": (header(7, 28, 28) + b"x" * 3 * 5488, "found 10,976 more"),
    "no records": (header(0, 28, 28), "at least one record"),
    "no pixels": (header(5, 0, 28), "at least one record"),
    "terabytes": (header(2**32 - 1, 2**16, 2**16), "cut short"),
    "text": (b"label,pixel1,pixel2\n", "text that begins with 'labe'"),
    "odd text": (b" ~\t\r\n", r"text that begins with ' ~\t\r'"),
    "control bytes": (b"\x1fabc", "found bytes 1f 61 62 63"),
    "a program": (b"\x7fELF\x02", "found bytes 7f 45 4c 46"),
    "zip": (b"PK\x03\x04rest of an archive", "zip archive"),
    "png": (b"\x89PNG\r\n\x1a\n", "PNG"),
    "no dimensions": (header() + b"x", "magic"),
    "33 dimensions": (b"\0\0\x08\x21" + 33 * b"\0\0\0\x01" + b"x", "magic"),
    "unknown type": (header(7, code=0x07) + b"x" * 7, "magic"),
    "other size": (header(2, 32, 32) + b"x" * 2048, "28x28 pixels, found 32x32"),
    "labels": (header(7) + LABELS.tobytes(), "swapped"),
    "floats": (header(1, 28, 28, code=0x0D) + b"x" * 3136, "32-bit float"),
    "broken gzip": (gzip.compress(header(7, 28, 28) + IMAGES.tobytes())[:-200], "broken one"),
    "corrupt gzip": (b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + b"\xff" * 60, "broken one"),
    "gzip magic alone": (b"\x1f\x8b", "broken one"),
    "terabytes in gzip": (gzip.compress(header(2**32 - 1, 2**16, 2**16)), "can hold"),
    "cut in gzip": (gzip.compress(header(7, 28, 28) + b"x" * 100), "cut short"),
    "trailing in gzip": (gzip.compress(header(7, 28, 28) + b"x" * 5489), "more at the end"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_whatever_is_wrong_with_images_is_said_in_one_line(tmp_path, name):
    content, *parts = BROKEN[name]
    path = tmp_path / "digits.bin"
    path.write_bytes(content)
    with pytest.raises(DigitsError) as error:
        idx.open_images(path)
    assert "\n" not in str(error.value)
    for part in [str(path), *parts]:
        assert part in str(error.value)


def test_damage_in_the_middle_of_gzip_is_noticed(tmp_path):
    content = bytearray(gzip.compress(header(7, 28, 28) + IMAGES.tobytes()))
    content[len(content) // 2] ^= 0xFF
    path = tmp_path / "digits.gz"
    path.write_bytes(content)
    with pytest.raises(DigitsError, match="broken one"):
        idx.open_images(path)


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_rows_of_784_pixels_are_pictures(tmp_path, name):
    idx.write_idx(tmp_path / name, IMAGES.reshape(7, 784))
    file = idx.open_images(tmp_path / name)
    assert file.shape == (7, 28, 28)
    assert file.header_bytes == 12
    assert np.array_equal(np.concatenate(list(file.batches(3))), IMAGES)
    with pytest.raises(DigitsError, match="expected labels"):
        idx.open_labels(tmp_path / name)


def test_folder_missing_file_and_device(tmp_path):
    with pytest.raises(DigitsError, match="found a folder"):
        idx.open_idx(tmp_path)
    with pytest.raises(DigitsError, match="no such file"):
        idx.open_idx(tmp_path / "nothing")
    with pytest.raises(DigitsError, match="a device or a pipe"):
        idx.open_idx("/dev/zero")


def test_label_out_of_range_is_named(tmp_path):
    path = tmp_path / "labels"
    idx.write_idx(path, np.array([1, 2, 10, 3, 12], np.uint8))
    with pytest.raises(DigitsError, match=r"labels 0\.\.9, found 10 at index 2$"):
        idx.open_labels(path)
    # In the second batch of a million.
    many = np.zeros(2**20 + 9, np.uint8)
    many[2**20 + 4] = 11
    idx.write_idx(path, many)
    with pytest.raises(DigitsError, match=r"found 11 at index 1048580$"):
        idx.open_labels(path)
    rows = np.zeros((3, 8), ">i4")
    rows[1, 0] = -1
    path.write_bytes(header(3, 8, code=0x0C) + rows.tobytes())
    with pytest.raises(DigitsError, match=r"found -1 at index 1$"):
        idx.open_labels(path)


@pytest.mark.parametrize(
    ("dimensions", "code"), [((4,), 0x09), ((4, 8), 0x08), ((4, 8, 2), 0x0C), ((4,), 0x0C)]
)
def test_labels_are_bytes_or_rows_of_integers(tmp_path, dimensions, code):
    path = tmp_path / "labels"
    size = int(np.prod(dimensions)) * (4 if code == 0x0C else 1)
    path.write_bytes(header(*dimensions, code=code) + bytes(size))
    with pytest.raises(DigitsError, match="expected labels") as error:
        idx.open_labels(path)
    assert ("swapped" in str(error.value)) == (len(dimensions) == 3)


@pytest.mark.parametrize(
    ("dimensions", "code", "words"),
    [
        ((2, 27, 28), 0x08, "28x28 pixels, found 27x28"),
        ((2, 28, 29), 0x08, "28x28 pixels, found 28x29"),
        ((2, 28, 28), 0x09, "idx3 of 2 x 28 x 28, signed byte$"),
        ((2, 2, 14, 28), 0x08, "idx4 of 2 x 2 x 14 x 28, unsigned byte$"),
        ((2, 783), 0x08, r"idx2 of 2 x 783, unsigned byte \(are images and labels swapped"),
    ],
)
def test_images_are_bytes_of_28_by_28(tmp_path, dimensions, code, words):
    path = tmp_path / "images"
    path.write_bytes(header(*dimensions, code=code) + bytes(int(np.prod(dimensions))))
    with pytest.raises(DigitsError, match=words):
        idx.open_images(path)


def test_counts_must_be_equal(tmp_path):
    idx.write_idx(tmp_path / "images", IMAGES)
    idx.write_idx(tmp_path / "labels", LABELS[:-1])
    with pytest.raises(DigitsError, match=r"7 images .* 6 labels"):
        open_pair(tmp_path / "images", tmp_path / "labels")


def test_swapped_files_are_noticed(tmp_path):
    idx.write_idx(tmp_path / "images", IMAGES)
    idx.write_idx(tmp_path / "labels", LABELS)
    with pytest.raises(DigitsError, match="swapped"):
        open_pair(tmp_path / "labels", tmp_path / "images")
    with pytest.raises(DigitsError, match="swapped"):
        open_pair(tmp_path / "images", tmp_path / "images")


def test_qmnist_labels(tmp_path):
    rows = np.zeros((7, 8), ">i4")
    rows[:, 0] = LABELS
    rows[:, 1:] = 4711
    (tmp_path / "labels").write_bytes(header(7, 8, code=0x0C) + rows.tobytes())
    idx.write_idx(tmp_path / "images", IMAGES)
    _, labels = open_pair(tmp_path / "images", tmp_path / "labels").read()
    assert np.array_equal(labels, LABELS)
    assert labels.dtype == np.uint8


@pytest.mark.parametrize(("given", "turned"), [(None, True), (False, False), (True, True)])
def test_emnist_is_stored_transposed(tmp_path, given, turned):
    path = tmp_path / "emnist-digits-test-images-idx3-ubyte"
    idx.write_idx(path, IMAGES.transpose(0, 2, 1))
    idx.write_idx(tmp_path / "labels", LABELS)
    images, _ = open_pair(path, tmp_path / "labels", given).read()
    assert np.array_equal(images, IMAGES if turned else IMAGES.transpose(0, 2, 1))


@pytest.mark.skipif(not REAL_MNIST.is_dir(), reason="the whole of MNIST is not here")
def test_real_mnist():
    from digits_tf.data import download, mnist

    found = mnist.in_folder(REAL_MNIST)
    assert (found.train.count, found.test.count) == (60_000, 10_000)
    assert sorted(found.hashes().values()) == sorted(download.SHA256.values())
    counts = np.bincount(found.test.labels())
    assert counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
