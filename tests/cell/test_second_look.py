"""A part whose judgement is unsure is turned once more: what two looks come to, what they cost, and when they fail."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from station.cell.packml import State
from station.cell.second_looks import SecondLooks
from station.core.errors import FAULTS, CameraError, JigError
from station.core.part import Receipt
from station.core.settings import Settings
from tests.cell.bench import Bench, running, settings, until
from tests.contract.fake_ledger import Entry
from tests.housings import Verdict
from tests.record_samples import decision
from tests.virtual_time import LoopClock, turn

Look = tuple[Verdict, float, float]
"""What the network says in a turn, how surely, and how unlike its training the part looks to it."""
SURE, UNSURE, STRANGE = 0.96, 0.4, 2.0
GOOD_UNSURE: Look = (Verdict.DEFECT_FREE, UNSURE, 0.5)
GOOD: Look = (Verdict.DEFECT_FREE, SURE, 0.5)
PITS_UNSURE: Look = (Verdict.PITS, UNSURE, 0.5)
PITS: Look = (Verdict.PITS, SURE, 0.5)
UNKNOWN: Look = (Verdict.DEFECT_FREE, SURE, STRANGE)


def looking(times: int = 10) -> Settings:
    return settings(decision={"second_look": times})


def script(bench: Bench, looks: Sequence[Look]) -> list[int]:
    """Let the network say this, a turn each; what is returned grows with each turn."""
    turns: list[int] = []
    spin: Callable[[Any], Awaitable[Receipt]] = bench.jig.spin

    async def counted(order: Any) -> Receipt:
        says, probability, score = looks[min(len(turns), len(looks) - 1)]
        bench.classifier.says, bench.classifier.probability = says, probability
        bench.classifier.known.score = score
        turns.append(len(turns))
        return await spin(order)

    bench.jig.spin = counted  # type: ignore[method-assign, assignment]
    return turns


async def sort_one(bench: Bench) -> Entry:
    await bench.start()
    bench.feed("A1")
    await bench.sorted(1)
    (entry,) = bench.ledger.entries.values()
    return entry


@pytest.mark.parametrize(
    ("looks", "verdict", "code", "turns"),
    [
        ((GOOD, PITS), Verdict.DEFECT_FREE, None, 1),
        ((GOOD_UNSURE, GOOD), Verdict.DEFECT_FREE, None, 2),
        ((GOOD_UNSURE, GOOD_UNSURE), Verdict.REVIEW, "part.low_confidence", 2),
        ((GOOD_UNSURE, PITS), Verdict.REVIEW, "part.looks_differ", 2),
        ((PITS_UNSURE, PITS), Verdict.PITS, None, 2),
        ((PITS_UNSURE, GOOD), Verdict.REVIEW, "part.looks_differ", 2),
        ((UNKNOWN, GOOD), Verdict.REVIEW, "part.unknown", 2),
        ((GOOD_UNSURE, UNKNOWN), Verdict.REVIEW, "part.unknown", 2),
    ],
)
async def test_an_unsure_part_is_turned_once_more_and_both_looks_are_recorded(
    looks: Sequence[Look], verdict: Verdict, code: str | None, turns: int
) -> None:
    async with running(looking()) as bench:
        turned = script(bench, looks)
        entry = await sort_one(bench)
        assert (entry.verdict, entry.reason and entry.reason.code) == (verdict, code)
        assert len(turned) == turns
        assert entry.judgement is not None
        first = entry.judgement.first_look
        assert (first is None) is (turns == 1)
        if first is not None:
            assert first.decision.algorithm1 == looks[0][0]
            notes = [detail for event, detail in bench.ledger.events if event == "part_looked_at_again"]
            assert notes == [f"{entry.inspection.inspection_id} {first.why}"]
        assert entry.judgement.decision.algorithm1 == looks[turns - 1][0]


async def test_no_part_is_turned_again_where_the_configuration_does_not_allow_it() -> None:
    async with running() as bench:
        turned = script(bench, [GOOD_UNSURE, GOOD])
        assert (await sort_one(bench)).verdict == Verdict.REVIEW
        assert len(turned) == 1


async def test_when_the_turns_of_eight_hours_are_spent_the_first_look_decides() -> None:
    async with running(looking(1)) as bench:
        turned = script(bench, [GOOD_UNSURE, GOOD, GOOD_UNSURE, GOOD])
        await sort_one(bench)
        bench.feed("A2")
        await bench.sorted(2)
        assert [place for _part, place in bench.floor.sorted_parts] == ["second_inspection", "bin_review"]
        assert len(turned) == 3


async def test_a_restart_does_not_give_back_what_was_spent() -> None:
    async with running(looking(1)) as bench:
        script(bench, [GOOD_UNSURE, GOOD])
        assert (await sort_one(bench)).verdict == Verdict.DEFECT_FREE
        ledger = bench.ledger
    async with running(looking(1), ledger=ledger) as bench:
        turned = script(bench, [GOOD_UNSURE, GOOD])
        await bench.start()
        bench.feed("A2")
        await until(lambda: bench.floor.sorted_parts)
        assert bench.floor.sorted_parts == [("A2", "bin_review")]
        assert len(turned) == 1


async def test_what_was_given_eight_hours_ago_counts_no_more_and_what_is_yet_to_come_counts_as_now() -> None:
    clock = LoopClock()
    now, unsure = clock.now(), decision(Verdict.REVIEW, FAULTS["part.low_confidence"])
    for hours, left in ((-8.001, True), (-7, False), (3, False)):
        looks = SecondLooks(1, clock)
        looks.go_on([now + timedelta(hours=hours)])
        assert (looks.wanted(unsure) is not None) is left


async def test_a_camera_that_fails_before_the_second_look_sends_the_part_to_review() -> None:
    async with running(looking()) as bench:
        script(bench, [GOOD_UNSURE, GOOD])
        prepare, asked = bench.camera.prepare, []

        async def broken(recipe: Any) -> Any:
            asked.append(recipe)
            if len(asked) == 2:
                raise CameraError("camera.lost", "unplugged")
            return await prepare(recipe)

        bench.camera.prepare = broken  # type: ignore[method-assign]
        entry = await sort_one(bench)
        assert (entry.verdict, entry.reason and entry.reason.code) == (Verdict.REVIEW, "camera.lost")
        assert entry.judgement is not None
        assert entry.judgement.first_look is not None
        assert bench.desk.view.state is State.EXECUTE


async def test_a_jig_that_fails_in_the_second_look_sends_the_part_to_review_and_holds_the_cell() -> None:
    async with running(looking()) as bench:
        script(bench, [GOOD_UNSURE])
        spin, asked = bench.jig.spin, []

        async def broken(order: Any) -> Any:
            asked.append(order)
            if len(asked) == 2:
                raise JigError("jig.not_at_speed", "planted")
            return await spin(order)

        bench.jig.spin = broken  # type: ignore[method-assign]
        entry = await sort_one(bench)
        assert (entry.verdict, entry.reason and entry.reason.code) == (Verdict.REVIEW, "jig.not_at_speed")
        while bench.desk.view.state is not State.HELD:
            await turn()
