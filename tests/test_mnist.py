"""Where digits come from: folders, cache, mirrors (a server on this machine), the sample."""

import concurrent.futures
import contextlib
import gzip
import hashlib
import http.server
import threading
import time

import numpy as np
import pytest

from conftest import assert_one_line_error, run
from digits_tf.data import download, idx, mnist
from digits_tf.errors import DigitsError

NOWHERE = ("http://127.0.0.1:9/",)


def test_sample_is_4000_and_1000_real_digits_without_overlap(sample):
    train, train_labels = sample.train.read()
    test, test_labels = sample.test.read()
    assert (train.shape, test.shape) == ((4000, 28, 28), (1000, 28, 28))
    assert np.bincount(train_labels).tolist() == [400] * 10
    assert np.bincount(test_labels).tolist() == [100] * 10
    assert train.dtype == np.uint8
    assert train.max() == 255
    assert not {image.tobytes() for image in train} & {image.tobytes() for image in test}


def write_folder(folder, names):
    rng = np.random.default_rng(0)
    for name in names:
        shape = (20, 28, 28) if "images" in name else (20,)
        folder.mkdir(exist_ok=True)
        idx.write_idx(folder / name, rng.integers(0, 10, shape).astype(np.uint8))


@pytest.mark.parametrize(
    "names",
    [
        [f"{p}-{k}-ubyte.gz" for p in ("train", "t10k") for k in ("images-idx3", "labels-idx1")],
        [f"{p}-{k}-ubyte" for p in ("train", "t10k") for k in ("images.idx3", "labels.idx1")],
        [
            f"emnist-digits-{p}-{k}"
            for p in ("train", "test")
            for k in ("images-idx3", "labels-idx1")
        ],
        [
            f"qmnist-{p}-{k}-ubyte"
            for p in ("train", "test")
            for k in ("images-idx3", "labels-idx1")
        ],
    ],
)
def test_usual_names_are_found(tmp_path, names):
    write_folder(tmp_path, names)
    (tmp_path / "README.txt").write_text("train images idx")
    found = mnist.in_folder(tmp_path)
    assert (found.train.count, found.test.count) == (20, 20)


def test_missing_and_ambiguous_files_are_named(tmp_path):
    write_folder(tmp_path, ["train-images-idx3-ubyte"])
    with pytest.raises(DigitsError, match="train-labels"):
        mnist.in_folder(tmp_path)
    write_folder(tmp_path, ["qmnist-train-images-idx3-ubyte"])
    with pytest.raises(DigitsError, match="--train_images FILE"):
        mnist.in_folder(tmp_path)
    with pytest.raises(DigitsError, match="expected a folder"):
        mnist.in_folder(tmp_path / "nothing")


def test_torchvisions_folder_is_found_below_its_root(tmp_path):
    names = [f"{p}-{k}-ubyte" for p in ("train", "t10k") for k in ("images-idx3", "labels-idx1")]
    (tmp_path / "MNIST").mkdir()
    write_folder(tmp_path / "MNIST" / "raw", [*names, names[0] + ".gz"])
    found = mnist.in_folder(tmp_path)
    assert found.train.origin == str(tmp_path / "MNIST" / "raw" / names[0])
    assert found.test.count == 20
    # Files in the folder itself come first.
    write_folder(tmp_path, names)
    assert mnist.in_folder(tmp_path).train.origin == str(tmp_path / names[0])


def test_dark_digits_on_bright_are_hinted_at(tmp_path, idx_pair):
    images, labels = (idx.open_idx(path).read() for path in idx_pair)
    for part, pictures in (("train", images), ("t10k", 255 - images)):
        idx.write_idx(tmp_path / f"{part}-images-idx3-ubyte", pictures)
        idx.write_idx(tmp_path / f"{part}-labels-idx1-ubyte", labels)
    result = run("digits_tf.data", "--data_dir", tmp_path)
    assert result.returncode == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"warning: {tmp_path / 't10k-images-idx3-ubyte'}: dark digits")
    assert "255 minus" in line


