"""The tables that are printed."""

from collections.abc import Iterator, Sequence
from typing import Any

from digits_tf.benchmark import memory
from digits_tf.benchmark.conditions import BUSY
from digits_tf.benchmark.goals import Goal, goals
from digits_tf.runtime import counted


def page(result: dict[str, Any]) -> str:
    """All that was measured, for people; tables are Markdown's, with columns of one width.

    Args:
        result: as `python -m digits_tf.benchmark --json` prints it.
    """
    return "\n\n".join(_parts(result))


def busy(load: float | None) -> str | None:
    """A line of warning where other programs take the time that is measured."""
    if load is None or load <= BUSY:
        return None
    return (
        f"other programs are busy (load {load:.2f} a core at the start): the times are longer than "
        "on a quiet machine"
    )


def _parts(result: dict[str, Any]) -> Iterator[str]:
    yield _conditions(result)
    yield ("Network: ms a digit, median (95th percentile)\n\n" + _network(result["network"]))
    yield (
        f"Frames from memory, {result['reader']}, LiteRT and OpenCV with "
        f"{counted(result['threads'], 'thread')}: ms, median (95th percentile)\n\n"
        + _loop(result["loop"])
    )
    yield _memory(result["memory"])
    yield _start(result["start"])
    yield _installed(result["installed"])
    yield _goals(goals(result))


def _conditions(result: dict[str, Any]) -> str:
    conditions = result["conditions"]
    state = [
        f"load a core at the start {_number(result['load'], 2)}",
        f"governor {conditions['governor'] or 'unknown'}",
    ]
    if result["throttled"] is not None:
        state.append(", ".join(result["throttled"]) or "not throttled")
    versions = ", ".join(f"{name} {version}" for name, version in conditions["versions"].items())
    machine = ", ".join(filter(None, (conditions["board"], conditions["machine"])))
    lines = [machine, f"{versions}; {conditions['date']}", "; ".join(state)]
    if warning := busy(result["load"]):
        lines.append(f"Warning: {warning}")
    return "\n".join(lines)


def _network(rows: Sequence[dict[str, Any]]) -> str:
    cells: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        cells.setdefault((row["file"], row["threads"]), []).append(row)
    batches = [row["batch"] for row in next(iter(cells.values()))]
    head = ["file", "threads", *(f"{batch} a call" for batch in batches), "n", "read right"]
    return _table(
        head,
        [
            [
                file,
                str(threads),
                *(_times(each, 3) for each in every),
                ", ".join(str(each["n"]) for each in every),
                _percent(every[0]["read_right"]),
            ]
            for (file, threads), every in cells.items()
        ],
    )


def _loop(rows: Sequence[dict[str, Any]]) -> str:
    head = ["size", "digits", "finding", "network", "whole loop", "frames/s", "n", "read right"]
    return _table(
        head,
        [
            [
                row["size"],
                str(row["digits"] or "none"),
                *(_times(row[stage], 2) for stage in ("find", "net", "loop")),
                f"{row['fps']:.0f}",
                str(row["loop"]["n"]),
                _percent(row["read_right"]),
            ]
            for row in rows
        ],
    )


def _memory(found: dict[str, Any]) -> str:
    if "missing" in found:
        return f"Memory: not measured ({found['missing']})"
    return (
        f"Memory: {_number(found['peak_mb'])} MB resident at most, {_number(found['end_mb'])} at "
        f"the end, of a process that reads {counted(found['n'], 'frame')} of {found['size']} with "
        f"{counted(found['digits'], 'digit')}, {memory.PICTURES} frames in memory included; "
        f"{_percent(found['read_right'])} read right"
    )


def _start(found: dict[str, Any]) -> str:
    if "missing" in found:
        return f"Start: not measured ({found['missing']})"
    return (
        f"Start to the first reading: {found['median_s']:.2f} s, at most {found['most_s']:.2f}, of "
        f"{counted(found['n'], 'start')} with warm caches on a picture of {found['size']}; "
        f"{_percent(found['read_right'])} read right"
    )


def _installed(found: dict[str, Any]) -> str:
    rows = [
        [name, "of the system" if size is None else _number(size, 1)]
        for name, size in found["mb"].items()
    ]
    return _table(["installed", "MB"], [*rows, ["all", _number(found["total_mb"], 1)]])


def _goals(every: Sequence[Goal]) -> str:
    verdicts = {True: "met", False: "missed", None: "not measured"}
    return _table(
        ["goal on a PC", "", "here", ""],
        [
            [
                goal.name,
                f"{'>=' if goal.at_least else '<'} {goal.limit:g} {goal.unit}",
                _number(goal.figure, 3 if goal.limit < 10 else 0),
                verdicts[goal.met],
            ]
            for goal in every
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, ["-" * max(3, width) for width in widths], *rows]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(max(3, width)) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )


def _times(summary: dict[str, Any], decimals: int) -> str:
    return f"{summary['median_ms']:.{decimals}f} ({summary['p95_ms']:.{decimals}f})"


def _number(value: float | None, decimals: int = 0) -> str:
    return "unknown" if value is None else f"{value:.{decimals}f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
