"""Runs every compiled pass on blocks of random widths whose memory ends where they end, for `test_pass_sanitizers.py`.

The command line names the library that is loaded in place of the installed one, and how many blocks there are to be.
"""

import sys
from pathlib import Path

import numpy as np

from station.core.geometry import Geometry
from station.core.part import Crop, Pixels, Roi
from station.core.settings import TurnSettings
from station.flow.patch import StripRoom, make_strip
from station.flow.pixels import library, passes
from station.flow.turn.passage import Passage

GEOMETRIES = (
    Geometry(3584, 448, 256, 2),
    Geometry(2240, 280, 160, 2),
    Geometry(1800, 225, 160, 2),
    Geometry(896, 56, 32, 4),
    Geometry(448, 448, 256, 2),
    Geometry(128, 2, 2, 1),
)
NARROWEST, WIDEST = 12, 1500


def ragged(rng: np.random.Generator, lines: int, width: int) -> Pixels:
    """Lines of a wider sensor; behind the last pixel nothing is allocated."""
    beside = int(rng.integers(0, 40))
    memory = rng.integers(0, 256, lines * (width + beside) - beside, np.uint8)
    return np.lib.stride_tricks.as_strided(memory, (lines, width), (width + beside, 1), writeable=False)


def turn(rng: np.random.Generator, geometry: Geometry) -> int:
    """All blocks of a turn through the proofs, the crop's passes and the strip; returns how many."""
    width = int(rng.integers(NARROWEST, WIDEST))
    left, right = (int(each) for each in rng.integers(0, 2, 2) * rng.integers(0, (width - 10) // 2 + 1, 2))
    roi = Roi(left, width - right)
    inset = int(rng.integers(0, roi.width // 8 + 1)) if roi.width > NARROWEST + 4 else 0
    passage, room = Passage(geometry, roi.width - 2 * inset), StripRoom(geometry)
    first = ragged(rng, geometry.lines_per_block, width)
    for number in range(geometry.blocks_per_turn):
        pixels = first if number % 3 == 2 else ragged(rng, geometry.lines_per_block, width)
        passage.take(pixels, roi, roi.left + inset)
        make_strip(Crop(number, Roi(0, width), pixels), room)
        passes.white(pixels)
        if len(pixels) >= passes.GROUPS:
            profile = passes.smooth(passes.profile(pixels), int(rng.integers(0, 20)))
            for column in (0, width // 2, width - 1):
                passes.edge(profile, column, 128, 4, 10)
                passes.edge(profile[::-1], column, 128, 4, 10)
    for _ in passage.doubts(TurnSettings()):
        pass
    return geometry.blocks_per_turn


def main() -> None:
    """See above."""
    path, least = Path(sys.argv[1]), int(sys.argv[2])
    library.__file__ = str(path.with_name("library.py"))
    library.library()
    rng, blocks = np.random.default_rng(least), 0
    while blocks < least:
        blocks += sum(turn(rng, geometry) for geometry in GEOMETRIES)


if __name__ == "__main__":
    main()
