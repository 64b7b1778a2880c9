"""The next data set on the page: what it takes of what people have said, and what not, as the command does."""

import html
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from station.core.clock import SystemClock
from station.offline.gathering.records import Records
from station.offline.gathering.terms import LeftOut, Terms, geometry_of
from station.page.learning import command
from station.page.lessons import next_set
from station.page.roles import Role
from station.page.serving import opened_page
from station.records.reader import SqliteReader
from tests.housings import TABLE
from tests.page_bench import PageBench, page_settings, paged
from tests.page_parts import Inspected
from tests.record_samples import PART_TYPE


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Inspected:
    return Inspected.at(tmp_path_factory.mktemp("lessons") / "data")


@pytest.fixture
async def bench(inspected: Inspected) -> AsyncIterator[PageBench]:
    for pattern in ("page.db*", "labels.db*"):
        for file in inspected.folder.glob(pattern):
            file.unlink()
    shipped = page_settings()
    kinds = {**shipped.part_types, PART_TYPE.name: shipped.part_types["smh_385"]}
    async with paged(inspected.folder, configuration=shipped.model_copy(update={"part_types": kinds})) as page:
        yield page


async def say(bench: PageBench, who: str, **labels: str) -> None:
    async with bench.browser(bench.admit(Role.QUALITY, who)) as browser:
        assert (await browser.post("/review/labels", json={"labels": labels})).status_code == 200


async def test_what_the_screen_says_is_what_the_command_takes(bench: PageBench, inspected: Inspected) -> None:
    await say(bench, "Ada", **{
        inspected.pits: "pits", inspected.review: "defect_free", inspected.second_review: "cannot_be_judged",
        inspected.good: "defect_free",
    })  # fmt: skip
    await say(bench, "Bob", **{inspected.review: "scratches"})
    desk = bench.served.desk
    found = next_set(desk)
    lessons = {part.inspection_id: part.lesson for part in found.parts}
    assert lessons[inspected.pits].classes == ("pits",)
    assert {one: lessons[one].reason for one in (inspected.review, inspected.second_review, inspected.good)} == {
        inspected.review: "people differ",
        inspected.second_review: "it cannot be judged",
        inspected.good: "its scan is not there",
    }
    left_out = LeftOut()
    terms = Terms(desk.settings, geometry_of(desk.settings, ()))
    heard = Records(desk.folder, SqliteReader(desk.folder, TABLE), desk.labels, terms).read(left_out)
    taken = {one for one, lesson in lessons.items() if lesson.classes}
    assert {Path(scan.name).stem for scan in heard.scans} == taken
    for reason in ("people differ", "it cannot be judged", "its scan is not there"):
        assert left_out.counts[reason] == 1
    assert found.classes == {"pits": 1, "defect_free": 1}, "as far as the scans are there"


async def test_a_corrected_label_is_seen_in_the_next_data_set(bench: PageBench, inspected: Inspected) -> None:
    await say(bench, "Ada", **{inspected.pits: "defect_free"})
    async with bench.browser(bench.admit(Role.ENGINEER, "Cem")) as browser:
        part = html.unescape((await browser.get(f"/parts/{inspected.pits}")).text)
        screen = html.unescape((await browser.get("/data-set")).text)
    assert "takes it as" in part
    assert f'href="/parts/{inspected.pits}"' in screen
    assert "Not yet: a network learns what a class is from others." in screen, "one class alone is none"
    assert command(bench.served.desk, next_set(bench.served.desk)) in screen


async def test_nothing_said_is_no_data_set(bench: PageBench) -> None:
    async with bench.browser(bench.admit(Role.QUALITY)) as browser:
        assert "nobody has said of a part what it is" in (await browser.get("/data-set")).text


async def test_the_command_names_the_configuration_where_there_is_one(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench:
        words = command(bench.served.desk, next_set(bench.served.desk))
        assert words.endswith(f"dataset make next-data-set --records {tmp_path}")
    file = tmp_path / "a line.toml"
    async with opened_page(page_settings(), tmp_path, SystemClock(), print, file=file) as served:
        assert command(served.desk, next_set(served.desk)).endswith(f"--config '{file}'")
