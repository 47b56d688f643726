"""What every net reads of the same frames."""

from collections.abc import Iterable, Sequence

import numpy as np

from digits_tf.recognition import Digit
from report_parts.net import Net

# By net, one list of digits a frame.
Readings = dict[Net, list[list[Digit]]]


def read(nets: Sequence[Net], frames: Iterable[np.ndarray]) -> Readings:
    """Reads each frame with each net, and holds one frame at a time.

    Args:
        nets: the readers.
        frames: uint8 (h, w) or (h, w, 3), BGR.
    """
    readings: Readings = {net: [] for net in nets}
    for frame in frames:
        for net in nets:
            readings[net].append(net.recognizer.read(frame))
    return readings


def misread(
    names: Sequence[str], written: Sequence[str], found: dict[Net, list[str]]
) -> list[dict[str, str]]:
    """What was not read as it was written.

    Args:
        names: of the pictures.
        written: what is on each.
        found: what each net read.

    Returns:
        A dict a picture and net: "file", "written", "read", "model", "format".
    """
    return [
        {
            "file": name,
            "written": right,
            "read": texts[index],
            "model": net.model,
            "format": net.kind,
        }
        for index, (name, right) in enumerate(zip(names, written, strict=True))
        for net, texts in found.items()
        if texts[index] != right
    ]


def misread_text(mistakes: Sequence[dict[str, str]], names: dict[str, str]) -> str:
    """`misread` as a list in Markdown: pictures, what was read instead, and by which nets."""
    if not mistakes:
        return "Nothing was misread."
    by: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for each in mistakes:
        key = each["file"], each["written"], each["read"]
        by.setdefault(key, {}).setdefault(each["model"], []).append(each["format"])
    lines = [
        f"- {file}: written {_line(written)}, read {_line(read)} "
        f"({'; '.join(_who(model, kinds, names) for model, kinds in who.items())})"
        for (file, written, read), who in by.items()
    ]
    return "\n".join(["Misread:", "", *lines])


def _line(text: str) -> str:
    return text.replace("\n", " / ") or "nothing"


def _who(model: str, kinds: list[str], names: dict[str, str]) -> str:
    if len(names) > 1 and len(kinds) == len(names):
        return f"{model}, all formats"
    return f"{model}, {', '.join(names[kind] for kind in kinds)}"
