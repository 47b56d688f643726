"""Imports TensorFlow without its start-up notices, or says how to get it."""

import os
import sys
from types import ModuleType

from digits_tf import quiet
from digits_tf.errors import DigitsError


def import_tensorflow() -> ModuleType:
    """Imports TensorFlow and looks for its devices.

    Some of its notices (oneDNN, a missing CUDA driver) are written before any log level counts.

    Returns:
        The module tensorflow.

    Raises:
        DigitsError: if it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    notices = ""
    try:
        with quiet.standard_error() as written:
            try:
                import tensorflow as tf

                tf.config.list_physical_devices()
            except BaseException:
                notices = written()
                raise
    except ModuleNotFoundError as error:
        if error.name not in ("tensorflow", "keras"):
            raise
        raise DigitsError("this needs TensorFlow: pip install 'digits_tf[train]'") from None
    except Exception:
        print(notices, file=sys.stderr)
        raise
    return tf
