"""What the camera says of its lines, by chunks of the real producer, and what the station makes of it."""

import time
from typing import Any

import pytest

from drivers.camera.gentl import GenTLCamera
from sim.scene import Scene
from station.core.camera_settings import ChunkSettings
from station.core.part import LineAccount
from station.flow.acquire import Accountant
from tests.lines import BLOCKS_PER_TURN, LINES_PER_TURN
from tests.turned import GEOMETRY
from tests.wire.driver_camera import RECIPE, MakeCamera, Setup, one_turn

CHUNKS = {
    "frame_id": "ChunkFrameID",
    "encoder_value": "ChunkEncoderValue",
    "line_selector": "ChunkScanLineSelector",
    "line_status": "ChunkLineStatusAll",
    "counter_bits": 64,
}
INPUTS = (("ChunkSelector", "LineStatusAll"), ("ChunkEnable", True))
BY_ENCODER = (
    *INPUTS,
    ("TriggerSelector", "LineStart"),
    ("TriggerMode", "On"),
    ("TriggerSource", "Encoder0"),
)


def make_chunked(make_camera: MakeCamera, setup: Setup, **chunks: Any) -> GenTLCamera:
    """A camera whose lines follow the jig's encoder, and which tells of them."""
    return make_camera(setup | {"ChunkModeActive": True}, BY_ENCODER, chunks=CHUNKS | {"index_bit": 0} | chunks)


async def account_of(camera: GenTLCamera, chunks: ChunkSettings | None = None) -> LineAccount:
    accountant = Accountant(GEOMETRY, chunks or camera._settings.chunks)
    async with camera.turn() as turn:
        async for block in turn.blocks():
            accountant.take(block)
        return accountant.close(turn.discarded_blocks)


async def test_each_block_comes_with_what_the_camera_says_of_its_lines(make_camera: MakeCamera, setup: Setup) -> None:
    camera = make_chunked(make_camera, setup)
    await camera.open()
    await camera.prepare(RECIPE)
    for _ in range(2):
        marks = [block.marks for block in await one_turn(camera)]
        first = marks[0] and marks[0].first_encoder
        assert first is not None
        assert first % LINES_PER_TURN == 0
        expected = [(number + 1, first + 448 * number, first + 448 * number + 447) for number in range(8)]
        assert [(mark.frame_id, mark.first_encoder, mark.last_encoder) for mark in marks if mark] == expected
        assert [mark.line_status & 1 for mark in marks if mark and mark.line_status is not None] == [1] + [0] * 7
        assert not any(mark.absent for mark in marks if mark)
    account = await account_of(camera)
    assert account.valid, account.detail
    assert ", encoder " in account.detail


@pytest.mark.parametrize("lines", [1, 100])
@pytest.mark.parametrize("number", [0, 3, 7])
async def test_lines_that_a_camera_drops_without_a_word_make_the_scan_incomplete(
    make_camera: MakeCamera, setup: Setup, number: int, lines: int
) -> None:
    faulty = {"SimFaultBlock": number + 1, "SimPartialLines": lines, "SimFault": "DropLines"}
    camera = make_chunked(make_camera, setup | faulty)
    await camera.open()
    await camera.prepare(RECIPE)
    account = await account_of(camera)
    assert account.fault is not None
    assert (account.fault.code, account.delivered_lines) == ("scan.incomplete", LINES_PER_TURN)
    assert account.detail == f"{lines} lines lost inside block {number}, by the encoder"
    again = await account_of(camera)
    assert again.valid, again.detail


async def test_with_a_divider_each_line_takes_so_many_counts(make_camera: MakeCamera, setup: Setup) -> None:
    camera = make_chunked(make_camera, setup | {"EncoderDivider": 3}, counts_per_line=3)
    await camera.open()
    await camera.prepare(RECIPE)
    assert (await account_of(camera)).valid
    wrong = camera._settings.chunks.model_copy(update={"counts_per_line": 1})
    assert "lines lost inside block 0" in (await account_of(camera, wrong)).detail


async def test_a_turn_that_begins_anywhere_is_not_believed(make_camera: MakeCamera, setup: Setup, scene: Scene) -> None:
    setup = setup | {"ChunkModeActive": True, "TriggerMode": "Off"}
    camera = make_camera(setup, INPUTS, chunks={"line_status": "ChunkLineStatusAll", "index_bit": 0})
    await camera.open()
    await camera.prepare(RECIPE)
    half_a_turn_ns = 60_000_000_000
    scene.turn(2 * half_a_turn_ns, time.monotonic_ns() - half_a_turn_ns)
    assert (await account_of(camera)).detail == "block 0 does not begin at the index pulse"
    scene.turn(2 * half_a_turn_ns, time.monotonic_ns())
    assert (await account_of(camera)).valid


async def test_what_the_camera_does_not_send_is_said_at_start_and_allowed(
    make_camera: MakeCamera, setup: Setup
) -> None:
    doubts: list[str] = []
    for changes, chunks, doubt in (
        ({"ChunkModeActive": True}, CHUNKS, None),
        ({"ChunkModeActive": True}, CHUNKS | {"line_selector": "LineOfChunk"}, "last block"),
        ({"ChunkModeActive": True}, CHUNKS | {"encoder_value": "Counter", "line_selector": "Line"}, "Counter, Line"),
        ({"ChunkModeActive": False}, CHUNKS, "ChunkFrameID, ChunkEncoderValue, ChunkScanLineSelector"),
        ({}, {}, "camera.chunks does not name"),
    ):
        doubts.clear()
        camera = make_camera(setup | changes, INPUTS, chunks=chunks)
        camera._on_undetectable_loss = doubts.append
        await camera.open()
        await camera.prepare(RECIPE)
        account = await account_of(camera, ChunkSettings(tolerance_lines=1))
        assert account.valid, account.detail
        assert len(doubts) == (doubt is not None)
        assert (doubt or "") in "".join(doubts)
        await camera.close()


async def test_a_chunk_that_was_not_enabled_is_missed_in_every_block(make_camera: MakeCamera, setup: Setup) -> None:
    camera = make_camera(setup | {"ChunkModeActive": True}, chunks=CHUNKS)
    await camera.open()
    await camera.prepare(RECIPE)
    account = await account_of(camera, ChunkSettings(tolerance_lines=1))
    assert account.fault is not None
    assert account.fault.code == "scan.incomplete"
    assert account.detail.count("came without ChunkLineStatusAll") == BLOCKS_PER_TURN
