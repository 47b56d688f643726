"""Pictures as a person would see them, whatever file they come in."""

import contextlib
import io
import os
import struct
import subprocess
import sys
import time
import tracemalloc
import types
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from digits_tf import images
from digits_tf.errors import DigitsError
from digits_tf.images import PICTURE_SUFFIXES, as_frame, decode_picture, read_picture

cv2 = pytest.importorskip("cv2")

LIGHT, MIDDLE, DARK = 250, 150, 50


def corners():
    """60x40: the upper left quarter light, the upper right one middling, the lower half dark."""
    grey = np.full((40, 60), DARK, np.uint8)
    grey[:20, :30], grey[:20, 30:] = LIGHT, MIDDLE
    return grey


# What a person sees of `corners` by EXIF orientation: upper left, upper right, lower left, right.
SEEN = {
    1: (LIGHT, MIDDLE, DARK, DARK),
    2: (MIDDLE, LIGHT, DARK, DARK),
    3: (DARK, DARK, MIDDLE, LIGHT),
    4: (DARK, DARK, LIGHT, MIDDLE),
    5: (LIGHT, DARK, MIDDLE, DARK),
    6: (DARK, LIGHT, DARK, MIDDLE),
    7: (DARK, MIDDLE, DARK, LIGHT),
    8: (MIDDLE, DARK, LIGHT, DARK),
}


def assert_seen(picture, orientation):
    assert picture.shape == ((40, 60, 3) if orientation < 5 else (60, 40, 3))
    found = [picture[y, x, 0] for y in (5, -5) for x in (5, -5)]
    np.testing.assert_allclose(found, SEEN[orientation], atol=6)


def encode(suffix, pixels, *options):
    good, content = cv2.imencode(suffix, pixels, options)
    assert good
    return content.tobytes()


