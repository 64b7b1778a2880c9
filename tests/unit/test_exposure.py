"""The exposure follows the light slowly: by the median of several parts, in small steps, within its limits."""

from dataclasses import replace
from typing import Any

import pytest
import structlog

from station.cell.concluding import Setup
from station.cell.exposure import ExposureControl
from station.core.errors import FAULTS
from station.core.exposure import PARTS, STEP, Exposed, ExposureLimits, next_exposure
from station.core.light import Light, Lighting
from station.core.recipe import Recipe
from tests.contract.fake_ledger import FakeLedger
from tests.housings import rule
from tests.record_samples import PART_TYPE, account, judgement

LIMITS = ExposureLimits(10.0, 60.0)
REFERENCE = 100.0
NETWORK: Any = None
RECIPE = Recipe(PART_TYPE, NETWORK, rule(), frozenset(), "ab" * 32, Lighting(REFERENCE), LIMITS)
USUAL_US = PART_TYPE.exposure_us


def exposed(levels: list[float], now_us: float = 20.0, limits: ExposureLimits = LIMITS) -> Exposed:
    """What follows from parts that were all exposed with 20 us and had these levels."""
    return next_exposure([level / 20.0 for level in levels], REFERENCE, now_us, limits)


def test_too_few_parts_say_nothing() -> None:
    assert exposed([40.0] * (PARTS - 1)).exposure_us == 20.0
    assert exposed([40.0] * PARTS).exposure_us == 20.0 * STEP


def test_one_odd_part_says_nothing_and_neither_do_a_few() -> None:
    few = PARTS // 2
    assert exposed([100.0] * (PARTS - 1) + [5.0]).exposure_us == 20.0
    assert exposed([100.0] * (PARTS - few) + [250.0] * few).exposure_us == 20.0


@pytest.mark.parametrize("level", [91.0, 100.0, 109.0])
def test_near_the_reference_nothing_moves(level: float) -> None:
    assert exposed([level] * PARTS).exposure_us == 20.0


@pytest.mark.parametrize(("level", "step"), [(40.0, 20.0 * STEP), (250.0, round(20.0 / STEP, 2))])
def test_a_step_is_small_however_far_the_light_is_off(level: float, step: float) -> None:
    assert exposed([level] * PARTS).exposure_us == step


def test_a_step_does_not_go_past_what_is_wanted_nor_past_a_limit() -> None:
    assert exposed([40.0] * PARTS, now_us=20.0, limits=ExposureLimits(10.0, 20.3)) == Exposed(20.3, 50.0)
    assert exposed([200.0] * PARTS, now_us=10.2) == Exposed(10.2, 10.2), "near enough"
    assert exposed([200.0] * PARTS, now_us=20.0, limits=ExposureLimits(19.8, 60.0)).exposure_us == 19.8


def test_only_the_last_parts_count() -> None:
    assert exposed([10.0] * 40 + [100.0] * PARTS).exposure_us == 20.0


class Line:
    """Parts that come one after the other, under a lamp that gives a share of its light."""

    def __init__(self, recipe: Recipe = RECIPE) -> None:
        self.ledger = FakeLedger()
        self.control = ExposureControl(self.ledger)
        self.recipe = recipe

    async def take(self, count: int, lamp: float, **changes: Any) -> float:
        """So many parts are judged; the exposure of the next one."""
        for _ in range(count):
            exposure_us = self.control.exposure_us(self.recipe)
            setup = Setup(self.recipe, {}, "ab" * 32, exposure_us)
            light = Light(REFERENCE * lamp * setup.scan.exposure_us / USUAL_US, 1.0)
            await self.control.learn(setup, replace(judgement(), **{"light": light, **changes}))
        return self.control.exposure_us(self.recipe)


async def test_an_ageing_lamp_is_followed_until_the_light_is_there_again() -> None:
    line = Line()
    settled = await line.take(80, 0.7)
    assert 0.9 <= 0.7 * settled / USUAL_US <= 1.1
    assert await line.take(20, 0.7) == settled, "and then it rests"
    assert {event for event, _detail in line.ledger.events} == {"exposure_changed"}


async def test_a_limit_is_kept_and_told_once() -> None:
    line = Line()
    with structlog.testing.capture_logs() as logs:
        assert await line.take(80, 0.2) == LIMITS.max_us
    told = [one for one in logs if one["event"] == "light_at_limit"]
    assert [one["log_level"] for one in told] == ["warning"]
    assert [event for event, _detail in line.ledger.events].count("light_at_limit") == 1
    with structlog.testing.capture_logs() as logs:
        await line.take(40, 1.0)
        await line.take(120, 0.2)
    assert len([one for one in logs if one["event"] == "light_at_limit"]) == 1, "anew, once it was left"


@pytest.mark.parametrize(
    "recipe",
    [replace(RECIPE, exposure=None), replace(RECIPE, lighting=Lighting(None))],
    ids=["without limits", "without a reference"],
)
async def test_without_limits_or_reference_the_exposure_is_the_types(recipe: Recipe) -> None:
    line = Line(recipe)
    assert await line.take(40, 0.3) == USUAL_US
    assert line.ledger.events == []


@pytest.mark.parametrize(
    "changes",
    [{"light": None}, {"account": account(FAULTS["scan.incomplete"])}],
    ids=["no light seen", "no whole scan"],
)
async def test_what_does_not_show_a_parts_light_on_a_whole_scan_says_nothing(changes: dict[str, Any]) -> None:
    line = Line()
    assert await line.take(40, 0.3, **changes) == USUAL_US


async def test_every_part_type_has_an_exposure_of_its_own() -> None:
    line = Line()
    await line.take(20, 0.5)
    other = replace(RECIPE, part_type=replace(PART_TYPE, name="other", exposure_us=33.0))
    assert line.control.exposure_us(other) == 33.0
    assert line.control.exposure_us(RECIPE) > USUAL_US


def test_the_camera_is_set_to_what_was_chosen_and_all_else_is_the_types() -> None:
    scan = Setup(RECIPE, {}, "ab" * 32, 33.5).scan
    assert scan == replace(PART_TYPE.recipe, exposure_us=33.5)
    assert Setup(RECIPE, {}, "ab" * 32).scan == PART_TYPE.recipe
