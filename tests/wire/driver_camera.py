"""The camera driver on the simulated camera, narrow and at the jig's own pace, for tests of what it does."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import genicam
import numpy as np
import pytest

from drivers.camera.gentl import GenTLCamera
from sim.gentl import producer_path
from sim.scene import Scene
from station.core.camera_settings import CameraSettings
from station.core.choices import Speed
from station.core.errors import CameraError
from station.core.part import Block, ScanRecipe
from tests.lines import BLOCKS_PER_TURN, LINES_PER_BLOCK, LINES_PER_TURN
from tests.turned import GEOMETRY

WIDTH_PX = 320
IMAGE = np.random.default_rng(7).integers(0, 256, (LINES_PER_TURN, WIDTH_PX), dtype=np.uint8)
RECIPE = ScanRecipe(line_rate_hz=30_000.0, exposure_us=20.0, lines_per_block=448, blocks=8)
VIKY = Path(genicam.__file__).with_name("viky.cti")
PATIENT_S = 20.0
"""No block of a sound camera comes so late, on whatever computer; a test that waits one out sets less."""

Setup = dict[str, str | int | float | bool]
Rows = tuple[tuple[str, str | bool], ...]
MakeCamera = Callable[..., GenTLCamera]


@pytest.fixture
def scene(scene_name: str) -> Iterator[Scene]:
    """What the camera sees: `IMAGE`, once round in a turn of the jig."""
    with Scene.create(scene_name, WIDTH_PX, Speed.REAL, LINES_PER_TURN) as made:
        made.show(IMAGE)
        made.turn(int(LINES_PER_TURN / RECIPE.line_rate_hz * 1e9), time.monotonic_ns())
        yield made


@pytest.fixture
def setup(scene: Scene, scene_name: str) -> Setup:
    """The features of a camera that takes a turn from the jig's index pulse on."""
    return {
        "SimScene": scene_name,
        "PixelFormat": "Mono8",
        "Width": WIDTH_PX,
        "OffsetX": 0,
        "Height": LINES_PER_BLOCK,
        "AcquisitionMode": "MultiFrame",
        "AcquisitionFrameCount": BLOCKS_PER_TURN,
        "TriggerSelector": "AcquisitionStart",
        "TriggerMode": "On",
        "TriggerSource": "Line0",
    }


def settings_of(setup: Setup, rows: Rows = (), **others: Any) -> CameraSettings:
    """A camera's settings with these features, then these rows, and other keys."""
    document = {
        "producers": [str(producer_path())],
        "width_px": WIDTH_PX,
        "max_line_rate_hz": 100_000,
        "buffers": 9,
        "block_timeout_s": PATIENT_S,
        "late_block_s": PATIENT_S,
        "setup": [{"feature": feature, "value": value} for feature, value in (*setup.items(), *rows)],
    }
    return CameraSettings.model_validate(document | others)


@pytest.fixture
async def make_camera() -> AsyncIterator[MakeCamera]:
    """Makes cameras and closes them."""
    made: list[GenTLCamera] = []

    def one(setup: Setup, rows: Rows = (), **others: Any) -> GenTLCamera:
        made.append(GenTLCamera(settings_of(setup, rows, **others), [GEOMETRY]))
        return made[-1]

    yield one
    for camera in made:
        await camera.close()


async def one_turn(camera: GenTLCamera) -> list[Block]:
    """The blocks of a turn, as they came."""
    async with camera.turn() as turn:
        return [block async for block in turn.blocks()]


async def refusal(action: Any) -> CameraError:
    """The error that an awaitable is refused with."""
    with pytest.raises(CameraError) as refused:
        await action
    return refused.value
