"""The recogniser: what it loads, what it says about a digit, and how it asks its net."""

import os
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

import digits_tf
import drawn
from conftest import ROOT
from digits_tf import Digit, Recognizer
from digits_tf.boxes import Box
from digits_tf.detection.detector import Detection
from digits_tf.errors import DigitsError
from digits_tf.recognition import text
from digits_tf.recognition.classifier import Classifier

SHIPPED = ROOT / "tflite"
FLOAT, INT8 = SHIPPED / "tiny_float32.tflite", SHIPPED / "tiny_int8.tflite"


def page():
    """Two lines on slightly rising ground, upper first: 407 and 92."""
    generator = drawn.rng(1)
    drawing = drawn.Drawing((480, 640))
    for digits, y in (((4, 0, 7), 150), ((9, 2), 330)):
        for place, digit in enumerate(digits):
            drawing.write(digit, generator, (150 + 130 * place, y - 8 * place), 100)
    return drawing.on(225, 40), drawing


class Fake(Classifier):
    """Says what it is told and counts.

    Args:
        row: ten probabilities for each crop.
    """

    def __init__(self, row):
        self.row, self.calls = np.array(row, np.float32), []

    def probabilities(self, images):
        assert images.dtype == np.uint8
        assert images.shape[1:] == (28, 28)
        self.calls.append(images.copy())
        return np.tile(self.row, (len(images), 1))


def row_of(label, confidence):
    row = np.full(10, (1 - confidence) / 9)
    row[label] = confidence
    return row


# Loading


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_shipped_file_is_the_default(elsewhere):
    assert text(Recognizer.load().read(page()[0])) == "407\n92"


@pytest.mark.parametrize("name", ["float32", "float16", "int8", "mixed"])
@pytest.mark.parametrize("threads", [1, 2])
def test_each_shipped_kind_reads_alike(name, threads):
    path = SHIPPED / f"tiny_{name}.tflite"
    digits = Recognizer.load(str(path), threads=threads).read(page()[0])
    assert text(digits) == "407\n92"
    for digit in digits:
        assert abs(digit.probabilities.sum() - 1) < 0.03


@pytest.mark.parametrize("path", [FLOAT, INT8], ids=["float", "int8"])
@pytest.mark.parametrize("place", [0.01, 0.5, 0.999])
def test_one_flipped_byte_is_found(tmp_path, path, place):
    copy = tmp_path / path.name
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 0x10
    copy.write_bytes(content)
    shutil.copy(path.with_suffix(".json"), copy.with_suffix(".json"))
    with pytest.raises(DigitsError) as error:
        Recognizer.load(copy)
    message = str(error.value)
    assert str(copy) in message
    assert "damaged" in message
    assert "\n" not in message


def test_a_whole_copy_with_its_json_is_loaded(tmp_path):
    for suffix in (".tflite", ".json"):
        shutil.copy(FLOAT.with_suffix(suffix), tmp_path / f"mine{suffix}")
    assert text(Recognizer.load(tmp_path / "mine.tflite").read(page()[0])) == "407\n92"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.tflite", b""),
        ("text.tflite", b"hello, this is no model\n" * 40),
        ("cut.tflite", None),
        ("marked.tflite", b"\x1c\0\0\0TFL3" + bytes(range(256)) * 4),
        ("picture.png", b"\x89PNG\r\n\x1a\n"),
    ],
)
def test_a_foreign_file_gives_one_line(tmp_path, name, content, capfd):
    path = tmp_path / name
    path.write_bytes(FLOAT.read_bytes()[:5000] if content is None else content)
    with pytest.raises(DigitsError) as error:
        Recognizer.load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "card",
    [
        *("", "{}", "[]", '"x"', '{"sha256": 5}', '{"sha256": "00"}', '{"sha256": ' + "[" * 10**5),
        pytest.param(" " * (17 << 20), id="17 MiB"),
    ],
)
def test_a_damaged_json_gives_one_line(tmp_path, card):
    path = tmp_path / "model.tflite"
    shutil.copy(FLOAT, path)
    path.with_suffix(".json").write_text(card)
    with pytest.raises(DigitsError) as error:
        Recognizer.load(path)
    assert str(path.with_suffix("")) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_device_and_a_file_of_gigabytes_are_not_read(tmp_path):
    for name in ("zero.tflite", "zero.keras"):
        (tmp_path / name).symlink_to("/dev/zero")
        with pytest.raises(DigitsError, match="expected a model file, found a device"):
            Recognizer.load(tmp_path / name)
    os.mkfifo(tmp_path / "detector.json")
    shutil.copy(ROOT / "tflite" / "detector.tflite", tmp_path)
    Recognizer.load(detector=tmp_path)
    with (tmp_path / "large.tflite").open("wb") as file:
        file.truncate(9 << 30)
    for words in ({"path": tmp_path / "large.tflite"}, {"detector": tmp_path / "large.tflite"}):
        with pytest.raises(DigitsError, match="found a file of more than 1 GiB"):
            Recognizer.load(**words)


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path):
    for path in (tmp_path / "no.tflite", tmp_path):
        with pytest.raises(DigitsError) as error:
            Recognizer.load(path)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


