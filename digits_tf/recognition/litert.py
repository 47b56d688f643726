"""TFLite files through LiteRT; no TensorFlow."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits_tf.errors import DigitsError
from digits_tf.litert import check_numbers, interpreter
from digits_tf.recognition.classifier import INPUT_SHAPE, FileClassifier, check_shapes

# What only picks from, reshapes or rescales the values before it.
_PASSING = ("CAST", "DEQUANTIZE", "QUANTIZE", "RESHAPE", "SLICE", "SQUEEZE", "STRIDED_SLICE")


class LiteRTClassifier(FileClassifier):
    """A .tflite file with float or 8-bit input and output.

    Args:
        path: the file.
        threads: for the kernels.
        logits: whether it gives logits; None: unless it ends in a softmax or a sigmoid.

    Raises:
        DigitsError: if it is no TFLite file, or one of other shapes.
    """

    def __init__(self, path: Path, threads: int = 1, logits: bool | None = None):
        self._interpreter = interpreter(path.read_bytes(), path, threads)
        inputs = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise DigitsError(f"{path}: expected one input and one output")
        self._input, self._output = inputs[0], outputs[0]
        check_numbers(path, (self._input, self._output))
        # As plain numbers, for messages.
        image, answer = (tuple(each["shape"].tolist()) for each in (self._input, self._output))
        check_shapes(path, image[1:], answer[1:])
        self._allocated = image[0]
        fixed = self._input["shape_signature"][0] != -1
        super().__init__(
            str(path),
            image[0] if fixed else None,
            not self._ends_in_probabilities() if logits is None else logits,
        )

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

    def _outputs(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        self._resize(len(images))
        self._interpreter.set_tensor(self._input["index"], self._quantized(images[..., None]))
        self._interpreter.invoke()
        return self._dequantized(self._interpreter.get_tensor(self._output["index"]))

    def _resize(self, batch: int) -> None:
        # A change costs 0.05 ms, in a film seldom once in ten frames. An interpreter for each count
        # would save that and take 0.8 ms to make; single digits, or powers of two, take longer.
        if batch == self._allocated:
            return
        self._interpreter.resize_tensor_input(self._input["index"], (batch, *INPUT_SHAPE))
        self._interpreter.allocate_tensors()
        self._allocated = batch

    def _quantized(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        """Pixels in the input's own type and scale."""
        dtype = self._input["dtype"]
        scale, zero_point = self._input["quantization"]
        if not scale:
            return images.astype(dtype)
        if scale == 1.0 and zero_point == 0 and dtype == np.uint8:
            return images
        limits = np.iinfo(dtype)
        steps = np.round(images / scale) + zero_point
        values: NDArray[Any] = np.clip(steps, limits.min, limits.max).astype(dtype)
        return values

    def _dequantized(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Outputs as the numbers that they stand for."""
        scale, zero_point = self._output["quantization"]
        if not scale:
            return outputs
        # TFLite gives every softmax this scale, at which 255, its highest step, is not yet 1.
        step = 1 / 255 if scale == 1 / 256 else scale
        values: NDArray[np.float32] = (outputs.astype(np.float32) - zero_point) * np.float32(step)
        return values

    def _ends_in_probabilities(self) -> bool:
        """Whether the network ends in a softmax or a sigmoid."""
        makers: dict[int, dict[str, Any]] = {}
        # No public name tells the operators. A delegate comes behind those that it takes.
        for each in self._interpreter._get_ops_details():
            for made in each["outputs"]:
                makers.setdefault(int(made), each)
        maker = makers.get(self._output["index"])
        while maker and maker["op_name"] in _PASSING:
            maker = makers.get(int(maker["inputs"][0]))
        return maker is not None and maker["op_name"] in ("LOGISTIC", "SOFTMAX")


def _describe(tensor: dict[str, Any]) -> dict[str, Any]:
    scale, zero_point = tensor["quantization"]
    return {
        "dtype": np.dtype(tensor["dtype"]).name,
        "shape": [-1, *(int(size) for size in tensor["shape"][1:])],
        "scale": float(scale),
        "zero_point": int(zero_point),
    }
