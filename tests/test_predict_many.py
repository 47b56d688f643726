"""`python -m digits_tf.predict --out`: a row a picture, in a folder that a run goes on with."""

import http.server
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from conftest import ROOT, assert_one_line_error, run
from digits_tf import stores
from digits_tf.cli import predict_inputs
from digits_tf.errors import DigitsError
from digits_tf.files import sha256
from digits_tf.recognition import Recognizer, results
from digits_tf.recognition.results import open_results, read_row

SEVEN = ROOT / "samples" / "seven.jpg"
SETTINGS = {"threshold": 0.5}


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer.load()


def pictures(folder, *names):
    for name in names:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SEVEN.read_bytes())
    return folder


def predict(*words, **options):
    return run("digits_tf.predict", *words, **options)


def rows(folder):
    """All rows in a folder of results."""
    if Path(folder).suffix == ".parquet":
        from pyarrow import parquet

        return parquet.read_table(folder).to_pylist()
    parts = sorted(Path(folder).glob("part-*.jsonl"))
    return [json.loads(line) for part in parts for line in part.read_text().splitlines()]


def bomb(width=100_000, height=100_000):
    """A PNG file of a few bytes that announces ten billion pixels."""

    def chunk(kind, content):
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


# The command.


def test_each_picture_has_one_row_and_a_second_run_reads_what_is_new(tmp_path):
    pictures(tmp_path, "in/a.jpg", "in/deep/b.jpg")
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    words = ["in", "./in/a.jpg", "in/../in/*.jpg", "nope.jpg", "--out", "out"]
    first = predict(*words, cwd=tmp_path)
    assert first.returncode == 1
    assert first.stdout == ""
    assert first.stderr.splitlines() == [
        "error: nope.jpg: no such file or folder",
        "out: 3 pictures read, 1 of them cannot be read",
    ]
    found = {row.pop("path"): row for row in rows(tmp_path / "out")}
    place = tmp_path / "in"
    assert set(found) == {str(place / name) for name in ("a.jpg", "bad.png", "deep/b.jpg")}
    assert set(found[str(place / "a.jpg")]) == {"text", "digits", "ms"}
    assert found[str(place / "a.jpg")]["text"] == "7"
    problem = f"{place / 'bad.png'}: not a picture that can be read, or a cut one"
    assert found[str(place / "bad.png")] == {"error": problem}

    pictures(tmp_path, "in/c.jpg")
    second = predict("in", "--out", tmp_path / "out", cwd=tmp_path)
    assert (second.returncode, second.stderr) == (
        0,
        f"{tmp_path / 'out'}: 1 picture read; 3 are there already\n",
    )
    assert len(rows(tmp_path / "out")) == 4
    third = predict("in", "--out", "out", cwd=tmp_path)
    assert (third.returncode, third.stderr) == (
        0,
        "out: 0 pictures read; 4 are there already\n",
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        ".lock",
        "_settings.json",
        "part-000001.jsonl",
        "part-000002.jsonl",
    ]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["a.jpg", "--engine=ray"], ["--engine=ray needs --out"]),
        (["a.jpg", "--out=o", "--nojson"], ["expected --out alone, found --json as well"]),
        (["a.jpg", "--out=o", "--csv=t.csv"], ["expected --out alone, found --csv as well"]),
        (["a.jpg", "--out=o", "--crops=c"], ["expected --out alone, found --crops as well"]),
        (["a.jpg", "--out=o", "--engine=ray", "--threads=2"], ["one thread", "--threads=2"]),
        (["-", "--out=o"], ["expected files and folders with --out, found standard input"]),
        (["nope.jpg", "--out=o"], ["nope.jpg: no such file or folder"]),
        (["empty", "--out=o"], ["empty: expected pictures in this folder", "found none"]),
        (["a.jpg", "--out=a.jpg"], ["a.jpg: expected a folder to write into, found a file"]),
        (["a.jpg", "--out=old"], ["old: holds what was read with threshold 0.9, found threshold"]),
        (["a.jpg", "--out=o", "--model=no.tflite"], ["no.tflite: no such model"]),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, words, parts):
    pictures(tmp_path, "a.jpg")
    (tmp_path / "empty").mkdir()
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "_settings.json").write_text('{"threshold": 0.9, "model": "tiny"}')
    assert_one_line_error(predict(*words, cwd=tmp_path), *parts)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("flag", ["model", "detector"])
