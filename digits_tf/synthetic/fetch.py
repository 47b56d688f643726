"""Fetches fonts and pictures to draw synthetic frames with, from package registries.

Fonts come through the npm client, pictures through apt-get (Debian, Ubuntu). All of it lies in the
cache, each package with its licence; what is there and whole is not fetched again.
"""

import hashlib
import importlib.util
import io
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from digits_tf import files as storage
from digits_tf import runtime
from digits_tf.errors import DigitsError
from digits_tf.synthetic import assets
from digits_tf.synthetic.assets import PLACES

# npm packages @fontsource/NAME, looked at one by one: digits as people write them.
_HANDWRITING = """
annie-use-your-telescope architects-daughter bad-script beth-ellen caveat caveat-brush
cedarville-cursive chilanka coming-soon covered-by-your-grace crafty-girls dawning-of-a-new-day
dekko delicious-handrawn delius edu-nsw-act-foundation edu-sa-beginner edu-tas-beginner finger-paint
fuzzy-bubbles gaegu gamja-flower give-you-glory gloria-hallelujah gochi-hand grape-nuts handlee
hi-melody homemade-apple indie-flower just-another-hand just-me-again-down-here kalam kristi
la-belle-aurore loved-by-the-king mali mansalva marck-script meddon mynerve nanum-brush-script
nanum-pen-script nothing-you-could-do over-the-rainbow pangolin patrick-hand permanent-marker
playpen-sans playwrite-us-trad poor-story reenie-beanie rock-salt schoolbell shadows-into-light
shantell-sans short-stack single-day square-peg sue-ellen-francisco sunshiney swanky-and-moo-moo
the-girl-next-door vibur waiting-for-the-sunrise walter-turncoat yomogi zen-kurenaido zeyada
"""
_PRINTED = """
abril-fatface alfa-slab-one anton archivo-narrow arvo bebas-neue bitter courier-prime crimson-text
eb-garamond ibm-plex-mono inconsolata lato libre-baskerville lora merriweather nanum-gothic
open-sans oswald playfair-display pt-serif roboto roboto-mono roboto-slab source-code-pro
special-elite zilla-slab
"""
# Debian packages.
_PHOTOGRAPHS = """
gnome-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds
plasma-workspace-wallpapers ukui-wallpapers
"""
# Of these packages only the pictures whose folder and name fit, looked at one by one: photographs
# with no digits, lettering or dials.
_TAKEN = {
    "endless-sky-data": (
        r"land/(badlands[0257]|beach[0246]|bwerner[024]|canyon[0369]|city\d|desert[048]"
        r"|dmottl[024]|dune[14]|fields[0369]|fog[05]|forest[024]|hills[03]|industrial0-iridium"
        r"|lava[024]|mfield[0-4]|mountain[0369]|myrabella[0258]|sea[0369]|sky[0369]|snow[0369]"
        r"|space[0-2]|station[02]|valley[037]|water[02468])"
    ),
    "lebiniou-data": (
        r"(biniou|zebulon|opale95)/(HEAD|aquarium|cat_watching_tv|motherboard|tv_in_leaves|wall179"
        r"|village_moonlight|watching_blank_screen|z-(cat1|cemetery|fingerprints|gears|look!|micro31"
        r"|lightning))"
    ),
    "libjxl-testdata": r"500px/(cvo9xd|tmshre|u76c0g)\w*_srgb8|jxl/hdr_room|flower/flower",
    "opencv-doc": (
        r"data/(00[012]|aero1|aloeL|apple|baboon|basketball1|building|butterfly|chicky_512|fruits"
        r"|home|leuven[AB]|orange|rubberwhale1|smarties|squirrel_cls|stuff)"
        r"|input_images/plant"
    ),
    "python3-skimage": (
        r"data/(astronaut|brick|camera|chelsea|coffee|coins|grass|gravel|hubble_deep_field|ihc"
        r"|motorcycle_left|retina)"
    ),
}
_STAMPS = "tuxpaint-stamps-default"

