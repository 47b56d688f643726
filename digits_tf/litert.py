"""TFLite files: where the shipped ones are, whether a file is whole, and opening it with LiteRT.

LiteRT verifies a file's structure before it uses it. What it does with a file that was made to harm
it, nobody promises; see SECURITY.md.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digits_tf import files, runtime
from digits_tf.errors import DigitsError

_PACKAGE = Path(__file__).resolve().parent
_IDENTIFIER = b"TFL3"  # bytes 4 to 7 of every TFLite flatbuffer
# Of a model file, which is read into memory. The largest network of this project has 11 MB.
_MOST_BYTES = 1 << 30

# What LiteRT raises.
RUN_ERRORS = (ValueError, RuntimeError, MemoryError)


def shipped_file(file: str) -> Path:
    """A file that comes with the package: in tflite/ of the clone, or inside what is installed.

    The current folder is never searched: a trained model that reads worse may lie there.

    Raises:
        FileNotFoundError: if there is none.
    """
    for folder in (_PACKAGE / "shipped", _PACKAGE.parent / "tflite"):
        if (folder / file).is_file():
            return folder / file
    raise FileNotFoundError(file)


def check_file(path: Path) -> dict[str, Any]:
    """Checks a model file before it is opened: its size, and its digest if that is known.

    Args:
        path: of a file, whose SHA-256 is in the JSON file beside it, if there is one.

    Returns:
        What the JSON says; nothing without one.

    Raises:
        DigitsError: if it is no file, has more than 1 GiB, is not what the JSON describes, or the
            JSON is damaged.
    """
    if not path.is_file():
        raise DigitsError(f"{path}: expected a model file, found a device or a pipe")
    if path.stat().st_size > _MOST_BYTES:
        raise DigitsError(f"{path}: expected a network of digits, found a file of more than 1 GiB")
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    card = files.read_json(beside)
    if "sha256" not in card:
        raise DigitsError(f"{beside}: expected JSON with a sha256")
    found, expected = files.sha256(path), str(card["sha256"])
    if found != expected:
        raise DigitsError(
            f"{path}: damaged, or not the file that {beside.name} describes (expected SHA-256 "
            f"{expected[:12]}…, found {found[:12]}…)"
        )
    return card


def interpreter(content: bytes, path: Path, threads: int = 1) -> Any:
    """Opens a .tflite file's content with LiteRT.

    Args:
        content: the file's bytes.
        path: the file, for messages.
        threads: for the kernels.

    Returns:
        An `ai_edge_litert.interpreter.Interpreter`, its tensors allocated.

    Raises:
        DigitsError: if LiteRT is missing or the content is no TFLite model.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise DigitsError("LiteRT is missing: pip install ai-edge-litert") from None
    if content[4:8] != _IDENTIFIER:
        raise DigitsError(f"{path}: expected a TFLite file, found something else")
    try:
        # It announces its XNNPACK delegate on standard error.
        with runtime.standard_error():
            opened = Interpreter(model_content=content, num_threads=threads)
            opened.allocate_tensors()
    except RUN_ERRORS as error:
        raise unusable(path, error) from None
    return opened


def check_numbers(path: Path, tensors: Sequence[dict[str, Any]]) -> None:
    """Refuses a network that takes or gives something else than numbers of usual kinds.

    Args:
        path: the file, for the message.
        tensors: as the interpreter describes them.

    Raises:
        DigitsError: if one of them does.
    """
    for each in tensors:
        dtype, scale = np.dtype(each["dtype"]), each["quantization"][0]
        if dtype.kind not in "uif" or not 0 <= scale < np.inf or (dtype.kind == "f" and scale):
            raise DigitsError(
                f"{path}: expected numbers in and out, found {dtype.name} of scale {scale}"
            )


def unusable(path: Path, error: Exception) -> DigitsError:
    """The error of a file that LiteRT cannot open or run, from LiteRT's own."""
    reason = " ".join(str(error).split())
    return DigitsError(f"{path}: not a TFLite file that LiteRT can run ({reason})")
