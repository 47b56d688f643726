"""The one error that users are meant to see."""


class DigitsError(Exception):
    """Something a user can mend: bad input, a missing package, a full disk.

    The message is one line: what was expected, what was found and in which file, and where it helps
    what to type next. Command lines print it and exit with 2.
    """
