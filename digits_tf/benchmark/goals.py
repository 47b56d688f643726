"""What is aimed at, beside what was measured."""

from typing import Any, NamedTuple

# On one x86-64 core at about 2.5 GHz. Ten times the 77 frames per second of the program that this
# one began as.
MS_A_DIGIT, FPS, START_S, MEMORY_MB = 0.15, 770.0, 1.0, 150.0
SIZE = "1080p"


class Goal(NamedTuple):
    """One figure and what it should be.

    Attributes:
        name: what it is.
        unit: of figure and limit.
        figure: None: not measured.
        limit: what it should be.
        at_least: whether it should be that or more; if not, less.
    """

    name: str
    unit: str
    figure: float | None
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether it is; None: not measured."""
        if self.figure is None:
            return None
        return self.figure >= self.limit if self.at_least else self.figure < self.limit

    def as_json(self) -> dict[str, Any]:
        """The goal with its verdict."""
        return {**self._asdict(), "met": self.met}


def goals(result: dict[str, Any]) -> list[Goal]:
    """All goals.

    Args:
        result: what was measured, by section.
    """
    # The format that is the quickest on this machine, of the model that reads frames.
    model = result["reader"].rpartition("_")[0] or result["reader"]
    digit = [
        each["median_ms"]
        for each in result["network"]
        if each["file"].startswith(model) and (each["threads"], each["batch"]) == (1, 1)
    ]
    loop = [each["fps"] for each in result["loop"] if (each["size"], each["digits"]) == (SIZE, 1)]
    threads = f"{result['threads']} thread{'s' if result['threads'] > 1 else ''}"
    return [
        Goal(f"network, {model}, one digit, 1 thread", "ms", min(digit, default=None), MS_A_DIGIT),
        Goal(f"loop, {SIZE}, one digit, {threads}", "frames/s", max(loop, default=None), FPS, True),
        Goal("start to the first reading", "s", result["start"].get("median_s"), START_S),
        Goal("memory, greatest", "MB", result["memory"].get("peak_mb"), MEMORY_MB),
    ]
