"""Conversion to TFLite. The only file that uses tf.lite, which is to leave TensorFlow."""

import warnings
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digits_tf import runtime

# The forms of a classifier, and that of the detector.
KINDS = ("float32", "float16", "int8", "mixed")
DETECTOR = "detector"
# What a network ends in: these stay floats in the kind "mixed".
_END = ["MEAN", "FULLY_CONNECTED", "SOFTMAX", "STRIDED_SLICE"]


def convert(saved_model: Path, kind: str, representative: NDArray[np.uint8]) -> bytes:
    """Converts a SavedModel.

    Args:
        saved_model: its folder.
        kind: float32. float16: weights of 16 bits, float32 in and out. int8: full integer, uint8 in
            and out. mixed: convolutions of 8 bits; the pooling at the end, the last layer and the
            softmax in floats, float32 in and out. detector: 8-bit throughout, uint8 in, int8 out.
        representative: uint8 (n, ...), real inputs that the ranges of integer activations are taken
            from.

    Returns:
        The content of a .tflite file made of TFLite's own operators alone.

    Raises:
        RuntimeError: if an operator would need TensorFlow (a "Flex op").
        ValueError: if the kind is unknown.
    """
    if kind not in (*KINDS, DETECTOR):
        raise ValueError(f"Expected one of {(*KINDS, DETECTOR)}. Received: kind={kind!r}")
    # The converter writes pages of notices past Python's standard error.
    with runtime.standard_error() as notices, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            converter = _converter(saved_model, kind, representative)
            content: bytes = _mixed(converter) if kind == "mixed" else converter.convert()
        # Its errors are no public class.
        except Exception as error:
            reason = f"no {kind} TFLite file could be made: {error} {notices()[-2000:]}"
            raise RuntimeError(reason) from error
    return content


def _converter(
    saved_model: Path, kind: str, representative: NDArray[np.uint8]
) -> tf.lite.TFLiteConverter:
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    # Without this the converter lets Flex ops pass, and LiteRT refuses the file when it is used.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if kind == "float32":
        return converter
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
        return converter
    converter.representative_dataset = lambda: (
        [image[None].astype(np.float32)] for image in representative
    )
    if kind in ("int8", DETECTOR):
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.uint8 if kind == "int8" else tf.int8
    return converter


def _mixed(converter: tf.lite.TFLiteConverter) -> bytes:
    """Quantizes all but the network's end.

    TFLite's 8-bit softmax has 256 steps. Where the background takes nearly all, the ten digits are
    all 0 and the likeliest cannot be told; where one digit does, how sure it is. Only TensorFlow's
    debugger of quantization leaves operators out.
    """
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter,
        debug_dataset=converter.representative_dataset,
        debug_options=tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=_END),
    )
    content: bytes = debugger.get_nondebug_quantized_model()
    return content
