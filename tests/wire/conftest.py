"""The simulated camera, freshly loaded for each test, and scenes for it."""

import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from harvesters.core import Harvester, ImageAcquirer, ParameterKey, ParameterSet

from sim.gentl import producer_path
from sim.gentl.build import PRODUCER, SOURCES, build
from sim.scene import Scene
from station.core.choices import Speed
from tests.wire.driver_camera import make_camera, scene, setup  # noqa: F401  # fixtures
from tests.wire.line_camera import LINES, WIDTH, Camera, Counting
from tests.wire.producer_abi import gentl, library  # noqa: F401  # fixtures


@pytest.fixture(scope="session")
def producer() -> Path:
    if not (SOURCES / PRODUCER).exists():
        build(SOURCES / PRODUCER)
    return producer_path()


@pytest.fixture
def harvester(producer: Path) -> Iterator[Harvester]:
    """A freshly loaded producer: its camera has power-up values."""
    interrupt = signal.getsignal(signal.SIGINT)
    loaded = Harvester()
    loaded.add_file(str(producer))
    loaded.update()
    yield loaded
    loaded.reset()
    signal.signal(signal.SIGINT, interrupt)


@pytest.fixture
def camera(harvester: Harvester) -> Iterator[Camera]:
    acquirer = harvester.create(0, config=ParameterSet({ParameterKey.NUM_BUFFERS_FOR_FETCH_CALL: 16}))
    opened = Camera(harvester, acquirer)
    acquirer.add_callback(ImageAcquirer.Events.INCOMPLETE_BUFFER, Counting(opened.incomplete))
    yield opened
    opened.close()


@pytest.fixture
def scene_name() -> str:
    return f"/station-test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def make_scene(scene_name: str) -> Iterator[Callable[[Speed], Scene]]:
    made: list[Scene] = []

    def make(pace: Speed) -> Scene:
        made.append(Scene.create(scene_name, WIDTH, pace, LINES))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def surface() -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (LINES, WIDTH), np.uint8)
