"""What is promised on the page: by the same sentence as everywhere, and struck out with the reason once suspended."""

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from station.core.drift.course import Course, Seen, Watched
from station.core.drift.limits import Limits
from station.core.promise import NOTHING_PROMISED, Suspension
from station.page.roles import Role
from tests.page_bench import PageBench, paged
from tests.record_samples import PART_TYPE, HandClock, judgement, open_ledger, part

SINCE = "2026-05-01T06:00:00.000Z"
SUSPENSION = Suspension(SINCE, "20260501T060000000-ABCDEFG", ("camera.lamp_faded",))
KIND = replace(PART_TYPE, name="smh_385")


async def judged(folder: Path, suspension: Suspension | None) -> str:
    """One part of a type whose promise is as this says; its inspection's id."""
    seen = Seen(lamp=5.4, edge_px=1.9, streak=0.3)
    drift = replace(Course(None, Limits()).take(seen, "I1", SINCE), suspended=suspension, first={"lamp": 8.0},
                    now={"lamp": 5.4}, beyond=suspension.because if suspension else ())  # fmt: skip
    ledger = await open_ledger(folder, HandClock())
    inspection = await ledger.enter(part("A"), KIND)
    await ledger.judged(inspection, replace(judgement(), watched=Watched(seen, drift)))
    await ledger.close()
    return inspection.inspection_id


async def seen(bench: PageBench, path: str) -> str:
    async with bench.browser(bench.admit(Role.ENGINEER, f"Cem{len(path)}")) as browser:
        return html.unescape((await browser.get(path)).text)


@pytest.mark.parametrize("path", ["/shift", "/models"])
async def test_a_promise_that_is_suspended_is_struck_out_with_since_when_and_why(tmp_path: Path, path: str) -> None:
    await judged(tmp_path, SUSPENSION)
    async with paged(tmp_path) as bench:
        text = await seen(bench, path)
    promised = text.partition('id="promise"')[2].partition("</div>")[0]
    (struck,) = re.findall(r'class="suspended">(.+?)</p>', promised, re.DOTALL)
    assert "Suspended since" in struck
    assert "2026-05-01 06:00:00" in struck
    assert "camera.lamp_faded" in struck
    assert f"<del>smh_385: {NOTHING_PROMISED}</del>" in struck
    assert promised.count(NOTHING_PROMISED) > 1, "of each of the other types, not struck out"


@pytest.mark.parametrize("path", ["/shift", "/models"])
async def test_a_promise_that_holds_is_plain(tmp_path: Path, path: str) -> None:
    await judged(tmp_path, None)
    async with paged(tmp_path) as bench:
        text = await seen(bench, path)
    assert f"smh_385: {NOTHING_PROMISED}" in text
    assert "<del>" not in text


async def test_a_part_says_that_the_promise_was_suspended_when_it_was_judged(tmp_path: Path) -> None:
    inspection = await judged(tmp_path, SUSPENSION)
    async with paged(tmp_path) as bench:
        assert "suspended then" in await seen(bench, f"/parts/{inspection}")


async def test_lamp_focus_and_dirt_are_told_at_first_and_now_with_what_is_amiss(tmp_path: Path) -> None:
    await judged(tmp_path, SUSPENSION)
    async with paged(tmp_path) as bench:
        text = await seen(bench, "/system")
    row = text.partition('id="drift"')[2].partition("smh_385")[2].partition("</tr>")[0]
    assert "8.0 → 5.4" in row
    assert 'class="amiss"' in row
    assert "/faults#camera.lamp_faded" in row
