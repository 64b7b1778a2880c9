"""One suite for the camera driver on every producer; which can do what stands in `camera_producers.ABILITIES`."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import numpy as np
import pytest

from drivers.camera.gentl import GenTLCamera
from drivers.camera.supervisor import SupervisedCamera
from drivers.camera.survey import find_devices, find_features
from station.core.camera_settings import CameraSettings
from station.core.errors import CameraError
from station.core.part import Block
from station.core.ports.camera import LineCamera
from tests.contract.camera_producers import WIDTH_PX, Producer, on_producers
from tests.lines import BLOCKS_PER_TURN, LINES_PER_BLOCK
from tests.own_children import camera_process
from tests.stopwatch import stopwatch

Make = Callable[..., GenTLCamera]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes cameras of a producer and closes them."""
    async with AsyncExitStack() as opened:

        def one(producer: Producer, setup: dict[str, object] | None = None, **others: object) -> GenTLCamera:
            camera = producer.camera(setup, **others)  # type: ignore[arg-type]
            opened.push_async_callback(camera.close)
            return camera

        yield one


async def ready(camera: LineCamera, producer: Producer) -> None:
    await camera.open()
    if producer.names is not None:
        await camera.prepare(producer.recipe)


async def one_turn(camera: LineCamera) -> list[Block]:
    async with camera.turn() as turn:
        blocks = [block async for block in turn.blocks()]
        assert turn.discarded_blocks == 0
        return blocks


async def refusal(action: object) -> CameraError:
    with pytest.raises(CameraError) as refused:
        await action  # type: ignore[misc]
    return refused.value


# ------------------------------------------------------------------ turns


@on_producers("turn")
async def test_turn_after_turn_is_eight_numbered_blocks(make: Make, producer: Producer) -> None:
    camera = make(producer)
    await ready(camera, producer)
    for _ in range(3):
        before_ns = time.monotonic_ns()
        blocks = await one_turn(camera)
        assert [block.frame_id for block in blocks] == list(range(BLOCKS_PER_TURN))
        assert [block.delivered_lines for block in blocks] == [LINES_PER_BLOCK] * BLOCKS_PER_TURN
        assert {block.pixels.shape for block in blocks} == {(LINES_PER_BLOCK, WIDTH_PX)}
        assert all(block.pixels.any() for block in blocks)
        assert all(before_ns <= block.last_line_ns <= block.arrived_ns for block in blocks)


@on_producers("turn")
async def test_a_turn_that_is_left_early_gives_nothing_to_the_next(make: Make, producer: Producer) -> None:
    camera = make(producer)
    await ready(camera, producer)
    async with camera.turn() as turn:
        assert (await anext(turn.blocks())).frame_id == 0
    assert [block.frame_id for block in await one_turn(camera)] == list(range(BLOCKS_PER_TURN))


@on_producers("turn")
async def test_pixels_are_read_only_and_outlive_the_camera(make: Make, producer: Producer) -> None:
    camera = make(producer)
    await ready(camera, producer)
    blocks = await one_turn(camera)
    copies = [block.pixels.copy() for block in blocks]
    await one_turn(camera)
    await camera.close()
    for block, copy in zip(blocks, copies, strict=True):
        assert not block.pixels.flags.writeable
        np.testing.assert_array_equal(block.pixels, copy)


@on_producers("stamps")
async def test_blocks_are_as_far_apart_as_their_lines_take(make: Make, producer: Producer) -> None:
    camera = make(producer)
    await ready(camera, producer)
    distances = np.diff([block.last_line_ns for block in await one_turn(camera)])
    np.testing.assert_allclose(distances, LINES_PER_BLOCK / producer.recipe.line_rate_hz * 1e9, rtol=1e-2)


@on_producers("trigger")
async def test_a_camera_that_waits_for_its_trigger_is_a_timeout(make: Make, producer: Producer) -> None:
    camera = make(producer, {"TriggerSource": "Software", "TriggerMode": "On"}, block_timeout_s=0.3)
    await ready(camera, producer)
    assert (await refusal(one_turn(camera))).code == "camera.timeout"
    assert (await refusal(one_turn(camera))).code == "camera.timeout"


