"""Puts readings right while the camera runs."""

from digits_tf.annotators import Overlay
from digits_tf.camera.display import FrameResult, StatusLine
from digits_tf.data.collection import Collection, label_of, name_of
from digits_tf.errors import DigitsError, describe
from digits_tf.recognition import Digit
from digits_tf.runtime import counted


class Teacher:
    """Takes what the user says into the collection of their own digits.

    Args:
        collection: of one's own digits.
        overlay: draws the pictures that are clicked on.
        status: takes the answers.
    """

    def __init__(self, collection: Collection, overlay: Overlay, status: StatusLine):
        self._collection, self._overlay, self._status = collection, overlay, status
        self._chosen: Digit | None = None

    def choose(self, result: FrameResult, x: int, y: int) -> None:
        """Chooses the digit at a pixel of the picture that was drawn of a result."""
        shape = result.frame.picture.shape
        self._chosen = self._overlay.digit_at(x, y, shape, result.digits)
        if self._chosen:
            self._status.notify(
                f"{_name(self._chosen)}: press what it is, 0 to 9, or x for no digit"
            )

    def teach(self, result: FrameResult, name: str) -> None:
        """Says what the chosen digit is, or the only one.

        Args:
            result: on display.
            name: 0 to 9, or x.
        """
        chosen = self._chosen or (result.digits[0] if len(result.digits) == 1 else None)
        label = label_of(name)
        if chosen is None or label is None:
            found = counted(len(result.digits), "digit")
            self._status.notify(
                f"found {found}: click on the one that is {name}, then press {name}"
            )
            return
        self._chosen = None
        try:
            is_new = self._collection.add(chosen.crop, label, result.frame.path or "camera")
        except (DigitsError, OSError) as error:
            self._fail(error)
            return
        does = "is kept as" if is_new else "was kept already as"
        self._status.notify(f"{_name(chosen)} {does} {name}; {self._count()}; u takes it back")

    def undo(self) -> None:
        """Takes the newest picture out again."""
        try:
            entry = self._collection.undo()
        except (DigitsError, OSError) as error:
            self._fail(error)
            return
        done = f"the {entry.name} is out again" if entry else "nothing to take back"
        self._status.notify(f"{done}; {self._count()}")

    def _fail(self, error: DigitsError | OSError) -> None:
        self._status.notify(describe(error) if isinstance(error, OSError) else str(error))

    def _count(self) -> str:
        entries = self._collection.entries()
        return f"{self._collection.folder}: {counted(len(entries), 'picture')}"


def _name(digit: Digit) -> str:
    """What a digit was read as, for messages."""
    likeliest = name_of(int(digit.probabilities.argmax()))
    return f"the {likeliest}" if digit.label is not None else f"the {likeliest}?"
