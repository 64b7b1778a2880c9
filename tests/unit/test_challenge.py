"""When golden parts are due, and what their judgements come to, as the records tell it."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from station.core.calendar import Calendar
from station.core.challenge import (
    CHANGEOVER,
    CLOCK,
    FAILED,
    FIRST,
    RECIPE,
    GoldenPart,
    Plan,
    Standing,
    Step,
    standings,
)
from station.core.errors import ConfigError
from tests.cell.bench import settings

GOLDEN = (GoldenPart("GOOD", "ring", "defect_free"), GoldenPart("PITS", "ring", "pits"))
AT = datetime(2026, 5, 1, 6, 0, tzinfo=UTC)
NOW, OTHER = "a" * 64, "b" * 64
PASSED = Step(AT, "ring", "passed", FIRST, "PITS", 2, "pits", "pits", NOW)


def judged(golden: str, found: str | None, recipe: str = NOW) -> Step:
    expected = {one.part_id: one.expected for one in GOLDEN}[golden]
    return Step(AT, "ring", "judged", FIRST, golden, 1, expected, found, recipe)


def demanded(cause: str) -> Step:
    return Step(AT, "ring", "demanded", cause)


def standing(*steps: Step) -> Standing:
    return standings(steps)["ring"]


@pytest.mark.parametrize(
    ("plan", "steps", "recipe", "now", "due"),
    [
        (Plan(GOLDEN), (PASSED,), NOW, AT + timedelta(days=900), None),
        (Plan(GOLDEN), (PASSED,), OTHER, AT, RECIPE),
        (Plan(GOLDEN), (PASSED, demanded("a new lamp")), NOW, AT, "a new lamp"),
        (Plan(GOLDEN), (demanded("a new lamp"), PASSED), NOW, AT, None),
        (Plan(GOLDEN), (PASSED, demanded(CHANGEOVER), judged("GOOD", "defect_free")), NOW, AT, CHANGEOVER),
        (Plan(GOLDEN), (PASSED, judged("GOOD", "pits"), judged("GOOD", "pits").ending("failed")), NOW, AT, FAILED),
        (Plan(GOLDEN, timedelta(hours=8)), (PASSED,), NOW, AT + timedelta(hours=7.99), None),
        (Plan(GOLDEN, timedelta(hours=8)), (PASSED,), NOW, AT + timedelta(hours=8), "8 h since the last challenge"),
        # a clock that jumps: over the moment, back a little, back by more than a time server would
        (Plan(GOLDEN, timedelta(hours=8)), (PASSED,), NOW, AT + timedelta(days=9), "8 h since the last challenge"),
        (Plan(GOLDEN, timedelta(hours=8)), (PASSED,), NOW, AT - timedelta(seconds=59), None),
        (Plan(GOLDEN, timedelta(hours=8)), (PASSED,), NOW, AT - timedelta(hours=1), CLOCK),
    ],
)
def test_golden_parts_are_due(plan: Plan, steps: tuple[Step, ...], recipe: str, now: datetime, due: str | None) -> None:
    assert plan.due(standing(*steps), recipe, now) == due


def test_a_type_that_was_never_challenged_is_due() -> None:
    assert Plan(GOLDEN).due(Standing(), NOW, AT) == FIRST


@pytest.mark.parametrize(
    ("later", "due"),
    [
        (timedelta(minutes=1), "shift start at 14:00"),
        (timedelta(hours=3), "shift start at 14:00"),
        (timedelta(hours=15, minutes=50), "shift start at 22:00"),
        (timedelta(0), None),
    ],
)
def test_a_shift_start_is_due_also_when_the_clock_jumps_over_it(later: timedelta, due: str | None) -> None:
    calendar = Calendar((time(6), time(14), time(22)), ZoneInfo("Asia/Seoul"))
    at = datetime(2026, 5, 1, 4, 59, tzinfo=UTC)  # 13:59 in Seoul
    passed = Standing(passed=Step(at, "ring", "passed", FIRST, recipe_sha256=NOW))
    assert Plan(GOLDEN, None, calendar).due(passed, NOW, at + later) == due


def test_what_was_seen_counts_for_one_round_and_one_recipe_alone() -> None:
    seen = standing(judged("GOOD", "defect_free"), judged("PITS", None))
    assert seen.seen_by(NOW) == {"GOOD"}
    assert seen.seen_by(OTHER) == frozenset()
    assert seen.after(judged("PITS", "pits", OTHER)).seen_by(OTHER) == {"PITS"}
    assert seen.after(demanded("a new lamp")).seen_by(NOW) == frozenset()
    assert (judged("PITS", None).right, judged("PITS", None).wrong) == (False, False)


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ([("A", "smh_385", "pits"), ("A", "smh_385", "pits")], "A is listed twice"),
        ([("A", "smh_1", "pits")], "there is no part type smh_1; there are"),
        ([("A", "smh_385", "rust")], "rust is no verdict; there are"),
        ([("A", "smh_385", "defect_free")], "has no defective part"),
        ([("", "smh_385", "pits")], "challenge.golden.0.part_id"),
    ],
)
def test_golden_parts_that_cannot_be_meant_are_refused(golden: list[tuple[str, str, str]], words: str) -> None:
    rows = [dict(zip(("part_id", "part_type", "expected"), row, strict=True)) for row in golden]
    with pytest.raises(ConfigError) as caught:
        settings(challenge={"golden": rows})
    assert words in caught.value.detail