def test_nothing_is_taken_from_the_current_folder(elsewhere):
    names = ("digits_mixed", "digits_int8", "tiny_mixed", "resnet_mixed", "detector")
    (elsewhere / "tflite").mkdir()
    for name in names:
        (elsewhere / "tflite" / f"{name}.tflite").write_bytes(b"worse")
    for name in ("tiny", "resnet"):
        (elsewhere / name).mkdir()
    for model in (None, "tiny", "resnet"):
        assert text(Recognizer.load(model).read(page()[0])) == "407\n92"
    with pytest.raises(DigitsError, match="neither saved_model"):
        Recognizer.load("./tiny")


# Reading


def test_a_digit_has_all_that_is_promised():
    frame, drawing = page()
    digits = Recognizer.load(FLOAT).read(frame)
    assert type(digits) is list
    assert [digit.label for digit in digits] == [4, 0, 7, 9, 2]
    assert [digit.line for digit in digits] == [0, 0, 0, 1, 1]
    for digit, box in zip(digits, drawing.boxes, strict=True):
        assert isinstance(digit, Digit)
        assert type(digit.label) is int
        assert type(digit.confidence) is float
        assert 0.5 < digit.confidence <= 1
        assert digit.probabilities.shape == (10,)
        assert digit.probabilities.dtype == np.float32
        # The rest is the probability that it is no digit.
        assert 0.95 < float(digit.probabilities.sum()) < 1 + 1e-4
        assert int(digit.probabilities.argmax()) == digit.label
        assert float(digit.probabilities.max()) == digit.confidence
        assert type(digit.box) is Box
        assert all(type(value) is int for value in digit.box)
        assert drawn.overlap(digit.box, box) > 0.7
        assert digit.crop.shape == (28, 28)
        assert digit.crop.dtype == np.uint8
        with pytest.raises(AttributeError):
            digit.label = 3
        assert "crop" not in repr(digit)


def test_the_order_is_that_of_reading_whatever_that_of_writing():
    generator = drawn.rng(3)
    places = {(1, 120): 1, (0, 320): 2, (1, 320): 3, (0, 120): 4, (0, 520): 5, (1, 520): 6}
    drawing = drawn.Drawing((480, 640))
    for (line, x), digit in places.items():
        drawing.write(digit, generator, (x, 140 + 200 * line), 110)
    assert text(Recognizer.load(FLOAT).read(drawing.on(30, 220))) == "425\n136"


@pytest.mark.parametrize(
    ("threshold", "confidence", "labelled"),
    [
        (0.5, 0.5, False),
        (0.5, 0.6, True),
        (0.9, 0.75, False),
        (0.25, 0.5, True),
        (0.0, 0.2, True),
        (1.0, 1.0, False),
    ],
)
def test_a_confidence_not_above_the_threshold_has_no_label(threshold, confidence, labelled):
    recognizer = Recognizer(Fake(row_of(6, confidence)), threshold)
    digits = recognizer.read(page()[0])
    assert digits
    for digit in digits:
        assert digit.label == (6 if labelled else None)
        assert digit.confidence == pytest.approx(confidence)
        assert int(digit.probabilities.argmax()) == 6
    assert (text(digits) != "") == labelled