@on_producers("wide_pixels")
@pytest.mark.parametrize("pixel_format", ["Mono12", "Mono16"])
async def test_wide_pixels_are_scaled(make: Make, producer: Producer, pixel_format: str) -> None:
    narrow, wide = make(producer), make(producer, {"PixelFormat": pixel_format})
    await ready(narrow, producer)
    means = [block.pixels.mean() for block in await one_turn(narrow)]
    await narrow.close()
    await ready(wide, producer)
    np.testing.assert_allclose([block.pixels.mean() for block in await one_turn(wide)], means, atol=2)


@on_producers("mislabelled_pixels")
async def test_pixels_of_another_format_than_told_are_refused(make: Make, producer: Producer) -> None:
    camera = make(producer, {"PixelFormat": "Mono16"})
    await ready(camera, producer)
    error = await refusal(one_turn(camera))
    assert error.code == "camera.bad_image"
    assert "0x01080001" in error.detail


@on_producers("chunks")
async def test_chunks_come_with_every_block_and_are_that_blocks_own(make: Make, producer: Producer) -> None:
    doubts: list[str] = []
    camera = make(producer, {"ChunkModeActive": True})
    camera._on_undetectable_loss = doubts.append
    await ready(camera, producer)
    for _ in range(2):
        marks = [block.marks for block in await one_turn(camera)]
        assert not any(mark is None or mark.absent for mark in marks)
        if "line_status" in producer.chunks:
            assert all(mark and mark.line_status is not None for mark in marks)
        else:
            assert [mark and mark.frame_id for mark in marks] == list(range(1, 9))
            assert [mark and mark.last_encoder - mark.first_encoder for mark in marks] == [447] * 8  # type: ignore[operator]
    assert len(doubts) == ("encoder_value" not in producer.chunks)


@on_producers("turn")
async def test_a_camera_that_sends_no_chunks_says_so_and_scans(make: Make, producer: Producer) -> None:
    doubts: list[str] = []
    camera = make(producer, chunks={"encoder_value": "ChunkOfNobody"})
    camera._on_undetectable_loss = doubts.append
    await ready(camera, producer)
    assert [block.marks for block in await one_turn(camera)] == [None] * BLOCKS_PER_TURN
    assert len(doubts) == 1
    assert "the camera does not send ChunkOfNobody" in doubts[0]


# ------------------------------------------------------------------ features


@on_producers("recipe")
async def test_what_was_written_is_told_as_read_back(make: Make, producer: Producer) -> None:
    camera = make(producer)
    await camera.open()
    features = await camera.prepare(producer.recipe)
    told = {key.partition("[")[0]: value for key, value in features.items()}
    assert {name: told[name] for name in producer.setup} == dict(producer.setup)
    assert told.get("DeviceModelName", producer.model) == producer.model


@on_producers("turn")
@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [("Gamut", 1, "no such feature"), ("Height", "448", "whole number"), ("PixelFormat", "Mono9", "it offers")],
)
async def test_a_setting_that_cannot_be_is_refused_in_words(
    make: Make, producer: Producer, feature: str, value: object, words: str
) -> None:
    error = await refusal(make(producer, {feature: value}).open())
    assert error.code == "camera.feature_refused"
    assert words in error.detail


@on_producers("turn")
async def test_other_lines_than_a_block_has_are_refused(make: Make, producer: Producer) -> None:
    assert (await refusal(make(producer, {"Height": 400}).open())).code == "camera.bad_image"


@on_producers("turn")
async def test_the_camera_is_found_and_described_without_being_held(make: Make, producer: Producer) -> None:
    found = [device.serial_number for device in (await find_devices([producer.file])).devices]
    assert producer.serial_number in found
    tree = {one.name: one for one in await find_features(producer.file, producer.serial_number)}
    assert (tree["Width"].kind, tree["PixelFormat"].kind) == ("integer", "enumeration")
    error = await refusal(make(producer, serial_number="77").open())
    assert error.code == "camera.not_found"
    assert all(serial_number in error.detail for serial_number in found)
    await make(producer).open()