def pillow(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def written(kind):
    """Noise, 80x60, smooth as photographs are."""
    noise = np.random.default_rng(0).integers(0, 256, (15, 20, 3), dtype=np.uint8)
    return pillow(Image.fromarray(noise).resize((80, 60)), kind)


def exif(orientation, order="<"):
    """A block of two entries, the second of them the orientation."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = struct.pack(order + "HHIHH", 0x0100, 3, 1, 60, 0)
    entries += struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(order + "IH", 8, 2) + entries + bytes(4)


def chunk(name, content):
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def jpeg_with(block):
    plain = encode(".jpg", corners())
    segment = b"Exif\0\0" + block
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]


def png_with(block):
    plain = encode(".png", corners())
    after_header = 8 + 25
    return plain[:after_header] + chunk(b"eXIf", block) + plain[after_header:]


def writes_avif():
    """Whether Pillow does; before 11.3 it does not."""
    Image.init()
    return "AVIF" in Image.SAVE


def reads_avif():
    """Whether Pillow writes and OpenCV reads it; before 11.3 and 4.8 they do not."""
    try:
        return cv2.imdecode(np.frombuffer(written("AVIF"), np.uint8), 0) is not None
    except (KeyError, cv2.error):
        return False


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_every_kind(orientation):
    for order in "<>":
        block = exif(orientation, order)
        assert_seen(decode_picture(jpeg_with(block), "x"), orientation)
        assert_seen(decode_picture(png_with(block), "x"), orientation)
    image = Image.fromarray(corners())
    block = exif(orientation)
    webp = pillow(image, "WEBP", lossless=True, exif=block)
    assert_seen(decode_picture(webp, "x"), orientation)
    # Some programs write JPEG's prefix into WebP too.
    start = webp.index(b"EXIF") + 4
    prefixed = b"Exif\0\0" + block
    webp = webp[:start] + struct.pack("<I", len(prefixed)) + prefixed
    webp = webp[:4] + struct.pack("<I", len(webp) - 8) + webp[8:]
    assert_seen(decode_picture(webp, "x"), orientation)
    if reads_avif():
        content = pillow(image.convert("RGB"), "AVIF", exif=block, quality=90)
        assert_seen(decode_picture(content, "x"), orientation)
    tags = Image.Exif()
    tags[0x0112] = orientation
    for tiff in (image, Image.fromarray(corners().astype(np.uint16) * 257)):
        assert_seen(decode_picture(pillow(tiff, "TIFF", exif=tags), "x"), orientation)


@pytest.mark.parametrize(
    "block",
    [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", exif(1)[:20], exif(0), exif(9), b"junk" * 9],
)
def test_a_damaged_exif_block_does_no_harm(block):
    assert_seen(decode_picture(jpeg_with(block), "x"), 1)
    # OpenCV 4.6 stumbles over a PNG file whose block has no byte order mark.
    if not block.startswith(b"junk"):
        assert_seen(decode_picture(png_with(block), "x"), 1)


def test_a_thumbnail_in_exif_is_not_the_picture():
    """It has an end of its own, which must not be taken for the picture's."""
    thumbnail = encode(".jpg", np.zeros((8, 8), np.uint8))
    whole = jpeg_with(exif(6) + thumbnail)
    assert_seen(decode_picture(whole, "x"), 6)
    with pytest.raises(DigitsError, match="cut"):
        decode_picture(whole[:-40], "x")


def test_what_cameras_append_to_a_jpeg_is_ignored():
    content = encode(".jpg", corners()) + b"\xff\xda motion picture \xff"
    assert_seen(decode_picture(content, "x"), 1)


def stroke(value, shape=(40, 40)):
    """A bar of a grey level, and alpha that is full on it alone."""
    alpha = np.zeros(shape, np.uint8)
    alpha[5:35, 18:22] = 255
    return np.dstack([np.full((*shape, 3), value, np.uint8), alpha])


@pytest.mark.parametrize(("ink", "ground"), [(0, 255), (60, 255), (255, 0), (200, 0)])
@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_ink_on_a_transparent_ground_is_seen(ink, ground, suffix, dtype):
    pixels = stroke(ink)
    if dtype == np.uint16:
        if suffix == ".webp":
            return
        pixels = pixels.astype(np.uint16) * 257
    lossless = (cv2.IMWRITE_WEBP_QUALITY, 101) if suffix == ".webp" else ()
    picture = decode_picture(encode(suffix, pixels, *lossless), "x")
    assert picture.dtype == np.uint8
    assert picture.shape == (40, 40, 3)
    assert (picture[0, 0] == ground).all()
    np.testing.assert_allclose(picture[20, 20], ink, atol=1)


def test_half_transparent_ink_is_half_seen():
    pixels = stroke(0)
    pixels[..., 3] //= 2
    np.testing.assert_allclose(decode_picture(encode(".png", pixels), "x")[20, 20], 128, atol=1)


def test_grey_with_alpha_and_a_transparent_colour_of_a_palette():
    pixels = stroke(0)
    grey = Image.fromarray(pixels).convert("LA")
    palette = Image.fromarray(pixels[..., 3] // 255).convert("P")
    palette.putpalette([90, 90, 90, 0, 0, 0])
    for content in (pillow(grey, "PNG"), pillow(palette, "PNG", transparency=0)):
        picture = decode_picture(content, "x")
        assert (picture[0, 0] == 255).all()
        assert (picture[20, 20] == 0).all()


@pytest.mark.parametrize(("paper", "ink"), [(230, 30), (30, 230)])
def test_a_cut_out_photograph_goes_on_in_its_own_ground(paper, ink):
    pixels = np.zeros((60, 60, 4), np.uint8)
    pixels[10:50, 10:50] = (paper, paper, paper, 255)
    pixels[15:45, 25:35, :3] = ink
    picture = decode_picture(encode(".png", pixels), "x")
    assert abs(int(picture[0, 0, 0]) - paper) < 40
    assert picture[30, 30, 0] == ink


def test_nothing_visible_is_an_empty_picture():
    pixels = np.zeros((20, 20, 4), np.uint8)
    assert len(np.unique(decode_picture(encode(".png", pixels), "x"))) == 1


@pytest.mark.parametrize("bits", [8, 9, 10, 12, 14, 16])
@pytest.mark.parametrize("suffix", [".png", ".tiff", ".pgm"])
def test_16_bit_pictures_keep_their_contrast(bits, suffix):
    pixels = corners().astype(np.int64)
    pixels[0, 0] = 255
    full = (pixels * (2**bits - 1) // 255).astype(np.uint16)
    picture = decode_picture(encode(suffix, full), "x", grey=True)
    np.testing.assert_allclose(picture, pixels, atol=2)
    assert picture.max() == 255


@pytest.mark.parametrize(
    "values",
    [
        corners().astype(np.float32) / 255,
        corners().astype(np.float32),
        corners().astype(np.float64) * 1000 - 50_000,
        np.where(corners() == LIGHT, np.float32(np.nan), corners() / np.float32(255)),
        corners().astype(np.int32),
    ],
)
def test_float_and_wide_integer_tiff(values):
    if values.dtype == np.int32:
        content = pillow(Image.fromarray(values), "TIFF")
    else:
        content = encode(".tiff", values)
    picture = decode_picture(content, "x", grey=True)
    assert picture.dtype == np.uint8
    levels = [int(picture[5, 50]), int(picture[30, 30])]
    assert levels[0] - levels[1] > 90
    if not np.isnan(values).any():
        assert picture[5, 5] - levels[0] > 90


def test_a_float_picture_of_one_level():
    content = encode(".tiff", np.full((8, 8), 1000, np.float32))
    assert len(np.unique(decode_picture(content, "x"))) == 1


def test_cmyk_jpeg_and_tiff():
    colours = np.zeros((32, 32, 3), np.uint8)
    colours[:16], colours[16:] = (200, 100, 50), (20, 40, 60)
    image = Image.fromarray(colours).convert("CMYK")
    for content in (pillow(image, "JPEG", quality=95), pillow(image, "TIFF")):
        picture = decode_picture(content, "x")
        np.testing.assert_allclose(picture[5, 5], (50, 100, 200), atol=6)
        np.testing.assert_allclose(picture[25, 5], (60, 40, 20), atol=6)


def test_bits_palettes_and_several_pages():
    grey = corners()
    bilevel = Image.fromarray(grey > 100)
    for kind, options in (("PNG", {}), ("BMP", {}), ("TIFF", {"compression": "group4"})):
        picture = decode_picture(pillow(bilevel, kind, **options), "x", grey=True)
        assert (picture == np.where(grey > 100, 255, 0)).all()
    image = Image.fromarray(grey)
    palette = pillow(image.convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE), "PNG")
    assert_seen(decode_picture(palette, "x"), 1)
    second = [Image.fromarray(255 - grey)]
    for kind in ("TIFF", "PNG"):
        pages = pillow(image, kind, save_all=True, append_images=second)
        assert_seen(decode_picture(pages, "x"), 1)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"P1\n# a note\n3 1\n1 0 1\n", [0, 255, 0]),
        (b"P4\n3 1\n\xa0", [0, 255, 0]),
        (b"P2\n3 1\n255\n7 200 0\n", [7, 200, 0]),
        (b"P5\n3 1\n255\n\x07\xc8\x00", [7, 200, 0]),
        (b"P5\n3 1\n1023\n" + struct.pack(">3H", 1023, 512, 0), [255, 128, 0]),
        (b"P6\n1 1\n255\n\x0a\x0a\x0a", [10]),
    ],
)
def test_netpbm(content, expected):
    assert decode_picture(content, "x", grey=True).tolist() == [expected]


