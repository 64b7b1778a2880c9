"""Lots: whatever has a name has one, evenly over all names and always the same, so that a draw can be repeated."""

import hashlib

BITS = 53
"""Of a lot: what a float holds exactly."""


def lot_of(name: str, seed: int) -> float:
    """The lot of a name, from 0 to below 1: as good as drawn at random."""
    digest = hashlib.sha256(f"{seed}\0{name}".encode()).digest()
    return (int.from_bytes(digest[:8]) >> (64 - BITS)) / (1 << BITS)