# ------------------------------------------------------------------ survival


@on_producers("turn")
@pytest.mark.parametrize("state", ["open", "armed", "streaming"])
async def test_closing_takes_less_than_two_seconds_in_every_state(make: Make, producer: Producer, state: str) -> None:
    camera = make(producer)
    await ready(camera, producer)
    if state == "open":
        with stopwatch() as watch:
            await camera.close()
    else:
        async with camera.turn() as turn:
            if state == "streaming":
                await anext(turn.blocks())
            with stopwatch() as watch:
                await camera.close()
    assert watch.s < 2
    await ready(camera, producer)
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN


@on_producers("recipe")
async def test_a_killed_process_costs_its_turn_and_comes_back_by_itself(make: Make, producer: Producer) -> None:
    camera = SupervisedCamera(make(producer), CameraSettings(max_line_rate_hz=1))
    await ready(camera, producer)

    async def scan_and_kill() -> None:
        async with camera.turn() as turn:
            async for block in turn.blocks():
                if block.index == 0:  # blocks that were on their way still come after the process has gone
                    os.kill(camera_process(), signal.SIGKILL)

    assert (await refusal(scan_and_kill())).code == "camera.process_died"
    await camera.prepare(producer.recipe)
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN


@on_producers("turn")
async def test_a_cancelled_turn_leaves_the_camera_usable(make: Make, producer: Producer) -> None:
    camera = make(producer)
    await ready(camera, producer)
    armed = asyncio.Event()

    async def wait_for_ever() -> None:
        async with camera.turn():
            armed.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait_for_ever())
    await armed.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN


@on_producers("turn")
async def test_ctrl_c_is_the_stations_to_answer(make: Make, producer: Producer) -> None:
    before = signal.getsignal(signal.SIGINT)
    camera = make(producer)
    await ready(camera, producer)
    os.kill(camera_process(), signal.SIGINT)
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN
    assert signal.getsignal(signal.SIGINT) is before


@on_producers("faults")
@pytest.mark.parametrize(
    ("fault", "numbers", "discarded"),
    [
        ("DropFrame", [0, 1, 3, 4, 5, 6, 7], 0),
        ("PartialComplete", list(range(8)), 0),
        ("PartialIncomplete", [0, 1, 3, 4, 5, 6, 7], 1),
        ("AlwaysIncomplete", [0, 1], 6),
        ("Hang", [0, 1], 0),
    ],
)
async def test_nothing_is_lost_without_being_told(
    make: Make, producer: Producer, fault: str, numbers: list[int], discarded: int
) -> None:
    camera = make(producer, {"SimFaultBlock": 3, "SimPartialLines": 100, "SimFault": fault}, late_block_s=0.3)
    await ready(camera, producer)
    async with camera.turn() as turn:
        blocks = [block async for block in turn.blocks()]
        assert ([block.frame_id for block in blocks], turn.discarded_blocks) == (numbers, discarded)
    short = [block.frame_id for block in blocks if block.delivered_lines < LINES_PER_BLOCK]
    assert short == ([2] if fault == "PartialComplete" else [])


@on_producers("faults")
async def test_an_unplugged_camera_is_lost_and_comes_back_by_itself(make: Make, producer: Producer) -> None:
    below = make(producer, {"SimFaultBlock": 3, "SimFault": "Disconnect"})
    camera = SupervisedCamera(below, CameraSettings(max_line_rate_hz=1, reopen_pause_s=0.05, reopen_attempts=20))
    await ready(camera, producer)
    assert (await refusal(one_turn(camera))).code == "camera.lost"
    await camera.prepare(producer.recipe)
    async with camera.turn() as turn:
        assert (await anext(turn.blocks())).frame_id == 0
