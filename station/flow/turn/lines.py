"""Lines that hold no picture: black ones, filled ones, foreign ones.

A frame grabber that has lost lines fills their place with what it has: zeros, another constant, or whatever lies in its
memory. None of it is like a line of a surface: it is dark across the part, or it has too little structure across it or
too much, and does not go with the line before. (Copies of that line: `station.flow.turn.copies`.)
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from station.core.part import Pixels
from station.flow.pixels.lines import Lines, Turn
from station.flow.turn.series import Series, middle

Marked = NDArray[np.bool_]

MIDDLE_PX = 640
"""Columns in the middle of a wider part that are measured; as many tell one line's noise from the next to 3 %."""
GRAIN_PX = 257
"""Columns of these that the structure across the part is taken from."""
LINES_BESIDE = 8
"""Of a block, of which the background beside the part is taken."""
DARK_SHARE = 0.25
"""Of the way from the background's grey value to the part's; a line that is darker on the whole is missing."""
BRIGHT_LINES = 0.9
"""Share of a block's lines that are not brighter than the part is taken to be; as many may be missing."""
FILLED = (0.2, 4.0)
"""Most structure across the part, in that of the block's middle line, and least change from line to line, in the usual
one, of a line that begins a filled stretch."""
FOREIGN = (6.0, 8.0)
"""Least structure and least change of a line of foreign data. Scratches across the whole of real parts have less."""


def measured(turn: Turn) -> Lines:
    """How the lines of a turn are measured."""
    columns = min(MIDDLE_PX, turn.columns)
    every = max(1, turn.lines // LINES_BESIDE)
    return Lines(turn, (turn.columns - columns) // 2, columns, min(GRAIN_PX, columns), every)


class Flaws:
    """What is wrong with the lines of one turn; what is usual is taken from the blocks before, where it suffices."""

    def __init__(self) -> None:
        self._usual: tuple[float, float] | None = None

    def of(self, lines: Lines) -> Iterator[str]:
        """What is wrong with the lines that were measured last, in words; nothing where each shows a surface."""
        if self._usual is not None and _surely_well(lines, *self._usual):
            return
        dark = _dark(lines.grey, lines.background)
        if dark.any():
            yield f"{_named(dark)} as dark as the background"
            return  # the rest is measured against the lines that are there
        self._usual = (middle(lines.grey), middle(lines.grain))
        grain, step = (values / max(middle(values), 1e-9) for values in (lines.grain, lines.step))
        filled = (grain < FILLED[0]) & (step > FILLED[1])
        foreign = (grain > FOREIGN[0]) & (step > FOREIGN[1])
        if (strange := filled | foreign).any():
            yield f"{_named(strange)} no picture of the part"


def _surely_well(lines: Lines, grey: float, grain: float) -> bool:
    """Whether all lines lie within half of the limits, by what was usual before."""
    return (
        lines.darkest > lines.background + 2 * DARK_SHARE * (grey - lines.background)
        and lines.smoothest > 2 * FILLED[0] * grain
        and lines.roughest < FOREIGN[0] / 2 * grain
    )


def missing(pixels: Pixels) -> Iterator[str]:
    """The lines of a whole sensor on which nothing is seen while something is on others, in words.

    Args:
        pixels: (lines, sensor width) uint8.
    """
    dark = _dark(_across(pixels), 0.0)
    if dark.any():
        yield f"{_named(dark)} as dark as the background"


def _dark(grey: Series, background: float) -> Marked:
    part = middle(grey, BRIGHT_LINES)
    return np.asarray(grey < background + DARK_SHARE * (part - background))


def _across(pixels: Pixels) -> Series:
    """Mean across the columns of each line."""
    return np.asarray(cv2.reduce(pixels, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0] / pixels.shape[1])


def _named(lines: Marked) -> str:
    """Lines in words: the first stretch of them by number, the rest by how many there are."""
    found = np.flatnonzero(lines)
    gaps = np.flatnonzero(np.diff(found) > 1)
    end = int(found[gaps[0] if len(gaps) else -1])
    first = int(found[0])
    stretch = f"line {first}" if end == first else f"lines {first} to {end}"
    rest = len(found) - (end - first + 1)
    return stretch + (f" and {rest} more" if rest else "") + (" is" if len(found) == 1 else " are")