# What is left out, by its name here. Photographs: digits, lettering and signs; nothing at all once
# the transparent ground is gone; a second picture that differs from the first in colour alone.
# Stamps: digits, letters, notes, scales and numbers on vehicles.
_LEFT_OUT = re.compile(
    r"gnome-(pixels|symbolic|vnc)|focal-ubuntukylin|GreenTraditional|greentock"
    r"|Transparent|abstract-(Silk|Spring|Waves)|MATE-Stripes|Mate-Dark"
    r"|images_dark$|gnome-\w+-d$|Mate-(Radioactive|Warm)"
    r"|^symbols-|measuring_tape|thermometer|syringe|-grave-|dreydl-|highlighter|pen_dryerase|toolbox"
    r"|roadsigns-(give_way|hospital|railroad|school|stop$|xing_school|yield)|australian_rules"
    r"|747|bradley|firetruck|garbagetruck|indycar|sedan_police|tender|tugboat"
)
_LONGEST_SIDE = {"photographs": 1280, "stamps": 400}
_FONT_S, _PICTURES_S = 60.0, 600.0
# Failures in a row after which the rest is not tried: there is no network.
_FAILURES = 3
# A package of fonts, unpacked; the largest has a tenth of it.
_MOST_BYTES = 256 << 20

_KINDS = {
    **dict.fromkeys(_HANDWRITING.split(), "handwriting"),
    **dict.fromkeys(_PRINTED.split(), "printed"),
    **dict.fromkeys([*_PHOTOGRAPHS.split(), *_TAKEN], "photographs"),
    **dict.fromkeys(_STAMPS.split(), "stamps"),
}


