"""Finds and reads handwritten digits in pictures and from a camera; trains the networks for it.

Attributes:
    Recognizer: finds and reads digits. It returns `Digit`s, of which `text` makes text.
    annotate: draws digits onto a picture.
    load_model: opens a Keras model that reads digits; needs TensorFlow.
    DigitsError: the error for what a user can mend.
"""

from typing import TYPE_CHECKING

from digits_tf.errors import DigitsError

if TYPE_CHECKING:
    from digits_tf.annotators import annotate
    from digits_tf.recognition import Digit, Recognizer, text
    from digits_tf.recognition.tensorflow_models import open_model as load_model

__version__ = "0.1.0"
__all__ = ["Digit", "DigitsError", "Recognizer", "__version__", "annotate", "load_model", "text"]


def __getattr__(name: str) -> object:
    # Imported when first used: commands start without OpenCV, and training needs none.
    if name == "load_model":
        from digits_tf.recognition.tensorflow_models import open_model

        return open_model
    if name in __all__:
        from digits_tf.images import import_cv2

        import_cv2()
        from digits_tf import recognition
        from digits_tf.annotators import annotate

        return annotate if name == "annotate" else getattr(recognition, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