def test_the_default_threshold_is_a_half():
    assert {each.label for each in Recognizer(Fake(row_of(3, 0.5))).read(page()[0])} == {None}
    assert {each.label for each in Recognizer(Fake(row_of(3, 0.51))).read(page()[0])} == {3}


def test_load_passes_the_threshold_on():
    digits = Recognizer.load(FLOAT, threshold=1.0).read(page()[0])
    assert len(digits) == 5
    assert {digit.label for digit in digits} == {None}


@pytest.mark.parametrize("threshold", [2, 1.01, -0.1, float("nan"), float("inf")])
def test_a_threshold_that_is_no_probability_is_refused(threshold):
    with pytest.raises(DigitsError, match=f"a threshold from 0 to 1, found {threshold}"):
        Recognizer.load(FLOAT, threshold=threshold)


def test_paths_and_pictures_of_pillow_are_read_like_frames(tmp_path):
    """The ink would not show with red and blue exchanged."""
    frame = drawn.one(7, drawn.rng(2), shape=(300, 300)).on(
        np.full((300, 300, 3), 200), np.array((250, 200, 70))
    )
    path = tmp_path / "größe 7.png"
    path.write_bytes(cv2.imencode(".png", frame)[1].tobytes())
    recognizer = Recognizer.load(FLOAT)
    expected = recognizer.read(frame)
    assert text(expected) == "7"
    for each in (path, str(path), Image.open(path), Image.open(path).convert("RGBA")):
        (found,) = recognizer.read(each)
        assert found.box == expected[0].box
        assert (found.crop == expected[0].crop).all()
    for wrong in (None, [frame], 5):
        with pytest.raises(ValueError, match="Received: "):
            recognizer.read(wrong)


def test_the_crops_of_a_frame_are_one_batch():
    fake = Fake(row_of(1, 0.99))
    recognizer = Recognizer(fake)
    fake.calls.clear()
    digits = recognizer.read(page()[0])
    assert len(fake.calls) == 1
    assert len(digits) == 5
    assert len(fake.calls[0]) >= 5
    seen = {image.tobytes() for image in fake.calls[0]}
    assert all(digit.crop.tobytes() in seen for digit in digits)


def test_a_digit_without_a_label_stands_in_no_line_of_digits():
    """What the net is unsure of comes last, in lines of its own."""

    class Unsure(Fake):
        def probabilities(self, images):
            rows = super().probabilities(images)
            # The detector's order, the surest first, is not that of reading.
            if len(images) > 1:
                rows[2] = 0.1
            return rows

    digits = Recognizer(Unsure(row_of(1, 0.99))).read(page()[0])
    assert [digit.label for digit in digits] == [1, 1, 1, 1, None]
    assert digits[-1].line > max(digit.line for digit in digits[:-1])
    assert text(digits).replace("\n", "") == "1111"


class FakeDetector:
    """Finds what it is told and notes how it was asked."""

    def __init__(self, *boxes, scores=None):
        self.boxes, self.asked = boxes, []
        self.scores = scores or [0.9] * len(boxes)

    def find(self, frame, least=None, live=False):
        self.asked.append(live)
        return [
            Detection(Box(*box), score) for box, score in zip(self.boxes, self.scores, strict=True)
        ]


@pytest.mark.parametrize(
    ("score", "confidence", "threshold", "is_read"),
    [
        (0.6, 0.8, 0.5, True),
        (0.46, 0.99, 0.5, True),
        (0.55, 0.78, 0.5, False),
        (0.9, 0.52, 0.5, True),
        (0.9, 0.45, 0.5, False),
        (0.46, 0.3, 0.1, True),
        (0.6, 0.95, 0.8, False),
    ],
)
def test_alone_a_digit_has_to_convince_both_networks(score, confidence, threshold, is_read):
    frame, drawing = page()
    detector = FakeDetector(drawing.boxes[0], scores=[score])
    recognizer = Recognizer(Fake(row_of(5, confidence)), threshold, detector=detector)
    assert text(recognizer.read(frame)) == ("5" if is_read else "")


