"""Whether the jig kept its speed: by its drive at every look, by the index pulse at the end, without a false alarm."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat

import pytest

from station.cell.speed_watch import SpeedWatch
from station.core.errors import JigError
from station.core.part import PartType
from station.core.ports.devices import JigStatus
from tests.contract.fake_devices import FakeJig, Floor
from tests.turned import GEOMETRY

PART_TYPE = PartType("smh_385", 1, 385, 8, 6, 18.0, 320.0, 20.0, GEOMETRY)
GOOD = JigStatus(1, False, True, PART_TYPE.speed_rpm, 7, True, 0, 1e3 * PART_TYPE.turn_s)
RUN_UP = replace(GOOD, index_period_ms=1.3 * GOOD.index_period_ms)
NEXT_PULSE = replace(GOOD, index_pulses=8)
TOO_LONG = replace(NEXT_PULSE, index_period_ms=1.03 * GOOD.index_period_ms)
SLOW = replace(GOOD, speed_rpm=0.97 * PART_TYPE.speed_rpm)


class ToldJig(FakeJig):
    """Answers what it was told to, the last of it for ever."""

    def __init__(self, *answers: JigStatus | JigError) -> None:
        super().__init__(Floor())
        self._answers: Iterator[JigStatus | JigError] = chain(answers, repeat(answers[-1]))
        self.asked = 0

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
    watching = asyncio.create_task(watch.watch())
    while not jig.asked:  # noqa: ASYNC110  # the fake has no events
        await asyncio.sleep(0)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await watch.check_turn_time()
    return watch, jig


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
