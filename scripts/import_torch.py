"""Turns weights of the tutorial's PyTorch network into a .keras file with the same logits.

pip install torch    (beside digits_tf[train]; only this script needs it)
python scripts/import_torch.py FILE.pth
python scripts/import_torch.py FILE.pth --out reference.keras
python scripts/import_torch.py FILE.pth --rescale 1/255    (trained on 0..1, as ToTensor makes them)

FILE.pth is a state dict of the tutorial's network: torch.save(model.state_dict(), "FILE.pth"). Its
depths, widths, first kernel and biases may differ from the tutorial's. The script assumes a first
convolution with stride 2 and max pooling, and pixels that are scaled but not shifted (no
transforms.Normalize).

Both networks then read the same pictures. The file is written only if their logits agree.
"""

import fractions
import pickle
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf import files, runtime
from digits_tf.cli import command
from digits_tf.errors import DigitsError

_OUT = flags.DEFINE_string("out", None, "The file to write. Default: FILE.keras beside FILE.pth.")
_RESCALE = flags.DEFINE_string(
    "rescale",
    "1.0",
    "What pixels of 0..255 were multiplied by in training: 1.0 as in the tutorial, or 1/255.",
)

_CHECKED = 64
_TOLERANCE = 1e-4
# Where training scripts put the state dict when they save more than that.
_KEYS = ("state_dict", "model_state_dict", "model")


def main(words: Sequence[str]) -> None:
    """Reads, converts, compares and writes."""
    path = Path(words[0])
    out = Path(_OUT.value) if _OUT.value else path.with_suffix(".keras")
    if out.suffix != ".keras":
        raise DigitsError(f"expected a name that ends with .keras, found --out={out}")
    rescale = _factor(_RESCALE.value)
    torch = _import_torch()
    try:
        state = _read(torch, path)
    except DigitsError as error:
        raise DigitsError(f"{path}: {error}") from None

    tf = runtime.import_tensorflow()
    # GPUs multiply in TF32, which is too coarse for the comparison.
    tf.config.set_visible_devices([], "GPU")
    import torch_weights

    state = torch_weights.unwrapped(state)
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    try:
        model = torch_weights.from_state_dict(arrays, rescale)
    except DigitsError as error:
        raise DigitsError(f"{path}: {error}") from None
    arguments = torch_weights.arguments(arrays)
    print(f"{path}: " + ", ".join(f"{name}={value}" for name, value in arguments.items()))
    trainable = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    print(f"{trainable:,} trainable parameters, pixels times {rescale:.6g}")

    # Coarse patterns of whole numbers, each fainter than the one before: their logits differ.
    patterns = np.random.default_rng(0).integers(0, 256, (_CHECKED, 7, 7, 1))
    fade = np.linspace(1, 0.1, _CHECKED)[:, None, None, None]
    images = np.rint(patterns * fade).repeat(4, axis=1).repeat(4, axis=2).astype(np.float32)
    ours = np.asarray(model(images, training=False))
    theirs = _torch_logits(torch, arguments, state, images * np.float32(rescale))
    difference = float(np.abs(ours - theirs).max())
    greatest = float(np.abs(theirs).max())
    allowed = _TOLERANCE * max(1.0, greatest)
    print(
        f"greatest difference of logits on {_CHECKED} pictures: {difference:.2e} "
        f"(allowed {allowed:.2e}; greatest logit {greatest:.4g})"
    )
    # Not the other way round: a NaN must not pass.
    if not difference <= allowed:
        raise DigitsError(f"{path}: the two networks disagree by {difference:.2e}: nothing written")
    with files.replacing(out) as beside:
        model.save(beside)
    print(f"written: {out}")


def _factor(word: str) -> float:
    try:
        factor = float(fractions.Fraction(word))
    except (ValueError, ZeroDivisionError, OverflowError):
        factor = 0.0
    if factor <= 0:
        raise DigitsError(f"expected a positive number or fraction, found --rescale={word}")
    return factor


def _import_torch() -> ModuleType:
    try:
        import torch
    except ImportError as error:
        if error.name != "torch":
            raise
        raise DigitsError("this needs PyTorch: pip install torch") from None
    return torch


def _read(torch: ModuleType, path: Path) -> dict[str, Any]:
    """The tensors of a state dict, as float32."""
    try:
        with warnings.catch_warnings():
            # What it warns of, it refuses next.
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except pickle.UnpicklingError:
        raise DigitsError(
            "torch cannot load this safely; if it is a whole pickled model, save its weights alone "
            "where it was trained: torch.save(model.state_dict(), 'FILE.pth')"
        ) from None
    # torch has no error of its own for files that it cannot load, and advises against safety.
    except Exception:
        raise DigitsError(
            "expected a file of torch.save, found something else or a damaged one"
        ) from None
    while isinstance(content, Mapping):
        inner = next((content[k] for k in _KEYS if isinstance(content.get(k), Mapping)), None)
        if inner is None:
            break
        content = inner
    if not isinstance(content, Mapping):
        raise DigitsError(f"expected a state dict, found a {type(content).__name__}")
    others = [str(name) for name, value in content.items() if not torch.is_tensor(value)]
    if others:
        raise DigitsError(f"expected a state dict of tensors, found {', '.join(others[:3])}")
    return {str(name): tensor.detach().float() for name, tensor in content.items()}


def _torch_logits(
    torch: ModuleType, arguments: dict[str, Any], state: dict[str, Any], pixels: np.ndarray
) -> np.ndarray:
    """The logits of the tutorial's network, in PyTorch, for a batch (n, 28, 28, 1)."""
    net = _torch_net(torch.nn, **arguments)
    net.load_state_dict(state)
    net.eval()
    with torch.no_grad():
        return net(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy())).numpy()


def _torch_net(
    nn: Any,
    depths: Sequence[int],
    widths: Sequence[int],
    stem_kernel: int,
    use_bias: bool,
) -> Any:
    class Residual(nn.Module):
        def __init__(self, width_in: int, width: int, halve: bool):
            super().__init__()
            stride = 2 if halve else 1
            self.conv1 = nn.Conv2d(width_in, width, 3, stride, padding=1, bias=use_bias)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=use_bias)
            self.bn2 = nn.BatchNorm2d(width)
            self.conv3 = nn.Conv2d(width_in, width, 1, stride) if halve else None

        def forward(self, x: Any) -> Any:
            y = self.bn1(self.conv1(x)).relu()
            y = self.bn2(self.conv2(y))
            return (y + (self.conv3(x) if self.conv3 else x)).relu()

    net = nn.Sequential(
        nn.Conv2d(1, widths[0], stem_kernel, 2, padding=stem_kernel // 2, bias=use_bias),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1),
    )
    width_in = widths[0]
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
        blocks = []
        for block in range(depth):
            blocks.append(Residual(width_in, width, halve=stage > 1 and block == 0))
            width_in = width
        net.add_module(f"resnet_block{stage}", nn.Sequential(*blocks))
    net.add_module("pool", nn.AdaptiveAvgPool2d(1))
    net.add_module("fc", nn.Sequential(nn.Flatten(), nn.Linear(width_in, 10)))
    return net


if __name__ == "__main__":
    command.run(main, __doc__, positional=(1, 1))
