"""Takes the pictures of the page in the browser that the documentation shows.

python scripts/screenshots.py
python scripts/screenshots.py --out=runs/shots

Needs playwright (pip install 'digits_tf[dev]') and a Chromium that is installed already.
"""

import contextlib
import io
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from serving import serving

from digits_tf.cli import command
from digits_tf.errors import DigitsError

_ROOT = Path(__file__).resolve().parent.parent
_OUT = flags.DEFINE_string("out", str(_ROOT / "docs" / "images"), "Folder of the pictures.")

_MOST_BYTES = 150_000
_WAIT_MS, _SETTLE_MS = 20_000, 1_000
_DESKTOP, _PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
_NUMBER, _SEED = (7, 2, 3), 1


def main(words: Sequence[str]) -> None:
    """Takes all pictures."""
    out = Path(_OUT.value)
    out.mkdir(parents=True, exist_ok=True)
    with serving() as (_, port), _browser() as browser:

        def page(**options: Any) -> Any:
            page = browser.new_page(locale="en", reduced_motion="reduce", **options)
            page.goto(f"http://127.0.0.1:{port}/")
            page.set_default_timeout(_WAIT_MS)
            return page

        desktop = page(viewport=_DESKTOP)
        _draw(desktop)
        _save(desktop, out / "web.png")
        desktop.get_by_role("button", name="Put right").first.click()
        _save(desktop, out / "web-teach.png")
        phone = page(viewport=_PHONE, device_scale_factor=1.5, is_mobile=True, has_touch=True)
        phone.get_by_role("tab", name="Picture").click()
        phone.locator("#choose").set_input_files(_ROOT / "samples" / "row.jpg")
        _wait_for(phone, "4079 386")
        _save(phone, out / "web-phone.png")
        dark = page(viewport=_DESKTOP, color_scheme="dark")
        _draw(dark)
        _save(dark, out / "web-dark.png")


@contextlib.contextmanager
def _browser() -> Iterator[Any]:
    try:
        from playwright import sync_api
    except ImportError:
        raise DigitsError("this needs playwright: pip install 'digits_tf[dev]'") from None
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise DigitsError("expected a Chromium, found none: apt install chromium")
    with sync_api.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except sync_api.Error as error:
            raise DigitsError(f"{path} does not start: {error.message}") from None
        try:
            yield browser
        except sync_api.Error as error:
            raise DigitsError(f"the page: {error.message}") from None
        finally:
            browser.close()


def _draw(page: Any) -> None:
    """Writes a number onto the board, as a hand does, and waits until it is read."""
    from digits_tf.synthetic import handwriting

    page.get_by_role("tab", name="Draw").click()
    area = page.locator("#board").bounding_box()
    height, rng = 0.5 * area["height"], np.random.default_rng(_SEED)
    for place, digit in enumerate(_NUMBER, start=1):
        middle = [
            area["x"] + area["width"] * place / (len(_NUMBER) + 1),
            area["y"] + area["height"] / 2,
        ]
        for stroke in handwriting.write(digit, rng):
            points = (height * stroke + middle).tolist()
            page.mouse.move(*points[0])
            page.mouse.down()
            for point in points[2::3]:
                page.mouse.move(*point)
            page.mouse.up()
    _wait_for(page, "".join(map(str, _NUMBER)))


def _wait_for(page: Any, text: str) -> None:
    page.wait_for_function("text => document.getElementById('text').textContent === text", arg=text)
    # The last stroke is still being read.
    page.wait_for_timeout(_SETTLE_MS)


def _save(page: Any, path: Path) -> None:
    """A picture of what is in view, in 256 colours, without the time that reading took."""
    from PIL import Image

    view, area = page.viewport_size, page.locator("main").bounding_box()
    height = min(view["height"], area["y"] + area["height"])
    clip = {"x": 0, "y": 0, "width": view["width"], "height": height}
    with Image.open(io.BytesIO(page.screenshot(clip=clip))) as picture:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise DigitsError(f"{path}: expected at most {_MOST_BYTES} bytes, found {size}")
    print(f"{path}: {few.width}x{few.height}, {size / 1000:.0f} kB")


if __name__ == "__main__":
    command.run(main, __doc__)
