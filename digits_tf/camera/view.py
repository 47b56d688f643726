"""What there is to show of a frame."""

import dataclasses

from digits_tf.camera.sources import Frame
from digits_tf.recognizer import Digit, text
from digits_tf.recognizer.digit import as_json


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """A frame and what was read in it.

    Attributes:
        frame: the frame.
        index: of the frame, from 0.
        digits: in reading order.
        fps: frames per second; 0.0 where that says nothing.
        milliseconds: what each stage took: "capture", "find", "net" and, where pictures are drawn,
            "draw".
    """

    frame: Frame
    index: int
    digits: list[Digit]
    fps: float
    milliseconds: dict[str, float]

    @property
    def text(self) -> str:
        """The numbers that were read, line by line."""
        return text(self.digits)

    def as_json(self) -> dict:
        """The reading as `python -m digits_tf.predict --json` has it, with time and rate.

        "time" is in seconds since the first frame, "ms" from the frame to its reading.
        """
        reading = {"path": self.frame.path} if self.frame.path else {}
        times = self.milliseconds
        return reading | {
            "time": round(self.frame.seconds, 3),
            "frame": self.index,
            "text": self.text,
            "digits": [as_json(digit) for digit in self.digits],
            "fps": round(self.fps, 1),
            "ms": round(times.get("find", 0.0) + times.get("net", 0.0), 2),
        }
