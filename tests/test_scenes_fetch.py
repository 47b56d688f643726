"""Fetching fonts and pictures, with programs that stand in for npm, apt-get and dpkg-deb."""

import io
import json
import os
import sys
import tarfile
import time

import pytest

from conftest import assert_one_line_error, run
from digits_tf.errors import DigitsError
from digits_tf.synthetic import assets, fetch

pytest.importorskip("fontTools", reason="fonttools reads fonts")
Image = pytest.importorskip("PIL.Image", reason="pillow reads pictures")

needs_sh = pytest.mark.skipif(os.name == "nt", reason="shell scripts stand in for the clients")

KINDS = {"pen": "handwriting", "press": "printed", "walls": "photographs", "cutouts": "stamps"}
NPM = """cp "$SHOP/${word#@fontsource/}.tgz" . || { echo "npm error code E404"; exit 1; }"""
APT_GET = """cp "$SHOP/$word"_*.deb . || { echo "E: Unable to locate package $word"; exit 100; }"""
DPKG_DEB = """mkdir "$3" && tar xf "$2" -C "$3" """


def script(path, body):
    lines = ["#!/bin/sh", "PATH=/usr/bin:/bin", f"SHOP='{path.parent.parent / 'shop'}'"]
    lines += ["for word; do :; done", 'echo "${0##*/} $word" >> "$SHOP/asked"', body]
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o755)


def woff(digits="0123456789"):
    """A font whose every glyph is a square."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 500), (500, 500), (500, 0)):
        pen.lineTo(point)
    pen.closePath()
    square = pen.glyph()
    names = [".notdef", *(f"digit{digit}" for digit in digits)]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(digit): f"digit{digit}" for digit in digits})
    font.setupGlyf(dict.fromkeys(names, square))
    font.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Squares"})
    font.setupOS2()
    font.setupPost()
    font.font.flavor = "woff"
    content = io.BytesIO()
    font.save(content)
    return content.getvalue()


def picture(width, height, mode="RGB", suffix="jpeg"):
    content = io.BytesIO()
    Image.new(mode, (width, height), "teal").save(content, suffix)
    return content.getvalue()


def look(path):
    with Image.open(path) as found:
        return found.mode, found.size


def pack(path, files):
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def pack_font(shop, name, file, content):
    about = {"version": "5.1.0", "license": "OFL-1.1"}
    files = {f"files/{file}": content, "LICENSE": b"Open"}
    files |= {"package.json": json.dumps(about).encode()}
    pack(shop / f"{name}.tgz", {f"package/{path}": content for path, content in files.items()})


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Four packages, and the clients that fetch them: the only programs on the PATH."""
    shop = tmp_path / "shop"
    pack_font(shop, "pen", "pen-latin-400-normal.woff", woff())
    pack_font(shop, "press", "press-latin-700-normal.woff", woff())
    pack(
        shop / "walls_4%3a1.0-2_all.deb",
        {
            "usr/share/wallpapers/Sea/contents/images/320x200.jpg": picture(320, 200),
            "usr/share/wallpapers/Sea/contents/images/2560x1600.jpg": picture(2560, 1600),
            "usr/share/wallpapers/Sea/contents/screenshot.png": picture(40, 30, suffix="png"),
            "usr/share/backgrounds/nature/Ice_100x480.webp": picture(100, 480, suffix="webp"),
            "usr/share/backgrounds/focal-ubuntukylin.jpg": picture(64, 48),
            "usr/share/backgrounds/list.xml": b"<list/>",
            "usr/share/doc/walls/copyright": b"Files: *\nLicense: CC0-1.0\n the text",
        },
    )
    stamps = "usr/share/tuxpaint/stamps"
    pack(
        shop / "cutouts_2.0_all.deb",
        {
            f"{stamps}/animals/cat.png": picture(500, 250, "RGBA", "png"),
            f"{stamps}/symbols/alphabets/a.png": picture(50, 50, "RGBA", "png"),
            "usr/share/doc/cutouts/copyright": b"in words of its own",
        },
    )
    (tmp_path / "bin").mkdir()
    for name, body in (("npm", NPM), ("apt-get", APT_GET), ("dpkg-deb", DPKG_DEB)):
        script(tmp_path / "bin" / name, body)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DIGITS_TF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch, "_KINDS", KINDS)
    return shop


@pytest.fixture
def asset_folder(tmp_path):
    return tmp_path / "cache" / "world"


def asked(shop):
    """What the clients were asked for since the last look."""
    path = shop / "asked"
    words = path.read_text().split("\n")[:-1] if path.exists() else []
    path.unlink(missing_ok=True)
    return [word for word in words if not word.startswith("dpkg-deb")]


