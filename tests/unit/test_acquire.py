"""The account of a turn's lines: only eight whole blocks in order make a valid scan."""

import numpy as np
import pytest

from station.core.errors import CameraError
from station.core.part import LINES_PER_BLOCK, Block, LineAccount
from station.flow.acquire import Accountant

WHOLE = tuple(range(8))
PIXELS = np.zeros((448, 64), np.uint8)


def block(index: int, frame_id: int, lines: int = LINES_PER_BLOCK, pixels: np.ndarray = PIXELS) -> Block:
    return Block(index, frame_id, pixels, lines, 0, 0)


def account(frame_ids: tuple[int, ...], discarded: int = 0, short: dict[int, int] | None = None) -> LineAccount:
    accountant = Accountant()
    for index, frame_id in enumerate(frame_ids):
        accountant.take(block(index, frame_id, (short or {}).get(index, LINES_PER_BLOCK)))
    return accountant.close(discarded)


def test_eight_whole_blocks_in_order_are_valid() -> None:
    found = account(WHOLE)
    assert found.valid
    assert (found.expected_lines, found.delivered_lines, found.blocks) == (3584, 3584, 8)
    assert found.frame_ids == WHOLE
    assert found.detail == "3584 lines in 8 blocks"


@pytest.mark.parametrize(
    ("frame_ids", "code", "detail"),
    [
        ((), "scan.incomplete", "blocks 0, 1, 2, 3, 4, 5, 6, 7 missing, 3584 lines"),
        ((0, 1, 2, 3, 4, 5, 6), "scan.incomplete", "block 7 missing, 448 lines"),
        ((0, 1, 2, 4, 5, 6, 7), "scan.incomplete", "block 3 missing, 448 lines"),
        ((1, 2, 3, 4, 5, 6, 7), "scan.incomplete", "block 0 missing, 448 lines"),
        ((0, 2, 4, 5, 6, 7), "scan.incomplete", "blocks 1, 3 missing, 896 lines"),
        ((0, 1, 1, 2, 3, 4, 5, 6), "scan.out_of_order", "block 1 arrived more than once; block 7 missing, 448 lines"),
        ((0, 1, 1, 2, 3, 4, 5, 6, 7), "scan.out_of_order", "block 1 arrived more than once"),
        ((0, 2, 1, 3, 4, 5, 6, 7), "scan.out_of_order", "order of arrival 0, 2, 1, 3, 4, 5, 6, 7"),
        (
            (1, 2, 3, 4, 5, 6, 7, 8),
            "scan.out_of_order",
            "block 8 outside the turn's 0 to 7; block 0 missing, 448 lines",
        ),
        ((0, 1, 2, 3, 4, 5, 6, 7, 8), "scan.out_of_order", "block 8 outside the turn's 0 to 7"),
        ((-1, 0, 1, 2, 3, 4, 5, 6, 7), "scan.out_of_order", "block -1 outside the turn's 0 to 7"),
    ],
)
def test_gaps_repeats_and_disorder_are_named(frame_ids: tuple[int, ...], code: str, detail: str) -> None:
    found = account(frame_ids)
    assert found.fault is not None
    assert found.fault.code == code
    assert found.detail == detail
    assert not found.valid


@pytest.mark.parametrize("lines", [0, 447, 449])
def test_a_block_without_exactly_its_lines_makes_the_scan_incomplete(lines: int) -> None:
    found = account(WHOLE, short={5: lines})
    assert found.fault is not None
    assert found.fault.code == "scan.incomplete"
    assert found.detail == f"block 5 has {lines} of 448 lines"
    assert found.delivered_lines == 7 * 448 + lines


@pytest.mark.parametrize(("discarded", "words"), [(1, "1 block thrown away"), (2, "2 blocks thrown away")])
def test_a_discarded_block_makes_even_a_whole_turn_incomplete(discarded: int, words: str) -> None:
    found = account(WHOLE, discarded)
    assert found.fault is not None
    assert found.fault.code == "scan.incomplete"
    assert found.detail == f"{words} as incomplete"
    assert found.discarded_blocks == discarded


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((447, 64), np.uint8),
        np.zeros((448, 64), np.uint16),
        np.zeros((448, 64, 3), np.uint8),
        np.zeros(448, np.uint8),
        np.zeros((448, 65), np.uint8),
    ],
    ids=["a line less", "16 bit", "colour", "one line", "another width than the first"],
)
def test_a_foreign_image_format_is_the_cameras_fault(pixels: np.ndarray) -> None:
    accountant = Accountant()
    accountant.take(block(0, 0))
    with pytest.raises(CameraError, match=r"block 1 is .* agreed are") as refused:
        accountant.take(block(1, 1, pixels=pixels))
    assert refused.value.code == "camera.bad_image"
    assert accountant.close(0).blocks == 1


def test_a_first_block_without_columns_is_refused() -> None:
    with pytest.raises(CameraError):
        Accountant().take(block(0, 0, pixels=np.zeros(448, np.uint8)))
