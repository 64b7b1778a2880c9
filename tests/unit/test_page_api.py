"""The API as a program uses it: over sockets, with a token, against records that are there."""

import asyncio
import hashlib
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from station.labels.label import Source
from station.page.api.openapi import document
from station.page.api.way import ROOT
from station.page.api.ways import ENTRIES, WAYS
from station.page.app import ENTRIES as EVERY_ENTRY
from station.page.roles import Role
from tests.page_bench import HAND, NO_SECRET, PASSWORD, PATIENCE_S, PageBench, SetClock, paged
from tests.page_parts import STRANGE, Inspected

API_PAGE = Path(__file__).parents[2] / "station" / "page" / "api" / "README.md"


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Inspected:
    return Inspected.at(tmp_path_factory.mktemp("api") / "data")


@pytest.fixture(autouse=True)
def nobody_said_anything(inspected: Inspected) -> None:
    for pattern in ("labels.db*", "page.db*"):
        for file in inspected.folder.glob(pattern):
            file.unlink()


def program(bench: PageBench, role: Role = Role.OPERATOR, name: str = "Gateway", days: int = 1) -> httpx.AsyncClient:
    """A program with a token: no cookie, no origin."""
    token = bench.served.desk.doors.tokens.make(name, role, days, HAND)
    return bearer(bench, token)


def bearer(bench: PageBench, token: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=f"{bench.origin}{ROOT}", headers=headers, timeout=PATIENCE_S, verify=NO_SECRET)


# ---------------------------------------------------------------------- what it says of itself


def test_the_document_has_every_way_and_no_other() -> None:
    told = document("test", WAYS)
    ways = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    assert ways == {(entry.method, entry.path) for entry in EVERY_ENTRY if entry.path.startswith(ROOT)}
    assert ways == {(entry.method, entry.path) for entry in ENTRIES}
    text = json.dumps(told)
    wanted = {ref.partition('"')[0] for ref in text.split("#/components/schemas/")[1:]}
    assert wanted == set(told["components"]["schemas"]), "every shape that is named is there, and no other"


def test_the_page_beside_the_code_has_every_way() -> None:
    page = API_PAGE.read_text(encoding="utf-8")
    for way in WAYS:
        assert f"| `{way.method} {way.path}` | {way.tells} |" in page
        for name in way.asked.model_fields if way.asked else ():
            assert f"`{name}`" in page


async def test_every_answer_has_the_shape_that_the_document_says(inspected: Inspected) -> None:
    async with paged(inspected.folder) as bench, program(bench) as asking:
        known = {"inspection": inspected.pits, "sha256": "0" * 64}
        for way in WAYS:
            if way.method != "GET" or isinstance(way.gives, str):
                continue
            query = {"inspection": inspected.pits} if way.path == "/labels" else {}
            answer = await asking.get(way.path.format(**known), params=query)
            assert answer.status_code == 200, (way.path, answer.text)
            way.gives.model_validate(answer.json())


# ---------------------------------------------------------------------- inspections, scans


async def test_the_list_is_read_on_by_its_key_and_misses_none_that_came_meanwhile(inspected: Inspected) -> None:
    async with paged(inspected.folder) as bench, program(bench) as asking:
        seen: list[Any] = []
        query: dict[str, Any] = {"limit": 2}
        while True:
            piece = (await asking.get("/inspections", params=query)).json()
            assert len(piece["inspections"]) <= 2
            seen += piece["inspections"]
            if piece["next"] is None:
                break
            query["before"] = piece["next"]
        assert [one["part_id"] for one in seen] == ["OPEN", "DOUBT-2", "DOUBT-1", "GOOD", STRANGE]
        short = {"before": inspected.review[:-1], "limit": 1}
        assert (await asking.get("/inspections", params=short)).json()["inspections"][0]["part_id"] == "GOOD"
        chosen = await asking.get("/inspections?verdict=review&verdict=pits&until=2026-05-01T06:00:25")
        assert [one["part_id"] for one in chosen.json()["inspections"]] == ["DOUBT-1", STRANGE]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "offset=2", "verdict=gold", "since=yesterday", "before="],
)
async def test_what_is_not_understood_is_refused_with_the_word_for_it(inspected: Inspected, query: str) -> None:
    async with paged(inspected.folder) as bench, program(bench) as asking:
        answer = await asking.get(f"/inspections?{query}")
        assert answer.status_code == 422
        name, value = query.split("=")
        assert name in answer.json()["refused"] or value in answer.json()["refused"]


