"""Times, taken one by one and summed up."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

# Calls that are not counted: the first ones lay out memory and find the caches empty.
WARM_UP = 10
# Of the seconds of a budget, what the warm-up may take beside them on a slow machine.
WARM_UP_SHARE = 0.25


class Budget(NamedTuple):
    """How often something is timed: so many times, or for so many seconds if that is less."""

    calls: int
    seconds: float


def repeat(call: Callable[[int], object], budget: Budget) -> list[float]:
    """Milliseconds of each call after a warm-up.

    Args:
        call: is given the number of the call, from 0, and called at least once beside the warm-up.
        budget: of the calls that are counted.
    """
    _times(call, Budget(WARM_UP, WARM_UP_SHARE * budget.seconds))
    return _times(call, budget)


def summary(milliseconds: Sequence[float]) -> dict[str, Any]:
    """How many there are, their median and their 95th percentile."""
    return {
        "n": len(milliseconds),
        "median_ms": float(np.median(milliseconds)),
        "p95_ms": float(np.percentile(milliseconds, 95)),
    }


def _times(call: Callable[[int], object], budget: Budget) -> list[float]:
    times: list[float] = []
    end = time.perf_counter() + budget.seconds
    while not times or (len(times) < budget.calls and time.perf_counter() < end):
        start = time.perf_counter()
        call(len(times))
        times.append(1000 * (time.perf_counter() - start))
    return times
