"""A picture of a residual network.

Matplotlib draws it, as `keras.utils.plot_model` needs Graphviz, a program that pip cannot install.
"""

from pathlib import Path

import keras
from matplotlib.figure import Figure

_COLOURS = {
    "Conv2D": "#a6c8ec",
    "Dense": "#a6c8ec",
    "BatchNormalization": "#f6dfa4",
    "ReLU": "#f7b6a6",
    "MaxPooling2D": "#c9b6e4",
    "GlobalAveragePooling2D": "#c9b6e4",
    "Add": "#b8dfb4",
}
_OTHER_COLOUR = "#e4e4e4"
_ROW_INCHES = 0.29
# Half a box, in columns and rows, and where a shortcut without a convolution runs.
_HALF_WIDTH, _HALF_HEIGHT, _SHORTCUT_X = 0.4, 0.35, 0.5

_Point = tuple[float, float]


def draw(model: keras.Model, path: Path) -> None:
    """Draws the layers from top to bottom, the convolutions of shortcuts on the right.

    Args:
        model: a model as `resnet` makes it.
        path: the PNG file to write.
    """
    places = _places(model)
    rows = max(y for _, y in places.values()) + 1
    figure = Figure(figsize=(8, rows * _ROW_INCHES), layout="constrained")
    axes = figure.add_subplot(xlim=(-0.45, 1.45), ylim=(rows - 0.5, -0.5))
    axes.axis("off")
    axes.set_title(f"{model.name}: {_trainable(model):,} trainable parameters")
    for layer in model.layers:
        x, y = places[layer.name]
        colour = _COLOURS.get(type(layer).__name__, _OTHER_COLOUR)
        left = x - _HALF_WIDTH
        axes.barh(y, 2 * _HALF_WIDTH, 2 * _HALF_HEIGHT, left, color=colour, edgecolor="0.4")
        axes.text(x, y, _words(layer), ha="center", va="center", size=7)
        for source in _sources(layer):
            *start, last, end = _arrow(places[source], places[layer.name])
            axes.plot(*zip(*start, last, strict=True), color="0.3", linewidth=0.7)
            arrow = {"arrowstyle": "-|>", "color": "0.3", "linewidth": 0.7, "shrinkA": 0}
            axes.annotate("", end, last, arrowprops={**arrow, "shrinkB": 0})
    figure.savefig(path, dpi=110, format="png")


def _places(model: keras.Model) -> dict[str, _Point]:
    """The column, 0 or 1, and the row of each layer, by its name."""
    places: dict[str, _Point] = {}
    row = 0
    for layer in model.layers:
        if layer.name.endswith("_shortcut"):
            # Beside the layers that it passes.
            block = layer.name.removesuffix("_shortcut")
            places[layer.name] = (1, places[f"{block}_relu1"][1])
        else:
            places[layer.name] = (0, row)
            row += 1
    return places


def _sources(layer: keras.Layer) -> list[str]:
    """The names of the layers that a layer follows."""
    inputs = layer.input if isinstance(layer.input, list) else [layer.input]
    names = [tensor._keras_history.operation.name for tensor in inputs]
    return [name for name in names if name != layer.name]


def _arrow(source: _Point, target: _Point) -> list[_Point]:
    """The corners of the way from one box to another."""
    (x0, y0), (x1, y1) = source, target
    if x0 < x1:
        return [(x0 + _HALF_WIDTH, y0), (x1, y0), (x1, y1 - _HALF_HEIGHT)]
    if x0 > x1:
        return [(x0, y0 + _HALF_HEIGHT), (x0, y1), (x1 + _HALF_WIDTH, y1)]
    if y1 - y0 > 1:
        right = x0 + _HALF_WIDTH
        return [(right, y0), (x0 + _SHORTCUT_X, y0), (x0 + _SHORTCUT_X, y1), (right, y1)]
    return [(x0, y0 + _HALF_HEIGHT), (x1, y1 - _HALF_HEIGHT)]


def _trainable(model: keras.Model) -> int:
    return sum(int(variable.value.shape.num_elements()) for variable in model.trainable_variables)


def _words(layer: keras.Layer) -> str:
    detail = ""
    if isinstance(layer, keras.layers.Conv2D):
        stride = f"/{layer.strides[0]}" if layer.strides[0] > 1 else ""
        detail = f" {layer.kernel_size[0]}x{layer.kernel_size[1]}{stride}"
    shape = "x".join(str(size) for size in layer.output.shape[1:])
    return f"{layer.name}{detail}   {shape}"
