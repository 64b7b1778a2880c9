"""How the camera driver survives: processes that die or hang, blocks that never come, calls that are cancelled."""

import asyncio
import os
import signal
import time

import pytest

from drivers.camera.gentl import GenTLCamera
from sim.scene import Scene
from station.core.part import Block
from tests.lines import BLOCKS_PER_TURN, LINES_PER_TURN
from tests.own_children import camera_process, children
from tests.stopwatch import stopwatch
from tests.turned import GEOMETRY
from tests.wire.driver_camera import IMAGE, PATIENT_S, RECIPE, MakeCamera, Setup, one_turn, refusal, settings_of

LATE_S = 0.6
"""So late is a block that never comes; those before it may be as late as a busy computer makes them."""


async def test_a_killed_process_is_told_at_once_and_started_again(make_camera: MakeCamera, setup: Setup) -> None:
    camera = make_camera(setup)
    await camera.open()
    await camera.prepare(RECIPE)

    async def scan_and_kill() -> None:
        async with camera.turn() as turn:
            async for block in turn.blocks():
                if block.index == 0:
                    os.kill(camera_process(), signal.SIGKILL)

    async with asyncio.timeout(PATIENT_S / 2):
        error = await refusal(scan_and_kill())
    assert error.code == "camera.process_died"
    assert "SIGKILL" in error.detail
    for action in (camera.prepare(RECIPE), one_turn(camera)):
        assert (await refusal(action)).code == "camera.process_died"
    await camera.open()
    await camera.prepare(RECIPE)
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN


async def test_a_process_killed_while_nothing_is_asked_is_told_by_the_next_call(
    make_camera: MakeCamera, setup: Setup
) -> None:
    camera = make_camera(setup)
    await camera.open()
    os.kill(camera_process(), signal.SIGKILL)
    assert (await refusal(camera.prepare(RECIPE))).code == "camera.process_died"


async def test_a_producer_that_hangs_in_a_turn_costs_the_turn_and_its_process_is_ended(
    make_camera: MakeCamera, setup: Setup
) -> None:
    camera = make_camera(setup | {"SimFaultBlock": 3, "SimFault": "Hang"}, late_block_s=LATE_S)
    await camera.open()
    await camera.prepare(RECIPE)
    assert len(await one_turn(camera)) == 2
    assert (await refusal(camera.prepare(RECIPE))).code == "camera.process_died"
    await camera.open()
    await camera.prepare(RECIPE)
    assert len(await two_blocks_and_close_while_it_hangs(camera)) == 2
    assert children() == set()


async def test_a_producer_that_hangs_before_the_first_block_is_a_timeout(make_camera: MakeCamera, setup: Setup) -> None:
    camera = make_camera(setup | {"SimFaultBlock": 1, "SimFault": "Hang"}, block_timeout_s=0.1)
    await camera.open()
    await camera.prepare(RECIPE)
    assert (await refusal(one_turn(camera))).code == "camera.timeout"


async def two_blocks_and_close_while_it_hangs(camera: GenTLCamera) -> list[Block]:
    async with camera.turn() as turn:
        coming = turn.blocks()
        blocks = [await anext(coming), await anext(coming)]
        with stopwatch() as watch:
            await camera.close()
    assert watch.s < PATIENT_S / 4
    return blocks


async def test_an_overdue_block_ends_the_turn_after_its_lines_time_and_the_margin(
    make_camera: MakeCamera, setup: Setup
) -> None:
    camera = make_camera(setup | {"SimFaultBlock": BLOCKS_PER_TURN, "SimFault": "DropFrame"}, late_block_s=LATE_S)
    await camera.open()
    await camera.prepare(RECIPE)
    async with camera.turn() as turn:
        coming = turn.blocks()
        for _ in range(BLOCKS_PER_TURN - 1):
            await anext(coming)
        began = time.monotonic()
        with pytest.raises(StopAsyncIteration):
            await anext(coming)
    assert LATE_S < time.monotonic() - began < PATIENT_S


async def test_an_acquisition_may_be_longer_than_a_turn(setup: Setup) -> None:
    blocks = 100
    rows = setup | {"AcquisitionMode": "Continuous", "TriggerMode": "Off"}
    camera = GenTLCamera(settings_of(rows), [GEOMETRY], blocks)
    try:
        await camera.open()
        async with camera.turn() as turn:
            seen = [(block.frame_id, int(block.pixels[0, 0])) async for block in turn.blocks()]
    finally:
        await camera.close()
    assert [frame_id for frame_id, _ in seen] == list(range(blocks))
    assert {pixel for _, pixel in seen} <= set(IMAGE[:, 0].tolist())


async def test_closing_wakes_whoever_waits_for_a_block(make_camera: MakeCamera, setup: Setup, scene: Scene) -> None:
    scene.stand_still()
    camera = make_camera(setup)
    await camera.open()
    await camera.prepare(RECIPE)
    async with camera.turn() as turn:
        waiting = asyncio.ensure_future(anext(turn.blocks()))
        await asyncio.sleep(0)
        await camera.close()
        error = await refusal(waiting)
    assert (error.code, error.detail) == ("camera.lost", "it was closed")


async def test_a_cancelled_opening_leaves_nothing_and_the_next_one_works(make_camera: MakeCamera, setup: Setup) -> None:
    camera = make_camera(setup)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await camera.open()
    assert children() == set()
    await camera.open()
    await camera.prepare(RECIPE)


async def test_a_cancelled_wait_for_a_block_leaves_the_camera_usable(
    make_camera: MakeCamera, setup: Setup, scene: Scene
) -> None:
    scene.stand_still()
    camera = make_camera(setup)
    await camera.open()
    await camera.prepare(RECIPE)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await one_turn(camera)
    scene.turn(int(LINES_PER_TURN / RECIPE.line_rate_hz * 1e9), time.monotonic_ns())
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN


async def test_ctrl_c_is_the_stations_to_answer(make_camera: MakeCamera, setup: Setup) -> None:
    camera = make_camera(setup)
    await camera.open()
    os.kill(camera_process(), signal.SIGINT)
    await camera.prepare(RECIPE)
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN
