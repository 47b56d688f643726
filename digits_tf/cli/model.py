"""Prints model.summary() of a network, and draws it.

python -m digits_tf.model
python -m digits_tf.model --architecture=resnet --plot resnet.png
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from absl import flags

from digits_tf.cli import command
from digits_tf.cli import network_flags as model_flags

_PLOT = flags.DEFINE_string("plot", None, "Also draw the layers into this PNG file.")
flags.adopt_module_key_flags(model_flags)


def main(words: Sequence[str]) -> None:
    """Builds the network that the flags ask for and prints its summary."""
    arguments = model_flags.arguments()
    from digits_tf import runtime

    runtime.import_tensorflow()
    from digits_tf.models.resnet import resnet

    model = resnet(**arguments)
    if _PLOT.value:
        from digits_tf import files
        from digits_tf.models import diagram

        with files.replacing(Path(_PLOT.value)) as beside:
            diagram.draw(model, beside)
    model.summary()
    if _PLOT.value:
        print(f"drawn: {_PLOT.value}")


def start() -> NoReturn:
    """Runs the command."""
    command.run(main, __doc__)
