"""Training: batches, feature cache, checkpoints and stages."""
