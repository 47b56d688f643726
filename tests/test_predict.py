"""`python -m digits_tf.predict`: pictures in, lines and files out."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT, assert_one_line_error, run
from digits_tf.boxes import Box
from digits_tf.cli import predict_inputs, predict_outputs
from digits_tf.data.digits import open_pair
from digits_tf.errors import DigitsError
from digits_tf.recognition import Digit

cv2 = pytest.importorskip("cv2")

STROKES = {1: [(50, 10), (50, 150)], 7: [(10, 20), (90, 20), (50, 150)]}
# Modules that no camera or picture needs, however they come in.
HEAVY = ("tensorflow", "keras", "matplotlib", "tqdm", "mlxtend", "pandas", "scipy")


def page(*digits, paper=255, ink=0):
    """Digits side by side, 160 pixels high."""
    picture = np.full((240, 80 + 160 * len(digits), 3), paper, np.uint8)
    for place, digit in enumerate(digits):
        points = np.add(STROKES[digit], (60 + 160 * place, 40), dtype=np.int32)
        cv2.polylines(picture, [points], False, (ink,) * 3, 12, cv2.LINE_AA)
    return picture


def write(path, picture=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    good, content = cv2.imencode(path.suffix, page(7) if picture is None else picture)
    assert good
    path.write_bytes(content.tobytes())
    return path


def predict(*words, **options):
    """In plain lines, as in a terminal, unless the words say otherwise."""
    plain = () if "--json" in words else ("--nojson",)
    return run("digits_tf.predict", *plain, *words, **options)


def rows(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def digit(label, confidence=0.9, box=(2, 3, 10, 20), line=0):
    probabilities = np.full(10, (1 - confidence) / 9, np.float32)
    probabilities[7 if label is None else label] = confidence
    return Digit(label, confidence, probabilities, Box(*box), np.full((28, 28), 9, np.uint8), line)


def reading(name, digits, picture=None):
    return predict_outputs.Reading(name, Path(name), picture, digits, 1.23456)


# The command.


def test_it_says_what_reads_unless_it_is_shipped(tmp_path):
    write(tmp_path / "a.png")
    model, detector = ROOT / "tflite" / "tiny_int8.tflite", ROOT / "tflite" / "detector.tflite"
    for words, said in (
        ([], ""),
        (["--model=resnet"], ""),
        ([f"--model={model}"], f"reading with the model {model}\n"),
        (
            [f"--model={model}", f"--detector={detector}"],
            f"reading with the model {model} and the detector {detector}\n",
        ),
    ):
        result = predict("a.png", *words, cwd=tmp_path)
        assert (result.returncode, result.stderr) == (0, said)


def test_files_folders_globs_and_what_cannot_be_read(tmp_path):
    folder = tmp_path / "photos"
    for name in ("b 10.png", "b 9.png", "deep/er/a.jpg", ".hidden.png", ".hidden/a.png"):
        write(folder / name)
    (folder / "notes.txt").write_text("no picture")
    (folder / "cut.png").write_bytes(write(folder / "b 9.png").read_bytes()[:200])
    write(tmp_path / "x1.png", page(1, 7))
    write(tmp_path / "x2.png", np.full((200, 300, 3), 255, np.uint8))
    words = ["photos", "x*.png", "nope.png", "no*.png", "photos/notes.txt"]
    result = predict(*words, cwd=tmp_path)
    assert result.returncode == 1
    found = [line.split(" (")[0] for line in result.stdout.splitlines()]
    assert found == [
        f"photos{os.sep}b 9.png: 7",
        f"photos{os.sep}b 10.png: 7",
        f"photos{os.sep}deep{os.sep}er{os.sep}a.jpg: 7",
        "x1.png: 17",
        "x2.png: nothing found",
    ]
    assert result.stderr.splitlines() == [
        "photos: left out, no pictures by name: notes.txt",
        f"error: photos{os.sep}cut.png: cut or damaged: the picture is not whole",
        "error: nope.png: no such file or folder",
        "error: no*.png: no file fits this pattern",
        f"error: {Path('photos/notes.txt')}: not a picture that can be read, or a cut one",
    ]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names and files")
def test_whatever_a_file_is_and_is_called_it_gets_one_line(tmp_path):
    names = ["two\nlines.png", "\x1b[2J.png", "größe ７.png", os.fsdecode(b"\xff.png"), " .png"]
    for name in names:
        write(tmp_path / name)
    write(tmp_path / "one pixel.png", np.zeros((1, 1), np.uint8))
    (tmp_path / "renamed.gif").write_bytes(write(tmp_path / "x" / "7.jpg").read_bytes())
    (tmp_path / "huge.pgm").write_bytes(b"P5 30000 30000 255\n" + bytes(1000))
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "circle.png").symlink_to("circle.png")
    (tmp_path / "gone.png").symlink_to("nowhere")
    (tmp_path / "x" / "around").symlink_to(tmp_path)
    (tmp_path / "\x07.png").write_bytes(b"no picture")
    good = [*names, "one pixel.png", "renamed.gif", "x"]
    bad = ["huge.pgm", "empty.png", "pipe.png", "zero.png", "circle.png", "gone.png", "\x07.png"]
    result = predict(*good, *bad, "/dev/null", cwd=tmp_path, timeout=60)
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert [line.split(": ")[1][:1] for line in lines] == ["7", "7", "7", "7", "7", "n", "7", "7"]
    assert lines[0].startswith(r"two\nlines.png: 7")
    errors = result.stderr.splitlines()
    assert len(errors) == len(bad) + 1, result.stderr
    for line, name in zip(errors, [*bad, "/dev/null"], strict=True):
        shown = name.replace("\x07", r"\x07")
        assert line.startswith(f"error: {shown}: "), line
        assert line.isprintable()


def test_standard_input_is_not_read_without_end(monkeypatch):
    class Endless:
        def read(self, size):
            assert 0 < size < 2 << 30
            return b"no picture"

    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=Endless()))
    with pytest.raises(DigitsError, match="standard input: not a picture"):
        predict_inputs.Input("-", Path()).read()


def test_json_has_one_object_a_line(tmp_path):
    write(tmp_path / "17.png", page(1, 7, paper=30, ink=230))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    result = predict("17.png", "bad.png", "gone.png", "--json", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (1, "")
    good, bad, gone = rows(result)
    assert set(good) == {"path", "text", "digits", "ms"}
    assert (good["path"], good["text"]) == ("17.png", "17")
    assert 0 < good["ms"] < 60_000
    for place, each in enumerate(good["digits"]):
        assert set(each) == {"label", "confidence", "box", "probabilities"}
        assert each["confidence"] == max(each["probabilities"])
        assert 0.95 < sum(each["probabilities"]) < 1.001
        x, _, w, _ = each["box"]
        assert 160 * place < x < x + w < 160 * place + 160 + 40
    assert bad == {
        "path": "bad.png",
        "error": "bad.png: not a picture that can be read, or a cut one",
    }
    assert gone == {"path": "gone.png", "error": "gone.png: no such file or folder"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such terminals")
def test_a_terminal_gets_text_and_a_program_json(tmp_path):
    write(tmp_path / "7.png")
    piped = run("digits_tf.predict", "7.png", "gone.png", cwd=tmp_path)
    assert [set(row) for row in rows(piped)] == [
        {"path", "text", "digits", "ms"},
        {"path", "error"},
    ]
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "digits_tf.predict", "7.png"]
    for words, start in (([], b"7.png: 7 ("), (["--json"], b'{"path": "7.png"')):
        subprocess.run([*command, *words], cwd=tmp_path, stdout=theirs, check=True)
        assert os.read(ours, 4096).startswith(start)
    os.close(ours)
    os.close(theirs)


def test_standard_input_is_a_picture(tmp_path):
    content = write(tmp_path / "7.png").read_bytes()
    command = [sys.executable, "-m", "digits_tf.predict", "-", "--nojson", "--annotate", "out"]
    result = subprocess.run(command, input=content, capture_output=True, cwd=tmp_path, check=True)
    assert result.stdout.startswith(b"-: 7 (")
    assert (tmp_path / "out" / "stdin.png").is_file()


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ([], ["expected a path", "--help"]),
        (["nope.png"], ["nope.png: no such file or folder"]),
        (["nope.png", "no*"], ["nope.png: no such file or folder (and 1 more)"]),
        (["no*.png", "--json"], ["no*.png: no file fits this pattern"]),
        ([""], ["expected a path, found ''"]),
        (["empty"], ["empty: expected pictures in this folder", ".png", "found none"]),
        (["a.png", "--annotate", "a.png"], ["a.png: expected a folder to write into"]),
        (["a.png", "--model", "no.tflite"], ["no.tflite: no such model"]),
        (["a.png", "--threshold", "2"], ["threshold"]),
        (["a.png", "--threshold", "nan"], ["a threshold from 0 to 1, found nan"]),
        (["a.png", "--crops", "/proc/none"], ["/proc/none"]),
        (["a.png", "--csv", "a.png"], ["--csv a.png: is there already", "another file"]),
        (["a.png", "--csv", "empty"], ["--csv empty: is there already"]),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, words, parts):
    write(tmp_path / "a.png")
    (tmp_path / "empty").mkdir()
    assert_one_line_error(predict(*words, cwd=tmp_path), *parts)


def test_a_picture_takes_less_than_a_second_and_no_training_tier(tmp_path):
    write(tmp_path / "7.png")
    script = (
        "import runpy, sys\n"
        f"for name in {HEAVY!r}: sys.modules[name] = None\n"
        "runpy.run_module('digits_tf.predict', run_name='__main__', alter_sys=True)\n"
    )
    words = ["7.png", "--annotate", "a", "--crops", "c", "--idx", "i", "--csv", "t", "--nojson"]
    before = os.times()
    result = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    after = os.times()
    assert result.stdout.startswith("7.png: 7 (")
    # The processor's time, as other programs may be running; alone it is more than the clock's.
    seconds = after.children_user - before.children_user
    seconds += after.children_system - before.children_system
    assert seconds < 1.0


def test_help_needs_numpy_and_absl_alone():
    script = (
        "import runpy, sys\n"
        f"for name in {(*HEAVY, 'cv2', 'ai_edge_litert')!r}: sys.modules[name] = None\n"
        "sys.argv = ['predict', '--help']\n"
        "runpy.run_module('digits_tf.predict', run_name='__main__', alter_sys=True)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "python -m digits_tf.predict" in result.stdout
    for flag in ("json", "annotate", "crops", "idx", "model", "threshold", "threads"):
        assert f"--{flag}" in result.stdout.replace("[no]", "")


def test_the_threshold_decides_what_has_a_label(tmp_path):
    write(tmp_path / "7.png")
    result = predict("7.png", "--threshold", "1", "--crops", "c", "--idx", "i", cwd=tmp_path)
    assert result.stdout.startswith("7.png: not sure: 7? (")
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["7_00_x.png"]
    assert "not written" in result.stderr
    assert not list(tmp_path.glob("i-*"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_odd_names_stay_in_their_line(tmp_path):
    names = ["new\nline.png", "broken \udcff.png", "größe ☃.png", "-dash.png", "tab\t.png"]
    for name in names:
        write(tmp_path / "in" / "a.png").rename(tmp_path / "in" / name)
    (tmp_path / "in" / "bad\n.png").write_bytes(b"")
    result = predict("in", cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert result.returncode == 1
    assert len(result.stdout.splitlines()) == len(names)
    assert "in/new\\nline.png: 7 (" in result.stdout
    assert "in/broken \\udcff.png: 7 (" in result.stdout
    assert result.stderr == "error: in/bad\\n.png: expected a picture, found an empty file\n"
    result = predict("in", "--json", "--annotate", "out", "--crops", "out", cwd=tmp_path)
    found = {row["path"] for row in rows(result)}
    assert found == {f"in/{name}" for name in (*names, "bad\n.png")}
    assert {path.name for path in (tmp_path / "out").iterdir()} > set(names)


def test_annotated_pictures_crops_and_idx(tmp_path):
    write(tmp_path / "in" / "a.png", page(1, 7))
    write(tmp_path / "in" / "a.jpg", page(7))
    write(tmp_path / "in" / "deep" / "b.pgm", page(7)[..., 0])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    words = ["in", "in/a.png", "--annotate", "in/out", "--crops", "crops", "--idx", "new/own"]
    for _ in range(2):  # the second time, in/out is no input
        result = predict(*words, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert len(result.stdout.splitlines()) == 4
    annotated = tmp_path / "in" / "out"
    assert {str(path.relative_to(annotated)) for path in annotated.rglob("*.*")} == {
        "a.png",
        "a.jpg",
        "a-2.png",
        str(Path("deep", "b.png")),
    }
    drawn = cv2.imread(str(annotated / "a.png"))
    assert drawn.shape == page(1, 7).shape
    assert (drawn != page(1, 7)).any(axis=2).mean() > 0.01
    crops = tmp_path / "crops"
    assert {str(path.relative_to(crops)) for path in crops.rglob("*.*")} == {
        "a_00_1.png",
        "a_01_7.png",
        "a_00_7.png",
        "a_00_1-2.png",
        "a_01_7-2.png",
        str(Path("deep", "b_00_7.png")),
    }
    files = tmp_path / "new" / "own-images-idx3-ubyte", tmp_path / "new" / "own-labels-idx1-ubyte"
    pair = open_pair(*files)
    images, labels = pair.read()
    assert labels.tolist() == [7, 1, 7, 7, 1, 7]
    assert (images[1] == cv2.imread(str(crops / "a_00_1.png"), cv2.IMREAD_UNCHANGED)).all()
    assert "own-labels-idx1-ubyte: 6 digits" in result.stderr
    assert f"{Path('in/out')}: 4 pictures written" in result.stderr.splitlines()
    assert "crops: 6 crops written" in result.stderr.splitlines()
    assert {path: path.read_bytes() for path in before} == before
    shown = run("digits_tf.evaluate", "--images", files[0], "--labels", files[1], "--json")
    assert json.loads(shown.stdout)["accuracy"] == 1.0


def test_a_table_has_a_row_a_picture(tmp_path):
    write(tmp_path / "in" / "17.png", page(1, 7))
    write(tmp_path / "in" / "größe.png", np.vstack([page(7), page(7)]))
    write(tmp_path / "in" / "white.png", np.full((200, 300, 3), 255, np.uint8))
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    result = predict("in", "--csv", "out/table.csv", cwd=tmp_path)
    assert result.returncode == 1
    assert "out/table.csv: 4 rows written" in result.stderr
    content = (tmp_path / "out" / "table.csv").read_bytes()
    found = list(csv.DictReader(io.StringIO(content.decode())))
    assert [Path(row["path"]).name for row in found] == [
        "17.png",
        "bad.png",
        "größe.png",
        "white.png",
    ]
    assert [row["text"] for row in found] == ["17", "", "7 / 7", ""]
    assert [row["unsure"] for row in found] == ["0", "", "0", "0"]
    assert 0.5 < float(found[0]["confidence"]) <= 1
    assert found[3]["confidence"] == ""
    assert [bool(row["error"]) for row in found] == [False, True, False, False]
    assert_one_line_error(predict("in", "--csv", "out/table.csv", cwd=tmp_path), "is there already")
    assert (tmp_path / "out" / "table.csv").read_bytes() == content


def test_no_input_is_written_over(tmp_path):
    """The output folder is the input's own, and another input has the very name of a crop."""
    picture = write(tmp_path / "a.png")
    other = write(tmp_path / "a_00_7.png", page(1))
    before = picture.read_bytes(), other.read_bytes()
    result = predict("a.png", "a_00_7.png", "--annotate", ".", "--crops", ".", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (picture.read_bytes(), other.read_bytes()) == before
    names = {path.name for path in tmp_path.iterdir()}
    assert {"a-2.png", "a_00_7-2.png", "a_00_7-3.png", "a_00_7_00_1.png"} <= names


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_an_interruption_keeps_what_is_read(tmp_path):
    write(tmp_path / "7.png")
    # It waits for standard input.
    words = ["7.png", "-", "--idx", "own", "--nojson"]
    command = [sys.executable, "-m", "digits_tf.predict", *words]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen(command, cwd=tmp_path, text=True, **pipes)
    with process:
        assert process.stdout.readline().startswith("7.png: 7")
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert "Traceback" not in process.stderr.read()
    pair = open_pair(tmp_path / "own-images-idx3-ubyte", tmp_path / "own-labels-idx1-ubyte")
    assert pair.read()[1].tolist() == [7]


def test_the_seeds_nine_photographs(tmp_path):
    folder = ROOT.parent / "shared" / "data" / "seed" / "real_img"
    if not folder.is_dir():
        pytest.skip(f"no photographs in {folder}")
    # The 1 is a mere bar of chalk, and not found.
    assert [row["text"] for row in rows(predict(folder, "--json"))][1:] == list("23456789")


# Its parts.


def test_folders_are_listed_in_natural_order_without_the_programs_own(tmp_path):
    for name in ("10.png", "9.PNG", "B.png", "a.png", "2/1.png", "10/1.png", "out/1.png"):
        write(tmp_path / name)
    (tmp_path / "folder.png").mkdir()
    places = [str(each.place) for each in predict_inputs.find([str(tmp_path)], [tmp_path / "out"])]
    parts = [Path("2", "1.png"), Path("10", "1.png")]
    assert places == ["9.PNG", "10.png", "a.png", "B.png", *map(str, parts)]


def test_what_a_folder_holds_beside_pictures_is_told_in_one_line(tmp_path, capsys):
    for name in ("1.png", "a.txt", "b/c.mp4", ".hidden.txt", *(f"d{n}.doc" for n in range(6))):
        write(tmp_path / "1.png").rename(tmp_path / "x")
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / "x").rename(tmp_path / name)
    assert len(list(predict_inputs.find([str(tmp_path)]))) == 1
    line = f"{tmp_path}: left out, no pictures by name: a.txt, d0.doc, d1.doc, d2.doc, d3.doc"
    assert capsys.readouterr().err == f"{line} and 3 more\n"


