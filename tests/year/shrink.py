"""The shortest history that still fails: misfortunes and parts are left out as long as the same rule is broken."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.year.misfortunes import Row

Fails = Callable[[int, Sequence[Row]], bool]
"""Whether a history of so many parts, with these misfortunes, still fails."""


@dataclass(frozen=True)
class Shrunk:
    """What is left, and how many histories were played for it."""

    parts: int
    rows: tuple[Row, ...]
    tries: int


def shrink(parts: int, rows: Sequence[Row], fails: Fails, tries: int = 200) -> Shrunk:
    """Leave out what is not needed: halves of the misfortunes, then quarters, down to single ones; then parts.

    Args:
        parts: Of the history that fails.
        rows: Its misfortunes.
        fails: Plays a history.
        tries: How many are played at the most.
    """
    left, kept, played = tries, list(rows), 0
    piece = max(1, len(kept) // 2)
    while kept and left > 0:
        without = None
        for start in range(0, len(kept), piece):
            candidate = kept[:start] + kept[start + piece :]
            left, played = left - 1, played + 1
            if fails(parts, candidate):
                without = candidate
                break
            if left <= 0:
                break
        if without is not None:
            kept = without
        elif piece == 1:
            break
        piece = max(1, min(piece // (1 if without is not None else 2), len(kept)))
    fewer = max([1, *(row.part + 1 for row in kept)])
    while fewer < parts and left > 0:
        left, played = left - 1, played + 1
        if fails(fewer, kept):
            parts = fewer
            break
        fewer = min(parts, fewer + max(1, (parts - fewer) // 2))
    return Shrunk(parts, tuple(kept), played)
