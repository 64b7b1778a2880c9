"""What every line-scan camera does: the fake, and the driver on the simulated camera's producer."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import numpy as np
import pytest

from drivers.camera.gentl import GenTLCamera
from sim.gentl import producer_path
from sim.scene import Scene
from station.core.camera_settings import CameraSettings
from station.core.choices import Speed
from station.core.errors import CameraError
from station.core.part import Block, Pixels, ScanRecipe
from station.core.ports.camera import LineCamera
from tests.contract.fake_camera import SHORT_LINES, FakeLineCamera, Misfortune, Mishap
from tests.lines import BLOCKS_PER_TURN, LINES_PER_BLOCK, LINES_PER_TURN
from tests.turned import GEOMETRY

SENSOR_PX, WIDTH_PX, OFFSET_PX = 640, 512, 64
RECIPE = ScanRecipe(line_rate_hz=20_000.0, exposure_us=20.0, lines_per_block=448, blocks=8)
NUMBERS = itertools.count()
SIM_FAULTS = {
    Mishap.LOST: "DropFrame",
    Mishap.SHORT: "PartialComplete",
    Mishap.INCOMPLETE: "PartialIncomplete",
    Mishap.UNPLUGGED: "Disconnect",
}


def surface(seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (LINES_PER_TURN, SENSOR_PX), dtype=np.uint8)


def seen(image: Pixels) -> Pixels:
    """The columns that the camera is set to."""
    return image[:, OFFSET_PX : OFFSET_PX + WIDTH_PX]


class FakeBench:
    def __init__(self) -> None:
        self._camera = FakeLineCamera(seen(surface(1)))

    def camera(self, misfortune: Misfortune | None = None) -> LineCamera:
        self._camera = FakeLineCamera(self._camera.image, misfortune)
        return self._camera

    def show(self, image: Pixels) -> None:
        self._camera.image = seen(image)

    def turn_jig(self) -> None:
        self._camera.turning = True

    def stop_jig(self) -> None:
        self._camera.turning = False


class DriverBench:
    def __init__(self, scene: Scene, name: str, opened: AsyncExitStack) -> None:
        self._scene = scene
        self._name = name
        self._opened = opened
        self.show(surface(1))
        self.turn_jig()

    def camera(self, misfortune: Misfortune | None = None) -> LineCamera:
        setup = {
            "SimScene": self._name,
            "PixelFormat": "Mono8",
            "Width": WIDTH_PX,
            "OffsetX": OFFSET_PX,
            "Height": LINES_PER_BLOCK,
            "AcquisitionMode": "MultiFrame",
            "AcquisitionFrameCount": BLOCKS_PER_TURN,
            "TriggerSelector": "AcquisitionStart",
            "TriggerMode": "On",
            "TriggerSource": "Line0",
        }
        if misfortune is not None:
            setup |= {
                "SimFaultBlock": misfortune.block + 1,
                "SimPartialLines": SHORT_LINES,
                "SimFault": SIM_FAULTS[misfortune.mishap],
            }
        settings = CameraSettings.model_validate(
            {
                "producers": [str(producer_path())],
                "width_px": WIDTH_PX,
                "max_line_rate_hz": 100_000,
                "buffers": 9,
                "block_timeout_s": 0.5,
                "late_block_s": 0.3,
                "setup": [{"feature": feature, "value": value} for feature, value in setup.items()],
            }
        )
        camera = GenTLCamera(settings, [GEOMETRY])
        self._opened.push_async_callback(camera.close)
        return camera

    def show(self, image: Pixels) -> None:
        self._scene.show(image)

    def turn_jig(self) -> None:
        self._scene.turn(200_000_000, time.monotonic_ns())

    def stop_jig(self) -> None:
        self._scene.stand_still()


Bench = FakeBench | DriverBench


@pytest.fixture(params=["fake", "driver"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "fake":
        yield FakeBench()
        return
    name = f"/camera-contract-{os.getpid()}-{next(NUMBERS)}"
    async with AsyncExitStack() as opened:
        with Scene.create(name, SENSOR_PX, Speed.MAX, LINES_PER_TURN) as scene:
            yield DriverBench(scene, name, opened)
            await opened.aclose()


async def ready(bench: Bench, misfortune: Misfortune | None = None) -> LineCamera:
    camera = bench.camera(misfortune)
    await camera.open()
    await camera.prepare(RECIPE)
    return camera


async def one_turn(camera: LineCamera) -> tuple[list[Block], int]:
    """The blocks of one turn, and how many were discarded."""
    async with camera.turn() as turn:
        blocks = [block async for block in turn.blocks()]
        return blocks, turn.discarded_blocks


def image_of(blocks: list[Block]) -> Pixels:
    return np.concatenate([block.pixels for block in blocks])


async def test_a_turn_is_eight_blocks_in_order_and_bit_identical(bench: Bench) -> None:
    camera = await ready(bench)
    before_ns = time.monotonic_ns()
    blocks, discarded = await one_turn(camera)
    assert [block.index for block in blocks] == list(range(BLOCKS_PER_TURN))
    assert [block.frame_id for block in blocks] == list(range(BLOCKS_PER_TURN))
    assert [block.delivered_lines for block in blocks] == [LINES_PER_BLOCK] * BLOCKS_PER_TURN
    assert discarded == 0
    np.testing.assert_array_equal(image_of(blocks), seen(surface(1)))
    stamps = [block.last_line_ns for block in blocks]
    assert stamps == sorted(stamps)
    assert all(before_ns <= block.last_line_ns <= block.arrived_ns <= time.monotonic_ns() for block in blocks)


async def test_pixels_are_read_only(bench: Bench) -> None:
    blocks, _ = await one_turn(await ready(bench))
    with pytest.raises(ValueError, match="read-only"):
        blocks[0].pixels[0, 0] = 1


async def test_prepare_tells_what_the_camera_is_set_to(bench: Bench) -> None:
    camera = await ready(bench)
    features = await camera.prepare(ScanRecipe(line_rate_hz=12_345.0, exposure_us=33.0, lines_per_block=448, blocks=8))
    assert features["AcquisitionLineRate"] == pytest.approx(12_345.0, rel=1e-3)
    assert features["ExposureTime"] == pytest.approx(33.0, rel=1e-3)
    assert (features["Width"], features["Height"], features["PixelFormat"]) == (WIDTH_PX, LINES_PER_BLOCK, "Mono8")
    assert features["DeviceModelName"]


@pytest.mark.parametrize("lost", [0, 2, 6])
async def test_a_lost_block_leaves_a_gap_in_the_numbers(bench: Bench, lost: int) -> None:
    camera = await ready(bench, Misfortune(Mishap.LOST, lost))
    blocks, discarded = await one_turn(camera)
    assert [block.frame_id for block in blocks] == [frame_id for frame_id in range(8) if frame_id != lost]
    assert [block.index for block in blocks] == list(range(7))
    assert discarded == 0


async def test_a_lost_last_block_ends_the_turn_after_seven(bench: Bench) -> None:
    camera = await ready(bench, Misfortune(Mishap.LOST, 7))
    blocks, discarded = await one_turn(camera)
    assert [block.frame_id for block in blocks] == list(range(7))
    assert discarded == 0
    assert len((await one_turn(camera))[0]) == BLOCKS_PER_TURN


async def test_a_short_block_tells_how_many_lines_it_has(bench: Bench) -> None:
    camera = await ready(bench, Misfortune(Mishap.SHORT, 3))
    blocks, discarded = await one_turn(camera)
    assert [block.delivered_lines for block in blocks] == [448, 448, 448, SHORT_LINES, 448, 448, 448, 448]
    assert discarded == 0
    assert not blocks[3].pixels[SHORT_LINES:].any()
    np.testing.assert_array_equal(blocks[3].pixels[:SHORT_LINES], seen(surface(1))[1344 : 1344 + SHORT_LINES])


@pytest.mark.parametrize("spoiled", [0, 4, 7])
async def test_an_incomplete_block_is_counted_and_the_turn_still_ends(bench: Bench, spoiled: int) -> None:
    camera = await ready(bench, Misfortune(Mishap.INCOMPLETE, spoiled))
    blocks, discarded = await one_turn(camera)
    assert [block.frame_id for block in blocks] == [frame_id for frame_id in range(8) if frame_id != spoiled]
    assert discarded == 1


async def test_after_a_mishap_the_next_turn_is_whole(bench: Bench) -> None:
    camera = await ready(bench, Misfortune(Mishap.LOST, 5))
    await one_turn(camera)
    blocks, discarded = await one_turn(camera)
    assert ([block.frame_id for block in blocks], discarded) == (list(range(8)), 0)


async def test_a_camera_pulled_out_is_lost_until_it_is_opened_again(bench: Bench) -> None:
    camera = await ready(bench, Misfortune(Mishap.UNPLUGGED, 2))
    async with camera.turn() as turn:
        blocks = turn.blocks()
        assert [(await anext(blocks)).frame_id, (await anext(blocks)).frame_id] == [0, 1]
        with pytest.raises(CameraError) as lost:
            await anext(blocks)
    assert lost.value.code == "camera.lost"
    with pytest.raises(CameraError) as still:
        await camera.prepare(RECIPE)
    assert still.value.code == "camera.lost"
    with pytest.raises(CameraError) as unarmed:
        await one_turn(camera)
    assert unarmed.value.code == "camera.lost"


async def test_after_a_loss_the_same_camera_opens_again(bench: Bench) -> None:
    camera = await ready(bench, Misfortune(Mishap.UNPLUGGED, 1))
    with pytest.raises(CameraError):
        await one_turn(camera)
    await camera.open()
    await camera.prepare(RECIPE)
    async with camera.turn() as turn:
        block = await anext(turn.blocks())
    assert block.frame_id == 0
    np.testing.assert_array_equal(block.pixels, seen(surface(1))[:LINES_PER_BLOCK])


async def test_a_standing_jig_is_a_timeout_and_the_next_turn_works(bench: Bench) -> None:
    camera = await ready(bench)
    bench.stop_jig()
    with pytest.raises(CameraError) as late:
        await one_turn(camera)
    assert late.value.code == "camera.timeout"
    bench.turn_jig()
    blocks, _ = await one_turn(camera)
    np.testing.assert_array_equal(image_of(blocks), seen(surface(1)))


async def test_blocks_stay_as_they_were_while_later_turns_come(bench: Bench) -> None:
    camera = await ready(bench)
    turns = []
    for seed in (1, 2, 3):
        bench.show(surface(seed))
        turns.append((await one_turn(camera))[0])
    for seed, blocks in zip((1, 2, 3), turns, strict=True):
        np.testing.assert_array_equal(image_of(blocks), seen(surface(seed)))


async def test_a_turn_that_was_left_early_gives_nothing_to_the_next(bench: Bench) -> None:
    camera = await ready(bench)
    async with camera.turn() as turn:
        left = turn.blocks()
        assert (await anext(left)).frame_id == 0
    bench.show(surface(2))
    blocks, _ = await one_turn(camera)
    assert [block.frame_id for block in blocks] == list(range(BLOCKS_PER_TURN))
    np.testing.assert_array_equal(image_of(blocks), seen(surface(2)))
    with pytest.raises(StopAsyncIteration):
        await anext(left)


async def test_a_cancelled_turn_leaves_the_camera_usable(bench: Bench) -> None:
    camera = await ready(bench)
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
    blocks, _ = await one_turn(camera)
    assert len(blocks) == BLOCKS_PER_TURN


async def test_closing_twice_is_harmless_and_a_closed_camera_says_so(bench: Bench) -> None:
    camera = await ready(bench)
    await camera.close()
    await camera.close()
    with pytest.raises(CameraError) as closed:
        await camera.prepare(RECIPE)
    assert closed.value.code == "camera.lost"


async def test_an_open_camera_may_be_opened_again(bench: Bench) -> None:
    camera = await ready(bench)
    await camera.open()
    await camera.prepare(RECIPE)
    blocks, _ = await one_turn(camera)
    assert len(blocks) == BLOCKS_PER_TURN