def test_a_network_that_was_trained_anew_is_not_mixed_with_the_old_one(tmp_path, flag):
    pictures(tmp_path, "a.jpg")
    shipped = {"model": "tiny_mixed.tflite", "detector": "detector.tflite"}[flag]
    network = (ROOT / "tflite" / shipped).read_bytes()
    (tmp_path / "mine.tflite").write_bytes(network)
    words = ["a.jpg", "--out=out", f"--{flag}=mine.tflite"]
    assert predict(*words, cwd=tmp_path).returncode == 0
    # What comes after the last byte of a network is not read.
    (tmp_path / "mine.tflite").write_bytes(network + b"anew")
    parts = [f"out: holds what was read with {flag}_sha256", "trained anew: name another folder"]
    assert_one_line_error(predict(*words, cwd=tmp_path), *parts)


def test_the_digest_of_a_folder_is_that_of_all_that_is_in_it(tmp_path):
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "data").write_bytes(b"1")
    before = sha256(tmp_path)
    assert sha256(tmp_path) == before
    (tmp_path / "variables" / "data").write_bytes(b"2")
    after = sha256(tmp_path)
    (tmp_path / "variables" / "data").rename(tmp_path / "variables" / "index")
    assert len({before, after, sha256(tmp_path)}) == 3


@pytest.mark.parametrize(
    ("words", "missing", "parts"),
    [
        (["--out=o", "--engine=ray"], "ray", ["Ray needs ray", "digits_tf[ray]"]),
        (["--out=o.parquet"], "pyarrow", ["Parquet needs pyarrow", "digits_tf[ray]"]),
    ],
)
def test_what_is_missing_is_named(tmp_path, words, missing, parts):
    pictures(tmp_path, "a.jpg")
    script = (
        f"import runpy, sys\nsys.modules[{missing!r}] = None\n"
        "runpy.run_module('digits_tf.predict', run_name='__main__', alter_sys=True)\n"
    )
    command = [sys.executable, "-c", script, "a.jpg", *words]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert_one_line_error(result, *parts)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_what_is_read(tmp_path, number):
    pictures(tmp_path, "a.jpg")
    (tmp_path / "many").mkdir()
    for index in range(600):
        (tmp_path / "many" / f"{index}.jpg").symlink_to(tmp_path / "a.jpg")
    command = [sys.executable, "-m", "digits_tf.predict", "many", "--out", "out"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "out").exists():
            time.sleep(0.01)
        assert_one_line_error(
            predict("a.jpg", "--out", "out", cwd=tmp_path), "another run writes into this"
        )
        process.send_signal(number)
        assert process.wait(10) == 130
        said = process.stderr.read()
    assert said.endswith("\nstopped; the same command goes on where this one ended\n")
    texts = [row["text"] for row in rows(tmp_path / "out")]
    assert set(texts) == {"7"}
    assert 0 < len(texts) < 600


# Rows.


def test_what_cannot_be_read_is_a_row(tmp_path, recognizer, monkeypatch):
    path = tmp_path / "a.png"
    assert read_row(recognizer, str(path)) == {
        "path": str(path),
        "error": f"{path}: No such file or directory",
    }
    path.write_bytes(bomb())
    assert "too many pixels" in read_row(recognizer, str(path))["error"]
    monkeypatch.setattr(stores, "read", lambda name: 1 / 0)
    assert read_row(recognizer, "x") == {
        "path": "x",
        "error": "x: ZeroDivisionError: division by zero",
    }


# The folder.


def add(folder, *names):
    """A run that is killed: what is held back is lost."""
    with open_results(Path(folder), SETTINGS) as kept:
        for name in kept.missing(names):
            kept.add({"path": name, "text": "7", "digits": [], "ms": 1.5})


