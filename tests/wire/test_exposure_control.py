"""The exposure of a real GenTL camera follows a lamp that has aged: what is written changes what is seen."""

from dataclasses import replace

import numpy as np

from sim.scene import Scene
from station.cell.concluding import Setup
from station.cell.exposure import ExposureControl
from station.core.exposure import PARTS, QUIET_SHARE, STEP, ExposureLimits
from station.core.light import Lighting
from station.core.part import PartType
from station.core.recipe import Recipe
from station.flow.light import light_of, look
from tests.contract.fake_ledger import FakeLedger
from tests.housings import rule
from tests.lines import LINES_PER_TURN
from tests.record_samples import judgement
from tests.turned import GEOMETRY, turned
from tests.unit.test_exposure import NETWORK
from tests.wire.driver_camera import RECIPE, WIDTH_PX, MakeCamera, one_turn
from tests.wire.driver_camera import Setup as Features

REFERENCE, AGED = 100.0, 70.0
DIAMETER_MM = 20.0
KIND = PartType(
    "housing", 1, WIDTH_PX, 8, 6, DIAMETER_MM, RECIPE.line_rate_hz * np.pi * DIAMETER_MM / LINES_PER_TURN,
    RECIPE.exposure_us, GEOMETRY,
)  # fmt: skip
LIGHTING = Lighting(REFERENCE)


async def test_parts_under_an_aged_lamp_become_as_bright_as_the_network_knows_them(
    make_camera: MakeCamera, setup: Features, scene: Scene
) -> None:
    scene.show(turned(7, WIDTH_PX, AGED))
    ledger = FakeLedger()
    control = ExposureControl(ledger)
    recipe = Recipe(KIND, NETWORK, rule(), frozenset(), "ab" * 32, LIGHTING, ExposureLimits(10.0, 30.0))
    camera = make_camera(setup)
    await camera.open()
    levels = []
    for _part in range(PARTS + 10):
        one = Setup(recipe, {}, "ab" * 32, control.exposure_us(recipe))
        features = await camera.prepare(one.scan)
        assert features["ExposureTime"] == one.exposure_us
        first = (await one_turn(camera))[0]
        light = light_of(look(first.pixels[np.newaxis]), LIGHTING)
        levels.append(light.level)
        await control.learn(one, replace(judgement(), light=light))
    assert levels[:PARTS] == [levels[0]] * PARTS, "until enough parts were seen nothing moves"
    assert levels[0] < REFERENCE * (1 - QUIET_SHARE)
    assert abs(levels[-1] / REFERENCE - 1) <= QUIET_SHARE + 0.01
    steps = np.array(levels[1:]) / levels[:-1]
    assert steps.max() <= STEP * 1.02, "slowly"
    assert {event for event, _detail in ledger.events} == {"exposure_changed"}
