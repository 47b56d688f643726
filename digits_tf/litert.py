"""TFLite files: where the shipped ones are, whether a file is whole, and opening it with LiteRT."""

import json
from pathlib import Path
from typing import Any

from digits_tf import files, runtime
from digits_tf.errors import DigitsError

_PACKAGE = Path(__file__).resolve().parent
_IDENTIFIER = b"TFL3"  # bytes 4 to 7 of every TFLite flatbuffer


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


def check_digest(path: Path) -> dict[str, Any]:
    """Compares a file with the SHA-256 in the JSON file beside it, if there is one.

    Returns:
        What the JSON says; nothing without one.

    Raises:
        DigitsError: if they differ or the JSON is damaged.
    """
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    card = read_card(beside)
    if "sha256" not in card:
        raise DigitsError(f"{beside}: expected JSON with a sha256")
    found, expected = files.sha256(path), str(card["sha256"])
    if found != expected:
        raise DigitsError(
            f"{path}: damaged, or not the file that {beside.name} describes (expected SHA-256 "
            f"{expected[:12]}…, found {found[:12]}…)"
        )
    return card


def read_card(path: Path) -> dict[str, Any]:
    """Reads the JSON file that describes a model.

    Raises:
        DigitsError: if it is damaged.
    """
    try:
        card = json.loads(path.read_text())
    except ValueError as error:
        raise DigitsError(f"{path}: expected JSON ({error})") from None
    if not isinstance(card, dict):
        raise DigitsError(f"{path}: expected a JSON object")
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
    except (ValueError, RuntimeError) as error:
        raise DigitsError(f"{path}: not a TFLite file that LiteRT can run ({error})") from None
    return opened
