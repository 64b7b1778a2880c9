"""Models: what judges and what waits is shown as it is; only what the gate let pass is let in, by whom it is up to."""

import html
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from models.manifest import load_bundle
from models.weights import SHIPPED, bundle_folder
from station.core.part import ModelIdentity
from station.page.bundles import models_of
from station.page.roles import Role
from tests.page_bench import PageBench, paged
from tests.page_models import gated, judging, put, shelf_of

STRANGE = '<b title="x">&'
"""A reason that a page must not take for HTML."""


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[PageBench]:
    async with paged(tmp_path) as page:
        yield page


@pytest.fixture
def shipped() -> ModelIdentity:
    return load_bundle(bundle_folder(SHIPPED)).identity


async def decide(browser: httpx.AsyncClient, way: str, present: ModelIdentity, **sent: str) -> httpx.Response:
    return await browser.post(f"/models/{way}", data={"present": present.sha256, **sent})


async def test_the_walk_of_a_network_in_and_back_is_in_the_history_and_in_the_audit(
    bench: PageBench, shipped: ModelIdentity, tmp_path: Path
) -> None:
    new = put(tmp_path / "waiting" / "monday" / "waiting")
    gated(bench, new, shipped)
    async with bench.browser(bench.admit(Role.ENGINEER, "Ada")) as browser:
        page = (await browser.get("/models")).text
        assert page.count('action="/models/promote"') == 1
        assert shipped.sha256[:12] in page
        assert (await decide(browser, "promote", shipped, sha256=new.sha256, reason=STRANGE)).status_code == 303
        assert judging(bench) == new
        page = (await browser.get("/models")).text
        assert "Nothing waits." in page
        assert STRANGE not in page
        assert STRANGE in html.unescape(page)
        answer = await decide(browser, "rollback", new, sha256=shipped.sha256, reason="too\n strict")
        assert answer.status_code == 303
    assert judging(bench) == shipped
    history = [(entry.action, entry.by, entry.reason, entry.gate is None) for entry in shelf_of(bench).history()]
    assert history == [
        ("promoted", "Ada (page)", STRANGE, False), ("rolled_back", "Ada (page)", "too strict", True),
    ]  # fmt: skip
    back, forth = bench.served.desk.doors.audit.rows(2)
    assert (forth.who, forth.what) == ("Ada", "model_promoted")
    assert forth.detail == f"{new.name} {new.sha256[:12]} in place of {shipped.name} {shipped.sha256[:12]}: {STRANGE}"
    assert (back.what, back.detail.endswith(": too strict")) == ("model_rolled_back", True)


async def test_what_the_gate_did_not_let_pass_is_not_let_in(
    bench: PageBench, shipped: ModelIdentity, tmp_path: Path
) -> None:
    new = put(tmp_path / "waiting")
    async with bench.browser(bench.admit(Role.ADMIN)) as browser:

        async def refused(status: int, why: str, present: ModelIdentity = shipped, **sent: str) -> None:
            answer = await decide(browser, "promote", present, **({"sha256": new.sha256, "reason": "because"} | sent))
            assert (answer.status_code, why in html.unescape(answer.text)) == (status, True), answer.text
            assert (judging(bench), shelf_of(bench).history()) == (shipped, ())

        await refused(409, "no report")
        gated(bench, new, shipped, "golden part 7 passes")
        await refused(409, "golden part 7 passes")
        assert 'action="/models/promote"' not in (await browser.get("/models")).text
        gated(bench, new, new)
        await refused(409, "is promoted now")
        gated(bench, new, shipped)
        await refused(409, "is promoted now", present=new)
        await refused(422, "say why", reason=" \n ")
        await refused(404, "waits any more", sha256="0" * 64)
        (tmp_path / "waiting" / "other-2" / "model.bin").write_bytes(b"edited")
        await refused(404, "waits any more")
    assert "model_promoted" not in {row.what for row in bench.served.desk.doors.audit.rows(99)}


async def test_what_waits_and_cannot_be_used_is_named_with_the_reason(bench: PageBench, tmp_path: Path) -> None:
    put(tmp_path / "waiting", "broken-1")
    (tmp_path / "waiting" / "broken-1" / "model.bin").write_bytes(b"edited")
    async with bench.browser(bench.admit(Role.OPERATOR)) as browser:
        page = html.unescape((await browser.get("/models")).text)
    assert "broken-1" in page
    assert "model.bin" in page
    assert '<form method="post" action="/models' not in page, "an operator only looks"


async def test_a_network_shows_its_card_and_what_the_gate_said(
    bench: PageBench, shipped: ModelIdentity, tmp_path: Path
) -> None:
    new = put(tmp_path / "waiting")
    gated(bench, new, shipped, "golden part 7 passes")
    async with bench.browser(bench.admit(Role.QUALITY)) as browser:
        page = html.unescape((await browser.get(f"/models/{new.sha256}")).text)
        assert "golden: golden part 7 passes" in page
        assert load_bundle(bundle_folder(SHIPPED)).read("card.md").decode().splitlines()[0] in page
        assert "never held against" in (await browser.get(f"/models/{shipped.sha256}")).text
        assert (await browser.get(f"/models/{'0' * 64}")).status_code == 404


async def test_each_part_type_has_what_judges_next_and_what_judged_last(
    bench: PageBench, shipped: ModelIdentity
) -> None:
    found = models_of(bench.served.desk)
    assert [judge.part_type for judge in found.judges] == list(bench.served.desk.settings.part_types)
    assert all((judge.next, judge.last, judge.waits_for_start) == (shipped, None, False) for judge in found.judges)
    assert found.present == shipped


async def test_a_history_that_was_changed_stops_every_decision(
    bench: PageBench, shipped: ModelIdentity, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "history.jsonl").write_text("{}\n")
    async with bench.browser(bench.admit(Role.ENGINEER)) as browser:
        assert (await browser.get("/models")).status_code == 503
        assert (await decide(browser, "rollback", shipped, reason="because")).status_code == 503


async def test_what_no_station_would_start_with_is_told(bench: PageBench, tmp_path: Path) -> None:
    manifest = load_bundle(bundle_folder(SHIPPED)).manifest
    half = manifest.geometry.model_copy(update={"lines_per_turn": 1_792})
    new = put(tmp_path, of=manifest.model_copy(update={"geometry": half}))
    shelf_of(bench).promote(tmp_path / new.name, None, "a trial", "Ada")
    found = models_of(bench.served.desk)
    assert {judge.next for judge in found.judges} == {None}
    assert all("the network 1792" in judge.problem for judge in found.judges)
    assert any("the station will refuse it" in doubt for doubt in found.doubts)
