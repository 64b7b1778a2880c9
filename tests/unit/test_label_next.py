"""`station label next` and `rates` on a station's records: picks, their pictures, what is kept, and the rates."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.errors import LabelError
from station.core.errors import FAULTS, ConfigError
from station.core.part import Pixels, Probabilities
from station.labels.picking.draws import Draws
from station.labels.picking.lot import Draw
from station.labels.schema import VERSIONS
from station.labels.sqlite import SqliteLabels
from station.records.archivist import SCANS_WAITING
from tests.housings import Verdict
from tests.label_samples import NOON, label
from tests.labelling import Station
from tests.lines import LINES_PER_TURN, PATCHES_PER_PART
from tests.record_samples import (
    PART_TYPE,
    HandClock,
    account,
    blocks_of,
    decision,
    judgement,
    open_ledger,
    part,
)

EARLY = datetime(2020, 5, 1, 6, tzinfo=UTC)
SCAN = Path(__file__).parents[2] / "sim/recordings/housings/SMH-0003.png"
PARTS = 20
DECIDING = 5
"""The patch that `tests.record_samples.decision` names."""


def scores(margin: float) -> Probabilities:
    """Of a part whose deciding patch is sure of pits by so much."""
    rows = np.tile(np.float32([1, 0, 0, 0, 0]), (PATCHES_PER_PART, 1))
    rows[DECIDING] = (0, 0, 0.5 + margin / 2, 0, 0.5 - margin / 2)
    return rows


def blank() -> Pixels:
    return np.full((LINES_PER_TURN, 300), 90, np.uint8)


async def inspected(folder: Path) -> None:
    """Twenty parts, each less sure than the next; then one whose scan broke, one unarchived, and P0 once more."""
    real = np.asarray(cv2.imread(str(SCAN), cv2.IMREAD_GRAYSCALE), np.uint8)
    shown = [(f"P{number}", decision(probabilities=scores(number / PARTS)), blank()) for number in range(PARTS)]
    shown[0] = (*shown[0][:2], real)
    broken = decision(Verdict.REVIEW, FAULTS["scan.incomplete"], scores(0)[:0])
    shown.append(("BROKEN", replace(broken, deciding_patch=None, algorithm1=None), blank()))
    shown.append(("PASSED", decision(Verdict.DEFECT_FREE), blank()))
    shown.append(("P0", decision(probabilities=scores(0)), real))
    clock = HandClock(EARLY)
    for first in range(0, len(shown), SCANS_WAITING):
        ledger = await open_ledger(folder, clock, archive=["pits", "review"])
        for name, decided, image in shown[first : first + SCANS_WAITING]:
            inspection = await ledger.enter(part(name), replace(PART_TYPE, name="smh_385"))
            await ledger.judged(inspection, judgement(decided, blocks_of(image), None, account(decided.fault)))
            clock.advance(seconds=1)
        await ledger.close()  # when all of them are archived


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> Station:
    folder = tmp_path_factory.mktemp("records") / "data"
    asyncio.run(inspected(folder))
    return Station(folder, "", "", "")


@pytest.fixture
def station(at_work: Station, tmp_path: Path) -> Station:
    return at_work.copied(tmp_path / "data")


def parts(picks: Sequence[dict[str, Any]], why: str) -> list[str]:
    return [pick["part_id"] for pick in picks if pick["why"] == why]


def said(station: Station, picks: Sequence[dict[str, Any]], class_name: str) -> None:
    for pick in picks:
        station.done("set", pick["inspection_id"], "--class", class_name, "--by", "ada")


# ---------------------------------------------------------------------- next


def test_the_most_unsure_are_picked_and_some_by_lot_no_part_twice(station: Station) -> None:
    picks = station.asked("next", "--count", 10)
    assert (len(parts(picks, "unsure")), len(parts(picks, "random"))) == (7, 3)
    drawn = parts(picks, "random")
    assert parts(picks, "unsure") == [f"P{number}" for number in range(PARTS) if f"P{number}" not in drawn][:7]
    assert len({pick["part_id"] for pick in picks}) == 10
    unsure = next(pick for pick in picks if pick["why"] == "unsure")
    assert unsure["margin"] == pytest.approx(int(unsure["part_id"][1:]) / PARTS, abs=1e-6)
    assert Path(unsure["scan"]).is_file()
    assert {"unsure", "random", "margin"} <= set(station.done("next", "--count", 10).replace(",", " ").split())


def test_every_archived_part_is_picked_in_the_end_and_by_its_latest_inspection(station: Station) -> None:
    everything = station.asked("next", "--count", 100)
    picked = [pick["part_id"] for pick in everything]
    assert {f"P{number}" for number in range(PARTS)} <= set(picked)
    assert "BROKEN" not in parts(everything, "unsure")
    assert len(picked) == len(set(picked))
    twice = next(pick for pick in everything if pick["part_id"] == "P0")
    with closing(sqlite3.connect(station.folder / "records.sqlite")) as connection:
        rows = connection.execute("SELECT inspection_id FROM inspections WHERE part_id = 'P0' ORDER BY number")
        assert twice["inspection_id"] == rows.fetchall()[-1][0]


def test_what_is_labelled_or_gone_is_not_picked_again(station: Station) -> None:
    first = station.asked("next", "--count", 10)
    assert station.asked("next", "--count", 10) == first
    said(station, first[:5], "pits")
    Path(first[5]["scan"]).unlink()
    again = station.asked("next", "--count", 10)
    assert not {pick["part_id"] for pick in first[:6]} & {pick["part_id"] for pick in again}
    assert {pick["part_id"] for pick in first[6:]} <= {pick["part_id"] for pick in again}


def test_where_nothing_waits_a_word_says_so(station: Station, tmp_path: Path) -> None:
    while picks := station.asked("next", "--count", 100):
        said(station, picks, "pits")
    assert "nothing to label: something is said of each of the 21" in station.done("next")
    asyncio.run(_empty(tmp_path / "empty"))
    assert "records.archive" in Station(tmp_path / "empty", "", "", "").done("next")
    nowhere = Station(tmp_path / "nowhere", "", "", "")
    assert nowhere.refused("next").code == "record.unknown"
    assert not (tmp_path / "nowhere").exists()


async def _empty(folder: Path) -> None:
    await (await open_ledger(folder)).close()


def test_pictures_show_the_deciding_patch_or_the_scan_as_it_is(station: Station, tmp_path: Path) -> None:
    out = tmp_path / "look"
    picks = station.asked("next", "--count", 100, "--out", out)
    files = sorted(out.iterdir())
    assert [file.name[3:] for file in files] == [f"{pick['why']}-{pick['inspection_id']}.png" for pick in picks]
    shown = {pick["part_id"]: cv2.imread(str(file)) for pick, file in zip(picks, files, strict=True)}
    real, raw = shown["P0"], shown["P1"]
    assert real is not None
    assert raw is not None
    assert real.shape[:2] == (1024, 256 + 8 + 512)
    top, left = DECIDING // 2 * 128, DECIDING % 2 * 128
    assert (real[top + 64, left] == (60, 170, 255)).all()
    assert raw.shape[:2] == (LINES_PER_TURN // 4, 75)
    taken = station.refused("next", "--out", out)
    assert isinstance(taken, ConfigError)
    assert taken.code == "config.file_failed"


def test_a_scan_that_cannot_be_read_is_told_and_left_out(station: Station, tmp_path: Path) -> None:
    first = station.asked("next", "--count", 10)[0]
    Path(first["scan"]).write_bytes(b"no picture")
    told = station.done("next", "--count", 10, "--out", tmp_path / "look")
    assert "left out: 01-" in told
    assert len(list((tmp_path / "look").iterdir())) == 9


# ---------------------------------------------------------------------- rates


def test_rates_come_from_what_was_drawn_by_lot_alone(station: Station) -> None:
    before = station.asked("rates")
    assert (before["draws"], before["waiting"]) == (0, 0)
    assert "nothing was drawn by lot yet" in station.done("rates")
    picks = station.asked("next", "--count", 20)
    said(station, [pick for pick in picks if pick["why"] == "unsure"], "defect_free")
    waiting = station.asked("rates")
    assert waiting["waiting"] == 6
    assert [row["trials"] for row in waiting["rates"]] == [0, 0, 0]
    assert "6 that were drawn are not labelled yet" in station.done("rates")
    drawn = [pick for pick in picks if pick["why"] == "random"]
    said(station, drawn[:1], "defect_free")
    said(station, drawn[1:], "pits")
    passed, stopped, review = station.asked("rates")["rates"]
    assert (passed["archived"], stopped["archived"], review["archived"]) == (0, PARTS, 1)
    assert stopped["trials"] + review["trials"] == 6
    assert stopped["events"] + review["events"] == 1
    assert "overkill among what was stopped" in station.done("rates")
    assert "records.archive" in passed["told"]


# ---------------------------------------------------------------------- kept


def test_draws_are_kept_once_and_never_changed(tmp_path: Path) -> None:
    draws, one, other = Draws(tmp_path / "data"), Draw(NOON, 1, 0.25), Draw(NOON, 2, 1.0)
    assert draws.all() == []
    draws.add([])
    assert not (tmp_path / "data").exists()
    draws.add([one, other, one])
    draws.add([other])
    assert draws.all() == [one, other]
    for statement in ("UPDATE draws SET below = 1", "DELETE FROM draws", "REPLACE INTO draws VALUES (1, 'x', 1, 0.5)"):
        with (
            closing(sqlite3.connect(tmp_path / "data" / "labels.db")) as connection,
            pytest.raises(sqlite3.IntegrityError, match=r"stays what it is|are kept"),
        ):
            connection.execute(statement)
    assert draws.all() == [one, other]


def test_a_database_from_before_the_draws_is_read_and_brought_up_with_the_next_label(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    SqliteLabels(folder).add([label()])
    with closing(sqlite3.connect(folder / "labels.db")) as connection, connection:
        connection.execute("DROP TABLE draws")
        connection.execute("PRAGMA user_version = 1")
    assert SqliteLabels(folder).labels() == [label()]
    assert Draws(folder).all() == []
    Draws(folder).add([Draw(NOON, 1, 0.5)])
    assert Draws(folder).all() == [Draw(NOON, 1, 0.5)]
    assert SqliteLabels(folder).labels() == [label()]
    with closing(sqlite3.connect(folder / "labels.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(VERSIONS),)


def test_a_row_that_is_no_draw_is_damage(tmp_path: Path) -> None:
    Draws(tmp_path).add([Draw(NOON, 1, 0.5)])
    with closing(sqlite3.connect(tmp_path / "labels.db")) as connection, connection:
        connection.execute("INSERT INTO draws (at, seed, below) VALUES ('2026-13-01T00:00:00.000Z', 1, 0.5)")
    with pytest.raises(LabelError) as caught:
        Draws(tmp_path).all()
    assert caught.value.code == "label.database_damaged"
