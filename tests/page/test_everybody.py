"""That everybody can use the page: axe finds nothing serious on any screen, and neither a mouse nor keys are needed."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from station.core.errors import FAULTS
from station.labels.agreement import current
from station.labels.label import InspectionSubject
from station.page.app import ENTRIES
from station.page.roles import Role
from tests.cell.bench import listening, running
from tests.housings import TABLE
from tests.page.conftest import Opened
from tests.page.test_screens import is_live, make_watch, says
from tests.page_bench import HAND, PageBench, paged
from tests.page_parts import Inspected, doubted, inspect

pytestmark = pytest.mark.page

AXE = Path(__file__).parent / "node_modules" / "axe-core"
INSTALL = "npm ci --omit=optional --ignore-scripts --prefix tests/page"
SERIOUS = {"serious", "critical"}
LOOK = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
    .map((one) => [one.impact, one.id, one.nodes.map((node) => node.target.join(" "))])"""
QUEUED = 20
PLACES = {"row": 0, "column": 0, "number": 0, "version": 0}
"""Of tiles, pictures and the page's own files."""
WITHIN_S = 350.0


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Inspected:
    return Inspected.at(tmp_path_factory.mktemp("everybody") / "data")


@pytest.fixture
def axe() -> str:
    """What looks at a screen, in the version that is pinned."""
    if not AXE.exists():
        if os.environ.get("CI"):
            pytest.fail(f"axe-core is not installed: {INSTALL}")
        pytest.skip(f"what looks whether everybody can use the page is not installed: {INSTALL}")
    wanted = json.loads((AXE.parents[1] / "package.json").read_text(encoding="utf-8"))["dependencies"]["axe-core"]
    assert json.loads((AXE / "package.json").read_text(encoding="utf-8"))["version"] == wanted, INSTALL
    return (AXE / "axe.min.js").read_text(encoding="utf-8")


@asynccontextmanager
async def beside_a_cell(folder: Path) -> AsyncIterator[PageBench]:
    """A page that hears a station."""
    told = make_watch()
    async with (
        running(watch=told.take, within_s=WITHIN_S) as cell, listening(cell.desk, folder, watch=told),
        paged(folder) as bench,
    ):  # fmt: skip
        cell.built.alarms.warn(FAULTS["record.disk_low"], "planted")
        yield bench


async def screens(bench: PageBench, inspected: Inspected) -> list[str]:
    """Every way that gives a screen, whoever has made it: the ways say so themselves."""
    found = []
    async with bench.browser(bench.admit(Role.ENGINEER)) as browser, bench.browser() as nobody:
        for entry in ENTRIES:
            if entry.method != "GET" or "/events" in entry.path:
                continue
            path = entry.path.format(inspection=inspected.pits, name="page.css", sha256="0" * 64, **PLACES)
            asking = nobody if entry.roles is None else browser
            answer = await asking.get(path, headers={"accept": "text/html"})
            if answer.status_code == 403 or answer.headers.get("content-type", "").startswith("text/html"):
                found.append(path)
    return found


@pytest.mark.timeout(400)  # it opens every screen
async def test_axe_finds_nothing_serious_on_any_screen(inspected: Inspected, opened: Opened, axe: str) -> None:
    found: list[Any] = []
    async with beside_a_cell(inspected.folder) as bench:
        found += await looked_at(bench, opened, axe, "/first", None)
        admin = bench.admit(Role.ADMIN)
        bench.served.desk.doors.tokens.make("MES", Role.QUALITY, 1, HAND)
        walked = await screens(bench, inspected)
        assert {"/", "/parts", f"/parts/{inspected.pits}", "/review", "/people", "/programs", "/sign-in"} <= set(walked)
        for path in walked:
            found += await looked_at(bench, opened, axe, path, None if path == "/sign-in" else admin)
    assert found == []


async def looked_at(bench: PageBench, opened: Opened, axe: str, path: str, person: Any) -> list[Any]:
    """What axe says of a screen that is serious."""
    page = await opened(bench, path, person)
    await page.wait_for_load_state("load")
    if path == "/":
        await is_live(page)
        await page.locator("#acknowledge").wait_for()
    await page.evaluate(axe)
    violations = await page.evaluate(LOOK)
    await page.context.close()
    return [(path, *rest) for impact, *rest in violations if impact in SERIOUS]


async def test_twenty_parts_are_reviewed_by_keyboard_alone_from_the_sign_in_on(tmp_path: Path, opened: Opened) -> None:
    parts = await inspect(tmp_path, [(f"DOUBT-{number}", doubted()) for number in range(QUEUED)])
    async with paged(tmp_path) as bench:
        page = await opened(bench, "/", bench.admit(Role.QUALITY, "Ada"))
        await until_focused(page, 'a[href="/review"]')
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/review")
        for number in range(QUEUED):
            await says(page, "#left", str(QUEUED - number))
            await page.locator("#accept:enabled").wait_for()
            await page.keyboard.press("Enter" if number % 2 else "5")
        await says(page, "#left", "0")
        said = [current(bench.served.desk.labels.labels(InspectionSubject(part))) for part in reversed(parts)]
    wanted = ["pits" if number % 2 else TABLE.surfaces[4].name for number in range(QUEUED)]
    assert [[(one.who, one.class_name) for one in labels] for labels in said] == [[("Ada", name)] for name in wanted]


async def until_focused(page: Any, selector: str) -> None:
    """Press Tab until this has the focus, which is to be seen then."""
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.locator(f"{selector}:focus-visible").count():
            return
    raise AssertionError(f"{selector} is not reached by Tab")


async def test_a_finger_alone_reviews_takes_back_and_leaves(tmp_path: Path, opened: Opened) -> None:
    first, second = await inspect(tmp_path, [(f"DOUBT-{number}", doubted()) for number in range(2)])
    async with paged(tmp_path) as bench:
        page = await opened(bench, "/parts", bench.admit(Role.QUALITY, "Ada"), has_touch=True)
        await page.get_by_role("link", name="Review").tap()
        await says(page, "#left", "2")
        await page.locator("#accept:enabled").tap()
        await says(page, "#left", "1")
        await page.locator("#undo:enabled").tap()
        await says(page, "#left", "2")
        await page.locator('#answers button[data-answer="scratches"]:enabled').tap()
        await says(page, "#left", "1")
        await page.get_by_role("button", name="Sign out").tap()
        await page.wait_for_url("**/sign-in")
        labels = bench.served.desk.labels
        said = {one: current(labels.labels(InspectionSubject(one))) for one in (first, second)}
    assert [label.class_name for label in said[second]] == ["scratches"]
    assert said[first] == []