# Which Pillow writes and reads, and newer versions of OpenCV read.
KINDS = {".gif": "GIF", ".jfif": "JPEG", ".jp2": "JPEG2000", ".avif": "AVIF"}


@pytest.mark.parametrize("suffix", sorted(PICTURE_SUFFIXES - {".pbm", ".heic", ".heif"}))
def test_whole_files_are_read_and_cut_ones_named(tmp_path, suffix, capfd):
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    pixels = noise[..., 0] if suffix == ".pgm" else noise
    if suffix == ".avif" and not writes_avif():
        pytest.skip("this Pillow writes no AVIF")
    whole = written(KINDS[suffix]) if suffix in KINDS else encode(suffix, pixels)
    path = tmp_path / f"größe 7{suffix}"
    path.write_bytes(whole)
    assert read_picture(path).shape == (60, 80, 3)
    assert read_picture(path, grey=True).shape == (60, 80)
    for share in (0.1, 0.5, 0.95):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(DigitsError) as error:
            read_picture(path)
        assert str(path) in str(error.value)
    assert capfd.readouterr().err == ""


def test_what_opencv_lacks_is_read_with_pillow(monkeypatch):
    """As with OpenCV 4.6, which has no GIF and no AVIF."""
    monkeypatch.setattr(cv2, "imdecode", lambda content, flags: None)
    image = Image.fromarray(corners())
    assert_seen(decode_picture(pillow(image, "GIF"), "x"), 1)
    assert_seen(decode_picture(pillow(image, "JPEG2000"), "x"), 1)
    second = [Image.fromarray(255 - corners())]
    assert_seen(decode_picture(pillow(image, "GIF", save_all=True, append_images=second), "x"), 1)
    if writes_avif():
        content = pillow(image.convert("RGB"), "AVIF", exif=exif(6), quality=90)
        assert_seen(decode_picture(content, "x"), 6)
    transparent = pillow(Image.fromarray(stroke(0)), "GIF")
    picture = decode_picture(transparent, "x")
    assert picture[0, 0].tolist() == [255, 255, 255]
    assert picture[20, 20].tolist() == [0, 0, 0]
    with pytest.raises(DigitsError, match="x: not a picture that can be read, or a cut one"):
        decode_picture(transparent[:90], "x")


