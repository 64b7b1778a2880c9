"""Training: from a folder of data to a folder with checkpoints and curves. Needs the extra `train`."""