def test_globs_keep_subfolders_and_literal_names_come_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in/a/1.png", "in/b/1.png", "in/x[1].png", "in/x1.png"):
        write(tmp_path / name)
    assert [str(each.place) for each in predict_inputs.find(["in/x[1].png"])] == ["x[1].png"]
    for pattern in ("in/**/1.png", "in/*/1.png", "in/[ab]"):
        found = predict_inputs.find([pattern])
        assert [each.name for each in found] == [str(Path("in", each, "1.png")) for each in "ab"]
    assert [str(each.place) for each in predict_inputs.find(["in/*/1.png"])] == [
        str(Path(each, "1.png")) for each in "ab"
    ]
    assert len(list(predict_inputs.find(["in/**"]))) == 4


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_folders_that_link_to_each_other_are_entered_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    elsewhere = write(tmp_path / "elsewhere" / "3.png").parent
    for name in ("in/a/1.png", "in/b/c/2.png", "in/.hidden/4.png"):
        write(tmp_path / name)
    for link, folder in {"a/up": "..", "b/c/round": "../../a", "0": str(elsewhere)}.items():
        (tmp_path / "in" / link).symlink_to(folder)
    expected = ["in/0/3.png", "in/a/1.png", "in/b/c/2.png"]
    for pattern in ("in/**", "in/**/*.png", "in/**/**/**/*.png", f"{tmp_path}/in/**/[1-4].png"):
        found = [os.path.relpath(each.name) for each in predict_inputs.find([pattern])]
        assert found == expected, pattern
    # What is below is entered once for each of those above it.
    assert len(list(predict_inputs.find(["in/**/*/**/*.png"]))) < 50


