"""A picture of a residual network.

Drawn with matplotlib, as `keras.utils.plot_model` needs the program Graphviz, which pip cannot
install.
"""

from pathlib import Path

import keras
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

_COLOURS = {
    "InputLayer": "#dddddd",
    "Conv2D": "#a6c8ec",
    "BatchNormalization": "#f6dfa4",
    "ReLU": "#f7b6a6",
    "MaxPooling2D": "#c9b6e4",
    "GlobalAveragePooling2D": "#c9b6e4",
    "Add": "#b8dfb4",
    "Dense": "#a6c8ec",
}
_ROW, _WIDTH, _HEIGHT, _SIDE = 0.36, 3.1, 0.27, 3.6


def draw(model: keras.Model, path: Path) -> None:
    """Draws the layers from top to bottom, shortcuts at the side.

    Args:
        model: a functional model as `resnet` makes it.
        path: a PNG file.
    """
    layers = model.layers
    places: dict[str, tuple[float, float]] = {}
    row = 0
    for layer in layers:
        # A projected shortcut stands beside the block's last norm, so that the block stays whole.
        if layer.name.endswith(("_shortcut", "_shortcut_pad")):
            continue
        places[layer.name] = (0.0, -row * _ROW)
        row += 1
    for layer in layers:
        if layer.name.endswith("_shortcut"):
            block = layer.name.removesuffix("_shortcut")
            places[layer.name] = (_SIDE, places[f"{block}_relu1"][1])
    figure = Figure(figsize=(8, max(3.0, row * _ROW * 0.8)), layout="constrained")
    axes = figure.subplots()
    axes.axis("off")
    axes.set_xlim(-_WIDTH / 2 - 0.2, _SIDE + _WIDTH / 2 + 0.2)
    axes.set_ylim(-row * _ROW, 0.9)
    parameters = sum(int(v.value.shape.num_elements()) for v in model.trainable_variables)
    axes.text(-_WIDTH / 2, 0.5, f"{model.name}: {parameters:,} trainable parameters", weight="bold")
    for layer in layers:
        if layer.name in places:
            _box(axes, layer, *places[layer.name])
            for source in _inputs(layer):
                _arrow(axes, places[source], places[layer.name])
    figure.savefig(path, dpi=110, format="png")


def _inputs(layer: keras.Layer) -> list[str]:
    if not layer._inbound_nodes or not layer._inbound_nodes[0].input_tensors:
        return []
    return [
        tensor._keras_history.operation.name for tensor in layer._inbound_nodes[0].input_tensors
    ]


def _box(axes: Axes, layer: keras.Layer, x: float, y: float) -> None:
    colour = _COLOURS.get(type(layer).__name__, "#eeeeee")
    axes.add_patch(
        FancyBboxPatch(
            (x - _WIDTH / 2, y - _HEIGHT / 2),
            _WIDTH,
            _HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=colour,
            edgecolor="0.4",
            linewidth=0.6,
        )
    )
    axes.text(x, y, _words(layer), ha="center", va="center", fontsize=7)


def _words(layer: keras.Layer) -> str:
    shape = "x".join(str(size) for size in layer.output.shape[1:])
    detail = ""
    if isinstance(layer, keras.layers.Conv2D):
        stride = f"/{layer.strides[0]}" if layer.strides[0] > 1 else ""
        detail = f" {layer.kernel_size[0]}x{layer.kernel_size[1]}{stride}"
    return f"{layer.name}{detail}   {shape}"


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    (x0, y0), (x1, y1) = start, end
    if x0 == x1 and y0 - y1 < 1.5 * _ROW:
        begin, finish, style = (x0, y0 - _HEIGHT / 2), (x1, y1 + _HEIGHT / 2), "arc3"
    elif x0 == x1:
        # An identity shortcut runs past the block on the right.
        begin, finish = (x0 + _WIDTH / 2, y0), (x1 + _WIDTH / 2, y1)
        style = f"bar,fraction={-0.4 / (y0 - y1):.3f}"
    elif x1 > x0:
        begin, finish, style = (
            (x0 + _WIDTH / 2, y0),
            (x1, y1 + _HEIGHT / 2),
            "angle,angleA=0,angleB=90",
        )
    else:
        begin, finish, style = (
            (x0, y0 - _HEIGHT / 2),
            (x1 + _WIDTH / 2, y1),
            "angle,angleA=90,angleB=0",
        )
    axes.add_patch(
        FancyArrowPatch(
            begin,
            finish,
            connectionstyle=style,
            arrowstyle="-|>",
            mutation_scale=6,
            linewidth=0.7,
            color="0.3",
            shrinkA=0,
            shrinkB=0,
        )
    )
