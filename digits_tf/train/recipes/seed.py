"""The seed's own: Adam at a constant rate on raw pixels, nothing else."""

from digits_tf.model.strength import Augmentation
from digits_tf.train.recipe import Recipe

RECIPE = Recipe(
    architecture="resnet",
    rescale=1.0,
    epochs=100,
    batch_size=1000,
    learning_rate=1e-3,
    warmup=None,
    weight_decay=0.0,
    beta_2=0.999,
    average=0.0,
    augmentation=Augmentation(),
)
