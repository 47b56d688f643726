"""Conversion to TFLite. The only file that uses tf.lite, which is to leave TensorFlow."""

import warnings
from pathlib import Path

import numpy as np
import tensorflow as tf

from digits_tf import quiet

KINDS = ("float32", "float16", "int8")


def convert(saved_model: Path, kind: str, calibration: np.ndarray) -> bytes:
    """Converts a SavedModel.

    Args:
        saved_model: its folder.
        kind: float32; float16 (weights of 16 bits, float32 in and out); int8 (full integer, uint8
            in and out).
        calibration: uint8 (n, 28, 28, 1), real training digits that int8's ranges are taken from.

    Returns:
        The content of a .tflite file made of TFLite's own operators alone.

    Raises:
        RuntimeError: if an operator would need TensorFlow (a "Flex op").
        ValueError: if the kind is unknown.
    """
    if kind not in KINDS:
        raise ValueError(f"Expected one of {KINDS}. Received: kind={kind!r}")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    # Without this the converter lets Flex ops pass, and LiteRT refuses the file at the user's.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if kind == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [image[None].astype(np.float32)] for image in calibration
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.uint8
    # The converter writes pages of notices past Python's standard error.
    with quiet.standard_error() as notices, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return converter.convert()
        # Its errors are no public class.
        except Exception as error:
            reason = f"no {kind} TFLite file could be made: {error} {notices()[-2000:]}"
            raise RuntimeError(reason) from error
