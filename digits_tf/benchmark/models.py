"""Which model files are timed."""

from pathlib import Path

from digits_tf import recognition
from digits_tf.errors import DigitsError
from digits_tf.recognition.registry import SHIPPED


def shipped(names: tuple[str, ...] = SHIPPED) -> list[Path]:
    """The .tflite files that come with the program, of each model the largest first.

    Args:
        names: of the models.

    Raises:
        DigitsError: if one is missing.
    """
    return [
        path
        for name in names
        for path in sorted(
            recognition.shipped_model(name).parent.glob(f"{name}_*.tflite"),
            key=lambda path: -path.stat().st_size,
        )
    ]


def reader(model: str | None) -> Path:
    """The file that reads frames, as `--model` names it for every command.

    Raises:
        DigitsError: if it is no .tflite file.
    """
    path = recognition.find(model)
    if path.suffix != ".tflite":
        raise DigitsError(
            f"{path}: expected a .tflite file to time (python -m digits_tf.export makes one)"
        )
    return path


def timed(model: str | None) -> list[Path]:
    """The files whose networks are timed by themselves.

    Args:
        model: None: all that are shipped; "tiny" or "resnet": its formats; a path: that file.

    Raises:
        DigitsError: if there is none.
    """
    if model is None:
        return shipped()
    return shipped((model,)) if model in SHIPPED else [reader(model)]
