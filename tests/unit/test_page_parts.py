"""Parts and Review: everything that was decided and why, the surface itself, and what people say of it."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from station.core.errors import FAULTS
from station.labels.agreement import current
from station.labels.label import InspectionSubject
from station.page.audit import Deed
from station.page.findings import geometry_of, overlay, suggestion
from station.page.queue import Which, queue_of
from station.page.review import AT_ONCE
from station.page.roles import Role
from tests.page_bench import PageBench, paged
from tests.page_parts import ROI, STRANGE, Inspected, scan

INLINE = re.compile(
    r"<script(?![^>]*(?:src=|type=\"application/json\"))|\son\w+=|\sstyle=|<style|javascript:", re.IGNORECASE
)


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Inspected:
    return Inspected.at(tmp_path_factory.mktemp("page") / "data")


@pytest.fixture
async def bench(inspected: Inspected) -> AsyncIterator[PageBench]:
    for file in inspected.folder.glob("labels.db*"):
        file.unlink()
    for file in inspected.folder.glob("page.db*"):
        file.unlink()
    async with paged(inspected.folder) as page:
        yield page


# ---------------------------------------------------------------------- parts


async def test_a_part_shows_what_was_decided_and_on_what_grounds(bench: PageBench, inspected: Inspected) -> None:
    async with bench.browser(bench.admit(Role.OPERATOR)) as browser:
        text = html.unescape((await browser.get(f"/parts/{inspected.review}")).text)
    for told in (
        FAULTS["part.low_confidence"].text, "as measured", "Algorithm 1", "0.8600", "12.2 ms", "3584 / 3584", "180.0",
        "inception-cnn-1", "robot", "load", "block 0", "decided", "bin_review",
    ):  # fmt: skip
        assert told in text, told
    assert text.count('class="decides"') == 1
    rows = re.findall(r"<td>(\d+)</td><td><span class=\"tag\" data-class=\"(\w+)\"", text)
    assert {int(index) for index, name in rows if name == "pits"} >= {2, 9}


async def test_the_surface_is_the_archived_scan_cut_to_the_part_the_turn_from_left_to_right(
    bench: PageBench, inspected: Inspected
) -> None:
    async with bench.browser(bench.admit(Role.OPERATOR)) as browser:
        answer = await browser.get(f"/parts/{inspected.pits}/surface.png")
        assert answer.headers["content-type"] == "image/png"
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(picture, scan()[:, ROI.left : ROI.right].T)
        without = await browser.get(f"/parts/{inspected.good}/surface.png")
        assert (without.status_code, "the archive has no scan of it" in without.json()["refused"]) == (422, True)


async def test_a_scan_that_was_changed_is_not_shown(bench: PageBench, inspected: Inspected) -> None:
    record = bench.served.desk.records.record(inspected.pits)
    path = inspected.folder / record["scan_file"]
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-20] + b"x" * 20)
        async with bench.browser(bench.admit(Role.OPERATOR)) as browser:
            answer = await browser.get(f"/parts/{inspected.pits}/surface.png")
        assert "is not the scan that was archived" in answer.json()["refused"]
    finally:
        path.write_bytes(whole)


def test_what_is_drawn_lies_where_it_was_found(inspected: Inspected, bench: PageBench) -> None:
    record = bench.served.desk.records.record(inspected.pits)
    drawn, geometry = overlay(record), geometry_of(record)
    assert drawn["kept"]
    assert (drawn["lines"], drawn["columns"]) == (geometry.lines_per_turn, ROI.right - ROI.left)
    assert (drawn["strips"], drawn["rows"], drawn["deciding"]) == (8, 2, 9)
    assert [index for index, name, _probability in drawn["patches"] if name == "pits"] == [2, 9]
    first, second = drawn["marks"]
    assert (first["x"], second["x"]) == (geometry.lines_per_turn / 2, geometry.lines_per_turn / 8)
    assert first["y"] == pytest.approx(drawn["columns"] * 0.75), "patch 9 is the second of its strip"
    assert second["y"] == pytest.approx(drawn["columns"] * 0.25)
    assert suggestion(record) == "pits"


async def test_parts_are_listed_newest_first_and_found_by_verdict_and_id(
    bench: PageBench, inspected: Inspected
) -> None:
    async with bench.browser(bench.admit(Role.OPERATOR)) as browser:

        async def listed(**asked: str) -> list[str]:
            return re.findall(r'href="/parts/(\w+-\w+)"', (await browser.get("/parts", params=asked)).text)

        everything = [inspected.in_work, inspected.second_review, inspected.review, inspected.good, inspected.pits]
        assert await listed() == everything
        assert await listed(verdict="review") == [inspected.second_review, inspected.review]
        assert await listed(part="GOOD") == [inspected.good]
        assert await listed(verdict="no such verdict") == everything
        assert (await browser.get("/parts/NOSUCH")).status_code == 404


async def test_a_station_that_has_recorded_nothing_has_no_parts(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.QUALITY)) as browser:
        assert "No parts." in (await browser.get("/parts")).text
        assert (await browser.get("/review/queue")).json() == {"parts": [], "left": 0}


async def test_nothing_on_any_screen_is_taken_for_html_or_runs_inline(bench: PageBench, inspected: Inspected) -> None:
    bench.served.desk.doors.audit.write(Deed(STRANGE, STRANGE, "labelled", STRANGE))
    async with bench.browser(bench.admit(Role.ADMIN)) as browser, bench.browser() as stranger:
        pages = [
            await browser.get(path)
            for path in (
                "/",
                "/parts",
                f"/parts/{inspected.pits}",
                "/review",
                "/people",
                "/password",
                "/search",
                f"/search?q={STRANGE}&before=9",
                "/shift",
                "/models",
            )
        ]
        pages.append(await stranger.get("/sign-in"))
        pages.append(await stranger.post("/sign-in", data={"name": STRANGE, "password": "x"}))
    for page in pages:
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert INLINE.findall(page.text) == [], page.url
        assert STRANGE not in page.text
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page.text), "nothing comes from elsewhere"
    assert "&lt;b&gt;" in pages[1].text + pages[2].text


async def test_every_script_and_style_that_a_screen_names_is_there(bench: PageBench, inspected: Inspected) -> None:
    async with bench.browser(bench.admit(Role.ADMIN)) as browser:
        named: set[str] = set()
        for path in ("/", f"/parts/{inspected.pits}", "/review", "/people"):
            named |= set(re.findall(r'(?:src|href)="(/static/[^"]+)"', (await browser.get(path)).text))
        assert len(named) >= 5
        (version,) = {path.split("/")[2] for path in named}
        ahead = sorted(named)
        while ahead:
            answer = await browser.get(path := ahead.pop())
            assert answer.status_code == 200, path
            assert "immutable" in answer.headers["cache-control"], path
            tag = answer.headers["etag"]
            assert (await browser.get(path, headers={"if-none-match": tag})).status_code == 304
            if path.endswith(".js"):
                imported = re.findall(r'from "\./([\w-]+\.js)"|^import "\./([\w-]+\.js)"', answer.text, re.MULTILINE)
                more = {f"/static/{version}/{one or other}" for one, other in imported}
                assert more <= named, "it is named before, so that a browser asks for all at once"
        old = await browser.get(f"/static/another/{next(iter(named)).rpartition('/')[2]}")
        assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
        style = (await browser.get(f"/static/{version}/page.css")).text
        assert '[data-class="pits"]{--mark:' in style
        assert "eval(" not in "".join([(await browser.get(path)).text for path in named if path.endswith(".js")])


# ---------------------------------------------------------------------- review


async def say(browser: httpx.AsyncClient, **labels: str) -> httpx.Response:
    return await browser.post("/review/labels", json={"labels": labels})


def said(bench: PageBench, inspection: str) -> list[tuple[str, str]]:
    labels = current(bench.served.desk.labels.labels(InspectionSubject(inspection)))
    return [(label.who, label.class_name) for label in labels]


async def queue(browser: httpx.AsyncClient, which: str = "review") -> tuple[list[str], int]:
    found: dict[str, Any] = (await browser.get("/review/queue", params={"which": which})).json()
    return [part["inspection_id"] for part in found["parts"]], found["left"]


async def test_what_is_said_is_a_label_with_the_persons_name_and_leaves_the_queue(
    bench: PageBench, inspected: Inspected
) -> None:
    async with bench.browser(bench.admit(Role.QUALITY, "Ada King")) as browser:
        assert await queue(browser) == ([inspected.second_review, inspected.review], 2)
        assert await queue(browser, "rejected") == ([inspected.pits], 1)
        assert await queue(browser, "passed") == ([inspected.good], 1)
        assert (await browser.get("/review/queue?which=others")).status_code == 422
        answer = await say(browser, **{inspected.review: "scratches"})
        assert answer.json() == {"before": {inspected.review: "withdrawn"}}
        assert said(bench, inspected.review) == [("Ada King", "scratches")]
        assert await queue(browser) == ([inspected.second_review], 1)
        (deed, *_) = bench.served.desk.doors.audit.rows(1)
        assert (deed.who, deed.what, deed.detail) == ("Ada King", "labelled", f"{inspected.review}: scratches")


async def test_every_part_of_the_queue_says_why_it_is_there(bench: PageBench) -> None:
    desk = bench.served.desk
    rows = queue_of(Which.REVIEW, desk.records, desk.labels, desk.table, "Ada").plain()["parts"]
    assert {row["why"] for row in rows} == {FAULTS["part.low_confidence"].text}


async def test_what_one_sees_of_a_part_has_all_that_the_answer_needs(bench: PageBench, inspected: Inspected) -> None:
    async with bench.browser(bench.admit(Role.ENGINEER)) as browser:
        part = (await browser.get(f"/review/parts/{inspected.review}")).json()
    assert (part["suggestion"], part["defect_patches"], part["verdict"]) == ("pits", 2, "review")
    assert part["why"] == FAULTS["part.low_confidence"].text
    assert part["labels"] == []


async def test_several_at_once_are_said_all_or_none(bench: PageBench, inspected: Inspected) -> None:
    both = {inspected.review: "pits", inspected.second_review: "defect_free"}
    async with bench.browser(bench.admit(Role.QUALITY, "Ada")) as browser:
        for wrong in ({"no such part": "pits"}, {inspected.good: "no such class"}, {inspected.good: "withdrawn"}):
            assert (await say(browser, **both, **wrong)).status_code in {404, 409, 422}
            assert said(bench, inspected.review) == said(bench, inspected.second_review) == []
        assert (await say(browser, **both)).status_code == 200
    assert [said(bench, one) for one in both] == [[("Ada", "pits")], [("Ada", "defect_free")]]


async def test_undo_brings_back_what_was_said_before(bench: PageBench, inspected: Inspected) -> None:
    async with bench.browser(bench.admit(Role.QUALITY, "Ada")) as browser:
        await say(browser, **{inspected.review: "pits"})
        before = (await say(browser, **{inspected.review: "scratches"})).json()["before"]
        assert before == {inspected.review: "pits"}
        await say(browser, **before)
        assert said(bench, inspected.review) == [("Ada", "pits")]
        await say(browser, **{inspected.review: "withdrawn"})
        assert said(bench, inspected.review) == []
        assert inspected.review in (await queue(browser))[0]


async def test_two_people_may_differ_and_neither_is_overruled(bench: PageBench, inspected: Inspected) -> None:
    ada, bob = bench.admit(Role.QUALITY, "Ada"), bench.admit(Role.ENGINEER, "Bob")
    async with bench.browser(ada) as first, bench.browser(bob) as second:
        await say(first, **{inspected.review: "pits"})
        await say(second, **{inspected.review: "scratches"})
    assert sorted(said(bench, inspected.review)) == [("Ada", "pits"), ("Bob", "scratches")]


TOO_MANY = dict.fromkeys(map(str, range(AT_ONCE + 1)), "pits")


@pytest.mark.parametrize("sent", [{}, *({"labels": one} for one in ({}, [], {"a": 1}, TOO_MANY)), []])
async def test_what_is_no_label_is_refused(bench: PageBench, sent: object) -> None:
    async with bench.browser(bench.admit(Role.QUALITY)) as browser:
        assert (await browser.post("/review/labels", json=sent)).status_code == 422


def test_nothing_marks_what_nobody_has_looked_at() -> None:
    text = (Path(__file__).parents[2] / "station" / "page" / "static" / "review.js").read_text(encoding="utf-8")
    assert "state.chosen.set(" in text
    assert text.count("state.chosen.set(") == 1, "only what is shown is chosen"


async def test_a_second_opinion_is_asked_of_others_first_where_people_differ(
    bench: PageBench, inspected: Inspected
) -> None:
    async with (
        bench.browser(bench.admit(Role.QUALITY, "Ada")) as ada, bench.browser(bench.admit(Role.QUALITY, "Bob")) as bob,
        bench.browser(bench.admit(Role.ENGINEER, "Cem")) as cem,
    ):  # fmt: skip
        await say(ada, **{inspected.pits: "pits", inspected.review: "pits"})
        await say(bob, **{inspected.pits: "scratches"})
        assert await queue(ada, "second") == ([], 0), "not of those who have said something"
        assert await queue(bob, "second") == ([inspected.review], 1)
        rows = (await cem.get("/review/queue?which=second")).json()["parts"]
        assert [(row["inspection_id"], row["opinion"]) for row in rows] == [
            (inspected.pits, "differ"), (inspected.review, "alone"),
        ]  # fmt: skip
        await say(ada, **{inspected.review: "withdrawn"})
        assert await queue(cem, "second") == ([inspected.pits], 1)


async def test_a_note_is_kept_with_the_label_and_shown(bench: PageBench, inspected: Inspected) -> None:
    async with bench.browser(bench.admit(Role.QUALITY, "Ada")) as browser:
        sent = {"labels": {inspected.pits: "defect_free"}, "note": "a <thread> lay\non it"}
        assert (await browser.post("/review/labels", json=sent)).status_code == 200
        assert (await browser.post("/review/labels", json={**sent, "note": "x" * 201})).status_code == 422
        (label,) = bench.served.desk.labels.labels(InspectionSubject(inspected.pits))
        assert label.note == "a <thread> lay on it"
        text = (await browser.get(f"/parts/{inspected.pits}")).text
    assert "a &lt;thread&gt; lay on it" in text
    (deed, *_) = bench.served.desk.doors.audit.rows(1)
    assert deed.detail == f"{inspected.pits}: defect_free (a <thread> lay on it)"


async def test_only_who_may_label_is_asked_what_a_part_is(bench: PageBench, inspected: Inspected) -> None:
    async with (
        bench.browser(bench.admit(Role.OPERATOR)) as operator, bench.browser(bench.admit(Role.QUALITY)) as quality,
    ):  # fmt: skip
        assert 'id="answers"' not in (await operator.get(f"/parts/{inspected.pits}")).text
        assert 'id="answers"' in (await quality.get(f"/parts/{inspected.pits}")).text
