"""Settings of a Raspberry Pi's camera, by libcamera's names for them."""

import difflib
from collections.abc import Mapping

from digits_tf.errors import DigitsError

# libcamera gives the range of one value, not the number of values; for the other controls the
# type of the range tells the number.
_COUNTS = {"ColourGains": 2, "ColourCorrectionMatrix": 9}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
# --fps sets these.
_RATE_CONTROLS = ("FrameRate", "FrameDurationLimits")

_Bound = bool | int | float | tuple[int, ...] | None
_Value = bool | int | float | tuple[bool | int | float, ...]


def parse(text: str) -> dict[str, str]:
    """Parses the value of --controls.

    Args:
        text: such as "ExposureTime=8000,ColourGains=1.5:2"; a colon between values of one control.

    Returns:
        The text of each value by the control's name.

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


def check(
    asked: Mapping[str, str], known: Mapping[str, tuple[_Bound, _Bound, _Bound]]
) -> dict[str, _Value]:
    """Converts the controls to the types that libcamera takes.

    Args:
        asked: as `parse` returns them.
        known: minimum, maximum and default by name, as picamera2's `camera_controls`.

    Raises:
        DigitsError: if the camera has no such control, or it does not take the value.
    """
    chosen = {}
    for name, text in asked.items():
        if name in _RATE_CONTROLS:
            raise DigitsError(f"--controls {name}: --fps sets the rate")
        if name not in known:
            lower = {each.lower(): each for each in known}
            near = difflib.get_close_matches(name.lower(), lower, 1, 0.0)
            nearest = f"; the nearest is {lower[near[0]]}" if near else ""
            raise DigitsError(f"--controls {name}: this camera has no such control{nearest}")
        chosen[name] = _control_value(name, text, *known[name][:2])
    return chosen


def _control_value(name: str, text: str, minimum: _Bound, maximum: _Bound) -> _Value:
    words = text.split(":")
    # The bounds of a rectangle or a size are tuples.
    is_tuple = isinstance(minimum, tuple)
    count = len(minimum) if isinstance(minimum, tuple) else _COUNTS.get(name, 1)
    try:
        if len(words) != count:
            raise ValueError
        values = tuple(int(word) if is_tuple else _number(word, minimum) for word in words)
    except (KeyError, ValueError):
        kind = "a whole number" if isinstance(minimum, int | tuple) else "a number"
        kind = "true or false" if isinstance(minimum, bool) else kind
        form = f"{count} values with : between, each {kind}" if count > 1 else kind
        raise DigitsError(f"--controls {name}: expected {form}, received {text!r}") from None
    # The bounds of a tuple limit none of its numbers by itself.
    if (
        isinstance(minimum, int | float)
        and isinstance(maximum, int | float)
        and not all(minimum <= value <= maximum for value in values)
    ):
        raise DigitsError(
            f"--controls {name}: expected {minimum:.6g} to {maximum:.6g}, received {text!r}"
        )
    return values if count > 1 else values[0]


def _number(word: str, like: object) -> bool | int | float:
    if isinstance(like, bool):
        return _BOOLEANS[word.lower()]
    return int(word) if isinstance(like, int) else float(word)
