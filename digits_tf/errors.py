"""The error that users see, and words for the system's errors, in one line each."""

import errno


class DigitsError(Exception):
    """Something a user can mend: bad input, a missing package, a full disk.

    The message is one line. It says what was expected, what was found and in which file, and where
    it helps, what to type next. Commands print it and exit with 2.

    Args:
        message: may name files with line ends and control characters in their names, which would
            break the line or steer the terminal: they are escaped.
    """

    def __init__(self, message: str):
        super().__init__(printable(message))


def describe(error: OSError) -> str:
    """Describes a failed read or write in one line: the file, the reason, what to do."""
    where = f"{printable(str(error.filename))}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}the disk is full: free some space"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where}no permission ({error.strerror})"
    return f"{where}{error.strerror or error}"


def printable(words: str) -> str:
    """Escapes control characters, line ends and broken letters."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in words
    )
