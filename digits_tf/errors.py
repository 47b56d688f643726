"""The error that users see, and words for the system's errors."""

import errno


class DigitsError(Exception):
    """Something a user can mend: bad input, a missing package, a full disk.

    The message is one line. It says what was expected, what was found and in which file, and where
    it helps, what to type next. Commands print it and exit with 2.
    """


def describe(error: OSError) -> str:
    """Describes a failed read or write in one line: the file, the reason, what to do."""
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}the disk is full: free some space"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where}no permission ({error.strerror})"
    return f"{where}{error.strerror or error}"
