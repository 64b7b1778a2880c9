"""The ring of camera blocks: what only garbage still holds is free again."""

import gc

import pytest

from drivers.camera.link import BlockRing
from station.core.errors import BugError, PartError
from station.core.part import Pixels

LINES, BLOCKS = 448, 8


@pytest.fixture
def ring() -> BlockRing:
    made = BlockRing(256, LINES, BLOCKS)
    made.close_file()
    return made


def fail_at(pixels: Pixels) -> None:
    """Fail at a block, with an error that holds the block: the error's traceback leads to what holds the error."""
    met = []
    try:
        refuse(pixels)
    except PartError as error:
        met.append(error)


def refuse(pixels: Pixels) -> None:
    raise PartError("part.jig_empty", f"{pixels.shape}")


def test_blocks_that_only_failed_judgements_hold_are_free_when_a_turn_needs_them(ring: BlockRing) -> None:
    gc.disable()
    try:
        for _turn in range(ring.slots // BLOCKS + 2):
            for slot in ring.lease(BLOCKS):
                fail_at(ring.pixels(slot, LINES))
    finally:
        gc.enable()


def test_blocks_that_somebody_holds_are_not_given_out_again(ring: BlockRing) -> None:
    held = [ring.pixels(slot, LINES) for _turn in range(ring.slots // BLOCKS) for slot in ring.lease(BLOCKS)]
    with pytest.raises(BugError, match="24 of 24 camera blocks are still in use"):
        ring.lease(BLOCKS)
    del held[:BLOCKS]
    assert len(ring.lease(BLOCKS)) == BLOCKS
