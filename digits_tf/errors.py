"""The one error that users are meant to see."""

import errno


class DigitsError(Exception):
    """Something a user can mend: bad input, a missing package, a full disk.

    The message is one line: what was expected, what was found and in which file, and where it helps
    what to type next. Command lines print it and exit with 2.
    """


def describe(error: OSError) -> str:
    """One line about a failed read or write: the file, the reason, what to do."""
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}the disk is full: free some space"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where}no permission ({error.strerror})"
    return f"{where}{error.strerror or error}"
