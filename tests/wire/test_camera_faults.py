"""Each fault of the simulated camera as the driver lives through it: what comes, what is told, and that it ends."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from drivers.camera.gentl import GenTLCamera
from drivers.camera.supervisor import SupervisedCamera
from station.core.camera_settings import CameraSettings
from station.core.errors import CameraError
from station.flow.acquire import Accountant
from tests.contract.camera_producers import OURS, Rows
from tests.lines import BLOCKS_PER_TURN
from tests.own_children import children
from tests.stopwatch import stopwatch
from tests.turned import GEOMETRY

WHOLE = list(range(BLOCKS_PER_TURN))
WITHOUT_THE_THIRD = [0, 1, 3, 4, 5, 6, 7]
LATE_S = 0.6

PATIENT_S = 20.0
"""Blocks that come are never so late, on whatever computer."""
Make = Callable[..., GenTLCamera]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes cameras that a fault hits at their third block, and closes them."""
    async with AsyncExitStack() as opened:

        def one(fault: Rows, **others: object) -> GenTLCamera:
            setup = {"ChunkModeActive": True, "SimFaultBlock": 3, **fault}
            camera = OURS.camera(setup, **{"late_block_s": PATIENT_S, **others})
            opened.push_async_callback(camera.close)
            return camera

        yield one


@pytest.mark.parametrize(
    ("fault", "numbers", "discarded", "detail"),
    [
        ({"SimFault": "None"}, WHOLE, 0, "3584 lines in 8 blocks, encoder 0 to 3583"),
        ({"SimFault": "PartialIncomplete", "SimPartialLines": 100}, WITHOUT_THE_THIRD, 1,
         "block 2 missing, 448 lines; 1 block thrown away as incomplete"),
        ({"SimFault": "PartialComplete", "SimPartialLines": 100}, WHOLE, 0, "block 2 has 100 of 448 lines"),
        ({"SimFault": "DropFrame"}, WITHOUT_THE_THIRD, 0, "block 2 missing, 448 lines"),
        ({"SimFault": "DropLines", "SimPartialLines": 1}, WHOLE, 0, "1 lines lost inside block 2, by the encoder"),
        ({"SimFault": "AlwaysIncomplete"}, [0, 1], 6,
         "blocks 2, 3, 4, 5, 6, 7 missing, 2688 lines; 6 blocks thrown away as incomplete"),
        ({"SimFault": "Underrun"}, WITHOUT_THE_THIRD, 0, "block 2 missing, 448 lines"),
        ({"SimFault": "LateBlock", "SimFaultTime": 100}, WHOLE, 0, "3584 lines in 8 blocks, encoder 0 to 3583"),
        ({"SimFault": "LateBlock", "SimFaultTime": 60_000}, [0, 1], 0, "blocks 2, 3, 4, 5, 6, 7 missing, 2688 lines"),
        ({"SimFault": "Slow", "SimFaultTime": 50}, WHOLE, 0, "3584 lines in 8 blocks, encoder 0 to 3583"),
        ({"SimFault": "Slow", "SimFaultTime": 60_000}, [0, 1], 0, "blocks 2, 3, 4, 5, 6, 7 missing, 2688 lines"),
        ({"SimFault": "Hang", "SimFaultTime": 100}, WHOLE, 0, "3584 lines in 8 blocks, encoder 0 to 3583"),
        ({"SimFault": "Hang"}, [0, 1], 0, "blocks 2, 3, 4, 5, 6, 7 missing, 2688 lines"),
    ],
)  # fmt: skip
async def test_nothing_is_lost_without_being_told(
    make: Make, fault: Rows, numbers: list[int], discarded: int, detail: str
) -> None:
    camera = make(fault, late_block_s=PATIENT_S if "None" in fault.values() or len(numbers) > 2 else LATE_S)
    await camera.open()
    await camera.prepare(OURS.recipe)
    accountant = Accountant(GEOMETRY, camera._settings.chunks)
    async with camera.turn() as turn:
        blocks = [block async for block in turn.blocks()]
        assert ([block.frame_id for block in blocks], turn.discarded_blocks) == (numbers, discarded)
    for block in blocks:
        accountant.take(block)
    account = accountant.close(discarded)
    assert account.detail == detail
    assert account.valid == ("encoder 0" in detail)


@pytest.mark.parametrize(
    "call", ["EventGetData", "GCReadPort", "GCWritePort", "DSQueueBuffer", "DSStopAcquisition", "DevClose"]
)
async def test_a_camera_that_hangs_in_any_call_is_closed_within_two_seconds_and_opens_again(
    make: Make, call: str
) -> None:
    camera = make({"SimHangCall": call, "SimFault": "Hang"}, late_block_s=LATE_S)
    await camera.open()
    await camera.prepare(OURS.recipe)
    async with camera.turn() as turn:
        blocks = [block async for block in turn.blocks()]
        with stopwatch() as watch:
            await camera.close()
        assert watch.s < 2
    assert blocks
    assert children() == set()
    await camera.open()
    await camera.prepare(OURS.recipe)


@pytest.mark.parametrize("away_ms", [0, 700])
async def test_a_camera_that_is_unplugged_comes_back_when_its_time_is_over(make: Make, away_ms: int) -> None:
    below = make({"SimFault": "Disconnect", "SimFaultTime": away_ms})
    camera = SupervisedCamera(below, CameraSettings(max_line_rate_hz=1, reopen_pause_s=0.05, reopen_attempts=50))
    await camera.open()
    await camera.prepare(OURS.recipe)

    async def one_turn() -> None:
        async with camera.turn() as turn:
            async for _ in turn.blocks():
                pass

    with pytest.raises(CameraError) as lost:
        await one_turn()
    assert lost.value.code == "camera.lost"
    await camera.prepare(OURS.recipe)
    async with camera.turn() as turn:
        assert (await anext(turn.blocks())).frame_id == 0
