"""Data sets for training: made from recordings with the truth, or from folders of pictures by class, and kept on disk."""