def test_a_kill_costs_the_last_part_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "_PART_ROWS", 2)
    add(tmp_path, "a", "b", "c", "d", "e")
    # As a kill in the middle of the writing leaves it.
    (tmp_path / ".part-x.jsonl").write_text('{"path": "e"}\n{"pa')
    assert [row["path"] for row in rows(tmp_path)] == ["a", "b", "c", "d"]
    add(tmp_path, "e", "a", "f", "f", "g")
    assert [row["path"] for row in rows(tmp_path)] == ["a", "b", "c", "d", "e", "f"]
    assert len(list(tmp_path.glob("part-*.jsonl"))) == 3


def test_a_slow_run_writes_parts_too(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "_PART_S", 0)
    add(tmp_path, "a", "b")
    assert len(list(tmp_path.glob("part-*.jsonl"))) == 2


@pytest.mark.parametrize("name", ["out", "out.parquet"])
def test_names_with_all_kinds_of_letters_are_read_once(tmp_path, monkeypatch, name):
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow", reason="needs digits_tf[ray]")
    monkeypatch.setattr(results, "_PART_ROWS", 1)
    names = ["new\nline", "größe ☃", "broken \udcff", "tab\t", '"']
    add(tmp_path / name, *names)
    add(tmp_path / name, *names)
    stored = [row["path"] for row in rows(tmp_path / name)]
    assert stored == ["new\nline", "größe ☃", "broken \\udcff", "tab\t", '"']


def test_parquet_says_what_json_lines_say(tmp_path):
    pytest.importorskip("pyarrow", reason="needs digits_tf[ray]")
    pictures(tmp_path, "in/a.jpg")
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    (tmp_path / "in" / "row.jpg").write_bytes((ROOT / "samples" / "row.jpg").read_bytes())
    for out in ("out", "out.parquet"):
        assert predict("in", "--out", out, cwd=tmp_path).returncode == 1
    plain, typed = rows(tmp_path / "out"), rows(tmp_path / "out.parquet")
    assert [row["text"] for row in typed] == ["7", None, "4079 386"]
    empty = {"text": None, "digits": None, "error": None}
    for one, other in zip(plain, typed, strict=True):
        assert (one.pop("ms", None) is None) == (other.pop("ms") is None)
        assert {**empty, **one} == other


@pytest.mark.parametrize("content", ["{", '{"text": "7"}\n', "[]\n", "\xff"])
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_a_damaged_part_is_named(tmp_path, suffix, content):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="needs digits_tf[ray]")
    folder = tmp_path / f"out{suffix}"
    folder.mkdir()
    (folder / f"part-000007{suffix}").write_bytes(content.encode("latin-1"))
    with pytest.raises(DigitsError, match=f"part-000007{suffix}: expected the rows of a run.*del"):
        add(folder, "a")
    (folder / f"part-000007{suffix}").unlink()
    if suffix == ".jsonl":
        (folder / "part-of-another.jsonl").write_text('{"path": "b"}\n')
    with open_results(folder, SETTINGS) as kept:
        assert kept.missing("ab") == (["a"] if suffix == ".jsonl" else ["a", "b"])


# Stores.


class Bucket(http.server.BaseHTTPRequestHandler):
    """As much of S3 as it takes to list a bucket and to read what is in it."""

    files: dict[str, bytes] = {}  # noqa: RUF012

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        _, bucket, key = (*urllib.parse.unquote(parts.path).split("/", 2), "", "")[:3]
        query = dict(urllib.parse.parse_qsl(parts.query))
        if bucket == "scans" and not key and "list-type" in query:
            keys = [key for key in self.files if key.startswith(query.get("prefix", ""))]
            listed = "".join(
                f"<Contents><Key>{escape(key)}</Key><Size>{len(self.files[key])}</Size></Contents>"
                for key in keys
            )
            self.answer(200, f"<ListBucketResult>{listed}</ListBucketResult>".encode())
        elif key in self.files:
            self.answer(200, self.files[key])
        else:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    do_HEAD = do_GET

    def answer(self, status, content):
        first, last = 0, len(content) - 1
        if status == 200 and (ranged := self.headers.get("Range")):
            status = 206
            first, last = map(int, ranged.removeprefix("bytes=").split("-"))
        part = content[first : last + 1]
        self.send_response(status)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(part)

    def log_message(self, *_):
        pass


