"""The pure steps of one part: acquire, crop, patch, score, decide, locate; sorting and recording are no such."""
