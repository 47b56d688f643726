"""What is asked of a camera."""

import types
from collections.abc import Mapping
from typing import NamedTuple


class Wanted(NamedTuple):
    """What is asked of a camera; it may give something else.

    Attributes:
        width: pixels.
        height: pixels.
        fps: frames per second.
        colour: whether pictures are shown or recorded; to be read, grey ones will do.
        rotate: degrees clockwise that pictures are turned by: 0, 90, 180 or 270.
        controls: values by the names of libcamera's controls; of a Raspberry Pi's camera alone.
    """

    width: int = 1920
    height: int = 1080
    fps: float = 30.0
    colour: bool = False
    rotate: int = 0
    controls: Mapping[str, str] = types.MappingProxyType({})