def test_a_bomb_is_no_job_for_pillow_either(monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda content, flags: None)
    content = bytearray(pillow(Image.fromarray(corners()), "GIF"))
    content[6:10] = struct.pack("<HH", 20_000, 20_000)
    with pytest.raises(DigitsError, match="too many pixels"):
        decode_picture(bytes(content), "x")


def test_heic_is_read_with_pillow_heif():
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    content = pillow(Image.fromarray(corners()).convert("RGB"), "HEIF", quality=90)
    assert_seen(decode_picture(content, "x"), 1)
    with pytest.raises(DigitsError, match="a HEIC picture"):
        decode_picture(content[:-200], "x")


def test_heic_tells_pillow_of_pillow_heif_first(monkeypatch):
    """Without the real one: what it registers is open to `Image.open`."""
    registered = []
    heif = types.SimpleNamespace(register_heif_opener=lambda: registered.append(1))
    monkeypatch.setitem(sys.modules, "pillow_heif", heif)
    opened = Image.fromarray(corners()).convert("RGB")
    opened.getexif()[0x0112] = 8
    opened.format = "HEIF"
    monkeypatch.setattr(Image, "open", lambda file: opened if registered else None)
    assert_seen(decode_picture(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "x"), 8)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_picture_of_pillow_is_seen_as_its_file(orientation):
    content = jpeg_with(exif(orientation))
    assert_seen(as_frame(Image.open(io.BytesIO(content))), orientation)
    turned = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert_seen(as_frame(turned), orientation)


def test_colours_and_modes_of_pillow():
    colours = Image.new("RGB", (8, 6), (200, 100, 50))
    for mode in ("RGB", "RGBA", "CMYK", "YCbCr", "HSV", "P", "RGBX"):
        frame = as_frame(colours.convert(mode, palette=Image.Palette.ADAPTIVE))
        assert frame.shape == (6, 8, 3)
        assert np.abs(frame.astype(int) - (50, 100, 200)).max() <= 6
    grey = Image.fromarray(corners())
    wide = Image.fromarray(corners().astype(np.uint16) * 257)
    for image in (grey, grey.convert("LA"), grey.convert("I"), grey.convert("F"), wide):
        frame = as_frame(image)
        assert_seen(frame, 1)
        assert frame.dtype == np.uint8
    bilevel = as_frame(grey.convert("1", dither=Image.Dither.NONE))
    assert sorted(np.unique(bilevel).tolist()) == [0, 255]
    assert as_frame(Image.fromarray(stroke(0)))[0, 0].tolist() == [255, 255, 255]


def test_frames_from_paths_and_from_nothing(tmp_path):
    path = tmp_path / "größe.png"
    path.write_bytes(encode(".png", corners()))
    array = corners()
    assert as_frame(array) is array
    for each in (path, str(path)):
        assert_seen(as_frame(each), 1)
    with pytest.raises(FileNotFoundError):
        as_frame(str(tmp_path / "no.png"))
    for wrong, words in (
        (None, "no picture was read: is its path right"),
        ([path, path], "read the pictures one by one"),
        ((array,), "read the pictures one by one"),
        (encode(".png", corners()), "a path or a picture of Pillow. Received: bytes"),
    ):
        with pytest.raises(ValueError, match=words):
            as_frame(wrong)