@pytest.mark.parametrize(
    ("score", "confidence", "expected"), [(0.5, 0.6, "555"), (0.4, 0.6, "5"), (0.25, 0.95, "555")]
)
def test_beside_a_sure_digit_less_is_enough(score, confidence, expected):
    """The first of a row of three is sure, and its neighbour is if it is read beside it."""
    frame, drawing = page()
    boxes = [drawing.boxes[each] for each in (1, 0, 2)]
    detector = FakeDetector(*boxes, scores=[0.95, score, score])
    recognizer = Recognizer(Fake(row_of(5, confidence)), detector=detector)
    assert text(recognizer.read(frame)) == expected


def test_a_detector_of_ones_own_is_asked_live_or_not():
    frame, drawing = page()
    detector = FakeDetector(*drawing.boxes)
    recognizer = Recognizer(Fake(row_of(5, 0.9)), detector=detector)
    assert text(recognizer.read(frame)) == "555\n55"
    recognizer.read(frame, live=True)
    assert detector.asked == [False, True]


def test_boxes_beyond_the_border_end_there_and_empty_ones_are_no_digits():
    frame, drawing = page()
    x, y, w, h = drawing.boxes[0]
    ground = (500.0, 20.0, 60.0, 80.0)
    recognizer = Recognizer(Fake(row_of(4, 0.9)), detector=FakeDetector((x, y, w, h), ground))
    part = np.ascontiguousarray(frame[y + 9 :, x + 9 :])
    assert [digit.box for digit in recognizer.read(frame)] == [(x, y, w, h)]
    recognizer = Recognizer(Fake(row_of(4, 0.9)), detector=FakeDetector((-9.4, -9.4, w, h)))
    assert [digit.box for digit in recognizer.read(part)] == [(0, 0, w - 9, h - 9)]


def test_load_takes_a_detector_by_its_file_and_names_a_missing_one(tmp_path):
    for suffix in (".tflite", ".json"):
        shutil.copy(SHIPPED / f"detector{suffix}", tmp_path / f"detector{suffix}")
    frame = page()[0]
    expected = [digit.box for digit in Recognizer.load(FLOAT).read(frame)]
    for path in (tmp_path, str(tmp_path / "detector.tflite")):
        found = Recognizer.load(FLOAT, detector=path).read(frame)
        assert [digit.box for digit in found] == expected
    with pytest.raises(DigitsError, match="no such detector") as error:
        Recognizer.load(FLOAT, detector=tmp_path / "no.tflite")
    assert str(tmp_path / "no.tflite") in str(error.value)


def test_an_empty_frame_never_reaches_the_net():
    fake = Fake(row_of(1, 0.99))
    recognizer = Recognizer(fake)
    fake.calls.clear()
    assert recognizer.read(np.full((480, 640, 3), 200, np.uint8)) == []
    assert fake.calls == []


def test_milliseconds_and_stages_are_of_the_last_frame():
    recognizer = Recognizer.load(FLOAT)
    recognizer.read(page()[0])
    assert set(recognizer.milliseconds) == {"find", "net"}
    assert all(value > 0 for value in recognizer.milliseconds.values())
    stages = recognizer.stages()
    assert stages
    for picture in stages.values():
        assert picture.dtype == np.uint8
        assert picture.ndim == 2
    sizes = {name.split(", ")[0]: picture.shape for name, picture in stages.items()}
    assert set(sizes) == {"seen", "digits"}
    assert stages["seen, 512x384"].shape == (384, 512)
    assert stages["digits, 512x384"].shape == (96, 128)


