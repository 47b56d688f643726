"""Handwritten digits: train a residual network on idx files, read digits from a camera.

Attributes:
    Recognizer: finds and reads digits; `Digit` is what it returns, `text` makes text of those.
    annotate: draws them onto a picture.
    load_model: opens a Keras model of digits; needs TensorFlow.
    DigitsError: what a user can mend.
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
    # Looked up when first used: the command lines start without OpenCV, and training needs none.
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