def fetch(list_only: bool = False) -> None:
    """Fetches what is missing and counts what is there, or only lists it.

    Raises:
        DigitsError: if nothing is there.
    """
    folder = assets.folder()
    if not list_only:
        _fetch(folder)
    packages = _read_index(folder)
    if not packages:
        hint = " (digits-tf scenes-fetch fetches them)" if list_only else ""
        raise DigitsError(f"{folder}: no fonts and no pictures are there{hint}")
    rows = [("kind", "package", "version", "licence", "files")]
    counts = dict.fromkeys(PLACES, 0)
    for name, record in packages.items():
        count = sum(not file.endswith(".txt") for file in record["files"])
        rows.append((record["kind"], name, record["version"], record["licence"], str(count)))
        counts[record["kind"]] += count
    if not list_only:
        print(f"{folder}: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in [rows[0], *sorted(rows[1:])]:
        print("  ".join(map(str.ljust, row, widths)).rstrip())


def _fetch(folder: Path) -> None:
    """Fetches each package that is not there and whole; says in a line a kind what failed."""
    packages = _read_index(folder)
    for name in packages.keys() - _KINDS.keys():
        _remove(folder, packages.pop(name)["files"])
        storage.write_json(folder / "index.json", packages)
    pictures = [name for name, kind in _KINDS.items() if kind in _LONGEST_SIDE]
    fonts = [name for name in _KINDS if name not in pictures]
    node = "install Node.js, which brings it"
    needed = {"npm": node, "fontTools": "pip install fonttools"}
    _fetch_all("fonts", fonts, _font, needed, folder, packages)
    debian = "pictures come from Debian and Ubuntu only"
    needed = {"apt-get": debian, "dpkg-deb": debian, "PIL": "pip install pillow"}
    _fetch_all("pictures", pictures, _pictures, needed, folder, packages)


def _fetch_all(
    what: str,
    names: Sequence[str],
    take: Callable[[str, Path, Path], dict[str, Any]],
    needed: dict[str, str],
    folder: Path,
    packages: dict[str, Any],
) -> None:
    missing = [name for name in names if not _is_whole(name, folder, packages)]
    lacking = [
        thing for thing in needed if not (shutil.which(thing) or importlib.util.find_spec(thing))
    ]
    if missing and lacking:
        print(f"{what}: {lacking[0]} is missing: {needed[lacking[0]]}", file=sys.stderr)
        return
    reasons: list[str] = []
    failures = fetched = 0
    with runtime.bar(len(missing), what, unit="packages") as bar:
        for name in missing:
            try:
                with tempfile.TemporaryDirectory() as scratch:
                    record = take(name, folder, Path(scratch))
            except DigitsError as error:
                reasons.append(f"{name}: {error}")
                failures += 1
                if failures == _FAILURES:
                    break
                continue
            old = packages.get(name, {"files": {}})["files"]
            packages[name] = {"kind": _KINDS[name], "choice": _choice(name), **record}
            storage.write_json(folder / "index.json", packages)
            _remove(folder, old.keys() - record["files"].keys())
            failures = 0
            fetched += 1
            bar.update()
    if reasons:
        lost = len(missing) - fetched
        print(f"{what}: {lost} of {len(names)} packages not fetched; {reasons[0]}", file=sys.stderr)


def _read_index(folder: Path) -> dict[str, Any]:
    """What index.json tells of each package; empty if there is none or it is damaged."""
    path = folder / "index.json"
    try:
        packages = storage.read_json(path)
        return {name: _checked(record, folder) for name, record in packages.items()}
    except FileNotFoundError:
        return {}
    except (DigitsError, ValueError, AttributeError, LookupError, TypeError):
        print(f"{path}: damaged, fetching all again", file=sys.stderr)
        return {}


def _checked(record: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A package's record, of text alone, whose files lie in the folder: they may be deleted."""
    words = {key: record[key] for key in ("choice", "version", "licence")}
    files = record["files"]
    if not all(isinstance(word, str) for word in (*words.values(), *files.values())):
        raise TypeError("Expected text.")
    inside = folder.resolve()
    if record["kind"] not in PLACES or not all(
        (folder / file).resolve().is_relative_to(inside) for file in files
    ):
        raise ValueError("Expected files of the folder.")
    return {"kind": record["kind"], **words, "files": files}


def _is_whole(name: str, folder: Path, packages: dict[str, Any]) -> bool:
    record = packages.get(name)
    return (
        record is not None
        and (record["kind"], record["choice"]) == (_KINDS[name], _choice(name))
        and all(
            (folder / file).is_file() and storage.sha256(folder / file) == digest
            for file, digest in record["files"].items()
        )
    )


def _choice(name: str) -> str:
    """A word that changes with how the files are made from the package."""
    side = _LONGEST_SIDE.get(_KINDS[name])
    words = f"{side} {_TAKEN.get(name, _LEFT_OUT.pattern)}"
    return hashlib.sha256(words.encode()).hexdigest()[:8] if side else ""


def _remove(folder: Path, files: Iterable[str]) -> None:
    for file in files:
        (folder / file).unlink(missing_ok=True)


def _font(name: str, folder: Path, scratch: Path) -> dict[str, Any]:
    """Fetches a font, turns it into TrueType, and returns its record."""
    from fontTools.ttLib import TTFont, TTLibError

    # It warns of odd time stamps.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    words = ["npm", "pack", "--loglevel=error", "--fetch-retries=1", f"@fontsource/{name}"]
    _run(words, scratch, _FONT_S)
    try:
        with tarfile.open(_only(scratch, "*.tgz")) as tar:
            if sum(member.size for member in tar.getmembers()) > _MOST_BYTES:
                raise ValueError(f"more than {_MOST_BYTES >> 20} MiB")
            members = {path: tar.extractfile(path) for path in tar.getnames()}
            content = {path: file.read() for path, file in members.items() if file}
        fitting = sorted(filter(re.compile(r".*-latin-\d+-normal\.woff").fullmatch, content))
        usual = f"package/files/{name}-latin-400-normal.woff"
        woff = content[usual if usual in content else fitting[0]]
        about = json.loads(content["package/package.json"])
        licence = content["package/LICENSE"]
        font = TTFont(io.BytesIO(woff), recalcTimestamp=False)
        lacking = set(map(ord, "0123456789")) - (font.getBestCmap() or {}).keys()
    except (tarfile.TarError, TTLibError, LookupError, ValueError, EOFError) as error:
        raise DigitsError(f"the package is not as expected ({error})") from None
    if lacking:
        raise DigitsError(f"the font lacks {' '.join(map(chr, sorted(lacking)))}")
    font.flavor = None
    path = folder / PLACES[_KINDS[name]][0] / f"{name}.ttf"
    with storage.replacing(path) as beside:
        font.save(beside)
    storage.write_bytes(path.with_suffix(".txt"), licence)
    files = [path, path.with_suffix(".txt")]
    return _record(folder, files, about["version"], about.get("license", ""))


def _pictures(name: str, folder: Path, scratch: Path) -> dict[str, Any]:
    """Fetches a package of pictures, keeps them smaller, and returns its record."""
    from PIL import Image

    _run(["apt-get", "download", name], scratch, _PICTURES_S)
    package = _only(scratch, "*.deb")
    _run(["dpkg-deb", "-x", package.name, "unpacked"], scratch, _PICTURES_S)
    share = scratch / "unpacked" / "usr" / "share"
    kind = _KINDS[name]
    place, suffix = PLACES[kind]
    side = _LONGEST_SIDE[kind]
    largest: dict[str, tuple[int, Path]] = {}
    taken = _TAKEN.get(name)
    # Python's packages lie beside `share`.
    top = share.parent if taken else share
    for path in sorted(top.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".jpeg", ".png", ".webp"):
            continue
        if taken:
            short = _short_name(Path(path.name))
            is_wanted = re.fullmatch(taken, f"{path.parent.name}/{path.stem}") is not None
        else:
            short = _short_name(path.relative_to(share))
            is_wanted = not _LEFT_OUT.search(short)
        if is_wanted:
            with Image.open(path) as picture:
                pixels = picture.width * picture.height
            largest[short] = max(largest.get(short, (0, path)), (pixels, path))
    licence = _only(share / "doc" / name, "copyright").read_bytes()
    files = [folder / "licences" / f"{name}.txt"]
    storage.write_bytes(files[0], licence)
    for short, (_, path) in largest.items():
        title = short if kind == "stamps" else f"{name}-{short}"
        files.append(folder / place / f"{title}{suffix}")
        with Image.open(path) as picture, storage.replacing(files[-1]) as beside:
            picture.draft("RGB", (side, side))
            small = picture.convert("RGBA" if kind == "stamps" else "RGB")
            small.thumbnail((side, side), Image.Resampling.LANCZOS)
            small.save(beside, quality=90)
    licences = sorted(set(re.findall(r"^License: *(\S+)", licence.decode(errors="replace"), re.M)))
    version = urllib.parse.unquote(package.name.split("_")[1])
    return _record(folder, files, version, ", ".join(licences) or f"see licences/{name}.txt")


def _short_name(path: Path) -> str:
    """Tells a picture by its folders and name, whatever its size: mate-nature-Wood."""
    words = [re.sub(r"[_-]?\d{3,}x\d{3,}$", "", part) for part in path.with_suffix("").parts]
    dull = re.compile("|tuxpaint|stamps|backgrounds|wallpapers|contents|images|screenshot")
    return re.sub(r"[^\w.-]", "_", "-".join(word for word in words if not dull.fullmatch(word)))


def _record(folder: Path, files: Sequence[Path], version: str, licence: str) -> dict[str, Any]:
    hashes = {path.relative_to(folder).as_posix(): storage.sha256(path) for path in files}
    return {"version": version, "licence": licence, "files": hashes}


def _only(folder: Path, pattern: str) -> Path:
    if found := sorted(folder.glob(pattern)):
        return found[0]
    raise DigitsError(f"expected {pattern} in what the client gave, found none")


def _run(words: Sequence[str], folder: Path, limit_s: float) -> None:
    """Runs a client in `folder`.

    Raises:
        DigitsError: if it fails or takes longer than `limit_s`.
    """
    program = shutil.which(words[0]) or words[0]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [program, *words[1:]],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            # A group of its own, so that what it starts ends with it.
            start_new_session=os.name != "nt",
        )
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise DigitsError(f"{words[0]} gave no answer within {limit_s:g} s") from None
        finally:
            # Also after Ctrl-C, which does not reach that group.
            if process.poll() is None:
                if os.name == "nt":
                    kill = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
                    subprocess.run(kill, capture_output=True)
                else:
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        said.seek(0)
        lines = said.read().decode(errors="replace").strip().splitlines()
    if code:
        told = [line for line in lines if line.startswith(("npm ERR!", "npm error", "E:"))]
        reason = (told or lines[-1:] or [f"ended with {code}"])[0]
        hint = " (apt-get update may help)" if "Unable to locate" in reason else ""
        raise DigitsError(f"{words[0]} says: {reason}{hint}")
