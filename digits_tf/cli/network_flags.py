"""The flags that choose a network's architecture."""

from typing import Any

from absl import flags

from digits_tf.errors import DigitsError

# Those of `models.resnet`, which imports Keras.
ARCHITECTURES = ("resnet", "small", "tiny")

_ARCHITECTURE = flags.DEFINE_enum(
    "architecture",
    None,
    ARCHITECTURES,
    "The network: resnet is the tutorial's, small trains quickly, tiny suits a Raspberry Pi. "
    "Default: the recipe's, or small.",
)
_DEPTHS = flags.DEFINE_list("depths", None, "Residual blocks in each stage, such as 2,2,2.")
_WIDTHS = flags.DEFINE_list("widths", None, "Filters in each stage, such as 64,128,256.")
_STEM_KERNEL = flags.DEFINE_integer(
    "stem_kernel", None, "Side of the first convolution's kernel; an odd number.", 1, 27
)
_STEM_STRIDE = flags.DEFINE_integer("stem_stride", None, "Stride of the first convolution.", 1, 4)
_STEM_POOL = flags.DEFINE_boolean(
    "stem_pool", None, "Whether max pooling follows the first convolution."
)


def arguments(default: str = "small") -> dict[str, Any]:
    """The arguments for `resnet` that the command line asks for, with the model's name.

    Imports Keras.

    Args:
        default: the architecture if the command line names none.

    Raises:
        DigitsError: if depths or widths are no positive integers, or not equally many.
    """
    from digits_tf.models import resnet

    name = _ARCHITECTURE.value or default
    chosen = {
        "depths": _integers("depths", _DEPTHS.value),
        "widths": _integers("widths", _WIDTHS.value),
        "stem_kernel": _STEM_KERNEL.value,
        "stem_stride": _STEM_STRIDE.value,
        "stem_pool": _STEM_POOL.value,
    }
    changes = {key: value for key, value in chosen.items() if value is not None}
    result = {"name": name, **resnet.ARCHITECTURES[name], **changes}
    depths, widths = result.get("depths", (2, 2, 2)), result.get("widths", (64, 128, 256))
    if len(depths) != len(widths):
        raise DigitsError(
            f"expected one width a stage, found --depths={','.join(map(str, depths))} and "
            f"--widths={','.join(map(str, widths))}"
        )
    if result.get("stem_kernel", 7) % 2 == 0:
        raise DigitsError(f"expected an odd --stem_kernel, found {result['stem_kernel']}")
    return result


def _integers(flag: str, words: list[str] | None) -> tuple[int, ...] | None:
    if words is None:
        return None
    if not words or not all(word.isdecimal() and 0 < int(word) <= 4096 for word in words):
        raise DigitsError(f"expected positive integers, found --{flag}={','.join(words)}")
    return tuple(map(int, words))
