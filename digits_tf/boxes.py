"""The rectangle around something in a picture."""

from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle with upright sides.

    Attributes:
        x: left edge, pixels.
        y: upper edge, pixels.
        width: pixels.
        height: pixels.
    """

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        """The point in the middle: x, y."""
        return self.x + self.width / 2, self.y + self.height / 2

    def contains(self, x: float, y: float) -> bool:
        """Whether a point is inside or on an edge."""
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height

    def overlaps(self, other: "Box") -> bool:
        """Whether the two share an area; edges that touch do not."""
        across, down = self._shared(other)
        return across > 0 and down > 0

    def iou(self, other: "Box") -> float:
        """Intersection over union, 0 to 1; 0 if both are empty."""
        across, down = self._shared(other)
        both = max(0.0, across) * max(0.0, down)
        union = self.width * self.height + other.width * other.height - both
        return both / union if union > 0 else 0.0

    def _shared(self, other: "Box") -> tuple[float, float]:
        """How far the two overlap across and down; below 0: how far they are apart."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return across, down
