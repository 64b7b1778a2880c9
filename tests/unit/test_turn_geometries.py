"""The proofs of a turn hold whatever the geometry: lines a turn, blocks a turn, lines that fill no row."""

from collections.abc import Callable

import numpy as np
import pytest

from station.core.geometry import Geometry
from station.core.part import Pixels, Roi
from station.core.settings import TurnSettings
from station.flow.patch import blocks_of
from station.flow.turn.rows import Rows
from station.flow.turn.witness import TurnWitness

GEOMETRIES = (
    Geometry(3584, 448, 256, 2),
    Geometry(3584, 3584, 256, 2),
    Geometry(3584, 896, 128, 1),
    Geometry(3584, 56, 32, 4),
    Geometry(7168, 448, 256, 2),
    Geometry(14336, 1792, 256, 2),
    Geometry(1792, 224, 128, 2),
    Geometry(3600, 225, 200, 2),
    Geometry(4500, 450, 225, 1),
)
COLUMNS = 400


def surface(lines: int, seed: int) -> Pixels:
    """Marks that go on for about a 450th of the turn and close, under noise."""
    rng = np.random.default_rng(seed)
    waves = np.fft.rfft(rng.normal(0, 1, (lines, COLUMNS)), axis=0)
    marks = np.fft.irfft(waves * np.exp(-((np.arange(len(waves)) / 225) ** 2))[:, np.newaxis], lines, axis=0)
    return np.asarray((120 + marks * 6 / marks.std() + rng.normal(0, 1.5, marks.shape) + 0.5).clip(0, 255), np.uint8)


def doubt(image: Pixels, geometry: Geometry) -> str | None:
    """The code of what speaks against the turn of a part between two black borders."""
    seen = np.zeros((geometry.lines_per_turn, COLUMNS + 100), np.uint8)
    seen[:, 50 : 50 + COLUMNS] = image
    witness = TurnWitness(TurnSettings(), geometry)
    for block in blocks_of(seen, geometry):
        witness.take(block, Roi(50, 50 + COLUMNS))
    return witness.doubt.code if witness.doubt else None


def stands_still(image: Pixels, least: int, start: int) -> Pixels:
    rng = np.random.default_rng(start)
    noise = rng.normal(0, 1.5, (least, COLUMNS))
    still = image[start].astype(float) + noise
    return np.concatenate([image[:start], np.asarray(still.clip(0, 255), np.uint8), image[start + least :]])


def comes_again(image: Pixels, least: int, start: int) -> Pixels:
    seen, length, earlier = image.copy(), 3 * least, (start + len(image) // 2) % (len(image) - 3 * least)
    later = min(start, len(image) - length)
    seen[later : later + length] = image[earlier : earlier + length]
    return seen


def does_not_close(image: Pixels, least: int, start: int) -> Pixels:
    """The part turned too slowly: the turn is short of its end by four percent."""
    return surface(len(image) + 4 * least, start)[: len(image)]


def is_black(image: Pixels, least: int, start: int) -> Pixels:
    seen = image.copy()
    seen[start : start + max(1, least // 8)] = 0
    return seen


def has_copies(image: Pixels, _least: int, start: int) -> Pixels:
    seen = image.copy()
    for line in np.random.default_rng(start).integers(1, len(image), 3):
        seen[line] = seen[line - 1]
    return seen


FAULTS: dict[Callable[[Pixels, int, int], Pixels], set[str]] = {
    stands_still: {"scan.not_turned"},
    comes_again: {"scan.repeated"},
    does_not_close: {"scan.not_closed"},
    is_black: {"scan.incomplete"},
    has_copies: {"scan.incomplete"},
}


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_a_whole_turn_is_believed(geometry: Geometry) -> None:
    assert [doubt(surface(geometry.lines_per_turn, seed), geometry) for seed in range(4)] == [None] * 4


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_a_turn_at_fault_is_found(geometry: Geometry, fault: Callable[[Pixels, int, int], Pixels]) -> None:
    lines = geometry.lines_per_turn
    least = lines // 100 + 1
    for seed in range(4):
        start = int(np.random.default_rng(seed).integers(least, lines - 3 * least))
        assert doubt(fault(surface(lines, seed), least, start), geometry) in FAULTS[fault], (seed, start)


@pytest.mark.parametrize(
    ("geometry", "lines", "per_block", "row", "line"),
    [
        (Geometry(3584, 448, 256, 2), 4, 112, 113, 452),
        (Geometry(7168, 448, 256, 2), 8, 56, 57, 456),
        (Geometry(3600, 225, 200, 2), 4, 56, 57, 229),
        (Geometry(800, 100, 100, 1), 1, 100, 101, 101),
    ],
)
def test_a_row_is_the_same_share_of_any_turn(
    geometry: Geometry, lines: int, per_block: int, row: int, line: int
) -> None:
    rows = Rows.of(geometry)
    assert (rows.lines, rows.per_block, rows.line(row)) == (lines, per_block, line)
