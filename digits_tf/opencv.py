"""Imports OpenCV, or says how to get it."""

from types import ModuleType

from digits_tf.errors import DigitsError


def import_cv2() -> ModuleType:
    """Imports cv2.

    Raises:
        DigitsError: if it is missing; it is in no install by default, because a Raspberry Pi has
            it from apt and nobody may have both of its wheels.
    """
    try:
        import cv2
    except ImportError as error:
        raise DigitsError(
            f"OpenCV is missing ({error}): pip install 'digits_tf[camera]', without a display "
            "'digits_tf[headless]'; on a Raspberry Pi: sudo apt install python3-opencv"
        ) from None
    return cv2
