"""What is printed for a picture."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from digits_tf.recognizer import Digit, as_json, text

# Of a spreadsheet: lines of text are parted by a slash, the confidence is that of the least sure
# digit, 0 to 1, and "unsure" counts the marks without a label.
COLUMNS = ("path", "text", "confidence", "unsure", "error")


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


def reading_row(name: str, digits: Sequence[Digit]) -> list[str | float]:
    """A row for spreadsheets, see `COLUMNS`."""
    read = [digit.confidence for digit in digits if digit.label is not None]
    least = round(min(read), 4) if read else ""
    return [printable(name), _one_line(digits), least, len(digits) - len(read), ""]


def error_row(name: str, problem: str) -> list[str | float]:
    """A row for spreadsheets about a picture that cannot be read, see `COLUMNS`."""
    return [printable(name), "", "", "", printable(problem)]


def tell(line: str) -> None:
    """Prints what is beside the readings on standard error."""
    print(printable(line), file=sys.stderr)


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
    return f"{_one_line(digits)} ({sure}){more}"


def _one_line(digits: Sequence[Digit]) -> str:
    return text(digits).replace("\n", " / ")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
