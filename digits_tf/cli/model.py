"""Prints a network's layers (Keras' model.summary()), and draws them.

python -m digits_tf.model
python -m digits_tf.model --architecture=resnet --plot resnet.png
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from digits_tf import files, runtime
from digits_tf.cli import network_flags

_PLOT = flags.DEFINE_string("plot", None, "Also draw the layers into this PNG file.")
flags.adopt_module_key_flags(network_flags)


def main(words: Sequence[str]) -> None:
    """Builds the network that the flags describe and prints its summary."""
    runtime.import_tensorflow()
    from digits_tf.models.resnet import resnet

    model = resnet(**network_flags.arguments())
    if _PLOT.value:
        from digits_tf.models import diagram

        with files.replacing(Path(_PLOT.value)) as beside:
            diagram.draw(model, beside)
    model.summary()
    if _PLOT.value:
        print(f"drawn: {_PLOT.value}")
