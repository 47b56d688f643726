"""What is measured, part by part, so that the time left can be told."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from digits_tf import recognition
from digits_tf.benchmark import board, installed, loop, memory, network, start
from digits_tf.benchmark.timing import Budget

# A network alone is timed more often than with a frame before it, and for a shorter time.
_CALLS, _CALLS_SHARE = 10, 0.25
_THREADS = {1, 2}


@dataclasses.dataclass(frozen=True)
class Part:
    """One measurement.

    Attributes:
        section: of the result, to which it belongs.
        name: what is measured, for people.
        weight: about how long it takes, in proportion to the other parts.
        measure: does it.
        repeated: whether the section has several such parts. What stands alone may fail alone.
    """

    section: str
    name: str
    weight: int
    measure: Callable[[], dict[str, Any]]
    repeated: bool = False


def parts(
    files: list[Path], reader: Path, threads: int, budget: Budget, starts: int
) -> Iterator[Part]:
    """All measurements in order.

    Args:
        files: the models whose networks are timed by themselves.
        reader: the one that reads frames.
        threads: for LiteRT where frames are read.
        budget: of the frames of each kind.
        starts: of the program, from the shell to its first reading.

    Raises:
        DigitsError: if a model cannot be opened.
    """
    calls = Budget(_CALLS * budget.calls, _CALLS_SHARE * budget.seconds)
    for path in files:
        for number in sorted(_THREADS | {threads}):
            for batch in network.BATCHES:
                measure = functools.partial(network.measure, path, number, batch, calls)
                yield Part("network", f"{path.name}, threads: {number}", 1, measure, repeated=True)
    model = recognition.load(reader, threads)
    for name in board.SIZES:
        for digits in board.SCENES:
            measure = functools.partial(loop.measure, name, digits, model, budget)
            yield Part("loop", f"{name}, digits: {digits}", 3, measure, repeated=True)
    measure = functools.partial(memory.measure, reader, threads, budget)
    yield Part("memory", "memory", 3, measure)
    yield Part("start", "start", 4, functools.partial(start.measure, reader, starts, threads))
    yield Part("installed", "installed size", 1, installed.measure)