@needs_sh
def test_fetches_converts_and_lists(shop, asset_folder, capfd):
    from PIL import ImageFont

    fetch.fetch()
    found, errors = capfd.readouterr()
    assert "1 handwriting, 1 printed, 2 photographs, 1 stamps" in found
    assert errors == ""
    there = assets.load()
    assert [path.name for path in there.handwriting + there.printed] == ["pen.ttf", "press.ttf"]
    assert there.handwriting[0].read_bytes()[:4] == b"\0\1\0\0"
    assert ImageFont.truetype(str(there.printed[0]), 40).getbbox("7")[2] == 24
    assert [path.name for path in there.photographs] == ["walls-Sea.jpg", "walls-nature-Ice.jpg"]
    assert list(map(look, there.photographs)) == [("RGB", (1280, 800)), ("RGB", (100, 480))]
    assert [path.name for path in there.stamps] == ["animals-cat.png"]
    assert look(there.stamps[0]) == ("RGBA", (400, 200))
    assert (asset_folder / "fonts/handwriting/pen.txt").read_text() == "Open"
    assert (asset_folder / "licences/cutouts.txt").read_text() == "in words of its own"
    asked(shop)

    fetch.fetch(list_only=True)
    rows = [line.split(maxsplit=3) for line in capfd.readouterr().out.splitlines()]
    assert rows == [
        ["kind", "package", "version", "licence                   files"],
        ["handwriting", "pen", "5.1.0", "OFL-1.1                   1"],
        ["photographs", "walls", "4:1.0-2", "CC0-1.0                   2"],
        ["printed", "press", "5.1.0", "OFL-1.1                   1"],
        ["stamps", "cutouts", "2.0", "see licences/cutouts.txt  1"],
    ]
    assert asked(shop) == []


@needs_sh
def test_only_what_is_missing_or_damaged_or_changed_is_fetched_again(
    shop, asset_folder, monkeypatch
):
    fetch.fetch()
    assert asked(shop) == [
        "npm @fontsource/pen",
        "npm @fontsource/press",
        "apt-get walls",
        "apt-get cutouts",
    ]
    fetch.fetch()
    assert asked(shop) == []
    font = asset_folder / "fonts/printed/press.ttf"
    whole = font.read_bytes()
    font.write_bytes(whole[:-1])
    (asset_folder / "stamps/animals-cat.png").unlink()
    fetch.fetch()
    assert asked(shop) == ["npm @fontsource/press", "apt-get cutouts"]
    assert font.read_bytes() == whole
    # The font becomes another kind, the other one is wanted no more, a picture is left out.
    monkeypatch.setattr(fetch, "_KINDS", {**KINDS, "press": "handwriting"})
    monkeypatch.delitem(fetch._KINDS, "pen")
    monkeypatch.setattr(fetch, "_LEFT_OUT", fetch.re.compile("Sea|^symbols-"))
    fetch.fetch()
    assert asked(shop) == ["npm @fontsource/press", "apt-get walls", "apt-get cutouts"]
    there = assets.load()
    assert [path.name for path in there.handwriting + there.printed] == ["press.ttf"]
    names = [path.name for path in sorted((asset_folder / "photographs").iterdir())]
    assert names == ["walls-focal-ubuntukylin.jpg", "walls-nature-Ice.jpg"]
    assert not list(asset_folder.rglob("pen.*"))


@needs_sh
def test_of_some_packages_only_the_pictures_that_fit_are_taken(shop, asset_folder, monkeypatch):
    files = {
        "usr/lib/python3/data/cat.png": picture(300, 200, "P", "png"),
        "usr/lib/python3/masks/cat.png": picture(600, 400, suffix="png"),
        "usr/lib/python3/data/page.png": b"broken, and not looked at",
        "usr/share/doc/walls/copyright": b"License: BSD",
    }
    pack(shop / "walls_4%3a1.0-2_all.deb", files)
    monkeypatch.setattr(fetch, "_TAKEN", {"walls": "data/(cat|dog)"})
    fetch.fetch()
    found = assets.load().photographs + assets.load(held_out=True).photographs
    assert [path.name for path in found] == ["walls-cat.jpg"]
    assert look(found[0]) == ("RGB", (300, 200))
    # Another choice fetches that package again.
    asked(shop)
    monkeypatch.setattr(fetch, "_TAKEN", {"walls": "data/cat"})
    fetch.fetch()
    assert asked(shop) == ["apt-get walls"]


@needs_sh
@pytest.mark.parametrize("content", ["", "{", "[1]", '{"pen": 1}', '{"pen": {"files": {}}}'])
def test_damaged_index_fetches_all_again(shop, asset_folder, capfd, content):
    asset_folder.mkdir(parents=True)
    (asset_folder / "index.json").write_text(content)
    fetch.fetch()
    assert "index.json: damaged" in capfd.readouterr().err
    assert len(asked(shop)) == 4


