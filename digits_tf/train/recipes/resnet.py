"""The shipped reference: the seed's architecture.

For the folder that `python -m digits_tf.scenes` writes.
"""

from digits_tf.train.recipe import Recipe
from digits_tf.train.recipes.written import WRITTEN

RECIPE = Recipe(
    architecture="resnet",
    epochs=6,
    learning_rate=2e-3,
    average=0.998,
    last_epoch=True,
    augmentation=WRITTEN,
)
