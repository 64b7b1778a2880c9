"""Search: what is asked is found, all of it and nothing else, page by page; what cannot be read is told in words."""

import html
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, timedelta
from itertools import combinations
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from station.core.moments import stamp
from station.core.sought import Sought
from station.page import search as screen
from station.page.roles import Role
from station.page.terms import NAMES, address, moment_of, read_terms
from station.records import search as searching
from station.records.database import DATABASE
from station.records.reading import reading
from station.records.search import search
from station.records.spans import Spans
from tests import many_records
from tests.many_records import Told, told, write_many, write_more
from tests.page_bench import PageBench, page_settings, paged
from tests.page_parts import STRANGE, Inspected

COUNT = 300
KNOWN = {"verdict": ("review", "pits"), "class": ("pits",)}


# ---------------------------------------------------------------------- what is written


@pytest.mark.parametrize(
    ("text", "terms", "misread"),
    [
        ("", [], []),
        ("verdict:REVIEW class:Pits", ["verdict:review", "class:pits"], []),
        ("SMH-1", ["id:SMH-1"], []),
        ('id:"A ""7""" type:x"y', ['id:"A ""7"""', 'type:x"y'], []),
        ("model:a:b", ["model:a:b"], []),
        ("since:2026-05-01 until:2026-05-01T06:00", ["since:2026-05-01", "until:2026-05-01T06:00"], []),
        ("verdikt:pits type:a", ["type:a"], [("unknown", "verdikt:pits")]),
        ("type:a type:b", ["type:a"], [("twice", "type:b")]),
        ("A B", ["id:A"], [("twice", "B")]),
        ('label: ""', [], [("empty", "label:"), ("empty", '""')]),
        ("since:yesterday until:2026-13-01", [], [("no_time", "since:yesterday"), ("no_time", "until:2026-13-01")]),
        ("since:0001-01-01T00:00+14:00", [], [("no_time", "since:0001-01-01T00:00+14:00")]),
    ],
)
def test_what_is_written_is_read_as_it_is_meant(text: str, terms: list[str], misread: list[tuple[str, str]]) -> None:
    read = read_terms(text, UTC, KNOWN)
    assert [term.text for term in read.terms] == terms
    assert [(one.why, one.text) for one in read.misread] == misread
    assert read_terms(read.text, UTC, KNOWN).terms == read.terms, "what is shown can be sent on"
    assert parse_qs(urlsplit(address(read)).query).get("q", [""]) == [read.text]


def test_a_time_without_a_zone_is_one_of_the_plant() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert moment_of("2026-05-01", berlin) == "2026-04-30T22:00:00.000Z"
    assert moment_of("2026-01-01T06:00", berlin) == "2026-01-01T05:00:00.000Z"
    assert moment_of("2026-01-01T06:00Z", berlin) == "2026-01-01T06:00:00.000Z"


# ---------------------------------------------------------------------- what is found


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    write_many(folder, COUNT)
    return folder


SOON, LATER = (stamp(many_records.moment_of(number)) for number in (40, 80))

ASKED: dict[str, object] = {
    "since": stamp(many_records.moment_of(90)), "until": stamp(many_records.moment_of(250)), "verdict": "review",
    "part_type": "late", "reason": "part.unknown", "defect": "scratches", "model": "network-1",
    "part": told(57, COUNT).inspection[:16],
    "inspections": tuple(told(n, COUNT).inspection for n in range(7, COUNT, 10)),
}  # fmt: skip


def holds(one: Told, name: str, value: object) -> bool:
    """Whether a part fulfils a condition, as it is meant."""
    match name:
        case "since":
            return one.at >= str(value)
        case "until":
            return one.at < str(value)
        case "defect":
            return value in one.defects
        case "part":
            return one.part == value or one.inspection.startswith(str(value))
        case "inspections":
            assert isinstance(value, tuple)
            return one.inspection in value
        case _:
            return bool(getattr(one, name) == value)


def paged_through(folder: Path, sought: Sought, limit: int) -> list[str]:
    found, before = [], None
    while True:
        page = search(folder, sought, before, limit)
        assert len(page.rows) == limit or page.before is None
        found += [row.inspection_id for row in page.rows]
        if (before := page.before) is None:
            return found


