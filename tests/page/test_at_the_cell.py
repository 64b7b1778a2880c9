"""Alarms, the hand and the state of the system, as people at the cell see and use them."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from station.cell.packml import State
from station.core.alarms import Alarm
from station.core.errors import FAULTS, REACTIONS, Reaction
from station.core.events import AlarmsChanged
from station.page.roles import Role
from tests.cell.bench import listening, running
from tests.page.conftest import Opened
from tests.page.test_screens import is_live, make_watch, says
from tests.page_bench import paged
from tests.record_samples import START

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.page

at_work = partial(running, within_s=100.0)


async def take_the_hand(page: "Page", why: str) -> None:
    await page.locator("#take").click()
    await page.locator("#taking input[name=why]").fill(why)
    await page.locator("#taking button[value=take]").click()


async def test_the_hand_is_taken_used_seen_by_others_and_lost_to_the_plc(tmp_path: Path, opened: Opened) -> None:
    told = make_watch()
    async with (
        at_work(watch=told.take) as cell, listening(cell.desk, tmp_path, watch=told), paged(tmp_path) as bench,
    ):  # fmt: skip
        page = await opened(bench, "/", bench.admit(Role.ENGINEER, "Eve"))
        olga = await opened(bench, "/", bench.admit(Role.OPERATOR, "Olga"))
        await says(page, "#hand", "The line PLC commands.")
        assert not await page.locator('[data-command="reset"]').is_visible()
        await take_the_hand(page, "the belt was changed")
        await says(olga, "#hand", "Eve")
        await says(olga, "#hand", "the belt was changed")
        await page.locator('[data-command="reset"]').click()
        await says(page, "#state", "IDLE")
        await page.locator('[data-command="start"]').wait_for()
        assert not await page.locator('[data-command="unhold"]').is_visible()
        assert await olga.locator('[data-command="start"]').count() == 0
        await olga.locator('[data-command="stop"]').click()
        await cell.desk.reached(State.STOPPED)
        await says(page, "#hand", "The line PLC commands.")
        await page.locator('[data-command="reset"]').wait_for(state="hidden")


async def test_alarms_stand_gravest_first_are_answered_and_put_aside(tmp_path: Path, opened: Opened) -> None:
    told = make_watch()
    async with (
        at_work(watch=told.take) as cell, listening(cell.desk, tmp_path, watch=told), paged(tmp_path) as bench,
    ):  # fmt: skip
        cell.built.alarms.raise_(FAULTS["robot.part_lost"], Reaction.HOLD, "at the jig")
        cell.built.alarms.warn(FAULTS["record.disk_low"], "planted")
        page = await opened(bench, "/alarms", bench.admit(Role.OPERATOR, "Olga"))
        await is_live(page)
        rows = page.locator("#alarms tr")
        assert await rows.evaluate_all("all => all.map((one) => one.dataset.code)") == [
            "robot.part_lost", "record.disk_low",
        ]  # fmt: skip
        await says(page, '#alarms tr[data-code="robot.part_lost"]', REACTIONS[Reaction.HOLD].cleared)
        await page.locator('#alarms tr[data-code="robot.part_lost"] button').click()
        assert not await page.locator("#shelving").is_visible(), "a stop is never put aside"
        await page.locator("#answer input[name=note]").fill("lies in the box")
        await page.locator('#answer button[value="seen"]').click()
        await says(page, '#alarms tr[data-state="seen"]', "lies in the box")
        await page.locator('#alarms tr[data-code="record.disk_low"] button').click()
        await page.locator("#answer input[name=note]").fill("a disk is on its way")
        await page.locator('#answer button[value="shelve"]').click()
        await says(page, "#shelved", "a disk is on its way")
        assert await page.locator('#alarms tr[data-code="record.disk_low"]').count() == 0
        await page.locator("#shelved button").click()
        await page.locator('#alarms tr[data-code="record.disk_low"]').wait_for()


async def test_every_fault_of_the_table_is_shown_with_its_remedy(tmp_path: Path, opened: Opened) -> None:
    async with paged(tmp_path) as bench:
        page = await opened(bench, "/faults", bench.admit(Role.OPERATOR))
        shown = await page.locator("tbody tr").evaluate_all(
            "all => all.map((row) => [row.id, ...[...row.cells].map((cell) => cell.innerText.trim())])"
        )
        assert shown == [
            [fault.code, str(fault.number), fault.code, fault.text, REACTIONS[fault.reaction].does,
             REACTIONS[fault.reaction].cleared]
            for fault in FAULTS.values()
        ]  # fmt: skip


async def test_every_fault_is_an_alarm_with_its_text_and_its_remedy(tmp_path: Path, opened: Opened) -> None:
    told = make_watch()
    standing = tuple(
        Alarm(fault, "planted", latched=False, count=1, raised_at=START, last_at=START) for fault in FAULTS.values()
    )
    told.take(AlarmsChanged(standing))
    async with at_work() as cell, listening(cell.desk, tmp_path, watch=told), paged(tmp_path) as bench:
        page = await opened(bench, "/alarms", bench.admit(Role.OPERATOR))
        await is_live(page)
        rows = await page.locator("#alarms tr").evaluate_all(
            "all => all.map(({dataset, cells}) => [dataset.code, cells[1].firstChild.innerText, cells[4].innerText])"
        )
    assert sorted(rows) == sorted(
        [fault.code, f"{fault.code}: {fault.text}", REACTIONS[fault.reaction].cleared] for fault in FAULTS.values()
    )


async def test_these_screens_fit_a_small_one_as_well(tmp_path: Path, opened: Opened) -> None:
    async with paged(tmp_path) as bench:
        page = await opened(bench, "/alarms", bench.admit(Role.ADMIN), has_touch=True)
        for path in ("/faults", "/system", "/alarms"):
            await page.goto(path)
            wide = await page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
            assert wide[0] <= wide[1], path
