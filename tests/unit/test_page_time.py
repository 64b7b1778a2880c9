"""Moments on the page are in the plant's time zone, on every screen, whatever the records count in."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from station.page.local import NONE, PlantTime
from station.page.roles import Role
from tests.page_bench import HAND, page_settings, paged
from tests.page_parts import Inspected

BERLIN = PlantTime(ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2026-05-01T06:00:00.250Z", "2026-05-01 08:00:00"),
        ("2026-12-31T23:30:00.000Z", "2027-01-01 00:30:00"),
        (datetime(2026, 5, 1, 6, tzinfo=UTC), "2026-05-01 08:00:00"),
        (None, NONE), ("", NONE), ("no moment", "no moment"),
    ],
)  # fmt: skip
def test_a_moment_is_told_by_the_plants_clock(at: str | datetime | None, told: str) -> None:
    assert BERLIN.told(at) == told


def test_it_is_told_to_the_millisecond_where_that_counts() -> None:
    assert BERLIN.told("2026-05-01T06:00:00.250Z", "milliseconds") == "2026-05-01 08:00:00.250"


async def test_no_screen_tells_a_moment_of_another_zone(tmp_path: Path) -> None:
    inspected = await asyncio.to_thread(Inspected.at, tmp_path)
    settings = page_settings({"time_zone": "Asia/Seoul"})
    async with paged(inspected.folder, configuration=settings) as bench:
        admin = bench.admit(Role.ADMIN)
        bench.served.desk.doors.tokens.make("MES", Role.QUALITY, 1, HAND)
        async with bench.browser(admin) as browser:
            for path in ("/parts", f"/parts/{inspected.pits}", "/alarms", "/people", "/programs", "/system", "/models"):
                text = (await browser.get(path)).text
                assert re.findall(r">\s*\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z", text) == [], path
                assert 'data-zone="Asia/Seoul"' in text
            parts = (await browser.get("/parts")).text
        entered = bench.served.desk.records.record(inspected.pits)["entered_at"]
        assert PlantTime(settings.plant.zone).told(entered) in parts


async def test_alarms_are_asked_for_by_the_plants_days(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.OPERATOR)) as browser:
        assert (await browser.get("/alarms?since=2026-05-01")).status_code == 200
        refused = await browser.get("/alarms?since=yesterday")
        assert (refused.status_code, "write it as" in refused.json()["refused"]) == (422, True)
