"""The shipped small model, for a Raspberry Pi and for `--tflite`.

For the folder that `python -m digits_tf.scenes` writes.
"""

from digits_tf.train.recipe import Recipe
from digits_tf.train.recipes.written import WRITTEN

RECIPE = Recipe(
    architecture="tiny",
    epochs=9,
    optimizer="muon",
    learning_rate=2e-2,
    average=0.998,
    last_epoch=True,
    augmentation=WRITTEN,
)