def test_photographs_of_the_tutorial():
    folder = ROOT.parent / "shared" / "data" / "seed" / "real_img"
    if not folder.is_dir():
        pytest.skip(f"the tutorial's photographs are not in {folder}")
    recognizer = Recognizer.load(FLOAT)
    paths = sorted(path for path in folder.iterdir() if path.stem.isdecimal())
    if not paths:
        pytest.skip("no photograph is named by its digit")
    read = {path.stem: text(recognizer.read(cv2.imread(str(path)))) for path in paths}
    # The 1 is a mere bar of chalk, and not found.
    assert all(found == stem for stem, found in read.items() if stem != "1"), read


# With the shipped networks


def printed(characters):
    """Printed in OpenCV's font, which takes no part in training, dark on light."""
    cv2 = pytest.importorskip("cv2")
    frame = np.full((240, 160 + 80 * len(characters)), 215, np.uint8)
    place, font = (70, 170), cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(frame, characters, place, font, 4, 40, 9, cv2.LINE_AA)
    return frame


@pytest.mark.parametrize("path", [FLOAT, INT8], ids=["float", "int8"])
def test_letters_have_no_label(path):
    recognizer = Recognizer.load(path)
    for letter in "AEFHKMNPRUVWX":
        found = recognizer.read(printed(letter))
        assert {digit.label for digit in found} <= {None}, letter


def test_a_letter_among_digits_is_left_out():
    digits = Recognizer.load(INT8).read(printed("4A7"))
    assert text(digits) == "47"


def test_a_thin_faint_digit_beside_bold_ones_is_read():
    generator = drawn.rng(4)
    bold = drawn.row([2, 5, 3], generator, tall=90, pen=14)
    thin = drawn.row([7], generator, tall=90, pen=3, left=430)
    frame = np.minimum(bold.on(200, 30), thin.on(200, 140))
    assert text(Recognizer.load(INT8).read(frame)) == "2537"


# Imports


def imported_by(script):
    """Which of the large packages a fresh Python has after `script`."""
    tail = "\nimport sys\nprint(*sorted({'cv2', 'tensorflow', 'keras'} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", script + tail],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert result.stderr == ""
    return result.stdout.split()


def test_the_package_alone_imports_neither_opencv_nor_tensorflow():
    assert imported_by("import digits_tf; assert digits_tf.__version__") == []


def test_reading_never_imports_tensorflow():
    script = (
        "from digits_tf import Recognizer\nimport numpy as np\n"
        "Recognizer.load().read(np.zeros((90, 90, 3), np.uint8))"
    )
    assert imported_by(script) == ["cv2"]


def test_names_of_the_package():
    """All of them are listed before the first is used, as for tab completion."""
    script = (
        "import digits_tf, sys\nlisted = set(dir(digits_tf))\n"
        "assert set(digits_tf.__all__) <= listed, listed\n"
        "assert 'cv2' not in sys.modules\n"
        "from digits_tf import *\n"
        "from digits_tf import Digit, DigitsError, Recognizer, annotate, load_model, text\n"
        "assert all(callable(each) for each in (annotate, load_model, text))\n"
        "assert issubclass(DigitsError, Exception)"
    )
    assert imported_by(script) == ["cv2"]
    with pytest.raises(AttributeError, match="no_such"):
        _ = digits_tf.no_such


def test_the_packages_example_reads_and_draws(tmp_path):
    path = tmp_path / "page.png"
    frame, _ = page()
    cv2.imwrite(str(path), frame)
    digits = Recognizer.load(FLOAT).read(path)
    assert digits_tf.text(digits) == "407\n92"
    drawn_on = digits_tf.annotate(str(path), digits)
    assert drawn_on.shape == (480, 640, 3)
    for each in (frame, cv2.cvtColor(frame, cv2.COLOR_GRAY2BGRA), Image.open(path)):
        assert (digits_tf.annotate(each, digits) == drawn_on).all()
    with pytest.raises(ValueError, match="no picture was read"):
        digits_tf.annotate(cv2.imread(str(tmp_path / "no.png")), digits)


def test_load_model_opens_keras_files_and_names_others(tmp_path):
    pytest.importorskip("keras")
    (tmp_path / "no.keras").write_bytes(b"no model")
    with pytest.raises(DigitsError, match=r"no\.keras: expected a \.keras file"):
        digits_tf.load_model(tmp_path / "no.keras")
