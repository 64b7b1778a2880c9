"""The camera over many losses and turns: nothing grows, in neither process."""

import asyncio
import os
import uuid
from pathlib import Path

import numpy as np
import pytest

from drivers.camera.gentl import GenTLCamera
from drivers.camera.supervisor import SupervisedCamera
from sim.gentl import producer_path
from sim.scene import Scene
from station.core.camera_settings import CameraSettings
from station.core.choices import Speed
from station.core.errors import CameraError
from station.core.part import ScanRecipe
from tests.lines import BLOCKS_PER_TURN, LINES_PER_BLOCK, LINES_PER_TURN
from tests.turned import GEOMETRY

WIDTH_PX = 2048
RECIPE = ScanRecipe(line_rate_hz=100_000.0, exposure_us=8.0, lines_per_block=448, blocks=8)
LOSSES = 200
GROWTH_BYTES = 10_000_000


def resident_bytes(pid: int) -> int:
    """Memory of a process that is its own: neither shared with others nor in files."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the kernel tells no memory")


def camera_process() -> int:
    """The one camera process of this one."""
    tasks = Path("/proc/self/task").glob("*/children")
    pids = {int(pid) for task in tasks for pid in task.read_text().split()}
    (pid,) = [pid for pid in pids if b"drivers.camera.process.service" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return pid


def settings(scene: str, **changes: str | int) -> CameraSettings:
    setup = {
        "SimScene": scene,
        "PixelFormat": "Mono8",
        "Width": WIDTH_PX,
        "Height": LINES_PER_BLOCK,
        "AcquisitionMode": "MultiFrame",
        "AcquisitionFrameCount": BLOCKS_PER_TURN,
        **changes,
    }
    return CameraSettings.model_validate(
        {
            "producers": [str(producer_path())],
            "width_px": WIDTH_PX,
            "max_line_rate_hz": 1,
            "reopen_attempts": 100,
            "reopen_window_s": 1,
            "reopen_pause_s": 0.05,
            "setup": [{"feature": feature, "value": value} for feature, value in setup.items()],
        }
    )


@pytest.fixture
def scene() -> str:
    return f"/camera-endurance-{uuid.uuid4().hex[:12]}"


async def one_turn(camera: SupervisedCamera | GenTLCamera) -> int:
    await camera.prepare(RECIPE)
    async with camera.turn() as turn:
        return len([block async for block in turn.blocks()])


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_two_hundred_losses_leave_both_processes_as_small_as_before(scene: str) -> None:
    with Scene.create(scene, WIDTH_PX, Speed.MAX, LINES_PER_TURN) as shown:
        shown.show(np.zeros((LINES_PER_TURN, WIDTH_PX), np.uint8))
        shown.turn(100_000_000, 0)
        below = GenTLCamera(settings(scene, SimFaultBlock=5, SimFault="Disconnect"), [GEOMETRY])
        camera = SupervisedCamera(below, below._settings)
        await camera.open()
        stations, cameras = [], []
        try:
            for _ in range(LOSSES):
                with pytest.raises(CameraError) as lost:
                    await one_turn(camera)
                assert lost.value.code == "camera.lost"
                await camera.prepare(RECIPE)
                stations.append(resident_bytes(os.getpid()))
                cameras.append(resident_bytes(camera_process()))
        finally:
            await camera.close()
    assert stations[-1] - stations[9] < GROWTH_BYTES
    assert cameras[-1] - cameras[9] < GROWTH_BYTES


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_two_thousand_turns_of_one_connection_leave_both_processes_as_small_as_before(scene: str) -> None:
    with Scene.create(scene, WIDTH_PX, Speed.MAX, LINES_PER_TURN) as shown:
        shown.show(np.zeros((LINES_PER_TURN, WIDTH_PX), np.uint8))
        shown.turn(100_000_000, 0)
        camera = GenTLCamera(settings(scene), [GEOMETRY])
        await camera.open()
        sizes = []
        try:
            for _ in range(2000):
                assert await one_turn(camera) == BLOCKS_PER_TURN
                sizes.append((resident_bytes(os.getpid()), resident_bytes(camera_process())))
        finally:
            await camera.close()
    for before, after in zip(sizes[99], sizes[-1], strict=True):
        assert after - before < GROWTH_BYTES


async def test_a_hundred_turns_are_quick_to_arm(scene: str) -> None:
    with Scene.create(scene, WIDTH_PX, Speed.MAX, LINES_PER_TURN) as shown:
        shown.show(np.zeros((LINES_PER_TURN, WIDTH_PX), np.uint8))
        shown.turn(100_000_000, 0)
        camera = GenTLCamera(settings(scene), [GEOMETRY])
        loop = asyncio.get_running_loop()
        await camera.open()
        try:
            await camera.prepare(RECIPE)
            arming = []
            for _ in range(100):
                began = loop.time()
                async with camera.turn():
                    arming.append(loop.time() - began)
        finally:
            await camera.close()
    assert np.median(arming) < 0.03
