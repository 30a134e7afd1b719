"""Training: a recipe goes in, a run folder with checkpoints, logs and pictures comes out."""