async def test_who_reads_on_after_nothing_is_told_so(inspected: Inspected) -> None:
    async with paged(inspected.folder) as bench, program(bench) as asking:
        assert (await asking.get("/inspections?before=0000000000000000000000000Z")).status_code == 404


async def test_one_inspection_has_its_patches_and_defects_and_its_scan_comes_by_hash(inspected: Inspected) -> None:
    async with paged(inspected.folder) as bench, program(bench) as asking:
        told = (await asking.get(f"/inspections/{inspected.pits}")).json()
        assert [patch["index"] for patch in told["patches"]] == list(range(16))
        assert [patch["index"] for patch in told["patches"] if patch["name"] == "pits"] == [2, 9]
        assert [defect["patch"] for defect in told["record"]["defects"]] == [9, 2]
        sha256 = told["record"]["scan_sha256"]
        scan = await asking.get(f"/scans/{sha256}")
        assert scan.headers["content-type"] == "image/png"
        assert hashlib.sha256(scan.content).hexdigest() == sha256


@pytest.mark.parametrize(
    "name",
    ["0" * 64, "..%2f..%2frecords.sqlite", "../page.db", "%2e%2e/page.db", "records.sqlite", "%00", "archive%2f2026"],
)
async def test_no_path_from_outside_leads_to_a_file(inspected: Inspected, name: str) -> None:
    async with paged(inspected.folder) as bench, program(bench) as asking:
        answer = await asking.get(f"/scans/{name}")
        assert answer.status_code == 404
        assert b"SQLite" not in answer.content


async def test_a_scan_that_was_changed_on_the_disk_is_not_given(tmp_path: Path) -> None:
    inspected = await asyncio.to_thread(Inspected.at, tmp_path / "data")
    async with paged(inspected.folder) as bench, program(bench) as asking:
        record = (await asking.get(f"/inspections/{inspected.pits}")).json()["record"]
        (inspected.folder / record["scan_file"]).write_bytes(b"something else")
        answer = await asking.get(f"/scans/{record['scan_sha256']}")
        assert answer.status_code == 422
        assert "not the scan that was archived" in answer.json()["refused"]


# ---------------------------------------------------------------------- labels, state


async def test_a_program_labels_under_its_own_name_and_that_is_in_the_audit(inspected: Inspected) -> None:
    async with paged(inspected.folder) as bench, program(bench, Role.QUALITY) as asking:
        sent = {"labels": {inspected.pits: "scratches", inspected.good: "pits"}}
        answer = await asking.post("/labels", json=sent)
        assert answer.json() == {"before": {inspected.pits: "withdrawn", inspected.good: "withdrawn"}}
        (said,) = (await asking.get("/labels", params={"inspection": inspected.pits})).json()["labels"]
        assert (said["class"], said["who"], said["source"]) == ("scratches", "Gateway (program)", Source.IMPORT.value)
        deed = bench.served.desk.doors.audit.rows(1)[0]
        assert (deed.who, deed.what) == ("Gateway (program)", "labelled")
        for wrong in ({}, {"labels": {}}, {"labels": {inspected.pits: 3}}, {"labels": {inspected.good: "gold"}}, [1]):
            assert (await asking.post("/labels", json=wrong)).status_code == 422
        assert (await asking.post("/labels", json={"labels": {"NOBODY": "pits"}})).status_code == 404
        assert len(bench.served.desk.labels.labels()) == 2, "all of what is sent, or none"