@pytest.fixture
def bucket(monkeypatch):
    """The end of its address; what is in it is to be put into `Bucket.files`."""
    pytest.importorskip("pyarrow", reason="needs digits_tf[ray]")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(Bucket, "files", {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"?scheme=http&endpoint_override=127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_bucket_is_read_as_a_folder_is(tmp_path, bucket):
    content = SEVEN.read_bytes()
    names = ["in/10.jpg", "in/9.jpg", "in/a b/100 %#?&.jpg", "in/ü.JPG"]
    Bucket.files.update(dict.fromkeys(names, content))
    Bucket.files.update({"in/notes.txt": b"", "in/.hidden/a.jpg": content, "inner.jpg": content})
    Bucket.files["in/cut.jpg"] = content[:2000]
    result = predict(f"s3://scans/in{bucket}", "--out", "out", cwd=tmp_path)
    assert result.returncode == 1, result.stderr
    assert "left out, no pictures by name: notes.txt" in result.stderr
    found = rows(tmp_path / "out")
    assert [row["path"] for row in found] == [
        f"s3://scans/in/{name}{bucket}"
        for name in ("9.jpg", "10.jpg", "a%20b/100%20%25%23%3F%26.jpg", "cut.jpg", "%C3%BC.JPG")
    ]
    assert ["cut or damaged" in row.get("error", "") for row in found] == [0, 0, 0, 1, 0]
    assert [row.get("text") for row in found] == ["7", "7", "7", None, "7"]
    one = predict(found[2]["path"], "--nojson", cwd=tmp_path)
    assert one.stdout.endswith(": 7 (99.8 %)\n")


def test_what_is_not_in_a_bucket_is_said_in_one_line(tmp_path, bucket):
    for address in ("s3://scans/none.jpg", "s3://scans/none/"):
        found = list(predict_inputs.find([address + bucket]))
        assert [each.problem for each in found] == [
            f"{address}{bucket}: expected pictures in this folder (.avif .bmp .gif .heic .heif "
            ".jfif .jp2 .jpeg .jpg .pbm .pgm .png .ppm .tif .tiff .webp), found none"
        ]
    row = read_row(None, f"s3://scans/gone.jpg{bucket}")
    assert "gone.jpg" in row["error"]


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("s3://me:secret@scans/in", ["expected an address without a password"]),
        ("nothing://scans/in", ["nothing://scans/: expected a store such as s3://"]),
    ],
)
def test_an_address_of_no_store_is_said_in_one_line(tmp_path, address, parts):
    pytest.importorskip("pyarrow", reason="needs digits_tf[ray]")
    result = predict(address, "--out", "out", cwd=tmp_path)
    assert_one_line_error(result, *parts)
    assert "secret" not in result.stderr


def test_without_pyarrow_an_address_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (found,) = predict_inputs.find(["s3://elsewhere/in"])
    assert "pip install 'digits_tf[ray]'" in found.problem


def test_a_store_that_does_not_answer_is_given_up_soon(monkeypatch):
    asked = []
    monkeypatch.setattr(stores, "_store", lambda address: asked.append(address) or 1 / 0)
    for address in ("gs://b/in", "gs://b/in?scheme=http", "gs://b/in?retry_limit_seconds=5"):
        with pytest.raises(ZeroDivisionError):
            stores.find(address)
    assert asked == [
        "gs://b/?retry_limit_seconds=30",
        "gs://b/?scheme=http&retry_limit_seconds=30",
        "gs://b/?retry_limit_seconds=5",
    ]


def test_many_names_are_sorted_out_in_seconds(tmp_path):
    with open_results(tmp_path, SETTINGS) as kept:
        kept.done = {f"/mnt/scans/{number}.jpg" for number in range(0, 200_000, 2)}
        start = time.process_time()
        missing = kept.missing(f"/mnt/scans/{number}.jpg" for number in range(200_000))
        assert time.process_time() - start < 2
    assert len(missing) == 100_000