def test_a_damaged_file_writes_nothing_to_standard_error(capfd):
    noise = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    content = bytearray(encode(".jpg", noise))
    content[len(content) // 2 :: 7] = bytes(len(content[len(content) // 2 :: 7]))
    try:
        decode_picture(bytes(content), "x")
    except DigitsError as error:
        assert str(error).startswith("x: ")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"hello", "not a picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "a HEIC picture"),
        (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", "an AVIF picture"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "a video"),
        (b"RIFF\x10\0\0\0AVI LIST", "a video"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a cut one"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"GIF89a\x01\0", "a cut one"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a cut one"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<svg/>", "an SVG drawing"),
        (b"\xff\xd8\xff\xe0", "a cut one"),
        (pillow(Image.new("L", (32, 32)), "ICO"), "a picture of another kind (Windows Icon)"),
    ],
)
def test_other_files_are_named(content, words):
    with pytest.raises(DigitsError) as error:
        decode_picture(content, "holiday.jpg")
    message = str(error.value)
    assert message.startswith("holiday.jpg: ")
    assert words in message
    assert "\n" not in message
    named = words not in ("an empty file", "not a picture", "a video", "a cut one")
    assert ("save it as JPEG or PNG" in message) == named


def announced(width, height):
    """A PNG file of a few bytes with a large size in its header."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunks + chunk(b"IEND", b"")


@pytest.mark.parametrize("content", [announced(60_000, 60_000), b"P5\n60000 60000\n255\n\x0f"])
def test_a_bomb_is_refused_at_once(content):
    start = time.perf_counter()
    with pytest.raises(DigitsError, match="x: too many pixels"):
        decode_picture(content, "x")
    assert time.perf_counter() - start < 1


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_no_picture_takes_gigabytes(tmp_path):
    """Smaller bombs, which OpenCV's own limit lets pass; it is read when OpenCV is loaded."""
    (tmp_path / "bomb.png").write_bytes(announced(20_000, 20_000))
    script = (
        "import re, sys\nfrom pathlib import Path\n"
        "from digits_tf.images import read_picture\n"
        "try: read_picture(Path(sys.argv[1]))\n"
        "except Exception as error: print(error)\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(re.search(r'VmHWM:\\s*(\\d+) kB', status)[1])\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENCV_IO_MAX_IMAGE_PIXELS"}
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "bomb.png")],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    message, kilobytes = result.stdout.splitlines()
    assert "bomb.png: too many pixels" in message
    assert int(kilobytes) < 400_000


def test_a_folder_and_a_missing_file_are_os_errors(tmp_path):
    for path in (tmp_path, tmp_path / "no.png"):
        with pytest.raises(OSError):
            read_picture(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_devices_and_pipes_are_named_and_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    for name in ("pipe.png", "zero.png"):
        with pytest.raises(DigitsError, match=f"{name}: expected a picture file, found a device"):
            read_picture(tmp_path / name)


def test_a_decoder_that_complains_does_so_in_silence(capfd):
    """Pillow's library for TIFF does, where OpenCV gives up."""
    content = bytearray(pillow(Image.fromarray(corners()).convert("1"), "TIFF", compression="lzw"))
    start = content.index(b"\x80")
    content[start : start + 40] = b"\xff" * 40
    with contextlib.suppress(DigitsError):
        decode_picture(bytes(content), "x")
    assert capfd.readouterr().err == ""


ODD = np.random.default_rng(5).normal(100, 400, (50, 37)).astype(np.float32)
ODD[3, 4], ODD[30, 30] = np.nan, np.inf


@pytest.mark.parametrize(
    "values",
    [
        *(np.random.default_rng(2).integers(0, 3000, (50, 37, 4)).astype(np.uint16), ODD),
        *(stroke(0), stroke(255), np.dstack([*3 * (corners(),), corners() // 2])),
    ],
    ids=str,
)
def test_large_pictures_are_seen_as_small_ones(values, monkeypatch):
    """They are worked on in strips."""
    whole = images._as_seen(values, "x", grey=False)
    monkeypatch.setattr(images, "_STRIP", 7 * values[0].size)
    np.testing.assert_array_equal(images._as_seen(values, "x", grey=False), whole)
    monkeypatch.setattr(images, "_STRIP", 1)
    np.testing.assert_array_equal(images._as_seen(values, "x", grey=False), whole)


@pytest.mark.parametrize(("dtype", "most"), [(np.uint8, 3.5), (np.uint16, 7.5)])
def test_a_transparent_picture_takes_little_more_than_it_is_large(dtype, most):
    picture = np.full((3000, 3000, 4), 90, dtype)
    tracemalloc.start()
    images._as_seen(picture, "x", grey=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < most * 3000 * 3000 + 80e6