async def test_a_state_that_is_old_says_so(inspected: Inspected) -> None:
    async with paged(inspected.folder) as bench, program(bench) as asking:
        told = (await asking.get("/state")).json()
        assert (told["live"], told["age_ms"], told["sections"]) == (False, None, {})
        async with asking.stream("GET", "/events") as stream, aclosing(stream.aiter_lines()) as lines:
            assert [await anext(lines) for _ in range(3)][-1] == "event: state"


# ---------------------------------------------------------------------- tokens


async def test_a_token_opens_the_api_and_nothing_else_until_it_ends(tmp_path: Path) -> None:
    clock = SetClock()
    async with paged(tmp_path, clock) as bench, program(bench, days=2) as asking:
        for entry in EVERY_ENTRY:
            if entry.roles is not None and not entry.programs and entry.method == "GET":
                assert (await asking.get(f"{bench.origin}{entry.path}")).status_code == 401, entry.path
        assert (await asking.post(f"{bench.origin}/here")).status_code == 401
        clock.go_on(hours=47)
        assert (await asking.get("/state")).status_code == 200
        clock.go_on(hours=2)
        assert (await asking.get("/state")).status_code == 401


async def test_a_token_is_made_and_revoked_by_an_admin_and_shown_once(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.ADMIN, "Ada")) as browser:
        wish = {"name": "MES", "role": "quality", "days": "30"}
        shown = (await browser.post("/programs", data=wish)).text
        token = shown.partition('<code id="token">')[2].partition("</code>")[0]
        assert len(token) >= 43
        assert token not in (await browser.get("/programs")).text
        assert token not in (tmp_path / "page.db").read_bytes().decode("latin-1")
        async with bearer(bench, token) as asking:
            assert (await asking.get("/state")).status_code == 200
            assert (await asking.post("/labels", json={})).status_code == 422, "quality may label"
            assert (await browser.post("/programs/revoke", data={"name": "MES"})).status_code == 303
            assert (await asking.get("/state")).status_code == 401
        assert (await browser.post("/programs/revoke", data={"name": "MES"})).status_code == 422
        assert (await browser.post("/programs", data=wish)).status_code == 422, "a name is given once"
        assert [row.what for row in bench.served.desk.doors.audit.rows(2)] == ["token_revoked", "token_made"]


@pytest.mark.parametrize(
    "wish",
    [{"role": "admin"}, {"role": "king"}, {"days": "0"}, {"days": "367"}, {"days": "-1"}, {"name": "a (program)"}],
    ids=str,
)
async def test_no_token_is_made_of_what_none_may_be(tmp_path: Path, wish: dict[str, str]) -> None:
    async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.ADMIN)) as browser:
        form = {"name": "MES", "role": "quality", "days": "30", **wish}
        assert (await browser.post("/programs", data=form)).status_code == 422
        assert bench.served.desk.doors.tokens.everything() == []


async def test_who_comes_with_a_token_is_never_taken_for_the_person_whose_cookie_comes_along(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.ADMIN)) as browser:
        del browser.headers["origin"]
        form = {"name": "Eve", "role": "admin", "password": PASSWORD}
        for said, status in (("Bearer nonsense", 401), ("Bearer", 403), ("Basic QTpC", 403)):
            answer = await browser.post("/people", data=form, headers={"authorization": said})
            assert answer.status_code == status, said
        crossed = {"authorization": "Bearer nonsense", "origin": "http://evil.example"}
        assert (await browser.post("/people", data=form, headers=crossed)).status_code == 403
        assert [one.name for one in bench.served.desk.doors.people.everybody()] == ["Admin"]


async def test_a_stream_ends_with_its_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.page.stream.ASKED_S", 0.0)
    async with paged(tmp_path) as bench, program(bench) as asking, asking.stream("GET", "/events") as stream:
        bench.served.desk.doors.tokens.revoke("Gateway", HAND)
        text = [line async for line in stream.aiter_lines()]
        assert text[-3:-1] == ["event: over", "data: {}"]
