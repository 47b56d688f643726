"""From a trained run to the files that are used: SavedModel and TFLite."""
