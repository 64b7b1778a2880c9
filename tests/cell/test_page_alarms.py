"""Alarms on the page: seen with a note, put aside for a time, and never what stops the cell."""

from functools import partial
from pathlib import Path
from typing import Any

import httpx

from station.core.errors import FAULTS, Reaction
from station.page.roles import Role
from tests.cell.bench import listening, running
from tests.page_bench import PageBench, SetClock, paged

at_work = partial(running, within_s=100.0)
LOW = "record.disk_low"


async def shelve(browser: httpx.AsyncClient, code: str = LOW, **more: Any) -> int:
    sent = {"code": code, "why": "a disk is on its way", "minutes": 60, **more}
    return (await browser.post("/alarms/shelve", json=sent)).status_code


async def lying(browser: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {row["code"]: row for row in (await browser.get("/alarms/shelved")).json()}


def deeds(bench: PageBench) -> list[tuple[str, str]]:
    return [(row.what, row.detail) for row in reversed(bench.served.desk.doors.audit.rows(9)) if "alarm" in row.what]


async def test_a_warning_is_shelved_for_a_time_and_comes_back_by_itself_or_before(tmp_path: Path) -> None:
    clock = SetClock()
    async with (
        at_work() as cell, listening(cell.desk, tmp_path), paged(tmp_path, clock) as bench,
        bench.browser(bench.admit(Role.OPERATOR, "Olga")) as browser,
    ):  # fmt: skip
        assert await shelve(browser) == 422, "it does not stand"
        cell.built.alarms.warn(FAULTS[LOW], "planted")
        for bad in ({"why": ""}, {"minutes": 7}, {"minutes": "60"}, {"why": "two\tlines", "minutes": 10**9}):
            assert await shelve(browser, **bad) == 422
        assert await lying(browser) == {}
        assert await shelve(browser) == 200
        one = (await lying(browser))[LOW]
        assert (one["who"], one["until"], one["why"], one["left_ms"]) == (
            "Olga", "2026-05-01T07:00:00.000Z", "a disk is on its way", 3_600_000,
        )  # fmt: skip
        assert [alarm.fault.code for alarm in cell.desk.view.alarms] == [LOW], "and stands on the list as before"
        assert deeds(bench) == [("alarm_shelved", f"{LOW} until 2026-05-01T07:00:00.000Z: a disk is on its way")]
        clock.go_on(minutes=10)
        await browser.post("/alarms/unshelve", json={"code": LOW})
        assert await lying(browser) == {}
        assert await shelve(browser, minutes=15) == 200
        clock.go_on(minutes=14, seconds=59)
        assert LOW in await lying(browser)
        clock.go_on(seconds=2)
        async with bench.browser(bench.admit(Role.QUALITY)) as later:
            assert LOW not in await lying(later)


async def test_what_stops_the_cell_is_never_shelved(tmp_path: Path) -> None:
    async with (
        at_work() as cell, listening(cell.desk, tmp_path), paged(tmp_path) as bench,
        bench.browser(bench.admit(Role.ADMIN)) as browser,
    ):  # fmt: skip
        for code, reaction in (
            ("jig.fault", Reaction.HOLD), ("jig.not_stopped", Reaction.ABORT), ("plc.starved", Reaction.SUSPEND),
            (LOW, Reaction.HOLD),
        ):  # fmt: skip
            cell.built.alarms.raise_(FAULTS[code], reaction, "planted")
            assert await shelve(browser, code) == 422, code
        assert await lying(browser) == {}


async def test_who_has_seen_an_alarm_may_note_why(tmp_path: Path) -> None:
    async with (
        at_work() as cell, listening(cell.desk, tmp_path), paged(tmp_path) as bench,
        bench.browser(bench.admit(Role.OPERATOR, "Olga")) as browser,
    ):  # fmt: skip
        cell.built.alarms.warn(FAULTS[LOW], "planted")
        assert (await browser.post("/acknowledge", json={"code": LOW, "note": "x" * 201})).status_code == 422
        assert (
            await browser.post("/acknowledge", json={"code": LOW, "note": " für 20 €: bestellt "})
        ).status_code == 200
        by = cell.desk.view.alarms[0].acknowledged_by
        assert by.startswith("Olga (")
        assert by.endswith("): für 20 €: bestellt")
        assert deeds(bench) == [("alarm_acknowledged", f"{LOW}: für 20 €: bestellt")]