def test_without_network_the_sample_is_taken_with_a_warning(tmp_path, capsys):
    found = mnist.find(cache=tmp_path, mirrors=NOWHERE)
    assert found.is_sample
    assert "MNIST COULD NOT BE FETCHED" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.*"))


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `content`, in the way that `manner` says."""

    content = b""
    manner = "good"
    requests = 0

    def do_GET(self):
        type(self).requests += 1
        if self.manner == "missing":
            self.send_error(404)
            return
        if self.manner.startswith("to "):
            self.send_response(302)
            self.send_header("Location", self.manner[3:])
            self.end_headers()
            return
        if self.manner == "header without end":
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
                for _ in range(40):
                    self.wfile.write(b"x")
                    time.sleep(0.05)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        if self.manner == "cut":
            self.wfile.write(self.content[: len(self.content) // 2])
        elif self.manner == "slow":
            try:
                for byte in self.content[:400]:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.02)
            except OSError:
                pass  # the client gave up, as it should
        else:
            self.wfile.write(self.content)

    def log_message(self, *words):
        pass


@pytest.fixture
def mirror(monkeypatch):
    """A mirror on this machine that has one file, "digits"."""
    plain = bytes(range(256)) * 50
    monkeypatch.setitem(download.SHA256, "digits", hashlib.sha256(plain).hexdigest())
    Handler.content, Handler.manner, Handler.requests = gzip.compress(plain), "good", 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_fetched_once_and_then_taken_from_the_cache(tmp_path, mirror):
    path = download.fetch("digits", tmp_path, [mirror])
    assert path.read_bytes() == bytes(range(256)) * 50
    assert download.fetch("digits", tmp_path, NOWHERE) == path
    assert Handler.requests == 1
    assert [file.name for file in tmp_path.iterdir()] == ["digits"]


def test_damaged_cache_is_fetched_again(tmp_path, mirror, capsys):
    (tmp_path / "digits").write_bytes(b"damaged")
    path = download.fetch("digits", tmp_path, [mirror])
    assert path.read_bytes() == bytes(range(256)) * 50
    assert "damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("manner", "content", "reason"),
    [
        ("missing", b"", "Not Found"),
        ("cut", None, "of"),
        ("slow", None, "still not done after 1 s"),
        ("header without end", None, "still not done after 1 s"),
        ("to /in/a/circle", None, "redirects without end"),
        ("to file:///etc/passwd", None, "not allowed"),
        ("to http://example.invalid/", None, "expected an address that begins with https://"),
        ("good", b"no gzip at all", "incorrect header"),
        ("good", gzip.compress(b"something else", mtime=0), "expected SHA-256"),
        ("good", gzip.compress(b"x" * 100, mtime=0)[:-3], "cut short"),
    ],
)
def test_bad_mirror_leaves_nothing_and_the_next_is_tried(tmp_path, mirror, manner, content, reason):
    Handler.manner = manner
    Handler.content = Handler.content if content is None else content
    with pytest.raises(DigitsError, match=reason) as error:
        download.fetch("digits", tmp_path, [mirror, *NOWHERE], limit_s=1)
    assert "127.0.0.1:9/" in str(error.value)
    assert not list(tmp_path.iterdir())


def test_only_https_is_fetched(tmp_path):
    (tmp_path / "digits.gz").write_bytes(b"")
    mirror = f"{tmp_path.as_uri()}/"
    with pytest.raises(DigitsError, match=f"{mirror}digits.gz: expected an address that begins"):
        download.fetch("digits", tmp_path / "cache", [mirror])


def test_two_at_once_get_the_same_file(tmp_path, mirror):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        paths = set(pool.map(lambda _: download.fetch("digits", tmp_path, [mirror]), range(2)))
    assert paths == {tmp_path / "digits"}
    assert [file.name for file in tmp_path.iterdir()] == ["digits"]


def test_gzip_bomb_is_not_unpacked(tmp_path, mirror, monkeypatch):
    monkeypatch.setattr(download, "_MAX_BYTES", 10_000)
    Handler.content = gzip.compress(bytes(10_000_000))
    with pytest.raises(DigitsError, match="sends"):
        download.fetch("digits", tmp_path, [mirror])


def test_data_command_says_what_is_there(tmp_path):
    # Whatever its name.
    result = run("digits_tf.data", "--sample", "--sheet", tmp_path / "sheet")
    assert result.returncode == 0, result.stderr
    assert "4,000 digits of 28x28" in result.stdout
    assert result.stdout.count("400") >= 10
    assert [each.name for each in tmp_path.iterdir()] == ["sheet"]
    assert (tmp_path / "sheet").read_bytes().startswith(b"\x89PNG")


def test_data_command_errors(tmp_path, idx_pair):
    images, labels = idx_pair
    assert_one_line_error(run("digits_tf.data", "--data_dir", tmp_path / "no"), "no", "a folder")
    assert_one_line_error(run("digits_tf.data", "--sample", "--data_dir", tmp_path), "one of")
    assert_one_line_error(run("digits_tf.data", "--train_images", images), "--train_labels")
    assert_one_line_error(run("digits_tf.data", "--nonsense"), "nonsense", "--help")
    assert_one_line_error(run("digits_tf.data", "extra"), "extra")
    result = run(
        "digits_tf.data",
        f"--train_images={labels}",
        f"--train_labels={images}",
        f"--test_images={images}",
        f"--test_labels={labels}",
    )
    assert_one_line_error(result, "swapped", labels)