def test_any_conditions_together_find_what_fulfils_them_all_newest_first(many: Path) -> None:
    parts = [told(number, COUNT) for number in range(COUNT, 0, -1)]
    chosen = [names for size in (0, 1, 2, 3) for names in combinations(ASKED, size)]
    empty = 0
    for names in chosen:
        conditions = {name: ASKED[name] for name in names}
        wanted = [one.inspection for one in parts if all(holds(one, *pair) for pair in conditions.items())]
        found = search(many, Sought(**conditions), None, COUNT)  # type: ignore[arg-type]
        assert [row.inspection_id for row in found.rows] == wanted, names
        empty += not wanted
    assert 10 < empty < len(chosen) / 2, "the conditions are worth asking"


def test_pages_are_the_whole_cut_anywhere(many: Path) -> None:
    for sought in (Sought(), Sought(verdict="review"), Sought(defect="pits", part_type="early")):
        whole = [row.inspection_id for row in search(many, sought, None, COUNT).rows]
        for limit in (11, len(whole)):
            assert paged_through(many, sought, limit) == whole, (sought, limit)


@pytest.mark.parametrize(
    "asked",
    [
        {}, {"verdict": "review"}, {"verdict": "no such"}, {"defect": "pits"}, {"model": "network-1"},
        {"part_type": "early", "model": "network-2"},
        {"part": "20250101T003000"}, {"part": "2025"},
        {"since": SOON}, {"until": SOON}, {"since": SOON, "until": LATER},
        {"since": SOON, "verdict": "review"}, {"until": SOON, "defect": "pits"},
    ],
    ids=str,
)  # fmt: skip
def test_ten_times_as_many_parts_are_searched_with_the_same_work(
    asked: dict[str, str], many: Path, more: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_steps, many_steps = (steps(folder, Sought(**asked), monkeypatch) for folder in (many, more))
    assert many_steps < 2 * few_steps + 200


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_no_search_goes_through_a_whole_table(many: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """By the plans of all that is asked."""
    spans, asked = Spans(), list[str]()
    search(many, Sought(since=SOON), None, 5, spans)

    @contextmanager
    def noted(path: Path) -> Iterator[sqlite3.Connection]:
        with reading(path) as connection:
            connection.set_trace_callback(asked.append)
            yield connection
            connection.set_trace_callback(None)

    monkeypatch.setattr(searching, "reading", noted)
    for names in combinations(ASKED, size):
        search(many, Sought(**{name: ASKED[name] for name in names}), None, 5, spans)  # type: ignore[arg-type]
    plans = set[str]()
    with reading(many) as connection:
        for question in {one for one in asked if one.lstrip().startswith("SELECT")}:
            plans |= {row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {question}")}
    gone_through = {plan for plan in plans if re.match(r"SCAN (?!\(subquery|page|found|CONSTANT ROW|json_each)", plan)}
    assert gone_through <= {"SCAN inspections"}, "a page of the newest, or less"
    made = [plan for plan in plans if "AUTOMATIC" in plan and "(subquery" not in plan]
    assert not [plan for plan in plans if "inspections_entered" in plan] + made, "but of the few that a name names"
    whole = [one for one in asked if re.search(r"FROM \(SELECT number FROM inspections\) found", one)]
    assert all("ORDER BY number DESC LIMIT" in one for one in whole), (
        "without other conditions the newest are read first"
    )


def test_a_time_is_found_whatever_the_clock_did_and_also_what_came_in_since(tmp_path: Path) -> None:
    spans, seen = Spans(), list[str]()
    for count in (50, 3000):
        shutil.rmtree(tmp_path)
        write_many(tmp_path, count)
        for number in (1, 30, 97, 970, 2000, 3000):
            since, until = (stamp(many_records.moment_of(number) + timedelta(minutes=by)) for by in (-70, 1))
            wanted = [one.inspection for n in range(count, 0, -1) if since <= (one := told(n, count)).at < until]
            found = search(tmp_path, Sought(since=since, until=until), None, count, spans)
            assert [row.inspection_id for row in found.rows] == wanted, (count, number)
            seen += wanted
    assert len(set(seen)) > 900
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as connection:
        write_more(connection, 3001, 3100)
    since = stamp(many_records.moment_of(3050))
    late = search(tmp_path, Sought(since=since), None, 3100, spans)
    newest = [told(number, 3000) for number in range(3100, 3000, -1)]
    assert [row.inspection_id for row in late.rows] == [one.inspection for one in newest if one.at >= since]


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("more")
    write_many(folder, 10 * COUNT)
    return folder


def steps(folder: Path, sought: Sought, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many tens of steps the database takes for one page, where it is not the first that is searched."""
    spans = Spans()
    search(folder, Sought(since=SOON), None, 5, spans)
    taken = 0

    def step() -> None:
        nonlocal taken
        taken += 1

    @contextmanager
    def counted(path: Path) -> Iterator[sqlite3.Connection]:
        with reading(path) as connection:
            connection.set_progress_handler(step, 10)
            yield connection
            connection.set_progress_handler(None, 10)

    monkeypatch.setattr(searching, "reading", counted)
    search(folder, sought, None, 5, spans)
    return taken


# ---------------------------------------------------------------------- the screen


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Inspected:
    return Inspected.at(tmp_path_factory.mktemp("page") / "data")


@pytest.fixture
async def bench(inspected: Inspected) -> AsyncIterator[PageBench]:
    async with paged(inspected.folder, configuration=page_settings({"time_zone": "Asia/Seoul"})) as page:
        yield page
    for file in (*inspected.folder.glob("page.db*"), *inspected.folder.glob("labels.db*")):
        file.unlink()


async def test_every_filter_finds_its_parts_and_every_link_leads_to_a_search(
    bench: PageBench, inspected: Inspected, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench.browser(bench.admit(Role.ENGINEER, "Ada")) as browser:

        async def found(text: str) -> list[str]:
            page = (await browser.get("/search", params={"q": text})).text
            return re.findall(r'href="/parts/(\w+-\w+)"', page)

        in_review = [inspected.second_review, inspected.review]
        everything = [inspected.in_work, *in_review, inspected.good, inspected.pits]
        await browser.post("/review/labels", json={"labels": {inspected.review: "scratches"}})
        for text, wanted in (
            ("", everything), ("verdict:REVIEW", in_review), ("reason:part.low_confidence", in_review),
            ("class:pits", [*in_review, inspected.pits]), ("label:scratches", [inspected.review]), ("label:pits", []),
            ("model:inception-cnn-1", everything[1:]), ("type:SMH-385", everything), ("GOOD", [inspected.good]),
            (inspected.good, [inspected.good]), (f"id:{STRANGE}", [inspected.pits]),
            ("since:2026-05-01T15:00:30", [inspected.in_work, inspected.second_review]),
            ("until:2026-05-01T15:00:05 verdict:pits", [inspected.pits]),
        ):  # fmt: skip
            assert await found(text) == wanted, text
        monkeypatch.setattr(screen, "SHOWN", 2)
        seen, way = [], "/search?q=model:inception-cnn-1"
        while way:
            page = (await browser.get(way)).text
            seen += re.findall(r'href="/parts/(\w+-\w+)"', page)
            way = html.unescape("".join(re.findall(r'href="([^"]+)" rel="next"', page)))
        assert seen == everything[1:]
        narrowing = re.findall(r'class="narrow-by[^"]*" href="([^"]+)"', page)
        assert narrowing
        for link in narrowing:
            assert (await browser.get(html.unescape(link))).status_code == 200


async def test_what_cannot_be_read_finds_nothing_and_says_why_in_the_persons_language(bench: PageBench) -> None:
    person = bench.admit(Role.OPERATOR)
    async with bench.browser(person) as browser:
        for language, words in (("en", "there is no such condition"), ("de", "diese Bedingung gibt es nicht")):
            answer = await browser.get("/search?q=verdikt:pits", headers={"accept-language": language})
            assert (answer.status_code, words in answer.text) == (422, True)
            assert all(name in answer.text for name in NAMES)
            assert "/parts/" not in answer.text.partition("<main")[2]
        strange = (await browser.get("/search?q=verdict:rust")).text
        assert "the configuration has none of this name" in strange
        assert (await browser.get("/search?q=&before=-1")).status_code == 200


async def test_a_station_that_has_recorded_nothing_is_searched_in_vain(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.OPERATOR)) as browser:
        assert "No parts." in (await browser.get("/search?q=verdict:review label:pits")).text