@needs_sh
def test_missing_clients_are_named_in_a_line_each(shop, tmp_path, capfd):
    for client in ("npm", "dpkg-deb"):
        (tmp_path / "bin" / client).unlink()
    with pytest.raises(DigitsError, match="no fonts and no pictures"):
        fetch.fetch()
    lines = capfd.readouterr().err.splitlines()
    assert lines == [
        "fonts: npm is missing: install Node.js, which brings it",
        "pictures: dpkg-deb is missing: pictures come from Debian and Ubuntu only",
    ]
    assert assets.load() is None
    script(tmp_path / "bin" / "npm", NPM)
    fetch.fetch()
    found, errors = capfd.readouterr()
    assert "1 handwriting, 1 printed, 0 photographs" in found
    assert errors.splitlines() == lines[1:]


@needs_sh
def test_failures_are_told_and_end_after_three_in_a_row(shop, tmp_path, monkeypatch, capfd):
    pack_font(shop, "pen", "pen-latin-400-normal.woff", woff("012346789"))
    (shop / "cutouts_2.0_all.deb").unlink()
    fetch.fetch()
    lines = capfd.readouterr().err.splitlines()
    assert lines == [
        "fonts: 1 of 2 packages not fetched; pen: the font lacks 5",
        "pictures: 1 of 2 packages not fetched; cutouts: apt-get says: "
        "E: Unable to locate package cutouts (apt-get update may help)",
    ]
    asked(shop)
    monkeypatch.setattr(fetch, "_KINDS", KINDS | dict.fromkeys("abcdef", "printed"))
    fetch.fetch()
    first = capfd.readouterr().err.splitlines()[0]
    assert first == "fonts: 7 of 8 packages not fetched; pen: the font lacks 5"
    fonts = [word for word in asked(shop) if word.startswith("npm")]
    assert fonts == [f"npm @fontsource/{name}" for name in ("pen", "a", "b")]


@needs_sh
@pytest.mark.parametrize(
    "files",
    [
        {"package/package.json": b"{}"},
        {"package/files/pen-latin-400-normal.woff": b"wOFF", "package/LICENSE": b""},
    ],
)
def test_odd_package_is_no_reason_to_stop(shop, capfd, files):
    pack(shop / "pen.tgz", files)
    fetch.fetch()
    assert "pen: the package is not as expected" in capfd.readouterr().err
    assert len(assets.load().printed) == 1


@needs_sh
def test_huge_package_is_not_unpacked(shop, monkeypatch, capfd):
    monkeypatch.setattr(fetch, "_MOST_BYTES", 1 << 20)
    pack(shop / "pen.tgz", {"package/LICENSE": bytes(2 << 20)})
    fetch.fetch()
    assert "pen: the package is not as expected (more than 1 MiB)" in capfd.readouterr().err


@needs_sh
def test_hanging_client_is_ended_with_what_it_started(shop, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(fetch, "_FONT_S", 0.2)
    late = tmp_path / "late"
    script(tmp_path / "bin" / "npm", f"(sleep 1; touch '{late}') & wait")
    started = time.monotonic()
    fetch.fetch()
    assert "pen: npm gave no answer within 0.2 s" in capfd.readouterr().err
    time.sleep(max(0, started + 1.8 - time.monotonic()))
    assert not late.exists()


def test_an_eighth_is_held_out_whatever_else_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("DIGITS_TF_CACHE", str(tmp_path))
    assert assets.load() is None
    folder = tmp_path / "world/fonts/handwriting"
    folder.mkdir(parents=True)
    for name in "abcdefghijklmnopqrstuvwxyz":
        (folder / f"{name}.ttf").touch()
    (folder / ".part-0.ttf").touch()
    (folder / "a.txt").touch()
    kept, held_out = (
        "".join(path.stem for path in assets.load(held_out).handwriting)
        for held_out in (False, True)
    )
    assert (kept, held_out) == ("bcdefghiklmnopqrtuvwyz", "ajsx")
    (folder / "b.ttf").unlink()
    assert [path.stem for path in assets.load(True).handwriting] == list("ajsx")
    assert assets.load().stamps == ()


def test_command_line(tmp_path):
    env = {"DIGITS_TF_CACHE": str(tmp_path)}
    result = run("digits_tf", "scenes-fetch", "--list", env=env)
    assert_one_line_error(result, "no fonts and no pictures are there", "digits-tf scenes-fetch")
    result = run("digits_tf", "scenes-fetch", "--help", env=env)
    assert result.returncode == 0
    assert "--[no]list" in result.stdout


def test_assets_need_no_reader_of_fonts_or_pictures(tmp_path):
    code = (
        "import sys; from digits_tf.synthetic import assets; assets.load();"
        "sys.exit(bool({'fontTools', 'PIL'} & sys.modules.keys()))"
    )
    assert os.spawnve(os.P_WAIT, sys.executable, [sys.executable, "-c", code], os.environ) == 0