def test_a_folder_without_permission_is_named(tmp_path, monkeypatch):
    write(tmp_path / "closed" / "a.png")
    write(tmp_path / "open" / "a.png")
    listed = os.scandir

    def scandir(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = list(predict_inputs.find([str(tmp_path)]))
    assert [each.place.name for each in found if not each.problem] == ["a.png"]
    (problem,) = (each.problem for each in found if each.problem)
    assert problem == f"{tmp_path / 'closed'}: no permission (Permission denied)"


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ([], "nothing found"),
        ([digit(3, 0.981)], "3 (98.1 %)"),
        ([digit(1, 0.9), digit(2, 0.8), digit(3, 0.99, line=1)], "12 / 3 (at least 80.0 %)"),
        ([digit(None, 0.41)], "not sure: 7? (41.0 %)"),
        ([digit(None, 0.2), digit(None, 0.4)], "not sure: 7? (40.0 %) and 1 more"),
        ([digit(5, 0.7), digit(None, 0.4)], "5 (70.0 %), 1 more not sure"),
    ],
)
def test_a_line_for_people(digits, expected, capsys):
    predict_outputs.TextLines().add(reading("a\nb.png", digits))
    assert capsys.readouterr().out == f"a\\nb.png: {expected}\n"


def test_a_line_for_programs_joins_lines_of_text(capsys):
    predict_outputs.JSONLines().add(reading("ü", [digit(1), digit(None), digit(2, line=1)]))
    row = json.loads(capsys.readouterr().out)
    assert (row["path"], row["text"], row["ms"]) == ("ü", "1\n2", 1.23)
    assert [each["label"] for each in row["digits"]] == [1, None, 2]
    assert row["digits"][0]["box"] == [2, 3, 10, 20]


def test_names_are_unique_and_quick(tmp_path):
    names = predict_outputs.Names([tmp_path / "a.png"])
    found = [names.unique(tmp_path / "a.png").name for _ in range(3000)]
    assert found[:2] == ["a-2.png", "a-3.png"]
    assert len(set(found)) == 3000
    assert names.unique(tmp_path / "A.PNG").name not in ("A.PNG", *found)


def test_an_annotated_picture_that_its_format_cannot_hold_is_named(tmp_path, capfd):
    names = predict_outputs.Names([])
    wide = np.zeros((1, 20_000, 3), np.uint8)
    with pytest.raises(DigitsError, match=r"as \.webp"):
        predict_outputs.Annotated(tmp_path, names).add(reading("a.webp", [], wide))
    assert capfd.readouterr().err == ""
