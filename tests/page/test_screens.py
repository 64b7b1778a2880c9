"""The page as people see and use it, in a real browser."""

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from station.core.clock import SystemClock
from station.core.errors import FAULTS
from station.core.events import PartEntered, StateChanged, StepStarted, StripScored, StripSeen
from station.core.part import Inspection, Scores
from station.core.reason import Reason
from station.host.watch import Watch
from station.labels.agreement import current
from station.labels.label import InspectionSubject
from station.page.roles import Role
from tests.cell.bench import listening, running
from tests.housings import TABLE, Verdict
from tests.page.conftest import LARGE, SMALL, Opened
from tests.page_bench import PASSWORD, PageBench, page_settings, paged
from tests.page_parts import Inspected
from tests.record_samples import PART_TYPE, START, part

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.page

at_work = partial(running, within_s=100.0)
"""A cell, and time enough for those who look at it."""


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Inspected:
    return Inspected.at(tmp_path_factory.mktemp("page") / "data")


def make_watch() -> Watch:
    return Watch("test", TABLE.places, SystemClock())


async def is_live(page: "Page", *, yes: bool = True) -> None:
    await page.wait_for_selector(f'html[data-live="{"yes" if yes else "no"}"]')


async def says(page: "Page", selector: str, text: str) -> None:
    await page.locator(selector).filter(has_text=text).wait_for()


# ---------------------------------------------------------------------- Live


async def test_a_part_fills_its_patches_and_shows_its_verdict(tmp_path: Path, opened: Opened) -> None:
    told = make_watch()
    async with (
        at_work(watch=told.take) as cell, listening(cell.desk, tmp_path, watch=told), paged(tmp_path) as bench,
    ):  # fmt: skip
        page = await opened(bench, "/", bench.admit(Role.OPERATOR))
        await is_live(page)
        await says(page, "#state", "STOPPED")
        await says(page, "#ends", "Reset it to go on.")
        cell.classifier.says = Verdict.PITS
        await cell.start()
        cell.feed("A-7")
        await says(page, "#part-id", "A-7")
        await says(page, "#verdict", TABLE.named("pits").label)
        assert await page.locator("#patches .patch").count() == 16
        await page.locator('#patches .patch[data-seen="bad"][data-class="pits"]').nth(15).wait_for()
        assert await page.locator("#verdict").get_attribute("data-kind") == "bad"
        await says(page, "#bins li", "1")


GREY = """canvas => { const {width, height} = canvas;
    const copy = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    const {data} = copy.getImageData(0, 0, width, height);
    const at = (x, y) => data[4 * (y * width + x)];
    return [width, height, Array.from({length: 8}, (_, strip) => at(strip * 128 + 64, 128))]; }"""


async def test_the_surface_fills_strip_by_strip_and_empties_for_the_next_turn(tmp_path: Path, opened: Opened) -> None:
    told, inspection = make_watch(), Inspection("0001", 1, part("A-7"), PART_TYPE, START)
    probabilities = np.full((2, 5), 0.2, np.float32)
    async with at_work() as cell, listening(cell.desk, tmp_path, watch=told), paged(tmp_path) as bench:
        page = await opened(bench, "/", bench.admit(Role.OPERATOR))
        await is_live(page)
        told.take(PartEntered(inspection))
        await says(page, "#part-id", "A-7")
        for strip in range(8):
            await page.wait_for_selector(f'#surface[data-strips="{strip}"]', state="attached")
            told.take(StripScored(inspection, Scores(strip, probabilities), (Verdict.DEFECT_FREE,) * 2))
            told.show(StripSeen(inspection, strip, np.full((448, 385), 20 + 25 * strip, np.uint8)))
        await page.wait_for_selector('#surface[data-strips="8"]')
        width, height, grey = await page.locator("#surface").evaluate(GREY)
        assert (width, height) == (1024, 256)
        assert grey == pytest.approx([20 + 25 * strip for strip in range(8)], abs=2)
        boxes = [await page.locator(one).bounding_box() for one in ("#surface", "#patches")]
        assert boxes[0] == boxes[1], "what is said of a patch lies over what it shows"
        another = await opened(bench, "/", bench.admit(Role.QUALITY))
        await another.wait_for_selector('#surface[data-strips="8"]')
        told.take(StepStarted(inspection, "spin"))
        await page.wait_for_selector('#surface[data-strips="0"]', state="attached")
        _, _, grey = await page.locator("#surface").evaluate(GREY)
        assert grey == [0] * 8, "what an earlier turn has shown is no more"


