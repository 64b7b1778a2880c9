"""Whether the jig kept its speed: by its drive at every look, by the index pulse at the end, without a false alarm."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat

import pytest

from station.cell.speed_watch import FREE_S, SpeedWatch
from station.core.errors import JigError
from station.core.part import PartType
from station.core.ports.devices import JigStatus
from tests.contract.fake_devices import LOOK_S, FakeJig, Floor
from tests.turned import GEOMETRY
from tests.virtual_time import in_virtual_time

PART_TYPE = PartType("smh_385", 1, 385, 8, 6, 18.0, 320.0, 20.0, GEOMETRY)
GOOD = JigStatus(1, False, True, PART_TYPE.speed_rpm, 7, True, 0, 1e3 * PART_TYPE.turn_s)
RUN_UP = replace(GOOD, index_period_ms=1.3 * GOOD.index_period_ms)
NEXT_PULSE = replace(GOOD, index_pulses=8)
TOO_LONG = replace(NEXT_PULSE, index_period_ms=1.03 * GOOD.index_period_ms)
SLOWLY = replace(PART_TYPE, surface_speed_mm_s=16.0)
SLOW = replace(GOOD, speed_rpm=0.97 * PART_TYPE.speed_rpm)


class ToldJig(FakeJig):
    """Answers what it was told to, the last of it for ever."""

    def __init__(self, *answers: JigStatus | JigError) -> None:
        super().__init__(Floor())
        self._answers: Iterator[JigStatus | JigError] = chain(answers, repeat(answers[-1]))
        self.asked = 0
        self.free_s: float | None = None

    def leave_line_free(self) -> None:
        self.free_s = asyncio.get_running_loop().time()

    async def status(self) -> JigStatus:
        self.asked += 1
        answer = next(self._answers)
        if isinstance(answer, JigError):
            raise answer
        return answer


async def after_one_look(*answers: JigStatus | JigError) -> tuple[SpeedWatch, ToldJig]:
    """A watch that has seen the first of these answers during the turn, and the others at the end of it."""
    jig = ToldJig(*answers)
    watch = SpeedWatch(jig, PART_TYPE)
    watch.begin()
    while not jig.asked:  # noqa: ASYNC110  # the fake has no events
        await asyncio.sleep(0)
    await watch.end()
    await watch.check_turn_time()
    return watch, jig


@in_virtual_time
async def test_shortly_before_the_last_line_nothing_is_asked_so_that_the_question_at_it_finds_the_line_free() -> None:
    loop, turned = asyncio.get_running_loop(), 1e3 * SLOWLY.turn_s
    jig = ToldJig(replace(GOOD, speed_rpm=SLOWLY.speed_rpm, index_period_ms=turned))
    watch = SpeedWatch(jig, SLOWLY)
    watch.begin()
    await asyncio.sleep(1)
    watch.last_block_begins()
    began_s = loop.time()
    while jig.free_s is None:
        before = jig.asked
        await asyncio.sleep(LOOK_S)
    assert jig.free_s == pytest.approx(began_s + SLOWLY.block_s - FREE_S), "it is watched until then"
    await asyncio.sleep(FREE_S)
    assert jig.asked <= before + 1
    await watch.check_turn_time()
    await watch.end()
    assert watch.error is None


@in_virtual_time
async def test_a_turn_that_ends_before_its_last_block_leaves_the_line_to_others() -> None:
    jig = ToldJig(GOOD)
    watch = SpeedWatch(jig, SLOWLY)
    watch.begin()
    watch.last_block_begins()
    await watch.end()
    await asyncio.sleep(2 * SLOWLY.block_s)
    assert jig.free_s is None


@pytest.mark.parametrize("answers", [(GOOD, NEXT_PULSE), (RUN_UP, NEXT_PULSE), (GOOD, GOOD)])
async def test_a_jig_that_keeps_its_speed_is_asked_once_more_and_is_no_trouble(answers: tuple[JigStatus, ...]) -> None:
    watch, jig = await after_one_look(*answers)
    assert watch.error is None
    assert jig.asked == 2


async def test_the_time_of_the_run_up_is_not_taken_for_this_turns() -> None:
    watch, jig = await after_one_look(RUN_UP, RUN_UP, RUN_UP, NEXT_PULSE)
    assert watch.error is None
    assert jig.asked == 4


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ((GOOD, TOO_LONG), "by the index pulse"),
        ((RUN_UP, TOO_LONG), "by the index pulse"),
        ((RUN_UP, RUN_UP), "by the index pulse"),
        ((GOOD, SLOW), "by the drive"),
        ((SLOW, GOOD), "by the drive"),
    ],
    ids=["too long", "too long after the run-up", "a pulse that never comes", "slow at the end", "slow in the turn"],
)
async def test_a_jig_that_does_not_keep_its_speed_is_trouble(answers: tuple[JigStatus, ...], words: str) -> None:
    watch, _jig = await after_one_look(*answers)
    assert watch.error is not None
    assert watch.error.code == "jig.slipped"
    assert words in watch.error.detail


@pytest.mark.parametrize("answers", [(GOOD, JigError("jig.unreachable", "cut")), (JigError("jig.unreachable", "cut"),)])
async def test_a_jig_that_does_not_answer_is_trouble(answers: tuple[JigStatus | JigError, ...]) -> None:
    watch, _jig = await after_one_look(*answers)
    assert watch.error is not None
    assert watch.error.code == "jig.unreachable"
