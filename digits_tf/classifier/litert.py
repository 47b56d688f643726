"""TFLite files through LiteRT; no TensorFlow."""

from pathlib import Path
from typing import Any

import numpy as np

from digits_tf import quiet
from digits_tf.classifier.classifier import CLASSES, INPUT_SHAPE, Classifier, as_probabilities
from digits_tf.errors import DigitsError

_IDENTIFIER = b"TFL3"  # bytes 4 to 7 of every TFLite flatbuffer


def interpreter(content: bytes, path: Path, threads: int = 1, xnnpack: bool = True) -> Any:
    """Opens a .tflite file's content with LiteRT.

    Args:
        content: the file's bytes.
        path: the file, for messages.
        threads: for the kernels.
        xnnpack: whether XNNPACK takes what it can, as LiteRT has it.

    Raises:
        DigitsError: if LiteRT is missing or the content is no TFLite model.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError:
        raise DigitsError("LiteRT is missing: pip install ai-edge-litert") from None
    if content[4:8] != _IDENTIFIER:
        raise DigitsError(f"{path}: expected a TFLite file, found something else")
    kernels = OpResolverType.AUTO
    if not xnnpack:
        kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        # It announces its XNNPACK delegate on standard error.
        with quiet.standard_error():
            opened = Interpreter(
                model_content=content, num_threads=threads, experimental_op_resolver_type=kernels
            )
            opened.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise DigitsError(f"{path}: not a TFLite file that LiteRT can run ({error})") from None
    return opened


class LiteRTClassifier(Classifier):
    """A .tflite file with float or 8-bit input and output.

    Args:
        path: the file.
        threads: for the kernels.
        xnnpack: whether XNNPACK takes what it can, as LiteRT has it; without, all is slower, and
            only scripts/quantisation.py asks how much.

    Raises:
        DigitsError: if it is no TFLite file, or one of other shapes.
    """

    def __init__(self, path: Path, threads: int = 1, xnnpack: bool = True):
        self._interpreter = interpreter(path.read_bytes(), path, threads, xnnpack)
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        shapes = (tuple(self._input["shape"][1:]), tuple(self._output["shape"][1:]))
        if shapes != (INPUT_SHAPE, (CLASSES,)):
            raise DigitsError(
                f"{path}: expected a model from {INPUT_SHAPE} to ({CLASSES},), found "
                f"{shapes[0]} to {shapes[1]}"
            )
        self._batch = int(self._input["shape"][0])

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Reads a batch, see `Classifier.probabilities`."""
        if not len(images):
            return np.zeros((0, CLASSES), np.float32)
        self._resize(len(images))
        self._interpreter.set_tensor(self._input["index"], self._quantized(images[..., None]))
        self._interpreter.invoke()
        return self._dequantized(self._interpreter.get_tensor(self._output["index"]))

    def layout(self) -> dict[str, Any]:
        """Name, type, shape and quantization of input and output, for the JSON beside the file.

        A pixel p of 0..255 goes in as p / scale + zero_point where scale is not 0, else as p.
        """
        names: dict[str, list[str]] = next(
            iter(self._interpreter.get_signature_list().values()), {}
        )
        tensors = {"input": (self._input, "inputs"), "output": (self._output, "outputs")}
        return {
            part: {"name": names.get(kind, [tensor["name"]])[0], **_describe(tensor)}
            for part, (tensor, kind) in tensors.items()
        }

    def _resize(self, batch: int) -> None:
        # A change costs 0.05 ms, in a film seldom once in ten frames. An interpreter for each count
        # would save that and take 0.8 ms to make; single digits, or powers of two, take longer.
        if batch == self._batch:
            return
        self._interpreter.resize_tensor_input(self._input["index"], (batch, *INPUT_SHAPE))
        self._interpreter.allocate_tensors()
        self._batch = batch

    def _quantized(self, images: np.ndarray) -> np.ndarray:
        """Pixels in the input's own type and scale."""
        dtype = self._input["dtype"]
        scale, zero_point = self._input["quantization"]
        if not scale:
            return images.astype(dtype)
        if scale == 1.0 and zero_point == 0 and dtype == np.uint8:
            return images
        limits = np.iinfo(dtype)
        steps = np.round(images / scale) + zero_point
        return np.clip(steps, limits.min, limits.max).astype(dtype)

    def _dequantized(self, outputs: np.ndarray) -> np.ndarray:
        scale, zero_point = self._output["quantization"]
        if not scale:
            return as_probabilities(outputs)
        # TFLite gives every softmax this scale, at which 255, its highest step, is not yet 1.
        step = 1 / 255 if scale == 1 / 256 else scale
        return (outputs.astype(np.float32) - zero_point) * np.float32(step)


def _describe(tensor: dict[str, Any]) -> dict[str, Any]:
    scale, zero_point = tensor["quantization"]
    return {
        "dtype": np.dtype(tensor["dtype"]).name,
        "shape": [-1, *(int(size) for size in tensor["shape"][1:])],
        "scale": float(scale),
        "zero_point": int(zero_point),
    }