async def test_nothing_old_looks_live_when_the_cell_falls_silent_and_all_is_right_when_it_is_back(
    tmp_path: Path, opened: Opened
) -> None:
    async with at_work() as cell, paged(tmp_path) as bench:
        page = await opened(bench, "/", bench.admit(Role.OPERATOR))
        assert await page.locator("html").get_attribute("data-live") == "no", "before anything is heard"
        told = make_watch()
        cell.built.alarms.warn(FAULTS["record.disk_low"], "planted")
        async with listening(cell.desk, tmp_path, watch=told):
            await is_live(page)
        await is_live(page, yes=False)
        text = await page.locator("#stale").inner_text()
        assert re.search(r"Not live since \d\d:\d\d:\d\d", text), text
        opacity = await page.locator(".state").evaluate("one => getComputedStyle(one).opacity")
        assert float(opacity) < 0.5
        told.take(StateChanged("STOPPED", "HELD", Reason(FAULTS["robot.part_lost"], "at the jig")))
        async with listening(cell.desk, tmp_path, watch=told):
            await is_live(page)
            await says(page, "#state", "HELD")
            await says(page, "#reason", FAULTS["robot.part_lost"].text)
            await says(page, "#ends", "Mend the cause, then Unhold.")


async def test_a_page_that_dies_is_noticed_within_three_seconds_and_found_again(tmp_path: Path, opened: Opened) -> None:
    told = make_watch()
    async with at_work(watch=told.take) as cell, listening(cell.desk, tmp_path, watch=told):
        async with paged(tmp_path) as bench:
            person = bench.admit(Role.OPERATOR)
            cell.built.alarms.warn(FAULTS["record.disk_low"], "planted")
            page = await opened(bench, "/", person)
            await is_live(page)
            await page.locator("#acknowledge").wait_for()
            assert await page.locator("#acknowledge").is_enabled()
        await is_live(page, yes=False)
        assert await page.locator("#acknowledge").is_disabled()
        port = int(bench.origin.rpartition(":")[2])
        told.take(StateChanged("STOPPED", "ABORTED", None))
        async with paged(tmp_path, configuration=page_settings(port=port)):
            await is_live(page)
            await says(page, "#state", "ABORTED")


async def test_a_beat_that_gets_stuck_anywhere_is_noticed_by_the_browser_itself(tmp_path: Path, opened: Opened) -> None:
    told = make_watch()
    async with (
        at_work(watch=told.take) as cell, listening(cell.desk, tmp_path, watch=told), paged(tmp_path) as bench,
    ):  # fmt: skip
        page = await opened(bench, "/", bench.admit(Role.OPERATOR))
        await is_live(page)
        bench.served.desk.follower._hear = lambda _line: None  # type: ignore[method-assign]
        await is_live(page, yes=False)


async def test_an_alarm_is_acknowledged_by_a_press(tmp_path: Path, opened: Opened) -> None:
    told = make_watch()
    async with (
        at_work(watch=told.take) as cell, listening(cell.desk, tmp_path, watch=told), paged(tmp_path) as bench,
    ):  # fmt: skip
        page = await opened(bench, "/", bench.admit(Role.MAINTENANCE, "Bob"))
        cell.built.alarms.warn(FAULTS["record.disk_low"], "planted")
        await says(page, "#alarm", "record.disk_low")
        await page.locator("#acknowledge").click()
        await page.locator("#acknowledge").wait_for(state="hidden")
        assert cell.desk.view.alarms[0].acknowledged_by.startswith("Bob (")
        viewer = await opened(bench, "/", bench.admit(Role.QUALITY))
        await is_live(viewer)
        assert await viewer.locator("#acknowledge").count() == 0


# ---------------------------------------------------------------------- coming in


async def test_the_first_person_comes_in_by_keyboard_alone(tmp_path: Path, opened: Opened) -> None:
    async with paged(tmp_path) as bench:
        page = await opened(bench, "/")
        await page.wait_for_url("**/first")
        await page.wait_for_selector("input[name=code]:focus")
        for text in (bench.served.desk.doors.invitation.code, "Ada", PASSWORD):
            await page.keyboard.type(text)
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{bench.origin}/")
        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_url("**/sign-in")
        await page.wait_for_selector("input[name=name]:focus")
        await page.keyboard.type("Ada")
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{bench.origin}/")


@pytest.mark.parametrize(
    ("locale", "word"), [("de-DE", "Zur Prüfung geschickt"), ("ko-KR", "검토 대상"), ("fr-FR", "Sent to review")]
)
async def test_the_page_speaks_the_browsers_language(
    inspected: Inspected, opened: Opened, locale: str, word: str
) -> None:
    async with fresh(inspected) as bench:
        page = await opened(bench, "/review", bench.admit(Role.QUALITY), locale=locale)
        await says(page, ".tabs", word)


# ---------------------------------------------------------------------- Part, Review


def fresh(inspected: Inspected) -> "PagedFresh":
    return PagedFresh(inspected)


