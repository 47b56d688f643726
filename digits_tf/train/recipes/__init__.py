"""Recipes by name, one file each."""

from digits_tf.train.recipe import Recipe
from digits_tf.train.recipes import resnet, seed, tiny

RECIPES = {
    "default": Recipe(),
    "resnet": resnet.RECIPE,
    "seed": seed.RECIPE,
    "tiny": tiny.RECIPE,
}
