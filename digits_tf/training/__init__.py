"""Training: recipe, input pipeline, checkpoints, and the run folder."""
