"""The figures for Prometheus: they say what the records hold, never fall and are never old."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config import bundled
from station.core.errors import FAULTS
from station.core.events import LineChanged, StateChanged
from station.core.part import Announcement
from station.core.ports.line import LineView
from station.core.reason import Reason
from station.core.tally import Counts
from station.page.metrics.counted import counted
from station.page.metrics.exposition import Family, written
from station.page.metrics.meter import Meter
from station.page.metrics.seen import seen
from station.page.roles import Role
from station.records import tally
from station.records.database import DATABASE
from station.records.tally import SqliteTally
from station.view.picture import CellPicture
from tests.housings import TABLE, Destination, Verdict
from tests.page_bench import HAND, PageBench, page_settings, paged
from tests.page_parts import Inspected
from tests.record_samples import PART_TYPE, HandClock, decision, judgement, open_ledger, part

API_PAGE = Path(__file__).parents[2] / "station" / "page" / "api" / "README.md"
SAMPLE = re.compile(r'^(\w+)(\{(?:\w+="(?:[^"\\\n]|\\[\\n"])*",?)*\})? (\S+)$')


async def figures(bench: PageBench, name: str = "Prometheus") -> dict[str, float]:
    """What is sent, by name and labels as they are written."""
    token = bench.served.desk.doors.tokens.make(name, Role.OPERATOR, 1, HAND)
    async with bench.browser() as browser:
        answer = await browser.get("/metrics", headers={"authorization": f"Bearer {token}"})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    read = {}
    for line in answer.text.splitlines():
        if not line.startswith("#"):
            found = SAMPLE.match(line)
            assert found, line
            read[found[1] + (found[2] or "")] = float(found[3])
    return read


async def test_there_are_none_unless_the_configuration_says_so(tmp_path: Path) -> None:
    async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.OPERATOR)) as browser:
        answer = await browser.get("/metrics")
        assert (answer.status_code, "page.metrics" in answer.json()["refused"]) == (404, True)


async def test_they_say_what_the_records_hold_and_nothing_of_a_station_that_is_not_heard(tmp_path: Path) -> None:
    inspected = await asyncio.to_thread(Inspected.at, tmp_path / "data")
    async with paged(inspected.folder, configuration=page_settings(metrics=True)) as bench:
        read = await figures(bench)
    kind = PART_TYPE.name
    assert read[f'station_parts_total{{part_type="{kind}",verdict="pits",ended="sorted"}}'] == 1
    assert read[f'station_parts_total{{part_type="{kind}",verdict="review",ended="sorted"}}'] == 2
    assert read[f'station_reviews_total{{part_type="{kind}",reason="part.low_confidence"}}'] == 2
    assert sum(value for name, value in read.items() if name.startswith("station_parts_total")) == 4, "one is in work"
    assert read['station_decision_seconds_bucket{le="0.01"}'] == 0
    assert read['station_decision_seconds_bucket{le="0.02"}'] == 4
    assert read['station_decision_seconds_bucket{le="+Inf"}'] == read["station_decision_seconds_count"] == 4
    assert read["station_decision_seconds_sum"] == pytest.approx(4 * 0.01225)
    assert read['station_lines_total{what="expected"}'] == read['station_lines_total{what="delivered"}'] == 4 * 3584
    assert [name for name in read if name.startswith("station_model_info")] != []
    assert read["station_heard"] == 0
    assert read["station_disk_free_bytes"] > 0
    assert not [name for name in read if name.startswith(("station_state", "station_alarms", "station_line_perm"))]


async def test_a_page_without_records_has_counts_of_nothing(tmp_path: Path) -> None:
    async with paged(tmp_path, configuration=page_settings(metrics=True)) as bench:
        assert (await figures(bench))["station_decision_seconds_count"] == 0


# ---------------------------------------------------------------------- counting


async def test_a_count_goes_on_part_by_part_and_is_the_same_for_who_begins_anew(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path, HandClock())
    counting = SqliteTally(tmp_path)
    assert counting.read().parts == {}
    for number in range(3):
        inspection = await ledger.enter(part(f"P-{number}", number + 1), PART_TYPE)
        await ledger.judged(inspection, judgement(decision(Verdict.PITS)))
        assert counting.read().parts.total() == number, "what is in work may still become another verdict"
        await ledger.sorted(inspection, Destination.BIN_PITS)
        assert counting.read() == SqliteTally(tmp_path).read()
        assert counting.read().parts == {(PART_TYPE.name, "pits", "sorted"): number + 1}
    lost = await ledger.enter(part("P-4", 4), PART_TYPE)
    await ledger.lost(lost, FAULTS["part.interrupted"], "gone")
    await ledger.note("state_changed", "EXECUTE HELD robot.part_lost at the jig")
    await ledger.note("state_changed", "EXECUTE COMPLETING")
    await ledger.note("state_changed", "HELD UNHOLDING")
    counts = counting.read()
    assert counts.parts[PART_TYPE.name, "review", "lost"] == 1
    assert counts.reviews == {(PART_TYPE.name, "part.interrupted"): 1}
    assert counts.stops == {("HELD", "robot.part_lost"): 1, ("COMPLETING", ""): 1}
    assert counts == SqliteTally(tmp_path).read()
    assert counts.decisions == 3
    await ledger.close()


async def test_other_records_in_their_place_are_counted_from_their_beginning(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, count in ((here, 3), (there, 5)):
        ledger = await open_ledger(folder, HandClock())
        for number in range(count):
            inspection = await ledger.enter(part(f"P-{number}", number + 1), PART_TYPE)
            await ledger.withdrawn(inspection, FAULTS["part.interrupted"], "taken back")
        await ledger.close()
    counting = SqliteTally(here)
    assert counting.read().parts.total() == 3
    (there / DATABASE).replace(here / DATABASE)
    assert counting.read().parts.total() == 5


async def test_there_are_only_so_many_keys_and_the_same_ones_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "MOST_SERIES", 2)
    ledger = await open_ledger(tmp_path, HandClock())
    counting = SqliteTally(tmp_path)
    for reason in ("z.first", "m.second", "a.third", "b.fourth", "z.first"):
        await ledger.note("state_changed", f"EXECUTE HELD {reason} why")
        counting.read()
    assert counting.read().stops == {("HELD", "z.first"): 2, ("HELD", "m.second"): 1, ("other", "other"): 2}
    assert SqliteTally(tmp_path).read().stops == counting.read().stops
    await ledger.close()


def test_a_million_parts_are_looked_through_once_by_their_number(tmp_path: Path) -> None:
    """What a later look reads is found by the key, not by going through all that there is."""
    Inspected.at(tmp_path)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        for question in (*tally.COUNTED.values(), tally.SUMS, tally.MODELS):
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {question}", {"last": 1, "now": 2})]
            assert not [line for line in plan if line.startswith(("SCAN i", "SCAN j"))], plan


# ---------------------------------------------------------------------- what is written


def test_whatever_a_label_holds_is_one_line() -> None:
    strange = 'a"b\\c\nd{}é'
    text = written([Family("x", "gauge", "X.", (("", {"label": strange}, 1.5),)), Family("y", "gauge", "Y.", ())])
    assert text == '# HELP x X.\n# TYPE x gauge\nx{label="a\\"b\\\\c\\nd{}é"} 1.5\n'


def test_the_cell_is_told_as_it_is_while_it_is_heard() -> None:
    picture = CellPicture(TABLE.places, datetime(2026, 5, 1, tzinfo=UTC))
    picture.take(StateChanged("STOPPED", "HELD", Reason(FAULTS["robot.part_lost"])), datetime.now(UTC))
    waiting = Announcement(1, "A-1", PART_TYPE.code)
    picture.take(LineChanged(LineView(permission=True, waiting=waiting)), datetime.now(UTC))
    text = written(seen(picture.full, live=True))
    assert 'station_state{state="HELD"} 1\n' in text
    assert "station_line_permission 1\n" in text
    assert 'station_alarms{active="yes",acknowledged="no"} 0\n' in text
    assert written(seen(picture.full, live=False)).splitlines()[-1] == "station_heard 0"


# ---------------------------------------------------------------------- what is made of them

NAME = re.compile(r"\bstation_[a-z_]+")
ENDINGS = ("_bucket", "_sum", "_count")


async def test_the_page_beside_the_code_tells_every_metric_and_the_dashboard_asks_for_no_other(tmp_path: Path) -> None:
    told = set(NAME.findall(API_PAGE.read_text(encoding="utf-8")))
    with bundled("deploy/inspection-station.grafana.json").open(encoding="utf-8") as file:
        panels = json.load(file)["panels"]
    asked = {name for panel in panels for target in panel["targets"] for name in NAME.findall(target["expr"])}
    picture = CellPicture(TABLE.places, datetime(2026, 5, 1, tzinfo=UTC))
    meter = Meter(SqliteTally(tmp_path), tmp_path)
    given = set(NAME.findall(meter.text(picture.full, live=True)))
    counters = {family.name for family in counted(Counts())}
    assert {whole(name) for name in asked} <= {whole(name) for name in given | counters}
    assert {whole(name) for name in given | counters} == told


def whole(name: str) -> str:
    """The metric's name without what a histogram puts behind it."""
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)
