"""What is printed for a picture."""

import json
from collections.abc import Sequence
from typing import Any

from digits_tf.recognizer import Digit, as_json, text


def reading(name: str, digits: Sequence[Digit]) -> str:
    """A line for people: the path, what it reads, and how sure the least sure digit is.

    Lines of text are parted by a slash. A mark that has no label is only counted, unless there is
    nothing else.
    """
    return f"{printable(name)}: {_words(digits)}"


def reading_json(name: str, digits: Sequence[Digit], milliseconds: float) -> str:
    """A line for programs; escapes what is not ASCII."""
    row: dict[str, Any] = {
        "path": name,
        "text": text(digits),
        "digits": [as_json(digit) for digit in digits],
        "ms": round(milliseconds, 2),
    }
    return json.dumps(row)


def error_json(name: str, problem: str) -> str:
    """A line for programs about a picture that cannot be read."""
    return json.dumps({"path": name, "error": problem})


def printable(words: str) -> str:
    """The words with control characters, line ends and broken letters written as escapes."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in words
    )


def _words(digits: Sequence[Digit]) -> str:
    if not digits:
        return "nothing found"
    read = [digit for digit in digits if digit.label is not None]
    others = len(digits) - len(read)
    if not read:
        surest = max(digits, key=lambda digit: digit.confidence)
        more = f" and {others - 1} more" if others > 1 else ""
        likeliest = int(surest.probabilities.argmax())
        return f"not sure: {likeliest}? ({_percent(surest.confidence)}){more}"
    least = _percent(min(digit.confidence for digit in read))
    sure = least if len(read) == 1 else f"at least {least}"
    more = f", {others} more not sure" if others else ""
    return f"{text(digits)} ({sure}){more}".replace("\n", " / ")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
