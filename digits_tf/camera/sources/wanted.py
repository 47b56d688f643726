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
        rotation: degrees that the camera is mounted at, 0 or 180; of a Raspberry Pi's camera alone.
        controls: values by the names of libcamera's controls; of a Raspberry Pi's camera alone.
    """

    width: int = 1920
    height: int = 1080
    fps: float = 30.0
    colour: bool = False
    rotation: int = 0
    controls: Mapping[str, str] = types.MappingProxyType({})
