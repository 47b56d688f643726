"""Settings of a Raspberry Pi's camera, by the names that libcamera gives them."""

import difflib
from collections.abc import Mapping
from typing import Any

from digits_tf.errors import DigitsError

# libcamera says the range of one value, not how many there are; elsewhere a range tells it.
_COUNTS = {"ColourGains": 2, "ColourCorrectionMatrix": 9}
_WORDS = {"true": True, "1": True, "false": False, "0": False}
# Those that a flag of its own sets.
_ELSEWHERE = ("FrameRate", "FrameDurationLimits")


def parse(text: str) -> dict[str, str]:
    """Takes apart what is written on the command line.

    Args:
        text: such as "ExposureTime=8000,ColourGains=1.5:2"; a colon between values of one control.

    Raises:
        DigitsError: if it is not of this form.
    """
    controls: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (word.strip() for word in part.partition("="))
        if not name or not value:
            raise DigitsError(
                f"--controls expected NAME=VALUE,NAME=VALUE such as ExposureTime=8000, received "
                f"{part!r}"
            )
        controls[name] = value
    return controls


def check(wanted: Mapping[str, str], known: Mapping[str, tuple]) -> dict[str, Any]:
    """Turns words into what libcamera takes.

    Args:
        wanted: values by names, as `parse` has them.
        known: least, greatest and default value by name, as picamera2's `camera_controls`.

    Returns:
        A bool, int, float or tuple by name.

    Raises:
        DigitsError: if the camera has no such control, or it does not take the value.
    """
    return {name: _value(name, text, known) for name, text in wanted.items()}


def _value(name: str, text: str, known: Mapping[str, tuple]) -> Any:
    if name in _ELSEWHERE:
        raise DigitsError(f"--controls {name}: --fps sets the rate")
    if name not in known:
        lower = {each.lower(): each for each in known}
        near = difflib.get_close_matches(name.lower(), lower, 1, 0.0)
        nearest = f"; the nearest is {lower[near[0]]}" if near else ""
        raise DigitsError(f"--controls {name}: this camera has no such control{nearest}")
    least, most = known[name][:2]
    words = text.split(":")
    count = len(least) if isinstance(least, tuple) else _COUNTS.get(name, 1)
    try:
        if len(words) != count:
            raise ValueError
        if isinstance(least, tuple):
            # A rectangle or a size: its least and greatest bound no single number.
            return tuple(int(word) for word in words)
        values = tuple(_number(word, least) for word in words)
    except (KeyError, ValueError):
        kind = "a whole number" if isinstance(least, int | tuple) else "a number"
        kind = "true or false" if isinstance(least, bool) else kind
        form = f"{count} values with : between, each {kind}" if count > 1 else kind
        raise DigitsError(f"--controls {name}: expected {form}, received {text!r}") from None
    bounded = least is not None and most is not None
    if bounded and not all(least <= value <= most for value in values):
        raise DigitsError(
            f"--controls {name}: expected {least:.6g} to {most:.6g}, received {text!r}"
        )
    return values if count > 1 else values[0]


def _number(word: str, like: bool | int | float | None) -> bool | int | float:
    if isinstance(like, bool):
        return _WORDS[word.lower()]
    return int(word) if isinstance(like, int) else float(word)
