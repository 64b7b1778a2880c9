"""The station is killed in mid-part, as nobody can help: the page greys, and shows what is so when it is back."""

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from station.page.roles import Role
from tests.cell.conftest import station_command
from tests.cell.test_kill import Simulator, addressed, child
from tests.page.conftest import Opened
from tests.page.test_newcomer import configuration, environment
from tests.page.test_screens import is_live, says
from tests.page_bench import paged

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = [pytest.mark.page, pytest.mark.timeout(400)]

MANY = "100"
START_MS = 150_000
"""So long a station may take to start on a busy computer."""


async def in_mid_part(page: "Page") -> str:
    """Return when a part is scored in part, and not decided; its id."""
    await page.wait_for_selector(".part:has(#patches [data-seen]):has(#verdict:empty)")
    return await page.locator("#part-id").inner_text()


async def test_a_station_that_is_killed_in_mid_part_is_old_at_once_and_right_when_it_is_back(
    tmp_path: Path, opened: Opened
) -> None:
    config, data = configuration(tmp_path), tmp_path / "data"
    simulator = [sys.executable, "-m", "sim", "--config", str(config), "--parts", MANY, "--report", "json"]
    command = station_command("run", "--config", config, "--data", data, "--auto-reset")
    run = partial(child, command, environment(tmp_path), tmp_path)
    data.mkdir()
    with child(simulator, environment(tmp_path), tmp_path) as process:
        addressed(config, await asyncio.to_thread(Simulator(process).until_ready))
        async with paged(data) as bench:
            page = await opened(bench, "/", bench.admit(Role.ENGINEER))
            page.set_default_timeout(START_MS)
            with run() as station:
                await is_live(page)
                killed = await in_mid_part(page)
                station.kill()
            await is_live(page, yes=False)
            assert await page.locator('[data-command="stop"]').is_disabled(), "what could be pressed cannot be"
            with run():
                await is_live(page)
                await page.locator(f'#part-id:not(:text-is("{killed}")):not(:text-is("·"))').wait_for()
                await says(page, "#state", "RUNNING")
                sections = bench.served.desk.follower.after(0)[1]
                shown = await page.locator("#alarm").inner_text()
                assert any(alarm["code"] in shown for alarm in sections["alarms"]) or shown == "No alarm."
                await page.goto(f"/search?q=id:{killed}")
                assert (
                    await page.locator("table:has(thead) tbody tr").first.locator("td").nth(3).inner_text() != "in work"
                )
