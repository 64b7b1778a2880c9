"""The seven steps of one part: acquire, crop, patch, score, decide, sort, record."""
