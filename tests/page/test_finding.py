"""Search, Shift and Models as people use them, in a real browser."""

import asyncio
import os
from pathlib import Path

import pytest

from models.manifest import load_bundle
from models.weights import SHIPPED, bundle_folder
from station.page.roles import Role
from tests.page.conftest import LARGE, Opened
from tests.page_bench import SetClock, page_settings, paged
from tests.page_models import gated, judging, put
from tests.page_parts import STRANGE, Inspected

pytestmark = pytest.mark.page


async def test_a_part_is_found_by_what_one_knows_of_it_and_the_search_can_be_sent(
    tmp_path: Path, opened: Opened
) -> None:
    await asyncio.to_thread(Inspected.at, tmp_path)
    async with paged(tmp_path) as bench:
        person = bench.admit(Role.QUALITY)
        page = await opened(bench, "/search", person)
        await page.locator("input[name=q]").fill("verdikt:review")
        await page.keyboard.press("Enter")
        await page.locator(".refused").filter(has_text="There are: verdict").wait_for()
        await page.locator("input[name=q]").fill("verdict:REVIEW since:2026-05-01")
        await page.keyboard.press("Enter")
        await page.locator(".chips li").nth(1).wait_for()
        await page.locator("thead + tbody tr").nth(1).wait_for()
        assert await page.locator("thead + tbody tr").count() == 2
        await page.locator(".chips a", has_text="verdict:review").click()
        await page.get_by_role("link", name=STRANGE, exact=True).wait_for()
        await page.locator("thead + tbody tr").nth(4).wait_for()
        assert await page.locator("thead + tbody tr").count() == 5
        await page.locator("tbody a.narrow-by", has_text="Pits").click()
        await page.wait_for_url("**/search?q=since*verdict*pits")
        other = await opened(bench, page.url.removeprefix(bench.origin), person, size=LARGE, locale="ko")
        await other.get_by_role("link", name=STRANGE, exact=True).click()
        await other.wait_for_url("**/parts/*")


async def test_a_shift_is_read_and_printed_and_fits_every_screen(tmp_path: Path, opened: Opened) -> None:
    clock = SetClock()
    await asyncio.to_thread(Inspected.at, tmp_path)
    clock.go_on(hours=1)
    async with paged(tmp_path, clock, page_settings(ideal_cycle_s=12)) as bench:
        person = bench.admit(Role.OPERATOR)
        for more in ({}, {"size": LARGE}, {"locale": "de"}):
            page = await opened(bench, "/shift", person, **more)
            await page.locator("svg.pareto").first.wait_for()
            wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{more}: {wide} px too wide"
            if kept := os.environ.get("SCREENSHOTS"):
                await page.screenshot(path=f"{kept}/shift-{len(more)}-{more.get('locale', '')}.png", full_page=True)
        await page.emulate_media(media="print")
        assert not await page.locator("nav").is_visible()
        assert await page.locator("svg.pareto").first.is_visible()
        await page.emulate_media(media="screen")
        await page.get_by_role("link", name="Die vorige").click()
        await page.wait_for_url("**day=2026-04-30&number=3")


async def test_an_engineer_lets_a_network_in_reads_its_card_and_goes_back(tmp_path: Path, opened: Opened) -> None:
    shipped = load_bundle(bundle_folder(SHIPPED)).identity
    new = put(tmp_path / "waiting")
    async with paged(tmp_path) as bench:
        gated(bench, new, shipped)
        page = await opened(bench, "/models", bench.admit(Role.ENGINEER), size=LARGE, locale="de")
        await page.get_by_role("button", name="Einsetzen").click()
        assert judging(bench) == shipped, "without a reason nothing is sent"
        await page.locator("[action$=promote] [name=reason]").fill("more roll marks")
        await page.get_by_role("button", name="Einsetzen").click()
        await page.get_by_text("Nichts wartet.").wait_for()
        assert judging(bench) == new
        await page.locator("[action$=rollback] [name=reason]").fill("too strict")
        await page.get_by_role("button", name="Dahin zurückkehren").click()
        await page.get_by_role("cell", name="too strict").wait_for()
        assert judging(bench) == shipped
        looker = await opened(bench, "/models", bench.admit(Role.OPERATOR))
        wide = await looker.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{wide} px too wide"
        assert await looker.locator("main form").count() == 0
        await looker.get_by_role("link", name=new.name).first.click()
        await looker.locator("pre").nth(1).wait_for()
