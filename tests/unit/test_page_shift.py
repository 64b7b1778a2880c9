"""Shift: which time it is, what the cell did in it, and what that comes to, from the records and labels."""

import asyncio
import csv
import html
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from station.core.calendar import Calendar
from station.core.errors import FAULTS, ConfigError
from station.core.moments import moment, stamp
from station.core.period import Group, Period, StateChange
from station.core.sought import Sought
from station.core.spreadsheet import csv_line
from station.core.table import housings
from station.labels.picking.truth import Truth
from station.page.roles import Role
from station.page.shift.account import NOT_KNOWN, Stretch, by_state, stops, stretches
from station.page.shift.chart import pareto
from station.page.shift.figures import Oee, count_parts, found_by_people, oee_of, stops_by_reason
from station.records.period import read_period
from tests.page_bench import PageBench, SetClock, page_settings, paged
from tests.page_parts import Inspected
from tests.record_samples import PART_TYPE, START, HandClock, open_ledger, part

BEGIN = datetime(2026, 5, 1, 6, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
LOST, LAMP = "robot.part_lost", "part.too_dark"


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


# ---------------------------------------------------------------------- which time


def test_a_shift_ends_where_the_next_one_begins_also_over_midnight_and_where_clocks_are_set() -> None:
    calendar = Calendar((time(6), time(14), time(22)), BERLIN)
    night = calendar.at(datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
    assert (night.day, night.number) == (date(2026, 3, 28), 3)
    assert (night.begin, night.end) == (moment("2026-03-28T21:00Z"), moment("2026-03-29T04:00Z")), "an hour shorter"
    assert calendar.at(night.end) == calendar.after(night)
    assert calendar.at(night.end - timedelta(milliseconds=1)) == night == calendar.before(calendar.after(night))
    assert (calendar.before(night).number, calendar.after(night).day) == (2, date(2026, 3, 29))
    only = Calendar((time(7),), UTC)
    assert only.at(BEGIN).begin == BEGIN - timedelta(hours=23)
    assert only.after(only.at(BEGIN)) == only.shift(date(2026, 5, 1), 1)
    with pytest.raises(ValueError, match="no shift 2"):
        only.shift(date(2026, 5, 1), 2)


@pytest.mark.parametrize(
    ("plant", "wrong"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"), ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"shifts": ["14:00", "06:00"]}, "shifts"), ({"shifts": []}, "shifts"), ({"shifts": ["24:00"]}, "shifts"),
    ],
)  # fmt: skip
def test_a_plant_without_a_day_is_refused(plant: dict[str, object], wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        page_settings(plant)


# ---------------------------------------------------------------------- the time by states


def change(minutes: float, before: str, after: str, reason: str = "", heard: float | None = None) -> StateChange:
    return StateChange(stamp(at(minutes)), before, after, reason, None if heard is None else stamp(at(heard)))


def told(
    *changes: StateChange, until: float = 60, live: bool = True, heard: float = 60
) -> list[tuple[float, float, str]]:
    """The stretches of an hour, in minutes."""
    found = stretches(Period(changes=changes, heard=stamp(at(heard))), BEGIN, at(until), live=live)
    assert (found[0].begin, found[-1].end) == (BEGIN, at(until)), "all of the time"
    return [
        ((one.begin - BEGIN) / timedelta(minutes=1), (one.end - BEGIN) / timedelta(minutes=1), one.state)
        for one in found
    ]


@pytest.mark.parametrize(
    ("changes", "more", "wanted"),
    [
        ([], {}, [(0, 60, NOT_KNOWN)]),
        ([change(-5, "STARTING", "EXECUTE")], {}, [(0, 60, "EXECUTE")]),
        ([change(-5, "STARTING", "EXECUTE")], {"live": False, "heard": 20}, [(0, 20, "EXECUTE"), (20, 60, NOT_KNOWN)]),
        ([change(-5, "STARTING", "EXECUTE")], {"live": False, "heard": -3}, [(0, 60, NOT_KNOWN)]),
        ([change(10, "STOPPED", "RESETTING")], {}, [(0, 10, NOT_KNOWN), (10, 60, "RESETTING")]),
        (
            [change(-5, "STARTING", "EXECUTE"), change(30, "EXECUTE", "HELD"), change(70, "HELD", "EXECUTE")],
            {"live": False}, [(0, 30, "EXECUTE"), (30, 60, "HELD")],
        ),
        (
            [change(-5, "STARTING", "EXECUTE"), change(40, "STOPPED", "IDLE", heard=25)],
            {}, [(0, 25, "EXECUTE"), (25, 40, NOT_KNOWN), (40, 60, "IDLE")],
        ),
        (
            [change(-5, "STARTING", "EXECUTE"), change(70, "STOPPED", "IDLE", heard=25)],
            {}, [(0, 25, "EXECUTE"), (25, 60, NOT_KNOWN)],
        ),
        ([change(5, "A", "EXECUTE"), change(5, "EXECUTE", "HELD")], {}, [(0, 5, NOT_KNOWN), (5, 60, "HELD")]),
    ],
)  # fmt: skip
def test_all_time_is_in_a_state_and_none_in_one_that_nobody_knows_of(
    changes: list[StateChange], more: dict[str, float], wanted: list[tuple[float, float, str]]
) -> None:
    assert told(*changes, **more) == wanted  # type: ignore[arg-type]


def test_a_stop_is_all_the_time_out_of_execute_with_why_it_began() -> None:
    time_of = [
        Stretch(at(0), at(2), "HELD"), Stretch(at(2), at(10), "EXECUTE"), Stretch(at(10), at(11), "HOLDING", LOST),
        Stretch(at(11), at(15), "HELD", LOST), Stretch(at(15), at(16), "UNHOLDING"), Stretch(at(16), at(20), "EXECUTE"),
        Stretch(at(20), at(21), "STOPPING"), Stretch(at(21), at(30), "STOPPED"), Stretch(at(30), at(40), NOT_KNOWN),
    ]  # fmt: skip
    found = stops(time_of, change(-9, "EXECUTE", "HOLDING", LAMP))
    assert [(one.state, one.reason, one.length / timedelta(minutes=1)) for one in found] == [
        ("HELD", LAMP, 2), ("HELD", LOST, 6), ("STOPPED", "", 20),
    ]  # fmt: skip
    assert stops_by_reason(found) == {
        ("", "STOPPED"): timedelta(minutes=20), (LOST, ""): timedelta(minutes=6), (LAMP, ""): timedelta(minutes=2),
    }  # fmt: skip
    assert next(iter(by_state(time_of))) == "EXECUTE"
    assert sum(by_state(time_of).values(), timedelta()) == timedelta(minutes=40)


async def test_the_records_tell_the_states_and_when_a_station_ended_without_a_word(tmp_path: Path) -> None:
    clock = HandClock()
    ledger = await open_ledger(tmp_path, clock)
    for minutes, event in (
        (0, "IDLE STARTING"), (1, "STARTING EXECUTE"), (1, f"EXECUTE HOLDING {LOST} at the jig"), (3, "HELD UNHOLDING"),
        (1, "UNHOLDING EXECUTE"),
    ):  # fmt: skip
        clock.advance(minutes=minutes)
        await ledger.note("state_changed", event)
    clock.advance(minutes=2)
    await ledger.note("reason_changed", f"EXECUTE {LAMP}")
    clock.advance(minutes=2)
    await ledger.enter(part("A", 1), PART_TYPE)
    clock.advance(minutes=30)
    await ledger.note("state_changed", "STOPPED RESETTING")
    await ledger.close()
    found = read_period(tmp_path, stamp(START + timedelta(minutes=3)), stamp(START + timedelta(minutes=20)))
    assert [(one.before, one.after, one.reason) for one in found.changes] == [
        ("EXECUTE", "HOLDING", LOST), ("HELD", "UNHOLDING", ""), ("UNHOLDING", "EXECUTE", ""),
        ("STOPPED", "RESETTING", ""),
    ]  # fmt: skip
    assert [one.heard and moment(one.heard) - START for one in found.changes] == [
        None, timedelta(minutes=2), None, timedelta(minutes=10),
    ]  # fmt: skip
    assert found.left == found.changes[0]
    assert found.groups == (Group("open", None, None, "SMH-385", 1),)


# ---------------------------------------------------------------------- figures

GROUPS = (
    Group("sorted", "defect_free", None, "a", 80), Group("sorted", "pits", None, "a", 10),
    Group("sorted", "review", LAMP, "b", 6), Group("lost", "review", LOST, "b", 4), Group("open", None, None, "a", 1),
    Group("withdrawn", None, "part.withdrawn", "a", 2), Group("sorted", "rust", None, "a", 1),
)  # fmt: skip


def test_parts_are_counted_by_what_became_of_them() -> None:
    parts = count_parts(GROUPS, housings())
    assert parts.verdicts == {
        "defect_free": 80, "imprinted": 0, "pits": 10, "roll_marks": 0, "scratches": 0, "review": 10, "rust": 1,
    }  # fmt: skip
    assert parts.reasons == {LAMP: 6, LOST: 4}
    assert parts.types == {"a": 94, "b": 10}
    assert (parts.judged, parts.laid_away, parts.lost, parts.withdrawn, parts.in_work) == (101, 97, 4, 2, 1)


def test_oee_is_its_three_parts_multiplied_and_says_nothing_where_one_is_not_known() -> None:
    parts = count_parts(GROUPS[:4], housings())
    states = {"EXECUTE": timedelta(minutes=40), "HELD": timedelta(minutes=10)}
    oee = oee_of(parts, states, "defect_free", 20.0)
    assert (oee.availability, oee.performance, oee.quality) == (0.8, 20 * 96 / 2400, 0.8)
    assert oee.oee == pytest.approx(0.8 * 0.8 * 0.8)
    assert oee_of(parts, states, "defect_free", 0.0) == Oee(0.8, None, 0.8)
    assert oee_of(count_parts((), housings()), {}, "defect_free", 1.0).oee is None
    assert oee_of(parts, {"HELD": timedelta(1)}, "defect_free", 1.0) == Oee(0.0, None, 0.8)


def test_what_people_found_has_exact_limits_and_leaves_out_what_is_not_clear() -> None:
    good, bad, unclear = Truth.GOOD, Truth.DEFECTIVE, Truth.UNCLEAR
    found = found_by_people(
        [("defect_free", good)] * 28 + [("defect_free", bad)] * 2 + [("pits", good), ("pits", bad), ("review", good),
         ("review", unclear)], "defect_free",
    )  # fmt: skip
    assert (found.escapes.events, found.escapes.trials) == (2, 30)
    assert (found.escapes.lower, found.escapes.upper) == (
        pytest.approx(0.0081780, abs=1e-6),
        pytest.approx(0.2207, abs=1e-4),
    )
    assert (found.overkill.events, found.overkill.trials, found.reviews.events, found.unclear) == (1, 2, 1, 1)
    assert found_by_people([], "defect_free").escapes.share is None


def test_a_pareto_falls_and_comes_to_the_whole() -> None:
    chart = pareto({"a": 1, "b": 6, "never": 0, "c": 3})
    assert [(bar.name, bar.share) for bar in chart.bars] == [("b", 0.6), ("c", 0.3), ("a", 0.1)]
    assert chart.bars[-1].together == pytest.approx(1)
    assert chart.bars[0].length == 2 * chart.bars[1].length
    assert pareto({}).bars == ()
    assert pareto({str(number): number for number in range(1, 14)}).left_out == 3


def test_a_table_is_shown_and_not_computed() -> None:
    assert csv_line(["=1+1", "a,b", 3, None]) == '\'=1+1,"a,b",3,\n'


# ---------------------------------------------------------------------- the screen


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[PageBench]:
    clock = SetClock()
    await asyncio.to_thread(Inspected.at, tmp_path)
    clock.go_on(hours=1)
    async with paged(tmp_path, clock, page_settings({"time_zone": "Asia/Seoul"}, ideal_cycle_s=600)) as page:
        yield page


async def test_a_shift_shows_its_figures_and_gives_the_same_as_a_table(bench: PageBench) -> None:
    good = bench.served.desk.records.search(Sought(part="GOOD"), None, 1)
    async with bench.browser(bench.admit(Role.ENGINEER, "Ada")) as browser:
        await browser.post("/review/labels", json={"labels": {good.rows[0].inspection_id: "scratches"}})
        page = html.unescape((await browser.get("/shift")).text)
        answer = await browser.get("/shift.csv?day=2026-05-01&number=2")
    rows = list(csv.reader(io.StringIO(answer.text)))
    figures = {(what, of): value for what, of, value, *_unit in rows}
    assert figures["from", ""] == "2026-05-01T14:00:00+09:00", "the plant's time"
    assert figures["to", ""] == "2026-05-01T16:00:00+09:00"
    assert (figures["parts", "defect_free"], figures["parts", "pits"], figures["parts", "review"]) == ("1", "1", "2")
    assert (figures["parts", "laid_away"], figures["parts", "in_work"]) == ("4", "1")
    assert figures["defect", "pits"] == "3"
    assert (figures["people", "escapes events"], figures["people", "escapes trials"]) == ("1", "1")
    assert (figures["oee", "availability"], figures["oee", "quality"]) == ("0.0", "0.25")
    assert "attachment" in answer.headers["content-disposition"]
    for shown in ("2026-05-01 14:00", FAULTS["part.low_confidence"].text, "25.0 %", "<svg", "1 / 1", "shift.csv?day="):
        assert shown in page, shown


async def test_only_shifts_that_have_begun_are_shown(bench: PageBench) -> None:
    async with bench.browser(bench.admit(Role.OPERATOR)) as browser:
        assert (await browser.get("/shift?day=2026-05-01&number=1")).status_code == 200
        for wrong in (
            "day=2026-05-01&number=3",
            "day=2026-05-01&number=9",
            "day=x",
            "day=9999-12-31&number=3",
            "day=&number=",
        ):
            answer = await browser.get(f"/shift?{wrong}")
            assert answer.status_code == 422, wrong
            assert "shift" in answer.json()["refused"]


async def test_a_station_that_has_recorded_nothing_has_a_shift_without_parts(tmp_path: Path) -> None:
    async with paged(tmp_path / "none") as bench, bench.browser(bench.admit(Role.OPERATOR)) as browser:
        page = await browser.get("/shift")
    assert (page.status_code, "no station ran" in page.text) == (200, True)
