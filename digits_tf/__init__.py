"""Handwritten digits: train a residual network on idx files, read digits from a camera."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digits_tf.recognizer import Digit, Recognizer

__version__ = "0.1.0"
__all__ = ["Digit", "Recognizer", "__version__"]


def __getattr__(name: str) -> object:
    # Looked up when first used: the command lines start without OpenCV, and training needs none.
    if name in ("Digit", "Recognizer"):
        from digits_tf.opencv import import_cv2

        import_cv2()
        from digits_tf import recognizer

        return getattr(recognizer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
