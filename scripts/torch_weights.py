"""The tutorial's PyTorch weights in a Keras model that gives the same logits.

The tutorial's network is an `nn.Sequential` in the style of "Dive into Deep Learning": a
convolution (entry 0) with its BatchNormalization (1), the stages `resnet_block1`, `resnet_block2`,
…, and the last layer `fc.1`. `resnet` makes the same network; this module maps its variables to
PyTorch's names and axes.

PyTorch is not imported: a state dict is a dict of arrays.
"""

import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from digits_tf.errors import DigitsError
from digits_tf.models.resnet import resnet

_BLOCK = re.compile(r"resnet_block(\d+)\.(\d+)\.")
_LAYER = re.compile(r"stage(\d+)_block(\d+)_(\w+)")
# The prefixes of nn.DataParallel and torch.compile.
_PREFIXES = re.compile(r"^(module\.|_orig_mod\.)+")
_VARIABLES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
# By rank: PyTorch's axes in Keras' order, (out, in, y, x) and (out, in); vectors stay.
_AXES = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}
_MAX_NAMES = 3


def from_state_dict(state: Mapping[str, NDArray[Any]], rescale: float = 1.0) -> keras.Model:
    """Builds the Keras model of a state dict of the tutorial's network.

    Args:
        state: the arrays by their PyTorch names, see `unwrapped` for prefixes.
        rescale: what pixels are multiplied by inside the model; the tutorial trains on raw 0..255.

    Returns:
        A model as `resnet` makes it, with the weights and running statistics of `state`.

    Raises:
        DigitsError: if entries are missing, unknown, of wrong shape or not finite.
    """
    state = unwrapped(state)
    model = resnet(**arguments(state), rescale=rescale)
    variables = dict(_variables(model))
    ignored = {
        name.replace("running_mean", "num_batches_tracked")
        for name in variables
        if name.endswith("running_mean")
    }
    problems = {
        "missing": [name for name in variables if name not in state],
        "unknown": [name for name in state if name not in variables and name not in ignored],
        "of wrong shape": [
            f"{name} (expected {_torch_shape(variable)}, found {np.shape(state[name])})"
            for name, variable in variables.items()
            if name in state and np.shape(state[name]) != _torch_shape(variable)
        ],
        "not finite": [
            name for name in variables if name in state and not np.isfinite(state[name]).all()
        ],
    }
    if any(problems.values()):
        found = [f"{what}: {_first(names)}" for what, names in problems.items() if names]
        raise DigitsError(
            f"expected a state dict of the tutorial's network, found {'; '.join(found)}"
        )
    for name, variable in variables.items():
        variable.assign(np.transpose(state[name], _AXES[len(variable.shape)]))
    return model


def unwrapped(state: Mapping[str, Any]) -> dict[str, Any]:
    """The same entries without the prefixes of nn.DataParallel and torch.compile."""
    entries = {_PREFIXES.sub("", name): value for name, value in state.items()}
    return entries if len(entries) == len(state) else dict(state)


def arguments(state: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Infers the arguments for `resnet` from the entries of a state dict.

    What cannot be inferred is taken to be as in the tutorial: a first convolution with stride 2 and
    pooling after it, stages that halve the picture except the first, padding by half a kernel.

    Raises:
        DigitsError: if there are no residual blocks.
    """
    blocks: dict[int, set[int]] = {}
    lengths: dict[int, list[int]] = {}
    for name, array in state.items():
        if match := _BLOCK.match(name):
            stage, block = map(int, match.groups())
            blocks.setdefault(stage, set()).add(block)
            lengths.setdefault(stage, []).append(max(1, (np.shape(array) or (1,))[0]))
    if not blocks:
        raise DigitsError(
            "expected a state dict of the tutorial's network (0.weight, "
            f"resnet_block1.0.conv1.weight, …, fc.1.bias), found {_first(list(state)) or 'nothing'}"
        )
    stem = np.shape(state.get("0.weight", ()))
    return {
        "depths": tuple(len(blocks[stage]) for stage in sorted(blocks)),
        # Nearly all arrays of a stage are as long as the stage is wide; an error names the others.
        "widths": tuple(statistics.mode(lengths[stage]) for stage in sorted(blocks)),
        "stem_kernel": stem[3] if len(stem) == 4 and stem[3] % 2 else 7,
        "use_bias": any(re.fullmatch(r"0\.bias|.*\.conv[12]\.bias", name) for name in state),
    }


def _variables(model: keras.Model) -> Iterator[tuple[str, keras.Variable]]:
    """The model's variables with their names in PyTorch."""
    outer = {"stem_conv": "0", "stem_bn": "1", "logits": "fc.1"}
    for layer in model.layers:
        if match := _LAYER.fullmatch(layer.name):
            stage, block, part = match.groups()
            part = "conv3" if part == "shortcut" else part
            module = f"resnet_block{stage}.{int(block) - 1}.{part}"
        else:
            module = outer.get(layer.name, layer.name)
        for variable in layer.weights:
            yield f"{module}.{_VARIABLES[variable.name]}", variable


def _torch_shape(variable: keras.Variable) -> tuple[int, ...]:
    axes = _AXES[len(variable.shape)]
    return tuple(int(variable.shape[axes.index(axis)]) for axis in range(len(axes)))


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(names[:_MAX_NAMES]) + more