class PagedFresh:
    """A page of the inspected parts, of which nobody has said anything, and which nobody may use yet."""

    def __init__(self, inspected: Inspected) -> None:
        for pattern in ("labels.db*", "page.db*"):
            for file in inspected.folder.glob(pattern):
                file.unlink()
        self._paged = paged(inspected.folder)

    async def __aenter__(self) -> PageBench:
        return await self._paged.__aenter__()

    async def __aexit__(self, *exception: object) -> None:
        await self._paged.__aexit__(*exception)  # type: ignore[arg-type]


async def scale(page: "Page") -> float:
    return float(await page.locator("#viewer").get_attribute("data-scale") or 0)


async def test_the_surface_is_zoomed_moved_and_lit_and_the_light_stays(inspected: Inspected, opened: Opened) -> None:
    async with fresh(inspected) as bench:
        page = await opened(bench, f"/parts/{inspected.pits}", bench.admit(Role.OPERATOR))
        await page.locator("#viewer[data-scale]").wait_for()
        whole = await scale(page)
        box = await page.locator("#viewer").bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + 100, box["y"] + 100)
        await page.mouse.wheel(0, -800)
        await page.wait_for_function(f"Number(document.getElementById('viewer').dataset.scale) > {2 * whole}")
        before = await page.locator("#stage").get_attribute("style")
        await page.mouse.down()
        await page.mouse.move(box["x"] + 160, box["y"] + 120)
        await page.mouse.up()
        assert await page.locator("#stage").get_attribute("style") != before
        await page.keyboard.press("0")
        assert await scale(page) == pytest.approx(whole)
        assert await page.locator("#overlay .patch-mark").count() == 2
        assert await page.locator("#overlay .defect-mark").count() == 2
        await page.locator("#contrast").fill("250")
        await page.keyboard.press("Escape")
        await page.goto(f"/parts/{inspected.review}")
        light = await page.locator("#surface").evaluate("one => one.style.filter")
        assert "contrast(250%)" in light
        await page.locator('[data-tool="plain"]').click()
        await page.reload()
        assert "contrast(100%)" in await page.locator("#surface").evaluate("one => one.style.filter")


async def test_a_part_without_a_scan_says_so_and_asks_for_none(inspected: Inspected, opened: Opened) -> None:
    async with fresh(inspected) as bench:
        page = await opened(bench, f"/parts/{inspected.good}", bench.admit(Role.OPERATOR))
        await says(page, "#no-surface", "The archive has no scan of this part.")
        assert not await page.locator("#stage").is_visible()
        assert await page.locator("#surface").get_attribute("src") is None


async def test_the_queue_is_worked_through_by_keys_and_taken_back(inspected: Inspected, opened: Opened) -> None:
    async with fresh(inspected) as bench:
        page = await opened(bench, "/review", bench.admit(Role.QUALITY, "Ada"))
        await says(page, "#left", "2")
        await says(page, "#part", "DOUBT-2")
        await says(page, "#why", FAULTS["part.low_confidence"].text)
        await says(page, "#suggested", TABLE.named("pits").label)
        await page.keyboard.press("Enter")
        await says(page, "#left", "1")
        await says(page, "#part", "DOUBT-1")
        assert said(bench, inspected.second_review) == [("Ada", "pits")]
        await page.keyboard.press("u")
        await says(page, "#left", "2")
        assert said(bench, inspected.second_review) == []
        await says(page, "#part", "DOUBT-2")
        await page.locator("#accept:enabled").wait_for()
        await page.keyboard.press("x")
        await says(page, "#part", "DOUBT-1")
        await page.locator("#accept:enabled").wait_for()
        await page.keyboard.press("x")
        await says(page, "#chosen", "2 chosen")
        await page.locator("#accept:enabled").wait_for()
        await page.keyboard.press("5")
        await says(page, "#left", "0")
        assert not await page.locator("#stage").is_visible()
        for part in (inspected.review, inspected.second_review):
            assert said(bench, part) == [("Ada", TABLE.surfaces[4].name)]


def said(bench: PageBench, inspection: str) -> list[tuple[str, str]]:
    labels = current(bench.served.desk.labels.labels(InspectionSubject(inspection)))
    return [(label.who, label.class_name) for label in labels]


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["touch", "4K"])
async def test_every_screen_fits_its_width_and_can_be_touched(
    inspected: Inspected, opened: Opened, size: dict[str, int]
) -> None:
    async with fresh(inspected) as bench:
        admin = bench.admit(Role.ADMIN)
        for path in ("/", "/parts", f"/parts/{inspected.pits}", "/review", "/data-set", "/shift", "/models", "/people"):
            page = await opened(bench, path, admin, size=size, has_touch=True)
            wide = await page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
            assert wide[0] <= wide[1], path
            heights = await page.locator("button:visible, a[aria-current]").evaluate_all(
                "all => all.map((one) => one.getBoundingClientRect().height)"
            )
            assert min(heights) >= 32, path
            await page.context.close()
